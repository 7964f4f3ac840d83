//! Callbacks invoked on the environment's own thread: a JavaScript function that decodes the argument buffer and
//! encodes the result runs at once.
#![expect(unsafe_code, reason = "calls JavaScript functions from C callbacks")]

use std::ptr::null_mut;
use std::sync::atomic::Ordering;

use napi::sys;

use super::argument_source::Source;
#[cfg(v8_abi)]
use super::kept_function::JsFunction;
use crate::callback::closure::Incoming;
use crate::node::env::{CallbackSlot, EnvHandle, Environment};
#[cfg(v8_abi)]
use crate::node::error::take_thrown;
use crate::threads::callback_queue::Kind;
#[cfg(v8_abi)]
use crate::v8::function_call::{FunctionCaller, Kept};

impl CallbackSlot {
    /// Answers a call on the thread of the environment.
    #[inline]
    pub fn call_on_own_thread(&self, environment: &Environment, env_handle: &EnvHandle, incoming: &Incoming<'_>) {
        // A fast call must not run JavaScript, which is why the warning of a closed one comes later.
        if self.closed.load(Ordering::Acquire) {
            if !environment.ended.get() && !self.warned.swap(true, Ordering::Relaxed) {
                environment.hold_open();
                self.held.set(self.held.get() + 1);
                self.submit_call(env_handle, incoming, Kind::Late);
            }
            return;
        }
        if env_handle.inside.is_leaf() {
            return self.refuse_leaf(&env_handle.inside);
        }
        if !environment.stack_limit.is_here() {
            return environment.refuse_stack(self.name.load(Ordering::Relaxed));
        }
        environment.stack_limit.deepen();
        if environment.ended.get() || environment.has_exception() {
            return;
        }
        #[cfg(v8_abi)]
        if let (Some(JsFunction::Global(function)), Some(entry)) =
            (self.function.get(), environment.v8.function_caller.get())
        {
            return self.call_by(environment, entry, function, incoming);
        }
        self.call_by_node_api(environment, incoming);
    }

    #[cfg(v8_abi)]
    #[inline]
    fn call_by(
        &self,
        environment: &Environment,
        entry: &FunctionCaller,
        function: sys::napi_value,
        incoming: &Incoming<'_>,
    ) {
        let mut kept = Kept::default();
        let scope = entry.scope(&mut kept);
        // Node-API would refuse to call the function.
        if environment.transfer_locks.before_callback(environment.raw)
            && let Some(exception) = take_thrown(environment.raw)
        {
            return environment.propagate(exception, 0);
        }
        environment.pause_borrows();
        let called = environment.with_arguments(Source::of_call(incoming), || {
            // SAFETY: M6; the function is kept by its global handle.
            unsafe { entry.call(&scope, function.cast()) }
        });
        environment.resume_borrows(|| self.result_in_buffer());
        match called {
            Ok(()) if environment.exceptions.has_thrown.take() => {}
            Ok(()) => incoming.put_result(&environment.arg_buffer),
            Err(Some(exception)) => environment.propagate(exception.cast(), 0),
            Err(None) => environment.propagate_termination(),
        }
    }

    fn call_by_node_api(&self, environment: &Environment, incoming: &Incoming<'_>) {
        let mut scope = null_mut();
        // SAFETY: M6; this is the environment's thread.
        if unsafe { sys::napi_open_handle_scope(environment.raw, &mut scope) } != sys::Status::napi_ok {
            return;
        }
        environment.transfer_locks.before_callback(environment.raw);
        environment.pause_borrows();
        let answered = environment
            .with_arguments(Source::of_call(incoming), || self.function.get()?.call(environment, None, 0))
            .is_some();
        environment.resume_borrows(|| self.result_in_buffer());
        if answered && !environment.exceptions.has_thrown.take() {
            incoming.put_result(&environment.arg_buffer);
        }
        // SAFETY: the scope was opened above.
        unsafe { sys::napi_close_handle_scope(environment.raw, scope) };
    }
}
