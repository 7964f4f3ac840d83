//! The state of one JavaScript environment (the main thread or a worker). There is no other state.
#![expect(unsafe_code, reason = "keeps Node-API references")]

use std::cell::{Cell, OnceCell, RefCell};
use std::ptr::null_mut;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use napi::bindgen_prelude::Env;
use napi::sys;

use super::async_call::job;
use super::async_call::threaded_work::ThreadedWork;
use super::call::calls::Calls;
use super::callback::argument_source::CallbackArguments;
use super::callback::{env_handle, slot};
use super::error::thrown;
use super::exposed_views::ExposedViews;
#[cfg(v8_abi)]
use super::fast_call;
use super::pool_slices::PoolSlices;
use super::transfer_lock::TransferLocks;
use super::unwinding::Exceptions;
#[cfg(v8_abi)]
use super::v8_state::V8State;
use super::value::{Rooted, ThreadEnv};
use crate::abi::layout::Layout;
use crate::call::bound_function;
use crate::call::function_table::FunctionTable;
use crate::call::inside::Inside;
use crate::error::FfiError;
use crate::memory::address::Span;
use crate::memory::arg_buffer::ArgBuffer;
use crate::memory::fence::block::Fenced;
use crate::memory::raw::PointerCheck;
use crate::v8::stack_limit::StackLimit;

/// The queue of work for a JavaScript thread.
pub type Queue = job::Queue<Environment>;
/// The work that it takes.
pub type Work = job::Work<Environment>;
/// The jobs of a dedicated thread.
pub type Jobs = job::Jobs<Environment>;
/// A job that is with another thread.
pub type SentJob = job::SentJob<Environment>;
/// The handle by which a callback finds its environment.
pub type EnvHandle = env_handle::EnvHandle<Environment>;
/// The state behind a C function pointer that reaches JavaScript.
pub type CallbackSlot = slot::CallbackSlot<Environment>;
/// The callbacks of an environment.
pub type Callbacks = slot::Callbacks<Environment>;
/// The fast calls of an environment.
#[cfg(v8_abi)]
pub type FastCalls = fast_call::state::FastCalls<Environment>;
/// The arguments of fast calls.
#[cfg(v8_abi)]
pub type FastArguments = fast_call::state::FastArguments<Environment>;
/// A function that is bound in an environment.
pub type BoundFunction = bound_function::BoundFunction<Environment>;

/// The state of an environment, shared by its functions and callbacks.
pub struct Environment {
    /// The environment of Node-API.
    pub raw: sys::napi_env,
    /// The state itself.
    pub this: Weak<Environment>,
    /// Whether the environment is gone; native code may still hold callbacks of it.
    pub ended: Cell<bool>,
    /// The memory that calls and callbacks exchange values in.
    pub arg_buffer: ArgBuffer,
    /// The functions that are bound.
    pub functions: FunctionTable<BoundFunction>,
    /// The aggregates that have been declared; their ids follow those of the scalars.
    pub layouts: RefCell<Vec<Arc<Layout>>>,
    /// The function that this thread is inside.
    pub inside: Inside,
    /// The synchronous calls under way.
    pub calls: Calls,
    /// Exceptions on their way from callbacks to calls.
    pub exceptions: Exceptions,
    /// Its C function pointers.
    pub callbacks: Callbacks,
    /// The arguments of the callback under way.
    pub callback_arguments: CallbackArguments,
    /// The handle by which callbacks find the environment.
    pub env_handle: OnceCell<&'static EnvHandle>,
    /// Asynchronous calls, and calls of callbacks on other threads.
    pub work: ThreadedWork<Environment>,
    /// The check of raw addresses.
    pub pointer_check: Cell<PointerCheck>,
    /// The limit of nested calls.
    pub stack_limit: StackLimit,
    /// The ArrayBuffers that are locked against transfer.
    pub transfer_locks: TransferLocks,
    /// Unfenced memory whose address was exposed.
    pub exposed_views: ExposedViews,
    /// The slabs of Node's Buffer pool.
    pub pool_slices: PoolSlices,
    /// A block of no bytes, which pointers to empty views point to.
    pub empty_block: Fenced,
    /// The state for V8's private binary interface.
    #[cfg(v8_abi)]
    pub v8: V8State<Environment>,
    /// References that live as long as the environment.
    pub kept: RefCell<Vec<sys::napi_ref>>,
    /// A function that does nothing.
    pub nothing: sys::napi_ref,
    /// A function that gets the error of each call that has breached a fence, or whose process has ended; null for
    /// none.
    pub failure_listener: Cell<sys::napi_ref>,
}

impl Environment {
    /// The number of a new job, which no other job of the process has.
    pub fn begin_job(&self, slot: u32) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let job = NEXT.fetch_add(1, Ordering::Relaxed);
        self.work.jobs.borrow_mut().insert(job, (slot, None));
        job
    }

    /// The number by which JavaScript identifies a job.
    pub fn slot_of(&self, job: usize) -> Option<u32> {
        self.work.jobs.borrow().get(&job).map(|(slot, _)| *slot)
    }

    /// Ends a job: the exception that its callbacks have thrown.
    pub fn end_job(&self, job: usize) -> Option<sys::napi_value> {
        self.pool_slices.take_back(job);
        let held = self.work.jobs.borrow_mut().remove(&job).and_then(|(_, thrown)| thrown);
        held.map(|held| self.let_go(held))
    }

    /// Whether JavaScript still runs here; not once a worker is being terminated.
    pub fn runs_js(&self) -> bool {
        let (mut scope, mut this, mut function, mut ignored) = (null_mut(), null_mut(), null_mut(), null_mut());
        // SAFETY: M6; the reference was made by `attach`.
        unsafe {
            sys::napi_open_handle_scope(self.raw, &mut scope);
            sys::napi_get_undefined(self.raw, &mut this);
            sys::napi_get_reference_value(self.raw, self.nothing, &mut function);
            let status = sys::napi_call_function(self.raw, this, function, 0, null_mut(), &mut ignored);
            sys::napi_close_handle_scope(self.raw, scope);
            status == sys::Status::napi_ok
        }
    }

    /// Node-API's environment, for values of this thread.
    #[inline(always)]
    pub fn on_thread(&self) -> ThreadEnv {
        // SAFETY: M6; the state is not Send, so only its own thread reaches it.
        unsafe { ThreadEnv::new(self.raw) }
    }

    /// The bytes of a view; `None` for every other value, an empty view and a detached one, and for one whose bytes lie
    /// in the engine's heap, if that is known.
    #[inline]
    pub fn view(&self, value: Rooted<'_>) -> Option<Span> {
        #[cfg(v8_abi)]
        if let Some(views) = self.v8.view_storage.get() {
            // SAFETY: the engine keeps a rooted value where it is; in Node a `napi_value` is a `Local`.
            return unsafe { views.of(value.raw().cast()) };
        }
        value.view()
    }

    /// Keeps a value as long as the environment: a reference to it.
    pub fn keep(&self, value: sys::napi_value) -> sys::napi_ref {
        let mut reference = null_mut();
        // SAFETY: M3 and M6; the value is one of the current scope.
        unsafe { sys::napi_create_reference(self.raw, value, 1, &mut reference) };
        self.kept.borrow_mut().push(reference);
        reference
    }

    /// The state itself, to be held.
    pub fn this(&self) -> Option<Rc<Self>> {
        self.this.upgrade()
    }
}

/// The state that `attach` made for the environment.
///
/// # Errors
/// A JavaScript error if `attach` was not called.
pub fn current(env: Env) -> napi::Result<Rc<Environment>> {
    match env.get_instance_data::<Rc<Environment>>()? {
        Some(state) => Ok(Rc::clone(state)),
        None => Err(thrown(env, &FfiError::Internal { reason: "the environment is not attached".into() })),
    }
}
