//! Writes the arguments of the callback under way into the argument buffer. It does so again if other JavaScript has
//! overwritten them before the callback has read them (lib/memory/arg-buffer.js).

use std::ptr::null_mut;

use super::argument_source::Source;
use crate::node::env::Environment;
use crate::node::native_fn::{Arguments, JsResult};
use crate::node::unwinding::KEEPS_RESULTS;
use crate::threads::callback_queue::Request;

/// The caller of a callback, as lib/memory/callback-results.js encodes it: a synchronous call of this thread, this
/// thread without one, a thread of C with the bit `UNDER_CALL` where a synchronous call is under way, or the
/// asynchronous call of a slot.
const BY_CALL: u32 = 0;
const BY_NOBODY: u32 = 1;
const UNDER_CALL: u32 = 1 << 29;
const BY_JOB: u32 = 1 << 30;

/// The caller of a callback on another thread.
pub fn caller_of(environment: &Environment, request: &Request) -> u32 {
    if let Some(slot) = environment.slot_of(request.origin) {
        return BY_JOB | slot & (BY_JOB - 1);
    }
    // Threads differ in the bits above those of a page.
    let thread = (request.thread >> 12 ^ request.thread >> 32) as u32 & (UNDER_CALL - 1) | 2;
    if environment.calls.depth.get() == 0 { thread } else { thread | UNDER_CALL }
}

impl Environment {
    #[inline]
    fn caller(&self) -> u32 {
        if self.calls.depth.get() == 0 { BY_NOBODY } else { BY_CALL }
    }

    /// Writes the arguments of a callback into the argument buffer, and runs `run`, which calls it.
    #[inline(always)] // It is under every callback, and short.
    pub fn with_arguments<Output>(&self, source: Source, run: impl FnOnce() -> Output) -> Output {
        let outer = self.callback_arguments.0.replace(source);
        source.put(&self.arg_buffer, self.caller());
        let output = run();
        if self.arg_buffer.end_callback() && self.calls.depth.get() != 0 {
            self.calls.after_call.set(self.calls.after_call.get() | KEEPS_RESULTS);
        }
        self.callback_arguments.0.set(outer);
        output
    }
}

/// Takes the exception of the callback under way, which JavaScript has caught: its argument.
pub fn threw(environment: &Environment, arguments: Arguments) -> JsResult {
    let [exception] = arguments.first();
    environment.exceptions.has_thrown.set(true);
    environment.propagate(exception, environment.exceptions.origin.get());
    Ok(null_mut())
}

/// Writes the arguments of the callback under way into the argument buffer again.
pub fn put_again(environment: &Environment, _: Arguments) -> JsResult {
    environment.callback_arguments.0.get().put(&environment.arg_buffer, environment.caller());
    Ok(null_mut())
}
