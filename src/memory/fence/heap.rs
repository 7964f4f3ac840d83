//! The heap of fenced blocks for `alloc()` and for copies of the guard. Blocks are reused by size class.
#![expect(unsafe_code, reason = "allocates raw memory")]

use std::alloc::{Layout, alloc, alloc_zeroed, dealloc};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::block::{self, Fenced};
use super::report::{self, Found};
use super::{block_map, exposed, quarantine};
use crate::memory::address::Address;
use crate::memory::block_source::{self, BlockSource};
use crate::memory::spare_memory::SpareMemory;

/// The capacity stands in front of the header.
const CAPACITY: usize = 16;
const SMALLEST: usize = 8;
const CLASSES: usize = 9;

/// The blocks that were freed last.
static SPARE: SpareMemory<CLASSES> = SpareMemory::new(8 << 20, capacity_of, give_back);

fn capacity_of(class: usize) -> usize {
    1 << (class + SMALLEST)
}

/// The size class of a number of bytes: powers of two from 256 to 64 KiB.
fn class(bytes: usize) -> Option<usize> {
    let class = (bytes.next_power_of_two().trailing_zeros() as usize).saturating_sub(SMALLEST);
    (class < CLASSES).then_some(class)
}

fn layout(capacity: usize) -> Option<Layout> {
    Layout::from_size_align(capacity, CAPACITY).ok()
}

/// Memory of at least so many bytes, and whether it is zeroed; `clears` asks for that where it is cheap.
fn raw(bytes: usize, clears: bool) -> Option<(Address, bool)> {
    let capacity = match class(bytes) {
        Some(class) => {
            if let Some(raw) = SPARE.take(class) {
                // SAFETY: M8; the link of spare memory was there.
                unsafe { raw.as_ptr().cast::<usize>().write(capacity_of(class)) };
                return Some((raw, false));
            }
            capacity_of(class)
        }
        None => bytes,
    };
    let allocate = if clears { alloc_zeroed } else { alloc };
    // SAFETY: M8; the capacity is not 0.
    let raw = Address::new(unsafe { allocate(layout(capacity)?) }.expose_provenance())?;
    // SAFETY: M8; `raw` is at least CAPACITY long.
    unsafe { raw.as_ptr().cast::<usize>().write(capacity) };
    Some((raw, clears))
}

/// The memory of a block that came from a [`BlockSource`]. It is kept here, because others may write the block's
/// header.
struct Origin {
    source: Arc<dyn BlockSource>,
    raw: Address,
    bytes: usize,
    length: usize,
}

/// The blocks that came from sources, by their data.
static ORIGINS: LazyLock<Mutex<HashMap<Address, Origin>>> = LazyLock::new(Mutex::default);

fn origins() -> MutexGuard<'static, HashMap<Address, Origin>> {
    ORIGINS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes that a block takes up, with room to align its data.
fn bytes_of(length: usize, align: usize) -> Option<usize> {
    let slack = align.max(16) - 16;
    length.checked_add(CAPACITY + block::overhead() + slack).filter(|bytes| *bytes <= isize::MAX as usize)
}

/// A zeroed block; `None` where there is no memory. `align` is a power of two. It comes from the shared source, where
/// there is one that has memory.
pub fn allocate(length: usize, align: usize) -> Option<Fenced> {
    if let Some(block) = block_source::shared().and_then(|source| allocate_from(source, length, align)) {
        return Some(block);
    }
    let (raw, is_zeroed) = raw(bytes_of(length, align)?, true)?;
    build(raw, is_zeroed, length, align)
}

/// A block with any content, which its user writes as a whole. Otherwise as [`allocate`], with the least alignment.
pub fn allocate_uninitialized(length: usize) -> Option<Fenced> {
    if block_source::shared().is_some() {
        return allocate(length, 1);
    }
    let (raw, _) = raw(bytes_of(length, 1)?, false)?;
    build(raw, true, length, 1)
}

/// A zeroed block of a source's memory.
pub fn allocate_from(source: &Arc<dyn BlockSource>, length: usize, align: usize) -> Option<Fenced> {
    let bytes = bytes_of(length, align)?;
    let (raw, is_zeroed) = source.allocate(bytes)?;
    let block = build(raw, is_zeroed, length, align)?;
    origins().insert(block.data(), Origin { source: Arc::clone(source), raw, bytes, length });
    Some(block)
}

/// The length of a block that came from a source, by its data: not that of its header, which others may write.
pub fn known_length(data: Address) -> Option<usize> {
    origins().get(&data).map(|origin| origin.length)
}

/// Gives the memory of an unused block back to the source that it came from.
pub fn forget(block: Fenced) {
    let _freeing = block_map::begin_free(block.data());
    let origin = origins().remove(&block.data());
    if let Some(origin) = origin {
        origin.source.release(origin.raw, origin.bytes);
    }
}

fn build(raw: Address, is_zeroed: bool, length: usize, align: usize) -> Option<Fenced> {
    let lead = CAPACITY + block::lead();
    let data = (raw.get() + lead).next_multiple_of(align.max(16));
    // SAFETY: M8; there is room for the lead, the slack, the data and the fence after it.
    unsafe {
        if !is_zeroed {
            std::ptr::with_exposed_provenance_mut::<u8>(data).write_bytes(0, length);
        }
        let block = Fenced::build(raw, data - raw.get(), length)?;
        if block_map::fits(block.data()) {
            block_map::insert(block.data());
        }
        Some(block)
    }
}

/// Frees a block: it is checked, and held in quarantine where its address was exposed.
///
/// # Safety
/// M10: the block came from [`allocate`] and it is used by nothing but native code that has its address.
pub unsafe fn free(block: Fenced, length: usize) {
    let _freeing = block_map::begin_free(block.data());
    exposed::remove(block.data());
    if !block.is_whole(length) {
        if let Some(breach) = block.breach(length) {
            report::push(Found::Freed, block, length, breach);
        }
        block.repair(length);
    }
    // SAFETY: M10 by the contract of this function.
    unsafe {
        match block.exposed_to() {
            0 => release(block, length, 0),
            _ => quarantine::hold(block, length, 0, release),
        }
    }
}

/// # Safety
/// M10: as [`free`].
unsafe fn release(block: Fenced, _: usize, _: usize) {
    let origin = origins().remove(&block.data());
    if let Some(origin) = origin {
        return origin.source.release(origin.raw, origin.bytes);
    }
    let Some(raw) = block.raw() else { return };
    // SAFETY: M8; `raw` wrote the capacity.
    let capacity = unsafe { raw.as_ptr().cast::<usize>().read() };
    // SAFETY: M8 and M10; `raw` allocated so many bytes, which are unused.
    unsafe {
        match class(capacity).filter(|class| capacity == capacity_of(*class)) {
            Some(class) => SPARE.give(class, raw),
            None => give_back(raw, capacity),
        }
    }
}

/// # Safety
/// M8: [`raw`] allocated so many bytes, and nothing uses them.
unsafe fn give_back(raw: Address, capacity: usize) {
    if let Some(layout) = layout(capacity) {
        // SAFETY: by the contract of this function.
        unsafe { dealloc(raw.as_ptr(), layout) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_aligned_zeroed_fenced_and_reused() {
        for align in [1, 16, 64, 4096] {
            // Miri takes minutes for the longest.
            for length in [0, 1, 96, if cfg!(miri) { 1000 } else { 100_000 }] {
                let block = allocate(length, align).unwrap();
                assert_eq!(block.data().get() % align, 0);
                assert_eq!((block.length(), block.is_whole(length)), (Some(length), true));
                assert!(block_map::contains(block.data()));
                // SAFETY: M10; the block is this test's.
                unsafe {
                    assert!((0..length).all(|at| block.data().as_ptr().add(at).read() == 0));
                    block.data().as_ptr().write_bytes(7, length);
                    free(block, length);
                }
                assert!(!block_map::contains(block.data()));
            }
        }
        assert!(allocate(usize::MAX - 4, 16).is_none());
    }
}
