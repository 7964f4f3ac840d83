//! The arena of strings that live for the length of a call, with fences around each: used like a stack, so that calls
//! may nest.
#![expect(unsafe_code, reason = "hands out addresses inside memory it owns")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw copies")]

use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;

use super::address::Address;
use super::block_source::BlockSource;
use super::fence::block::{self, Fenced};
use super::fence::block_cache::CachedBlock;

const CAPACITY: usize = 16 * 1024;

/// A stack of bytes, one per environment.
pub struct StringArena {
    memory: NonNull<u8>,
    /// Where the memory came from, if not from the C library's heap.
    source: Option<Arc<dyn BlockSource>>,
    top: Cell<usize>,
    /// The last block at the very bottom: as long as no other is put there, it stays as it is.
    bottom: Cell<Option<CachedBlock>>,
}

/// A height of the stack, for [`StringArena::release`].
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize);

impl Default for StringArena {
    /// An empty stack.
    fn default() -> Self {
        let memory = Box::leak(vec![0u128; CAPACITY / 16].into_boxed_slice());
        Self { memory: NonNull::from(memory).cast(), source: None, top: Cell::new(0), bottom: Cell::default() }
    }
}

impl StringArena {
    /// An empty stack in a source's memory; `None` where that has none left.
    pub fn from_source(source: Arc<dyn BlockSource>) -> Option<Self> {
        let memory = NonNull::new(source.allocate(CAPACITY)?.0.as_ptr())?;
        Some(Self { memory, source: Some(source), top: Cell::new(0), bottom: Cell::default() })
    }

    /// The height of the stack.
    pub fn mark(&self) -> Mark {
        Mark(self.top.get())
    }

    /// Frees everything above `mark`.
    pub fn release(&self, mark: Mark) {
        self.top.set(mark.0);
    }

    /// Lets `write` fill the free part and makes a fenced block of as many bytes as it says it used. `None`, and
    /// nothing is kept, where `write` says `None` or there is no space.
    pub fn fill(&self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<(Fenced, usize)> {
        let top = self.top.get();
        if top == 0 {
            self.forget();
        }
        let start = top + block::lead();
        let room = CAPACITY.checked_sub(start + block::widths().after).filter(|room| *room > 0)?;
        // SAFETY: M4 and M6; bytes above `top` belong to no block, and `write` cannot reach this stack.
        let free = unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr().add(start), room) };
        let used = write(free)?.min(room);
        let raw = Address::new(self.memory.as_ptr().expose_provenance() + top)?;
        // SAFETY: M8; `room` leaves space for the fence after it.
        let block = unsafe { Fenced::build(raw, block::lead(), used) }?;
        self.top.set((start + used + block::widths().after).next_multiple_of(16).min(CAPACITY));
        Some((block, used))
    }

    /// A block of `size` bytes with any content; `None` if there is no space. The block at the bottom is reused if it
    /// is as long, because calls have checked its fences.
    #[inline]
    pub fn take(&self, size: usize) -> Option<CachedBlock> {
        let top = self.top.get();
        let end = top.checked_add(size)?.checked_add(block::overhead())?.next_multiple_of(16);
        if end > CAPACITY {
            return None;
        }
        let known = self.bottom.get().filter(|bottom| top == 0 && bottom.length() == size);
        let handed = match known {
            Some(bottom) => bottom,
            None => self.build(top, size)?,
        };
        self.top.set(end);
        Some(handed)
    }

    #[inline(never)]
    fn build(&self, top: usize, size: usize) -> Option<CachedBlock> {
        let raw = Address::new(self.memory.as_ptr().expose_provenance() + top)?;
        // SAFETY: M4, M6 and M8; bytes above `top` belong to no block, and there are as many as the block needs.
        let handed = CachedBlock::new(unsafe { Fenced::build(raw, block::lead(), size) }?)?;
        if top == 0 {
            self.bottom.set(Some(handed));
        }
        Some(handed)
    }

    /// Has the next block rebuilt, after a breach.
    pub fn forget(&self) {
        self.bottom.set(None);
    }
}

impl Drop for StringArena {
    fn drop(&mut self) {
        if let Some(source) = &self.source {
            if let Some(start) = Address::new(self.memory.as_ptr().expose_provenance()) {
                source.release(start, CAPACITY);
            }
            return;
        }
        // SAFETY: M4; `new` leaked exactly this box, and no call is under way when the state is dropped.
        drop(unsafe {
            Box::from_raw(std::ptr::slice_from_raw_parts_mut(self.memory.as_ptr().cast::<u128>(), CAPACITY / 16))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_calls_do_not_overwrite_each_other() {
        let arena = StringArena::default();
        let put = |text: &'static [u8]| {
            arena.fill(|free| {
                free[..text.len()].copy_from_slice(text);
                Some(text.len())
            })
        };
        let address = |found: Option<(Fenced, usize)>| found.unwrap().0.data().get();
        let outer = arena.mark();
        let first = address(put(b"outer"));
        let inner = arena.mark();
        let second = address(put(b"inner"));
        assert!(second >= first + 5 + block::overhead());
        arena.release(inner);
        assert_eq!(address(put(b"again")), second);
        arena.release(outer);
        let (block, length) = put(b"outer").unwrap();
        assert_eq!((block.data().get(), length, block.is_whole(5)), (first, 5, true));
    }

    #[test]
    fn a_block_at_the_bottom_is_built_anew_where_another_was_there() {
        let arena = StringArena::default();
        let empty = arena.mark();
        let is_whole = |size| {
            let handed = arena.take(size).unwrap();
            arena.take(size).unwrap();
            arena.release(empty);
            handed.block.is_whole(size) && handed.length() == size
        };
        assert!(is_whole(6) && is_whole(6) && is_whole(300) && is_whole(6));
        arena.fill(|free| {
            free[..400].fill(1);
            Some(6)
        });
        arena.release(empty);
        assert!(is_whole(6));
        arena.fill(|free| {
            free.fill(1);
            None
        });
        assert!(is_whole(6) && arena.take(CAPACITY).is_none());
    }

    #[test]
    fn what_does_not_fit_is_not_kept() {
        let arena = StringArena::default();
        assert_eq!(arena.fill(|_| None), None);
        while arena.fill(|free| Some(free.len().min(100))).is_some() {}
        assert_eq!(arena.fill(|free| Some(free.len())), None);
        arena.release(Mark(0));
        assert_eq!(arena.mark().0, 0);
    }
}
