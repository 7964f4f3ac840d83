//! A call that is ready to go in.

use crate::memory::arg_buffer::ArgBlock;
use crate::memory::fence::borrows::Borrows;
use crate::memory::fence::pool_slice::Ranges;
use crate::node::value::OwnedText;

/// A call that is ready to go in: the arguments, and what they need.
#[derive(Default)]
pub struct PreparedCall {
    /// The arguments.
    pub block: ArgBlock,
    /// Dropped after the watch has ended: their fences are checked.
    pub owned: Vec<OwnedText>,
    pub borrows: Borrows,
    /// What of Node's Buffer pool an asynchronous call may write.
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

    /// What of Node's Buffer pool the call may write; a range without an end where it was passed an unknown address.
    pub fn take_lent(&mut self) -> Ranges {
        std::mem::take(&mut self.lent)
    }
}
