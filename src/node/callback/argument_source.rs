//! The source of the arguments of the callback under way.
#![expect(unsafe_code, reason = "points to what a caller keeps on its stack")]

use std::cell::Cell;
use std::mem::transmute;
use std::ptr::NonNull;

use crate::callback::closure::Incoming;
use crate::memory::arg_buffer::{ArgBlock, ArgBuffer, HEAD_BYTES, bytes};

/// The source of the arguments.
#[derive(Clone, Copy, Default)]
pub enum Source {
    /// No callback is under way.
    #[default]
    Nothing,
    /// C has called on this thread.
    Call(NonNull<Incoming<'static>>),
    /// C has called on another thread: a copy of the arguments, with the size of the head, the total size and the
    /// caller.
    Block(NonNull<ArgBlock>, usize, u32),
}

/// The arguments of the innermost callback.
#[derive(Default)]
pub struct CallbackArguments(pub Cell<Source>);

impl Source {
    /// A call on this thread.
    #[inline]
    pub fn of_call(incoming: &Incoming<'_>) -> Self {
        // SAFETY: only the lifetime changes; `Environment::with_arguments` drops the pointer before its caller returns.
        Self::Call(NonNull::from(unsafe { transmute::<&Incoming<'_>, &Incoming<'static>>(incoming) }))
    }

    /// Writes the arguments into the argument buffer. `who` is the callback's number.
    #[inline]
    pub fn put(self, arg_buffer: &ArgBuffer, who: u32) {
        let mut who = who;
        // SAFETY: what the pointers point to lives while `Environment::with_arguments` runs.
        unsafe {
            match self {
                Self::Nothing => return,
                Self::Call(incoming) => incoming.as_ref().take_arguments(arg_buffer),
                Self::Block(block, size, other) => {
                    who = other;
                    arg_buffer.put(HEAD_BYTES, bytes(block.as_ref()).get(HEAD_BYTES..size).unwrap_or(&[]));
                }
            }
        }
        arg_buffer.begin_callback(who);
    }
}
