//! The arguments of the callback under way: native code puts them into the frame, and puts them there again where other
//! JavaScript has written the frame before the callback has read them (lib/frame.js).
#![expect(unsafe_code, reason = "points to what a caller keeps on its stack")]

use std::cell::Cell;
use std::mem::transmute;
use std::ptr::{NonNull, null_mut};

use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;

use super::environment::Environment;
use super::native::{Arguments, Given, Native, native_functions};
use crate::closure::Incoming;
use crate::memory::frame::{Block, Frame, HEAD_BYTES, bytes};

/// Where the arguments come from.
#[derive(Clone, Copy, Default)]
pub enum Source {
    /// No callback is under way.
    #[default]
    Nothing,
    /// C has called on this thread.
    Call(NonNull<Incoming<'static>>),
    /// C has called on another thread: a copy of them, with the bytes of the head, and the size of all.
    Block(NonNull<Block>, usize),
}

/// The arguments of the innermost callback.
#[derive(Default)]
pub struct CallbackArguments(Cell<Source>);

impl Source {
    /// A call on this thread.
    #[inline]
    pub fn of_call(incoming: &Incoming<'_>) -> Self {
        // SAFETY: only the lifetime changes; `Environment::with_arguments` drops the pointer before its caller returns.
        Self::Call(NonNull::from(unsafe { transmute::<&Incoming<'_>, &Incoming<'static>>(incoming) }))
    }

    #[inline]
    fn put(self, frame: &Frame) {
        // SAFETY: what the pointers point to lives while `Environment::with_arguments` runs.
        unsafe {
            match self {
                Self::Nothing => return,
                Self::Call(incoming) => incoming.as_ref().take_arguments(frame),
                Self::Block(block, size) => {
                    frame.put(HEAD_BYTES, bytes(block.as_ref()).get(HEAD_BYTES..size).unwrap_or(&[]));
                }
            }
        }
        frame.begin_callback();
    }
}

impl Environment {
    /// Puts the arguments of a callback into the frame, and runs what calls it.
    #[inline(always)] // It is under every callback, and short.
    pub fn with_arguments<Output>(&self, source: Source, run: impl FnOnce() -> Output) -> Output {
        let outer = self.callback_arguments.0.replace(source);
        source.put(&self.frame);
        let output = run();
        self.frame.end_callback();
        self.callback_arguments.0.set(outer);
        output
    }
}

fn put_again(environment: &Environment, _: Arguments) -> Given {
    environment.callback_arguments.0.get().put(&environment.frame);
    Ok(null_mut())
}

/// The function that puts the arguments of the callback under way into the frame again.
#[napi]
pub fn make_put_again(env: Env) -> napi::Result<Object<'static>> {
    let [function] = native_functions(env, [Native::new(put_again)])?;
    Ok(function)
}
