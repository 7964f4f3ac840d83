//! Callback slots: what is behind a C function pointer that reaches JavaScript. A call on the environment's own thread
//! runs at once a JavaScript function that decodes the argument buffer and encodes the result.
#![expect(unsafe_code, reason = "calls JavaScript at C's word")]

use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use napi::sys;

use super::argument_source::Source;
use super::env_handle::EnvHandle;
use super::free_list;
use super::kept_function::JsFunction;
use crate::abi::signature::Signature;
use crate::callback::closure::{Closure, Handler, Incoming};
use crate::memory::address::Address;
use crate::node::env::Environment;
use crate::node::error::take_thrown;
use crate::threads::callback_queue::Kind;
#[cfg(all(target_arch = "x86_64", unix))]
use crate::v8::function_call::{FunctionCaller, Kept};

/// Tells threads apart, also in the destructors of a thread that ends, where std's own identity is gone.
#[inline]
pub fn this_thread() -> usize {
    #[cfg(unix)]
    // SAFETY: U1; the function has no preconditions.
    return unsafe { libc::pthread_self() } as usize;
    #[cfg(not(unix))]
    return {
        thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| (&raw const *here).addr())
    };
}

thread_local! {
    /// Callbacks of this thread that are open: while there are any, a call may run JavaScript. Those of another realm
    /// of the thread count as well.
    pub static OPEN: Cell<u32> = const { Cell::new(0) };
}

/// What is behind a function pointer. It lives as long as the process (M7); a closed one is used again, much later, and
/// one of an environment that has ended by another environment.
pub struct CallbackSlot {
    code: Cell<Option<Address>>,
    /// Its types.
    pub signature: Arc<Signature>,
    /// A [`EnvHandle`], which stays when another one takes its place.
    env_handle: AtomicPtr<EnvHandle>,
    pub closed: AtomicBool,
    /// Counts how often it was opened: a call that was made before is not for the function of now.
    pub life: AtomicU32,
    /// Whether a call after the close was reported.
    pub warned: AtomicBool,
    /// Whether C does not wait for a result (bun's `threadsafe`).
    pub threadsafe: AtomicBool,
    /// What messages call it, in `report`.
    pub name: AtomicU32,
    /// Whether the process is kept alive until that report; used on the environment's thread only (M6).
    pub held: Cell<bool>,
    /// The function that decodes, calls and encodes, while it is open. Used on that thread only (M6).
    pub function: Cell<Option<JsFunction>>,
    /// The calls that C has not waited for and that were not served yet.
    pub queued: AtomicU32,
    /// The function of those that were made before the close. Used on the environment's thread only (M6).
    pub leaving: Cell<Option<JsFunction>>,
    /// Its number in the environment. Used on that thread only (M6).
    pub id: Cell<u32>,
    /// How deep the calls were nested when it was lent to one; `None` where it is open until it is closed. As above.
    pub lent: Cell<Option<usize>>,
}

struct JsHandler(&'static CallbackSlot);

impl Handler for JsHandler {
    fn call(&self, incoming: &Incoming<'_>) {
        // Looked at once: it may be another one at any time, where the call is late.
        let env_handle = self.0.env_handle();
        if this_thread() == env_handle.thread {
            self.0.call_here(env_handle, incoming);
        } else {
            self.0.call_from_foreign_thread(env_handle, incoming);
        }
    }
}

impl CallbackSlot {
    /// Where a result lies in the argument buffer.
    pub fn result_in_frame(&self) -> std::ops::Range<usize> {
        let at = self.signature.plan.result;
        at..at + self.signature.result_size()
    }

    /// A closed one.
    pub fn make(environment: &Environment, signature: &Arc<Signature>, id: u32) -> crate::error::Result<&'static Self> {
        let env_handle = environment.env_handle();
        if let Some(slot) = free_list::reuse(signature) {
            slot.function.set(None);
            slot.id.set(id);
            slot.env_handle.store(std::ptr::from_ref(env_handle).cast_mut(), Ordering::Release);
            return Ok(slot);
        }
        let slot: &'static Self = Box::leak(Box::new(Self {
            code: Cell::new(None),
            signature: Arc::clone(signature),
            env_handle: AtomicPtr::new(std::ptr::from_ref(env_handle).cast_mut()),
            closed: AtomicBool::new(true),
            life: AtomicU32::new(0),
            warned: AtomicBool::new(false),
            held: Cell::new(false),
            threadsafe: AtomicBool::new(false),
            name: AtomicU32::new(0),
            function: Cell::new(None),
            queued: AtomicU32::new(0),
            leaving: Cell::new(None),
            id: Cell::new(id),
            lent: Cell::new(None),
        }));
        let closure = Closure::new(Arc::clone(signature), Box::new(JsHandler(slot)))?;
        slot.code.set(Some(closure.code()));
        Ok(slot)
    }

    /// Its address.
    pub fn code(&self) -> Option<Address> {
        self.code.get()
    }

    fn env_handle(&self) -> &'static EnvHandle {
        // SAFETY: M7; homes live as long as the process.
        unsafe { &*self.env_handle.load(Ordering::Acquire) }
    }

    /// The environment is gone: calls give zero without a word, until another one opens it.
    pub fn abandon(&self, environment: &Environment) {
        self.close(environment);
        if let Some(function) = self.leaving.take() {
            function.let_go(environment);
        }
        self.queued.store(0, Ordering::Release);
        self.warned.store(true, Ordering::Release);
        self.held.set(false);
    }

    /// Has calls go to a function.
    pub fn open(&self, function: JsFunction, name: u32, threadsafe: bool) {
        self.function.set(Some(function));
        self.name.store(name, Ordering::Relaxed);
        self.threadsafe.store(threadsafe, Ordering::Relaxed);
        self.warned.store(false, Ordering::Relaxed);
        // Only this thread writes them (M6): a swap would lock the bus.
        self.life.store(self.life.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
        if self.closed.load(Ordering::Relaxed) {
            self.closed.store(false, Ordering::Release);
            OPEN.set(OPEN.get() + 1);
        }
    }

    /// Has calls give zero, and lets the function go.
    pub fn close(&self, environment: &Environment) {
        if !self.closed.load(Ordering::Relaxed) {
            self.closed.store(true, Ordering::Release);
            OPEN.set(OPEN.get() - 1);
        }
        let Some(function) = self.function.take() else { return };
        // What C has called before and did not wait for is still delivered.
        if self.queued.load(Ordering::Acquire) > 0 && !environment.ended.get() {
            self.leaving.set(Some(function));
        } else {
            function.let_go(environment);
        }
    }

    fn call_here(&self, env_handle: &EnvHandle, incoming: &Incoming<'_>) {
        let Some(environment) = env_handle.environment() else { return };
        // A fast call must not run JavaScript, which is why the warning of a closed one comes later.
        if self.closed.load(Ordering::Acquire) {
            if !environment.ended.get() && !self.warned.swap(true, Ordering::Relaxed) {
                environment.hold_open();
                self.held.set(true);
                self.submit_call(env_handle, incoming, Kind::Late);
            }
            return;
        }
        if !environment.stack_limit.is_here() {
            return environment.refuse_stack(self.name.load(Ordering::Relaxed));
        }
        environment.stack_limit.deepen();
        if environment.ended.get() || environment.has_exception() {
            return;
        }
        #[cfg(all(target_arch = "x86_64", unix))]
        if let (Some(JsFunction::Global(function)), Some(entry)) =
            (self.function.get(), environment.function_caller.get())
        {
            return self.call_by(environment, entry, function, incoming);
        }
        self.call_by_node_api(environment, incoming);
    }

    #[cfg(all(target_arch = "x86_64", unix))]
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
        environment.resume_borrows(self.result_in_frame());
        match called {
            Ok(()) if environment.has_thrown.take() => {}
            Ok(()) => incoming.put_result(&environment.arg_buffer),
            Err(Some(exception)) => environment.propagate(exception.cast(), 0),
            Err(None) => environment.propagate_termination(),
        }
    }

    fn call_by_node_api(&self, environment: &Environment, incoming: &Incoming<'_>) {
        let mut scope = null_mut();
        let has_scope = !environment.nesting.spares_scope();
        // SAFETY: M6; this is the environment's thread.
        if has_scope && unsafe { sys::napi_open_handle_scope(environment.raw, &mut scope) } != sys::Status::napi_ok {
            return;
        }
        environment.transfer_locks.before_callback(environment.raw);
        environment.pause_borrows();
        let answered = environment
            .with_arguments(Source::of_call(incoming), || self.enter_js(environment, self.function.get(), None, 0))
            .is_some();
        environment.resume_borrows(self.result_in_frame());
        if answered && !environment.has_thrown.take() {
            incoming.put_result(&environment.arg_buffer);
        }
        if has_scope {
            // SAFETY: the scope was opened above.
            unsafe { sys::napi_close_handle_scope(environment.raw, scope) };
        }
    }

    /// Calls a JavaScript function with a number, or without arguments. `Some(true)` where it will answer later, `None`
    /// where it threw or could not run.
    pub fn enter_js(
        &self,
        environment: &Environment,
        function: Option<JsFunction>,
        number: Option<u32>,
        origin: usize,
    ) -> Option<bool> {
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
                let mut later = false;
                return Some(
                    number.is_some()
                        && sys::napi_get_value_bool(env, result, &mut later) == sys::Status::napi_ok
                        && later,
                );
            }
        }
        environment.propagate_failure(origin);
        None
    }
}
