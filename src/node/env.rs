//! The state of one JavaScript environment (the main thread or a worker). There is no other state.
#![expect(unsafe_code, reason = "keeps Node-API references")]

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ptr::null_mut;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use napi::bindgen_prelude::Env;
use napi::sys;

use super::async_call::job::{self, Waiting};
use super::async_call::pool::{self, Completions};
use super::callback::argument_source::CallbackArguments;
use super::callback::{env_handle, slot};
use super::error::thrown;
use super::exposed_views::ExposedViews;
#[cfg(v8_abi)]
use super::fast_call;
use super::nesting::Nesting;
use super::pool_slices::PoolSlices;
use super::transfer_lock::TransferLocks;
use super::unwinding::{Held, Unwinding};
use super::value;
use super::waker::Waker;
use crate::abi::layout::Layout;
use crate::call::bound_function::{self, MOST_PINS};
use crate::call::function_table::FunctionTable;
use crate::error::FfiError;
use crate::memory::address::Span;
use crate::memory::arg_buffer::ArgBuffer;
use crate::memory::fence::block::Fenced;
use crate::memory::fence::block_cache::{BlockCache, CachedBlock};
use crate::memory::fence::borrows::Borrows;
use crate::memory::raw::PointerCheck;
use crate::memory::string_arena::StringArena;
use crate::v8::stack_limit::StackLimit;

/// The queue of work for a JavaScript thread.
pub type Queue = job::Queue<Environment>;
/// What it takes.
pub type Work = job::Work<Environment>;
/// The jobs of a dedicated thread.
pub type Jobs = job::Jobs<Environment>;
/// A job that is with another thread.
pub type SentJob = job::SentJob<Environment>;
/// How a callback knows its environment.
pub type EnvHandle = env_handle::EnvHandle<Environment>;
/// What is behind a C function pointer that reaches JavaScript.
pub type CallbackSlot = slot::CallbackSlot<Environment>;
/// The callbacks of an environment.
pub type Callbacks = slot::Callbacks<Environment>;
/// The fast calls of an environment.
#[cfg(v8_abi)]
pub type FastCalls = fast_call::state::FastCalls<Environment>;
/// What they hand to C.
#[cfg(v8_abi)]
pub type FastArguments = fast_call::state::FastArguments<Environment>;
/// A function that is bound in an environment.
pub type BoundFunction = bound_function::BoundFunction<Environment>;

/// The state of an environment, shared by its functions and callbacks.
pub struct Environment {
    /// The environment.
    pub raw: sys::napi_env,
    /// The memory that calls and callbacks exchange values in.
    pub arg_buffer: ArgBuffer,
    /// Text of the calls that are under way.
    pub strings: StringArena,
    /// Calls into C that are under way.
    pub nesting: Nesting,
    /// Whether the environment is gone; native code may still hold callbacks of it.
    pub ended: Cell<bool>,
    /// What a callback has thrown and no outer call has rethrown yet.
    pub pending: Cell<Option<Unwinding<Held>>>,
    /// The asynchronous calls under way: what JavaScript knows each by, and what its callbacks have thrown.
    pub jobs: RefCell<HashMap<usize, (u32, Option<Held>)>>,
    /// What the native function under way throws when it returns; null for nothing. A value of its scope.
    pub to_throw: Cell<sys::napi_value>,
    /// The asynchronous call that the callback under way was made under; 0 for none.
    pub origin: Cell<usize>,
    /// Whether the callback under way has thrown, as its function says itself.
    pub has_thrown: Cell<bool>,
    /// What is to be done after a call: bits.
    pub after_call: Cell<u8>,
    /// The errno of the last call that captures it.
    pub errno: Cell<i32>,
    /// How many calls of functions that free a handle have gone in.
    pub frees: Cell<u32>,
    /// Calls of callbacks that wait for a Promise.
    pub waiting: RefCell<Waiting>,
    /// The queue of work from other threads, and what wakes this one for it.
    pub queue: OnceCell<(Arc<Queue>, Option<Waker>)>,
    /// What its callbacks know of it.
    pub env_handle: OnceCell<&'static EnvHandle>,
    /// The calls for libuv's pool, from the first one on.
    pub pool: OnceCell<pool::Entry<Environment>>,
    /// The asynchronous calls that are done.
    pub completions: Completions<Environment>,
    /// The dedicated threads that have been started.
    pub threads: RefCell<Vec<std::sync::Weak<Jobs>>>,
    /// The state itself.
    pub this: Weak<Environment>,
    /// What the calls under way watch that their callbacks have to pause, with how deep each call is; innermost last.
    pub borrows: RefCell<Vec<(usize, Borrows)>>,
    /// How carefully raw addresses are used.
    pub pointer_check: Cell<PointerCheck>,
    /// How deep calls may nest.
    pub stack_limit: StackLimit,
    /// What may not be transferred.
    pub transfer_locks: TransferLocks,
    /// Whose address was given out.
    pub exposed_views: ExposedViews,
    /// The slabs of Node's Buffer pool.
    pub pool_slices: PoolSlices,
    /// The aggregates that have been declared; their ids follow those of the scalars.
    pub layouts: RefCell<Vec<Arc<Layout>>>,
    /// Where a pointer to an empty view points: a block of no bytes.
    pub empty_block: Fenced,
    /// The functions that are bound.
    pub functions: FunctionTable<BoundFunction>,
    /// The blocks of the last call's views, by the order of its pins.
    pub block_caches: [BlockCache; MOST_PINS],
    /// V8's own functions, where they were tried.
    #[cfg(v8_abi)]
    pub templates: OnceCell<crate::v8::function_template::FunctionTemplates>,
    /// Its generated code.
    #[cfg(v8_abi)]
    pub code: RefCell<crate::memory::exec::Code>,
    /// V8's own way to the storage of a view, where there is one.
    #[cfg(v8_abi)]
    pub view_storage: OnceCell<crate::v8::array_buffer_view::ViewStorage>,
    /// What flat texts of V8 are known by, where they are as they are looked for.
    #[cfg(v8_abi)]
    pub flat_strings: OnceCell<crate::v8::flat_string::FlatStrings>,
    /// Fast calls, where there are any.
    #[cfg(v8_abi)]
    pub fast_calls: OnceCell<FastCalls>,
    /// Its C function pointers.
    pub callbacks: Callbacks,
    /// The arguments of the callback under way.
    pub callback_arguments: CallbackArguments,
    /// V8's own way into JavaScript, where there is one.
    #[cfg(v8_abi)]
    pub function_caller: OnceCell<crate::v8::function_call::FunctionCaller>,
    /// What is kept of JavaScript's as long as this.
    pub kept: RefCell<Vec<sys::napi_ref>>,
    /// A function that does nothing.
    pub nothing: sys::napi_ref,
    /// A function that gets the error of each call that has breached a fence; null for none.
    pub breach_listener: Cell<sys::napi_ref>,
}

impl Environment {
    /// The number of a new job, which no other job of the process has.
    pub fn begin_job(&self, slot: u32) -> usize {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let job = NEXT.fetch_add(1, Ordering::Relaxed);
        self.jobs.borrow_mut().insert(job, (slot, None));
        job
    }

    /// What JavaScript knows a job by.
    pub fn slot_of(&self, job: usize) -> Option<u32> {
        self.jobs.borrow().get(&job).map(|(slot, _)| *slot)
    }

    /// A job is over: what its callbacks have thrown.
    pub fn end_job(&self, job: usize) -> Option<sys::napi_value> {
        self.pool_slices.take_back(job);
        let held = self.jobs.borrow_mut().remove(&job).and_then(|(_, thrown)| thrown);
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

    /// The bytes of a view; `None` for every other value, an empty view and a detached one, and for one whose bytes lie
    /// in the engine's heap, where it can be told.
    ///
    /// # Safety
    /// M3: `value` is rooted while the result is used.
    #[inline]
    pub unsafe fn view(&self, value: sys::napi_value) -> Option<Span> {
        #[cfg(v8_abi)]
        if let Some(views) = self.view_storage.get() {
            // SAFETY: M3, by the contract of this function; in Node a `napi_value` is a `Local`.
            return unsafe { views.of(value.cast()) };
        }
        // SAFETY: M3, by the contract of this function.
        unsafe { value::view(self.raw, value) }
    }

    /// A short text as UTF-8 with a NUL, in the arena; `None` for any other value, and where there is no room.
    ///
    /// # Safety
    /// M3: `value` is rooted.
    #[inline]
    pub unsafe fn text(&self, value: sys::napi_value) -> Option<CachedBlock> {
        #[cfg(v8_abi)]
        // SAFETY: M3, by the contract of this function, and M15: nothing here is V8's.
        if let Some(text) = self.flat_strings.get().and_then(|flat| unsafe { flat.of(value.cast()) })
            && let Some(handed) = self.strings.take(text.size())
        {
            // SAFETY: M8 and M4; the block is of that size, and this call's.
            unsafe { text.put(handed.block) };
            return Some(handed);
        }
        // SAFETY: M3, by the contract of this function.
        CachedBlock::new(unsafe { value::short_text(self.raw, value, &self.strings) }?.0)
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
pub fn current(env: Env) -> napi::Result<Rc<Environment>> {
    match env.get_instance_data::<Rc<Environment>>()? {
        Some(state) => Ok(Rc::clone(state)),
        None => Err(thrown(env, &FfiError::Internal { reason: "the environment is not attached".into() })),
    }
}
