//! Callbacks invoked on the environment's own thread: a JavaScript function that decodes the argument buffer and
//! encodes the result runs at once.
#![expect(unsafe_code, reason = "calls JavaScript at C's word")]

use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use napi::sys;

use super::argument_source::Source;
use super::free_list;
use super::kept_function::JsFunction;
use super::slot::{OPEN, this_thread};
use crate::abi::signature::Signature;
use crate::call::inside::Inside;
use crate::callback::closure::{Closure, Handler, Incoming};
use crate::errno::Errno;
use crate::node::env::{CallbackSlot, EnvHandle, Environment};
#[cfg(v8_abi)]
use crate::node::error::take_thrown;
#[cfg(v8_abi)]
use crate::node::fast_call::binding;
use crate::threads::callback_queue::Kind;
#[cfg(v8_abi)]
use crate::v8::function_call::{FunctionCaller, Kept};

struct JsHandler(&'static CallbackSlot);

impl Handler for JsHandler {
    fn call(&self, incoming: &Incoming<'_>) {
        // The engine changes errno, also where JavaScript does not: C, and what `fails` says of it, need C's own.
        let errno = Errno::here();
        let before = errno.get();
        // Read once: a late call may find another one at any time.
        let env_handle = self.0.env_handle();
        if this_thread() != env_handle.thread {
            self.0.call_from_foreign_thread(env_handle, incoming);
            return errno.set(before);
        }
        let Some(environment) = env_handle.environment() else { return };
        let outer = environment.calls.chosen_errno.take();
        self.0.call_here(environment, env_handle, incoming);
        errno.set(environment.calls.chosen_errno.replace(outer).unwrap_or(before));
    }
}

impl CallbackSlot {
    /// A closed one.
    ///
    /// # Errors
    /// If there is no executable memory, or libffi refuses the signature.
    pub fn make(environment: &Environment, signature: &Arc<Signature>, id: u32) -> crate::error::Result<&'static Self> {
        let env_handle = environment.env_handle();
        if let Some(slot) = free_list::reuse(signature) {
            slot.function.set(None);
            slot.id.set(id);
            slot.set_env_handle(env_handle);
            return Ok(slot);
        }
        let slot: &'static Self = Box::leak(Box::new(Self::new(signature, env_handle, id)));
        let closure = Closure::new(Arc::clone(signature), Box::new(JsHandler(slot)))?;
        slot.set_code(closure.code());
        Ok(slot)
    }

    /// The environment is gone: calls return zero without a warning, until another one opens it.
    pub fn abandon(&self, environment: &Environment) {
        self.close(environment);
        if let Some(function) = self.leaving.take() {
            function.let_go(environment);
        }
        self.queued.store(0, Ordering::Release);
        self.warned.store(true, Ordering::Release);
        self.held.set(0);
    }

    /// Closes it: calls return zero, and the function is released.
    pub fn close(&self, environment: &Environment) {
        if !self.closed.load(Ordering::Relaxed) {
            self.closed.store(true, Ordering::Release);
            OPEN.set(OPEN.get() - 1);
        }
        let Some(function) = self.function.take() else { return };
        // Calls that C has made before, and does not wait for, are still delivered.
        if self.queued.load(Ordering::Acquire) > 0 && !environment.ended.get() {
            self.leaving.set(Some(function));
        } else {
            function.let_go(environment);
        }
    }

    #[inline]
    fn call_here(&self, environment: &Environment, env_handle: &EnvHandle, incoming: &Incoming<'_>) {
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

    /// The function that has declared to call no callback does so: no JavaScript runs, and its call throws.
    #[cold]
    pub fn refuse_leaf(&self, inside: &Inside) {
        inside.record_called_back(self.name.load(Ordering::Relaxed));
        #[cfg(v8_abi)]
        if inside.is_fast() {
            binding::refuse_result();
        }
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
            .with_arguments(Source::of_call(incoming), || self.enter_js(environment, self.function.get(), None, 0))
            .is_some();
        environment.resume_borrows(|| self.result_in_buffer());
        if answered && !environment.exceptions.has_thrown.take() {
            incoming.put_result(&environment.arg_buffer);
        }
        // SAFETY: the scope was opened above.
        unsafe { sys::napi_close_handle_scope(environment.raw, scope) };
    }

    /// Calls a JavaScript function with a number, or without arguments. Returns its result; `None` where it threw or
    /// could not run.
    pub fn enter_js(
        &self,
        environment: &Environment,
        function: Option<JsFunction>,
        number: Option<u32>,
        origin: usize,
    ) -> Option<sys::napi_value> {
        let env = environment.raw;
        let (mut argument, mut result) = (null_mut(), null_mut());
        // An arrow function, to which its receiver is nothing: any value will do.
        let function = function?.value(environment);
        // SAFETY: M6; all out-parameters are locals.
        unsafe {
            if let Some(number) = number {
                sys::napi_create_uint32(env, number, &mut argument);
            }
            let count = usize::from(number.is_some());
            if sys::napi_call_function(env, function, function, count, &argument, &mut result) == sys::Status::napi_ok {
                return Some(result);
            }
        }
        environment.propagate_failure(origin);
        None
    }
}
