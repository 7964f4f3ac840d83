//! One of the heap's allocators of small blocks: `dlmalloc` over runs of pages, and the blocks that were freed last.
#![expect(unsafe_code, reason = "calls an allocator")]

use std::ptr::null_mut;

use dlmalloc::{Allocator, Dlmalloc};

use super::block::{ALIGN, HEAD};
use super::lock::Locked;
use super::pages::{PAGE, Pages};

/// Pages are taken in units of this many bytes. Untouched ones cost nothing.
const GRANULARITY: usize = 256 << 10;
/// The freed blocks that are held back, so that a second `free` finds the first one's mark.
const DELAYED: usize = 32;

/// An allocator.
pub struct Shard {
    memory: Dlmalloc<Source>,
    delayed: [*mut u8; DELAYED],
    oldest: usize,
}

// SAFETY: the blocks that are held back are this value's.
unsafe impl Send for Shard {}

impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shard")
    }
}

impl Shard {
    /// An allocator without memory.
    ///
    /// # Panics
    /// If dlmalloc refuses the granularity, a constant: the build fails.
    pub const fn new() -> Self {
        let mut memory = Dlmalloc::new_with_allocator(Source { pages: None });
        assert!(memory.set_granularity(GRANULARITY));
        Self { memory, delayed: [null_mut(); DELAYED], oldest: 0 }
    }

    /// Says where pages come from. Before that there are none.
    pub fn set_pages(&mut self, pages: &'static Locked<Pages>) {
        self.memory.allocator_mut().pages = Some(pages);
    }

    /// Memory of `total` bytes, or null; `align` is a power of two.
    pub fn allocate(&mut self, align: usize, total: usize) -> *mut u8 {
        // SAFETY: the allocator has no preconditions on sizes.
        unsafe { self.memory.c_memalign(align, total) }
    }

    /// Gives pages back that hold no block.
    pub fn trim(&mut self) {
        // SAFETY: the allocator is this value's.
        unsafe { self.memory.trim(0) };
    }

    /// The blocks that are held back; they are not any more.
    pub fn take_delayed(&mut self) -> [*mut u8; DELAYED] {
        std::mem::replace(&mut self.delayed, [null_mut(); DELAYED])
    }

    /// Holds a freed block back. Gives the one that was held back longest, which is to be released, or null.
    pub fn delay(&mut self, user: *mut u8) -> *mut u8 {
        let old = std::mem::replace(&mut self.delayed[self.oldest], user);
        self.oldest = (self.oldest + 1) % DELAYED;
        old
    }

    /// Releases the memory of a block.
    ///
    /// # Safety
    /// The block is one of this allocator's, its head is intact except for the mark, and it is no longer in use.
    pub unsafe fn release(&mut self, user: *mut u8) {
        // SAFETY: by the contract of this function.
        unsafe { self.memory.c_free(user.sub(super::block::offset_of(user))) };
    }

    /// Resizes a block with the usual alignment to `total` bytes; it may move. Null if there is no memory.
    ///
    /// # Safety
    /// The block is one of this allocator's, and whole.
    pub unsafe fn resize(&mut self, user: *mut u8, total: usize) -> *mut u8 {
        const { assert!(ALIGN == HEAD) };
        // SAFETY: by the contract of this function.
        unsafe {
            let memory = self.memory.c_realloc(user.sub(HEAD), total);
            if memory.is_null() { memory } else { memory.add(HEAD) }
        }
    }
}

/// Where `dlmalloc` gets its memory.
struct Source {
    pages: Option<&'static Locked<Pages>>,
}

// SAFETY: pages that are handed out are used by this allocator alone until it gives them back.
unsafe impl Allocator for Source {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let size = size.next_multiple_of(PAGE);
        let taken = self.pages.and_then(|pages| pages.lock().take(size, PAGE));
        match taken {
            Some(taken) => (std::ptr::with_exposed_provenance_mut(taken.start), size, 0),
            None => (null_mut(), 0, 0),
        }
    }

    fn remap(&self, _: *mut u8, _: usize, _: usize, _: bool) -> *mut u8 {
        // The kernel would move shared pages to an address at which the parent has others.
        null_mut()
    }

    fn free_part(&self, start: *mut u8, old: usize, new: usize) -> bool {
        let Some(pages) = self.pages else { return false };
        pages.lock().give(start.addr() + new, old - new);
        true
    }

    fn free(&self, start: *mut u8, size: usize) -> bool {
        let Some(pages) = self.pages else { return false };
        pages.lock().give(start.addr(), size);
        true
    }

    fn can_release_part(&self, _: u32) -> bool {
        true
    }

    fn allocates_zeros(&self) -> bool {
        false
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}
