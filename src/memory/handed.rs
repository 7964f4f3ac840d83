//! Blocks as C is handed them. What the header says is kept, because to compare it with a copy is quicker than to look
//! whether it fits, before the call and after it.
#![expect(unsafe_code, reason = "takes views for blocks")]

use std::cell::Cell;

use super::address::{Address, Span};
use super::blocks;
use super::fence::{Fenced, Sealed};

/// A block, and what its header said.
#[derive(Clone, Copy, Debug)]
pub struct Handed {
    /// The block; allocated as long as the value is used (M8).
    pub block: Fenced,
    sealed: Sealed,
}

impl Handed {
    /// A block as it is now; `None` where its header was destroyed.
    pub fn new(block: Fenced) -> Option<Self> {
        Some(Self { block, sealed: block.sealed()? })
    }

    /// The length of the data.
    #[inline]
    pub fn length(self) -> usize {
        self.sealed.length()
    }

    /// Whether the header and what a call checks of the fences are as they were.
    #[inline]
    pub fn is_whole(self) -> bool {
        self.block.is_sealed_as(self.sealed) && self.block.is_whole_near(self.length())
    }
}

/// The block that was handed last: often the next one, too. Whether its header is as it was is asked after the call.
#[derive(Debug, Default)]
pub struct LastBlock(Cell<Option<Known>>);

#[derive(Clone, Copy, Debug)]
struct Known {
    handed: Handed,
    /// [`blocks::forgotten`] of then: while it stays, what was a block is one.
    forgotten: u64,
}

impl LastBlock {
    /// The block that a view begins with, and its length; `None` where it begins none, is empty, or the header was found
    /// destroyed.
    ///
    /// # Safety
    /// M3: the view is rooted while the result is used, so that its block stays allocated (M8).
    #[inline]
    pub unsafe fn of(&self, view: Span) -> Option<(Fenced, usize)> {
        let forgotten = blocks::forgotten();
        if let Some(last) = self.0.get()
            && last.handed.block.data() == view.start
            && last.forgotten == forgotten
            && view.length > 0
        {
            return Some((last.handed.block, last.handed.length()));
        }
        // SAFETY: by the contract of this function.
        unsafe { self.find(view, forgotten) }
    }

    /// # Safety
    /// As [`LastBlock::of`].
    #[inline(never)]
    unsafe fn find(&self, view: Span, forgotten: u64) -> Option<(Fenced, usize)> {
        if view.length == 0 || !blocks::contains(view.start) {
            return None;
        }
        // SAFETY: M8, by the contract of this function.
        let handed = Handed::new(unsafe { Fenced::at(view.start) })?;
        self.0.set(Some(Known { handed, forgotten }));
        Some((handed.block, handed.length()))
    }

    /// Notes a block that is no view's.
    #[inline]
    pub fn note(&self, handed: Handed) {
        self.0.set(Some(Known { handed, forgotten: NEVER }));
    }

    /// What was handed, if its data is at this address.
    #[inline]
    pub fn at(&self, data: Address) -> Option<Handed> {
        self.0.get().map(|last| last.handed).filter(|handed| handed.block.data() == data)
    }

    /// Forgets it, after a breach: what its header says is written anew.
    pub fn forget(&self) {
        self.0.set(None);
    }
}

/// So many blocks were not forgotten at any time.
const NEVER: u64 = u64::MAX;
