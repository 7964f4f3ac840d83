//! The memory of small Buffers with fences: that of the C library, used again.
#![expect(unsafe_code, reason = "allocates raw memory")]

use crate::memory::address::Address;
use crate::memory::fence::block;
use crate::memory::memory_checker;
use crate::memory::spare_memory::SpareMemory;

/// The most bytes of data. Node's own allocator would zero and count larger blocks, with their fences, no slower.
pub const MOST_LENGTH: usize = 4096;

/// The most bytes of freed blocks that are kept. A loop that makes nothing but Buffers of 96 bytes has some 25 MiB of
/// them between two collections of garbage, and is as fast with 16 as with more.
const MOST_KEPT: usize = 16 << 20;

static SPARE: SpareMemory<{ class_of(MOST_LENGTH) + 1 }> = SpareMemory::new(MOST_KEPT, bytes_of, release);

/// The class of a block by the length of its data.
const fn class_of(length: usize) -> usize {
    (length + 7) / 16
}

/// The bytes of a block of a class: all that one of the C library has, which is 8 more than a multiple of 16.
fn bytes_of(class: usize) -> usize {
    block::overhead() + 16 * class + 8
}

/// Memory for a block whose data has a length of up to [`MOST_LENGTH`], not zeroed; `None` where there is none.
pub fn allocate(length: usize) -> Option<Address> {
    let class = class_of(length);
    SPARE.take(class).or_else(|| {
        // SAFETY: any number of bytes may be asked for.
        Address::new(unsafe { libc::malloc(bytes_of(class)) }.expose_provenance())
    })
}

/// # Safety
/// [`allocate`] gave the memory for data of that length, and it is unused.
pub unsafe fn free(raw: Address, length: usize) {
    let class = class_of(length);
    // SAFETY: by the contract of this function.
    unsafe {
        if memory_checker::is_active() {
            release(raw, bytes_of(class));
        } else {
            SPARE.give(class, raw);
        }
    }
}

/// Gives all that is kept back to the C library, because memory has run out. Whether there was any.
pub fn clear() -> bool {
    SPARE.clear()
}

/// # Safety
/// [`allocate`] gave the memory, and it is unused.
unsafe fn release(raw: Address, _: usize) {
    // SAFETY: by the contract of this function.
    unsafe { libc::free(raw.as_ptr().cast()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_has_room_for_all_lengths_of_its_class() {
        for length in 1..=MOST_LENGTH {
            let bytes = bytes_of(class_of(length));
            let needed = block::overhead() + length;
            assert!((needed..needed + 16).contains(&bytes) && bytes % 16 == 8, "{length}: {bytes}");
        }
    }
}
