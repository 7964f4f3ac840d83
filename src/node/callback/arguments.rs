//! The arguments of the callback under way: native code puts them into the argument buffer, and puts them there again
//! where other JavaScript has written the buffer before the callback has read them (lib/frame.js).
#![expect(unsafe_code, reason = "points to what a caller keeps on its stack")]

use std::cell::Cell;
use std::mem::transmute;
use std::ptr::{NonNull, null_mut};

use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;

use crate::callback::closure::Incoming;
use crate::memory::arg_buffer::{ArgBlock, ArgBuffer, HEAD_BYTES, bytes};
use crate::node::env::Environment;
use crate::node::native_fn::{Arguments, JsResult, NativeFn, native_functions};
use crate::node::unwinding::KEEPS_RESULTS;
use crate::threads::callback_queue::Request;

/// Where the arguments come from.
#[derive(Clone, Copy, Default)]
pub enum Source {
    /// No callback is under way.
    #[default]
    Nothing,
    /// C has called on this thread.
    Call(NonNull<Incoming<'static>>),
    /// C has called on another thread: a copy of them, with the bytes of the head, the size of all, and who calls.
    Block(NonNull<ArgBlock>, usize, u32),
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
    fn put(self, arg_buffer: &ArgBuffer, who: u32) {
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

/// Who calls back, as lib/results.js has it: a synchronous call of this thread, this thread without one, a thread of C
/// with the bit `UNDER_CALL` where a synchronous call is under way, or the asynchronous call of a slot.
const BY_CALL: u32 = 0;
const BY_NOBODY: u32 = 1;
const UNDER_CALL: u32 = 1 << 29;
const BY_JOB: u32 = 1 << 30;

/// Who calls back from another thread.
pub fn caller_of(environment: &Environment, request: &Request) -> u32 {
    if let Some(slot) = environment.slot_of(request.origin) {
        return BY_JOB | slot & (BY_JOB - 1);
    }
    // Threads differ in the bits above those of a page.
    let thread = (request.thread >> 12 ^ request.thread >> 32) as u32 & (UNDER_CALL - 1) | 2;
    if environment.nesting.get() == 0 { thread } else { thread | UNDER_CALL }
}

impl Environment {
    #[inline]
    fn caller(&self) -> u32 {
        if self.nesting.get() == 0 { BY_NOBODY } else { BY_CALL }
    }

    /// Puts the arguments of a callback into the argument buffer, and runs what calls it.
    #[inline(always)] // It is under every callback, and short.
    pub fn with_arguments<Output>(&self, source: Source, run: impl FnOnce() -> Output) -> Output {
        let outer = self.callback_arguments.0.replace(source);
        source.put(&self.arg_buffer, self.caller());
        let output = run();
        if self.arg_buffer.end_callback() && self.nesting.get() != 0 {
            self.after_call.set(self.after_call.get() | KEEPS_RESULTS);
        }
        self.callback_arguments.0.set(outer);
        output
    }
}

/// The callback under way has thrown its argument, which JavaScript has caught.
fn threw(environment: &Environment, arguments: Arguments) -> JsResult {
    let [exception] = arguments.first();
    environment.has_thrown.set(true);
    environment.propagate(exception, environment.origin.get());
    Ok(null_mut())
}

/// The function that is told what a callback has thrown.
#[napi]
pub fn make_threw(env: Env) -> napi::Result<Object<'static>> {
    let [function] = native_functions(env, [NativeFn::new(threw)])?;
    Ok(function)
}

fn put_again(environment: &Environment, _: Arguments) -> JsResult {
    environment.callback_arguments.0.get().put(&environment.arg_buffer, environment.caller());
    Ok(null_mut())
}

/// The function that puts the arguments of the callback under way into the argument buffer again.
#[napi]
pub fn make_put_again(env: Env) -> napi::Result<Object<'static>> {
    let [function] = native_functions(env, [NativeFn::new(put_again)])?;
    Ok(function)
}
