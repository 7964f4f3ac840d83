//! The layout of a block of the heap, and its checks.
//!
//! ```text
//! [ padding ][ head: size, alignment, owner | seal ][ bytes of the user ][ canary ]
//!                                                   ^ aligned to 16 or more
//! ```
//!
//! The seal depends on the head, the address and a secret of the process; so a block that was not given by this heap,
//! or whose head was overwritten, is recognised. The canary follows the last byte of the user without a gap: an
//! overflow by one byte is found, also one that writes a zero.
#![expect(unsafe_code, reason = "reads and writes the heads of blocks")]

use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes before those of the user.
pub const HEAD: usize = 16;
/// Bytes after those of the user.
pub const CANARY: usize = 8;
/// The alignment of a block whose request names none.
pub const ALIGN: usize = 16;
/// The owner of blocks that have separate pages.
pub const LARGE: u8 = 255;

const SIZE_BITS: u32 = 48;
/// The largest size of a block.
pub const MOST: usize = (1 << SIZE_BITS) - 1;

/// Different for each process. Before it is set no block is made.
static SECRET: AtomicU64 = AtomicU64::new(0);

/// Sets the secret to random bytes that the kernel has passed to this program; again to the same ones.
pub fn set_secret() {
    // SAFETY: AT_RANDOM is the address of 16 bytes.
    let secret = unsafe {
        let random = std::ptr::with_exposed_provenance::<u64>(libc::getauxval(libc::AT_RANDOM) as usize);
        if random.is_null() { 0x9e37_79b9_7f4a_7c15 } else { random.read_unaligned() }
    };
    SECRET.store(secret, Ordering::Relaxed);
}

/// The contents of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The bytes that the user asked for.
    pub size: usize,
    /// The alignment, a power of two from [`ALIGN`] on.
    pub align: usize,
    /// Which allocator the memory is from.
    pub owner: u8,
}

/// The damage of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// No block of this heap begins here, or its head was overwritten.
    NoBlock,
    /// The block was freed already.
    Freed,
    /// The bytes behind the block were overwritten.
    Overflow(usize),
}

impl Head {
    /// The bytes from the beginning of the allocator's memory to the user's.
    pub fn offset(self) -> usize {
        self.align.max(HEAD)
    }

    /// The bytes that the allocator has to provide, or `None` if they are too many.
    pub fn total(self) -> Option<usize> {
        if self.size > MOST || self.align > MOST {
            return None;
        }
        self.offset().checked_add(self.size)?.checked_add(CANARY)
    }

    fn word(self) -> u64 {
        self.size as u64 | u64::from(self.align.trailing_zeros()) << SIZE_BITS | u64::from(self.owner) << 56
    }

    fn of(word: u64) -> Self {
        let power = (word >> SIZE_BITS) as u8;
        Self {
            size: word as usize & MOST,
            align: 1usize.checked_shl(power.into()).unwrap_or(ALIGN),
            owner: (word >> 56) as u8,
        }
    }
}

/// A number that depends on all bits of an address, a head's word and the secret. It keeps mistakes from passing, not
/// an adversary who reads the heap.
fn mix(address: usize, word: u64) -> u64 {
    let value =
        (word.rotate_left(29) ^ address as u64 ^ SECRET.load(Ordering::Relaxed)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 32)
}

/// The last bit is the mark of freed blocks.
fn seal(mixed: u64, is_freed: bool) -> u64 {
    mixed & !1 | u64::from(is_freed)
}

/// No byte is zero: a text without room for its NUL changes the canary.
fn canary(mixed: u64) -> u64 {
    mixed.rotate_left(13) | 0x0101_0101_0101_0101
}

/// Writes head and canary of a block.
///
/// # Safety
/// H3: the [`HEAD`] bytes before `user`, and `head.size` + [`CANARY`] from it on, belong to this block.
pub unsafe fn write(user: *mut u8, head: Head) {
    let mixed = mix(user.addr(), head.word());
    // SAFETY: by the contract of this function; the head is aligned to 16.
    unsafe {
        let words = user.sub(HEAD).cast::<u64>();
        *words = head.word();
        *words.add(1) = seal(mixed, false);
        user.add(head.size).cast::<u64>().write_unaligned(canary(mixed));
    }
}

/// Changes the head of a block that was checked so that [`check`] gives [`Damage::Freed`]. False if it was marked
/// already: another thread frees the block, too.
///
/// # Safety
/// As [`write`]. Calls for one block come one after the other.
pub unsafe fn mark_freed(user: *mut u8) -> bool {
    // SAFETY: by the contract of this function.
    unsafe {
        let seal = user.sub(8).cast::<u64>();
        let is_first = *seal & 1 == 0;
        *seal |= 1;
        is_first
    }
}

/// Whether the head is that of a block that was marked as freed.
///
/// # Safety
/// The [`HEAD`] bytes before `user` are readable.
pub unsafe fn is_marked(user: *const u8) -> bool {
    // SAFETY: by the contract of this function.
    unsafe {
        let words = user.sub(HEAD).cast::<u64>();
        *words.add(1) == seal(mix(user.addr(), *words), true)
    }
}

/// The bytes from the beginning of the allocator's memory to the user's, by the head of a block that was checked.
///
/// # Safety
/// As [`write`], whose head is there.
pub unsafe fn offset_of(user: *const u8) -> usize {
    // SAFETY: by the contract of this function.
    Head::of(unsafe { *user.sub(HEAD).cast::<u64>() }).offset()
}

/// The contents of the head.
///
/// # Errors
/// Where the block is damaged.
///
/// # Safety
/// The [`HEAD`] bytes before `user`, and those from it to the end of the heap's used pages, are readable; `end` is that
/// end. `user` is aligned to 16.
pub unsafe fn check(user: *const u8, end: usize) -> Result<Head, Damage> {
    let address = user.addr();
    // SAFETY: by the contract of this function; the canary is read only where it lies before `end`.
    unsafe {
        let words = user.sub(HEAD).cast::<u64>();
        let (word, found) = (*words, *words.add(1));
        let mixed = mix(address, word);
        if found != seal(mixed, false) {
            return Err(if found == seal(mixed, true) { Damage::Freed } else { Damage::NoBlock });
        }
        let head = Head::of(word);
        let behind =
            address.checked_add(head.size).filter(|at| end.checked_sub(*at).is_some_and(|room| room >= CANARY));
        if behind.is_none() {
            return Err(Damage::NoBlock);
        }
        let bytes = user.add(head.size).cast::<u64>().read_unaligned();
        if bytes != canary(mixed) {
            return Err(Damage::Overflow(head.size));
        }
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(align(16))]
    struct Memory([u8; 128]);

    fn block(size: usize) -> (Box<Memory>, *mut u8) {
        set_secret();
        let mut memory = Box::new(Memory([0; 128]));
        // SAFETY: 128 bytes are there.
        let user = unsafe { memory.0.as_mut_ptr().add(HEAD) };
        // SAFETY: as above.
        unsafe { write(user, Head { size, align: ALIGN, owner: 3 }) };
        (memory, user)
    }

    fn check_in(memory: &Memory, user: *mut u8) -> Result<Head, Damage> {
        // SAFETY: the memory is a borrow.
        unsafe { check(user, memory.0.as_ptr().addr() + 128) }
    }

    #[test]
    fn a_whole_block_has_its_size() {
        for size in [0, 1, 24, 100] {
            let (memory, user) = block(size);
            assert_eq!(check_in(&memory, user), Ok(Head { size, align: ALIGN, owner: 3 }));
        }
    }

    #[test]
    fn one_byte_too_many_is_found_whatever_it_is() {
        for value in 0..=255u8 {
            let (memory, user) = block(24);
            // SAFETY: byte 24 is the canary's first.
            unsafe {
                if *user.add(24) == value {
                    continue;
                }
                *user.add(24) = value;
            }
            assert_eq!(check_in(&memory, user), Err(Damage::Overflow(24)));
        }
    }

    #[test]
    fn a_zero_is_found_in_each_byte_of_the_canary() {
        for at in 0..CANARY {
            let (memory, user) = block(24);
            // SAFETY: the canary has 8 bytes.
            unsafe { *user.add(24 + at) = 0 };
            assert_eq!(check_in(&memory, user), Err(Damage::Overflow(24)));
        }
    }

    #[test]
    fn a_head_that_was_overwritten_is_no_block() {
        for bit in 0..128 {
            let (memory, user) = block(24);
            // SAFETY: the head has 16 bytes. The last bit of the seal is the mark of freed blocks.
            unsafe { *user.sub(HEAD).add(bit / 8) ^= 1 << (bit % 8) };
            let expected = if bit == 64 { Damage::Freed } else { Damage::NoBlock };
            assert_eq!(check_in(&memory, user), Err(expected), "bit {bit}");
        }
    }

    #[test]
    fn a_freed_block_is_recognised() {
        let (memory, user) = block(24);
        // SAFETY: the block is this test's.
        let (is_first, is_second) = unsafe { (mark_freed(user), mark_freed(user)) };
        assert_eq!(check_in(&memory, user), Err(Damage::Freed));
        // SAFETY: as above.
        assert_eq!((is_first, is_second, unsafe { is_marked(user) }), (true, false, true));
    }

    #[test]
    fn totals_do_not_wrap() {
        let head = |size| Head { size, align: 4096, owner: 0 };
        assert_eq!(head(10).total(), Some(4096 + 10 + CANARY));
        assert_eq!(head(usize::MAX).total(), None);
        assert_eq!(Head { align: 1 << 63, ..head(1) }.total(), None);
    }
}
