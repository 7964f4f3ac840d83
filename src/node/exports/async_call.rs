//! Asynchronous calls, dedicated threads, and what keeps the process alive for them.
#![expect(unsafe_code, reason = "takes a class instance out of a value")]

use std::ptr::null_mut;
use std::sync::Arc;

use napi::JsValue;
use napi::bindgen_prelude::{ClassInstance, Env, FromNapiValue, Object};
use napi_derive::napi;

use crate::error::FfiError;
use crate::node::async_call::{completions, dedicated_thread, start};
use crate::node::call::entries;
use crate::node::call::prepared::PreparedCall;
use crate::node::env::{Environment, Jobs, current};
use crate::node::error::thrown;
use crate::node::native_fn::{Arguments, JsResult, thrown_by, unless_thrown};
use crate::node::value::RootedValues;
use crate::panics::{Panicked, contain};

/// A thread whose calls run one after the other.
#[napi(js_name = "Thread")]
pub struct JsThread {
    jobs: Arc<Jobs>,
}

#[napi]
impl JsThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// Where the environment is not attached, or the system starts no thread.
    #[napi(constructor)]
    pub fn new(env: Env) -> napi::Result<Self> {
        let environment = current(env)?;
        let refused =
            |error| thrown(env, &FfiError::Internal { reason: format!("no thread could be started: {error}") });
        dedicated_thread::start(&environment).map(|jobs| Self { jobs }).map_err(refused)
    }

    /// The jobs of the thread.
    pub fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Ends the thread after the calls that were passed to it.
    #[napi]
    pub fn close(&mut self) {
        self.jobs.close();
    }
}

impl Drop for JsThread {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

/// The native entry of an asynchronous call: starts it on libuv's pool, or on a dedicated thread. The first two values
/// are what settles it, and the thread or null.
pub fn start_call(environment: &Environment, arguments: Arguments) -> JsResult {
    let Some(function) = environment.functions.share(environment.arg_buffer.number()) else {
        return entries::unbound(environment);
    };
    let outcome = contain(|| {
        let values = arguments.many(2 + function.signature.pins.len());
        function.check_open()?;
        let mut prepared = PreparedCall::default();
        // SAFETY: M3 and M6; they are the arguments of this native function, which runs on its environment's thread.
        let pins = unsafe { RootedValues::new(&values[2..]) };
        function.prepare(pins, None, &mut prepared)?;
        // SAFETY: M3; the value is an argument of this call.
        let thread = unsafe { ClassInstance::<JsThread>::from_napi_value(environment.raw, values[1]) }.ok();
        start::start(&function, prepared, values[0], thread.as_deref().map(JsThread::jobs))
    });
    match outcome {
        Ok(Ok(())) => unless_thrown(environment, null_mut()),
        Ok(Err(error)) => Err(thrown_by(environment, &error)),
        Err(Panicked) => Err(thrown_by(environment, &function.panicked())),
    }
}

/// Calls `settle_all` when asynchronous calls are done. Returns the function that takes them, one by one.
///
/// # Errors
/// Where the environment is not attached, or the engine makes no function.
#[napi]
pub fn settle_by(env: Env, settle_all: Object<'_>) -> napi::Result<Object<'static>> {
    let environment = current(env)?;
    match completions::settle_by(&environment, settle_all.raw()) {
        Some(function) => Ok(Object::from_raw(env.raw(), function)),
        None => Err(thrown(env, &FfiError::Internal { reason: "the engine refuses a function".into() })),
    }
}

/// Keeps the process alive while a callback is expected; taken back by `unrefQueue`.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn ref_queue(env: Env) -> napi::Result<()> {
    let environment = current(env)?;
    environment.queue();
    environment.hold_open();
    Ok(())
}

/// Takes one `refQueue` back.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn unref_queue(env: Env) -> napi::Result<()> {
    current(env)?.let_close();
    Ok(())
}

/// The process goes on after an `exit` event: other threads are answered again.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn reopen_queue(env: Env) -> napi::Result<()> {
    current(env)?.reopen_queue();
    Ok(())
}

/// Whether other threads have called, and wait for the event loop to turn.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn has_work(env: Env) -> napi::Result<bool> {
    Ok(current(env)?.has_work())
}

/// The process is exiting: threads that wait for JavaScript get a zeroed result, so that none keeps the process.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn end_queue(env: Env) -> napi::Result<()> {
    let environment = current(env)?;
    if let Some((queue, _)) = environment.work.queue.get() {
        queue.exit();
    }
    environment.work.waiting.borrow_mut().end();
    Ok(())
}
