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
    /// C has called on another thread.
    Copied(NonNull<CopiedArguments<'static>>),
}

/// The arguments of a call on another thread.
pub struct CopiedArguments<'a> {
    /// The arguments, laid out as in the argument buffer, with space for the head.
    pub block: &'a ArgBlock,
    /// The bytes of the head and the arguments.
    pub size: usize,
    /// The caller.
    pub who: u32,
    /// The number under which a Promise may answer later.
    pub token: Option<u32>,
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

    /// A call on another thread.
    pub fn of_copy(arguments: &CopiedArguments<'_>) -> Self {
        // SAFETY: as above.
        Self::Copied(NonNull::from(unsafe { transmute::<&CopiedArguments<'_>, &CopiedArguments<'static>>(arguments) }))
    }

    /// Writes the arguments into the argument buffer. `who` is the caller of a call on this thread.
    #[inline]
    pub fn put(self, arg_buffer: &ArgBuffer, who: u32) {
        // SAFETY: what the pointers point to lives while `Environment::with_arguments` runs.
        unsafe {
            match self {
                Self::Nothing => {}
                Self::Call(incoming) => {
                    incoming.as_ref().take_arguments(arg_buffer);
                    arg_buffer.begin_callback(who, None);
                }
                Self::Copied(arguments) => arguments.as_ref().put(arg_buffer),
            }
        }
    }
}

impl CopiedArguments<'_> {
    #[inline(never)]
    fn put(&self, arg_buffer: &ArgBuffer) {
        arg_buffer.put(HEAD_BYTES, bytes(self.block).get(HEAD_BYTES..self.size).unwrap_or(&[]));
        arg_buffer.begin_callback(self.who, self.token);
    }
}
