//! Pauses the borrows of the calls under way while their callbacks run.

use std::ops::Range;

use crate::memory::address::{Address, Span};
use crate::memory::fence::borrows::Borrows;
use crate::memory::fence::pool_slice::{Ranges, range};
use crate::node::env::Environment;

impl Environment {
    /// JavaScript is about to run in a callback: the borrows of the innermost call are checked. Outer calls are
    /// paused already.
    #[inline]
    pub fn pause_borrows(&self) {
        if let Some((depth, borrows)) = self.calls.borrows.borrow_mut().last_mut()
            && *depth == self.calls.depth.get()
        {
            borrows.pause();
        }
    }

    /// JavaScript has run in a callback, whose result is in the argument buffer: so many bytes from an offset on.
    #[inline]
    pub fn resume_borrows(&self, result: impl FnOnce() -> Range<usize>) {
        if !self.calls.borrows.borrow().is_empty() {
            self.resume_last_borrows(result());
        }
    }

    fn resume_last_borrows(&self, result: Range<usize>) {
        if let Some(((depth, borrows), outer)) = self.calls.borrows.borrow_mut().split_last_mut()
            && *depth == self.calls.depth.get()
        {
            let calls = self.calls.depth.get() - 1;
            borrows.resume(|slab| {
                // C may write to the memory that the callback has returned.
                let returns_part = result.clone().step_by(size_of::<usize>()).any(|at| {
                    let address = Address::new(self.arg_buffer.word(at) as usize);
                    let address = address.filter(|address| range(slab).contains(&address.get()));
                    address.is_some_and(|address| self.pool_slices.around(self.raw, address).is_none())
                });
                if returns_part { None } else { self.written_by_others(slab, outer, calls) }
            });
        }
    }

    /// The ranges of a slab that others than a call may write during it; `None` if that is not known. `outer` is known
    /// of the `calls` that it is made under, whose threads may be at work.
    pub fn written_by_others(&self, slab: Span, outer: &[(usize, Borrows)], calls: usize) -> Option<Ranges> {
        if outer.len() < calls {
            return None;
        }
        let mut ranges = self.pool_slices.written_by_others(slab)?;
        ranges.extend(outer.iter().flat_map(|(_, borrows)| borrows.granted_in(slab)));
        Some(ranges)
    }
}
