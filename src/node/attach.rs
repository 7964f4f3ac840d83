//! Creates and drops the state of an environment.
#![expect(unsafe_code, reason = "keeps Node-API references and takes the argument buffer's address")]

use std::cell::{Cell, OnceCell, RefCell};
use std::ptr::{NonNull, null_mut};
use std::rc::Rc;

use napi::bindgen_prelude::Env;
use napi::sys;

use super::async_call::threaded_work::ThreadedWork;
use super::call::calls::Calls;
use super::callback::argument_source::CallbackArguments;
use super::callback::free_list;
use super::env::{Callbacks, Environment};
use super::error::thrown;
use super::exposed_views::ExposedViews;
use super::isolated::end_processes;
use super::pool_slices::PoolSlices;
use super::transfer_lock::TransferLocks;
use super::unwinding::{Exceptions, Unwinding};
#[cfg(v8_abi)]
use super::v8_state::V8State;
use super::value::{Pinned, Rooted};
use crate::call::function_table::FunctionTable;
use crate::call::inside::Inside;
use crate::error::FfiError;
use crate::memory::arg_buffer::ArgBuffer;
use crate::memory::fence::heap;
use crate::memory::raw::PointerCheck;
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
        // The engine frees the targets of references, but not the references.
        self.exposed_views.forget(self.raw);
        self.pool_slices.forget(self.raw);
        let thrown = match self.exceptions.pending.take() {
            Some(Unwinding::Thrown(held)) => Some(held),
            _ => None,
        };
        let thrown =
            self.work.jobs.take().into_values().filter_map(|(_, thrown)| thrown).chain(thrown).map(NonNull::as_ptr);
        for reference in self.kept.take().into_iter().chain(thrown) {
            // SAFETY: M6; the reference is this state's, and Node-API's environment goes after it.
            unsafe { sys::napi_delete_reference(self.raw, reference) };
        }
    }
}

/// Makes the state of an environment; see `exports::environment::attach`.
///
/// # Errors
/// If the environment is attached already, the buffer is no ArrayBuffer, or there is no memory.
pub fn attach(env: Env, arg_buffer: sys::napi_value, nothing: sys::napi_value) -> napi::Result<()> {
    if env.get_instance_data::<Rc<Environment>>()?.is_some() {
        return Err(thrown(env, &FfiError::Internal { reason: "the environment is attached already".into() }));
    }
    let (mut buffer_reference, mut nothing_reference) = (null_mut(), null_mut());
    // SAFETY: M1 and M3; `arg_buffer` is rooted by the caller and then by the reference.
    let storage = unsafe {
        sys::napi_create_reference(env.raw(), arg_buffer, 1, &mut buffer_reference);
        sys::napi_create_reference(env.raw(), nothing, 1, &mut nothing_reference);
        Rooted::new(env.raw(), arg_buffer).storage()
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
    let Some(inside) = Inside::here() else {
        return Err(thrown(env, &FfiError::Internal { reason: "the thread is ending".into() }));
    };
    let state = Rc::new_cyclic(|this| Environment {
        raw: env.raw(),
        this: this.clone(),
        ended: Cell::new(false),
        // SAFETY: M1, by the reference above.
        arg_buffer: unsafe { ArgBuffer::new(base, length) },
        functions: FunctionTable::default(),
        layouts: RefCell::default(),
        inside,
        calls: Calls::default(),
        exceptions: Exceptions::default(),
        callbacks: Callbacks::default(),
        callback_arguments: CallbackArguments::default(),
        env_handle: OnceCell::new(),
        work: ThreadedWork::default(),
        pointer_check: Cell::new(PointerCheck::LowPage),
        stack_limit: StackLimit::default(),
        transfer_locks: TransferLocks::default(),
        exposed_views: ExposedViews::default(),
        pool_slices: PoolSlices::default(),
        empty_block,
        #[cfg(v8_abi)]
        v8: V8State::default(),
        kept: RefCell::new(vec![buffer_reference, nothing_reference]),
        nothing: nothing_reference,
        failure_listener: Cell::new(null_mut()),
    });
    exit::watch();
    // Before the engine frees anything, while other threads may still use it.
    env.add_env_cleanup_hook(Rc::clone(&state), |state| {
        end_processes();
        state.end();
    })?;
    env.set_instance_data(state, (), |_| ())
}
