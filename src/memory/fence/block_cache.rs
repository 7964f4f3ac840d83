//! A cache of the blocks that calls are passed. Comparing a header with its copy is faster than validating it, before
//! the call and after it.
#![expect(unsafe_code, reason = "takes views for blocks")]

use std::cell::Cell;
use std::mem::offset_of;

use super::block::Fenced;
use super::block_map;
use super::header::{self, Sealed};
use crate::memory::address::{Address, Span};

/// The block that a view begins; `None` where it begins none, or is empty.
///
/// # Safety
/// M3: the view is rooted while the result is used, so that its block stays allocated (M8).
#[inline]
pub unsafe fn begun_by(view: Span) -> Option<Fenced> {
    // SAFETY: M8, by the contract of this function.
    (view.length > 0 && block_map::contains(view.start)).then(|| unsafe { Fenced::at(view.start) })
}

/// A block, and what its header said.
#[derive(Clone, Copy, Debug)]
pub struct CachedBlock {
    /// The block; allocated as long as the value is used (M8).
    pub block: Fenced,
    sealed: Sealed,
}

impl CachedBlock {
    /// A block as it is now; `None` where its header was destroyed.
    pub fn new(block: Fenced) -> Option<Self> {
        Some(Self { block, sealed: block.sealed()? })
    }

    /// The length of the data.
    #[inline]
    pub fn length(self) -> usize {
        self.sealed.length()
    }
}

/// The block that was passed last: often the next one, too. Its header is compared after the call.
/// Its parts are separate cells, so that reading one copies nothing else.
#[derive(Debug)]
#[repr(C)]
pub struct BlockCache {
    /// Where the data begins; 0 if nothing was passed.
    data: Cell<usize>,
    sealed: Cell<Sealed>,
    /// [`block_map::forgotten`] at that time. While it stays the same, the block is still one.
    forgotten: Cell<u64>,
}

/// Where generated code finds the parts of a [`BlockCache`].
pub const DATA_AT: usize = offset_of!(BlockCache, data);
pub const LENGTH_AT: usize = offset_of!(BlockCache, sealed) + header::LENGTH_AT;
pub const FORGOTTEN_AT: usize = offset_of!(BlockCache, forgotten);

impl Default for BlockCache {
    fn default() -> Self {
        Self { data: Cell::new(0), sealed: Cell::new(Sealed::NONE), forgotten: Cell::new(NEVER) }
    }
}

impl BlockCache {
    /// The block that a view begins with, and its length; `None` where it begins none, is empty, or the header was
    /// found destroyed.
    ///
    /// # Safety
    /// M3: the view is rooted while the result is used, so that its block stays allocated (M8).
    #[inline]
    pub unsafe fn of(&self, view: Span) -> Option<(Fenced, usize)> {
        let forgotten = block_map::forgotten();
        if self.data.get() == view.start.get() && self.forgotten.get() == forgotten && view.length > 0 {
            // SAFETY: M8, by the contract of this function: the block is still one.
            return Some((unsafe { Fenced::at(view.start) }, self.length()));
        }
        // SAFETY: by the contract of this function.
        unsafe { self.find(view, forgotten) }
    }

    /// Whether it is the block with its data at this address, and still one.
    #[inline]
    pub fn is_current(&self, data: Address) -> bool {
        self.data.get() == data.get() && self.forgotten.get() == block_map::forgotten()
    }

    /// Whether no block is known.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.data.get() == 0
    }

    /// # Safety
    /// As [`BlockCache::of`].
    #[inline(never)]
    unsafe fn find(&self, view: Span, forgotten: u64) -> Option<(Fenced, usize)> {
        // SAFETY: by the contract of this function.
        let handed = CachedBlock::new(unsafe { begun_by(view)? })?;
        self.note(handed);
        self.forgotten.set(forgotten);
        Some((handed.block, handed.length()))
    }

    /// Records a block that is no view's.
    #[inline]
    pub fn note(&self, handed: CachedBlock) {
        self.data.set(handed.block.data().get());
        self.sealed.set(handed.sealed);
        self.forgotten.set(NEVER);
    }

    /// The length of its data.
    #[inline]
    pub fn length(&self) -> usize {
        self.sealed.get().length()
    }

    /// The block, if its data has this length; of one that stays allocated (M8).
    #[inline]
    pub fn block_of(&self, length: usize) -> Option<Fenced> {
        let data = Address::new(self.data.get()).filter(|_| self.length() == length)?;
        // SAFETY: M8; the block was noted here.
        Some(unsafe { Fenced::at(data) })
    }

    /// Whether it is the block with its data at this address, and whole.
    ///
    /// # Safety
    /// M8: the block is allocated, if it is the one.
    #[inline(always)]
    pub unsafe fn is_whole_at(&self, data: Address) -> bool {
        // SAFETY: M8, by the contract of this function; no thread writes the copy meanwhile.
        self.data.get() == data.get() && unsafe { Fenced::at(data).is_whole_as(&*self.sealed.as_ptr()) }
    }

    /// Whether it is whole, and was not forgotten; records who received it.
    ///
    /// # Safety
    /// M8: the block is allocated, unless it was forgotten.
    #[inline(always)]
    pub unsafe fn is_whole_after(&self, symbol: u32) -> bool {
        let Some(data) = Address::new(self.data.get()) else { return false };
        // SAFETY: M8, by the contract of this function; no thread writes the copy meanwhile.
        unsafe {
            let block = Fenced::at(data);
            block.expose_to(symbol);
            block.is_whole_as(&*self.sealed.as_ptr())
        }
    }

    /// [`BlockCache::is_whole_after`] where the processor has AVX2.
    ///
    /// # Safety
    /// As there.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2")]
    pub unsafe fn is_whole_by_pairs_after(&self, symbol: u32) -> bool {
        let Some(data) = Address::new(self.data.get()) else { return false };
        // SAFETY: M8, by the contract of this function; no thread writes the copy meanwhile.
        unsafe {
            let block = Fenced::at(data);
            block.expose_to(symbol);
            block.is_whole_by_pairs(&*self.sealed.as_ptr())
        }
    }

    /// Forgets it, after a breach: its header is rewritten.
    pub fn forget(&self) {
        self.data.set(0);
        // A view in the engine's heap has no storage, which generated code must not take for this.
        self.forgotten.set(NEVER);
    }
}

/// A count of forgotten blocks that is never reached.
const NEVER: u64 = u64::MAX;
