//! A prepared call.

use crate::memory::arg_buffer::ArgBlock;
use crate::memory::fence::borrows::Borrows;
use crate::memory::fence::pool_slice::Ranges;
use crate::node::text_argument::OwnedText;

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
    /// The text that the result is the address of, where another process has sent it along.
    pub text: Option<Vec<u8>>,
}

impl PreparedCall {
    /// One that is not prepared yet.
    #[inline(never)] // What it is made of is not on the stack of a call, under which others may nest.
    pub fn boxed() -> Box<Self> {
        Box::default()
    }

    /// The parts of Node's Buffer pool that the call may write; an unbounded range if it was passed an unknown address.
    pub fn take_lent(&mut self) -> Ranges {
        std::mem::take(&mut self.lent)
    }
}
