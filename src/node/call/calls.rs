//! The state that the synchronous calls of an environment share.

use std::cell::{Cell, RefCell};

use crate::call::bound_function::MOST_PINS;
use crate::memory::fence::block_cache::BlockCache;
use crate::memory::fence::borrows::Borrows;
use crate::memory::fence::pool_slice::WatchedSlices;
use crate::memory::string_arena::StringArena;

/// The calls under way, and what remains of the last one.
#[derive(Default)]
pub struct Calls {
    /// The texts that calls under way have passed.
    pub strings: StringArena,
    /// The number of nested calls into C.
    pub depth: Cell<usize>,
    /// The borrows of the calls under way, which their callbacks have to suspend, with the level of each call; the
    /// innermost comes last.
    pub borrows: RefCell<Vec<(usize, Borrows)>>,
    /// The slices of Node's pool that a register call has passed.
    pub slices: RefCell<WatchedSlices>,
    /// The blocks of the last call's views, by the order of its pins.
    pub block_caches: [BlockCache; MOST_PINS],
    /// The work after a call, as bits.
    pub after_call: Cell<u8>,
    /// The errno of the last call that captures it.
    pub errno: Cell<i32>,
    /// The errno that JavaScript has set for C in the callback that runs.
    pub chosen_errno: Cell<Option<i32>>,
    /// The number of calls of functions that free a handle.
    pub frees: Cell<u32>,
}

impl Calls {
    /// Ends the call of a function, before which so many calls were under way. Ends the process where calls that its
    /// callbacks have made are still under way: then C has jumped over frames of the engine, which cannot go on.
    #[inline(always)]
    pub fn leave(&self, depth: usize, symbol: &str) {
        if self.depth.replace(depth) != depth + 1 {
            abandon(symbol);
        }
    }
}

#[cold]
fn abandon(symbol: &str) -> ! {
    eprintln!(
        "pinned-ffi: {symbol}: C has jumped (longjmp, or an exception) out of a call that a callback had made, over \
         frames of JavaScript, which cannot go on; docs/safety.md, U6"
    );
    std::process::abort();
}
