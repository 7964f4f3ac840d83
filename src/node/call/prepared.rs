//! A prepared call.

use crate::memory::arg_buffer::ArgBlock;
use crate::memory::fence::borrows::Borrows;
use crate::memory::fence::pool_slice::Ranges;
use crate::node::value::OwnedText;

/// A prepared call: the arguments, and what they keep alive.
#[derive(Default)]
pub struct PreparedCall {
    /// The arguments.
    pub block: ArgBlock,
    /// Dropped after the borrows have ended, when their fences are checked.
    pub owned: Vec<OwnedText>,
    pub borrows: Borrows,
    /// The parts of Node's Buffer pool that an asynchronous call may write.
    pub lent: Ranges,
}

impl PreparedCall {
    /// The parts of Node's Buffer pool that the call may write; an unbounded range if it was passed an unknown address.
    pub fn take_lent(&mut self) -> Ranges {
        std::mem::take(&mut self.lent)
    }
}
