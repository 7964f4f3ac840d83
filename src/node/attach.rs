//! Makes the state of an environment, and takes it apart.
#![expect(unsafe_code, reason = "keeps Node-API references and takes the argument buffer's address")]

use std::cell::{Cell, OnceCell, RefCell};
use std::ptr::{NonNull, null_mut};
use std::rc::Rc;

use napi::bindgen_prelude::{Env, Object};
use napi::{JsValue, sys};
use napi_derive::napi;

use super::async_call::pool::Completions;
use super::callback::argument_source::CallbackArguments;
use super::callback::free_list;
use super::env::{Callbacks, Environment, current};
use super::error::thrown;
use super::exports::isolate::end_processes;
use super::exposed_views::ExposedViews;
use super::nesting::Nesting;
use super::pool_slices::PoolSlices;
use super::transfer_lock::TransferLocks;
use super::unwinding::Unwinding;
use super::value::{self, Pinned};
use crate::call::function_table::FunctionTable;
use crate::error::FfiError;
use crate::memory::arg_buffer::ArgBuffer;
use crate::memory::fence::heap;
use crate::memory::raw::PointerCheck;
use crate::memory::string_arena::StringArena;
use crate::threads::exit;
use crate::v8::stack_limit::StackLimit;

impl Drop for Environment {
    fn drop(&mut self) {
        if let Some(env_handle) = self.env_handle.get() {
            env_handle.end();
        }
        free_list::release(self.callbacks.abandon(self));
        // SAFETY: M10; the block was made for this state, and no call is under way.
        unsafe { heap::free(self.empty_block, 0) };
        // The engine gives back what references refer to, but not the references.
        self.exposed_views.forget(self.raw);
        self.pool_slices.forget(self.raw);
        let thrown = match self.pending.take() {
            Some(Unwinding::Thrown(held)) => Some(held),
            _ => None,
        };
        let thrown = self.jobs.take().into_values().filter_map(|(_, thrown)| thrown).chain(thrown).map(NonNull::as_ptr);
        for reference in self.kept.take().into_iter().chain(thrown) {
            // SAFETY: M6; the reference is this state's, and Node-API's environment goes after it.
            unsafe { sys::napi_delete_reference(self.raw, reference) };
        }
    }
}

/// The process is exiting: whoever waits for JavaScript gets a zeroed result, so that no thread keeps the process.
#[napi]
pub fn end_queue(env: Env) -> napi::Result<()> {
    let environment = current(env)?;
    if let Some((queue, _)) = environment.queue.get() {
        queue.exit();
    }
    environment.waiting.borrow_mut().end();
    Ok(())
}

/// Gives the environment its argument buffer: an ArrayBuffer that JavaScript keeps for itself and never transfers. `nothing` is a
/// function that does nothing. What was bound by an earlier instance of the package belongs to the state that it
/// attached, so that none is ever replaced.
#[napi]
pub fn attach(env: Env, arg_buffer: Object<'_>, nothing: Object<'_>) -> napi::Result<()> {
    if env.get_instance_data::<Rc<Environment>>()?.is_some() {
        return Err(thrown(env, &FfiError::Internal { reason: "the environment is attached already".into() }));
    }
    let (mut buffer_reference, mut nothing_reference) = (null_mut(), null_mut());
    // SAFETY: M1 and M3; `arg_buffer` is rooted by the caller and then by the reference.
    let storage = unsafe {
        sys::napi_create_reference(env.raw(), arg_buffer.raw(), 1, &mut buffer_reference);
        sys::napi_create_reference(env.raw(), nothing.raw(), 1, &mut nothing_reference);
        value::storage(env.raw(), arg_buffer.raw())
    };
    let base = match storage {
        Ok(Pinned::Bytes(storage, _)) => {
            NonNull::new(storage.view.start.as_ptr()).map(|base| (base, storage.view.length))
        }
        _ => None,
    };
    let Some((base, length)) = base else {
        return Err(thrown(env, &FfiError::Internal { reason: "the argument buffer is not an ArrayBuffer".into() }));
    };
    let Some(empty_block) = heap::allocate(0, 16) else {
        return Err(thrown(env, &FfiError::MemoryExhausted { wanted: 0 }));
    };
    let state = Rc::new_cyclic(|this| Environment {
        raw: env.raw(),
        // SAFETY: M1, by the reference above.
        arg_buffer: unsafe { ArgBuffer::new(base, length) },
        strings: StringArena::new(),
        nesting: Nesting::default(),
        ended: Cell::new(false),
        pending: Cell::new(None),
        jobs: RefCell::default(),
        to_throw: Cell::new(null_mut()),
        origin: Cell::new(0),
        has_thrown: Cell::new(false),
        after_call: Cell::new(0),
        errno: Cell::new(0),
        frees: Cell::new(0),
        waiting: RefCell::default(),
        queue: OnceCell::new(),
        env_handle: OnceCell::new(),
        pool: OnceCell::new(),
        completions: Completions::default(),
        threads: RefCell::default(),
        this: this.clone(),
        borrows: RefCell::new(Vec::new()),
        pointer_check: Cell::new(PointerCheck::LowPage),
        stack_limit: StackLimit::default(),
        transfer_locks: TransferLocks::default(),
        exposed_views: ExposedViews::default(),
        pool_slices: PoolSlices::default(),
        layouts: RefCell::default(),
        empty_block,
        functions: FunctionTable::default(),
        block_caches: Default::default(),
        #[cfg(all(target_arch = "x86_64", unix))]
        templates: OnceCell::new(),
        #[cfg(all(target_arch = "x86_64", unix))]
        code: RefCell::default(),
        #[cfg(all(target_arch = "x86_64", unix))]
        view_storage: OnceCell::new(),
        #[cfg(all(target_arch = "x86_64", unix))]
        flat_strings: OnceCell::new(),
        #[cfg(all(target_arch = "x86_64", unix))]
        fast_calls: OnceCell::new(),
        callbacks: Callbacks::default(),
        callback_arguments: CallbackArguments::default(),
        #[cfg(all(target_arch = "x86_64", unix))]
        function_caller: OnceCell::new(),
        kept: RefCell::new(vec![buffer_reference, nothing_reference]),
        nothing: nothing_reference,
    });
    exit::watch();
    // Before the engine frees anything, while other threads may still use it.
    env.add_env_cleanup_hook(Rc::clone(&state), |state| {
        end_processes();
        state.end();
    })?;
    env.set_instance_data(state, (), |_| ())
}
