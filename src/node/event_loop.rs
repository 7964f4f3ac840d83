//! What runs on the event loop for other threads: wakers of an environment, and the work that is served when they wake it.
#![expect(unsafe_code, reason = "lets other threads call into Node-API")]

use std::ffi::c_void;
use std::sync::Arc;

use napi::bindgen_prelude::Env;
use napi::sys;
use napi_derive::napi;

use super::async_call::completions;
use super::callback::foreign_thread;
use super::callback::slot::this_thread;
use super::env::{EnvHandle, Environment, Queue, Work, current};
use super::env_waker::make_waker;
use super::native_fn::contained;
use super::waker::key_of;

impl Environment {
    /// The queue of work from other threads, made when first needed.
    pub fn queue(&self) -> Arc<Queue> {
        let (queue, _) = self.queue.get_or_init(|| {
            let queue = Queue::new();
            let make = |this| make_waker(&this, key_of(&queue), c"pinned-ffi callbacks", serve_one);
            let waker = self.this().and_then(make);
            (queue, waker)
        });
        Arc::clone(queue)
    }

    /// What its callbacks know of it, made when first needed.
    pub fn env_handle(&self) -> &'static EnvHandle {
        self.env_handle.get_or_init(|| EnvHandle::make(self, self.queue(), this_thread()))
    }
}

/// Serves one piece of work on the JavaScript thread.
pub fn serve(environment: &Environment, work: Work) {
    match work {
        // The thread that made the call must not wait for ever.
        Work::Call(request) => {
            if !contained(|| foreign_thread::serve(environment, &request)) {
                request.answer(None);
            }
        }
        Work::Done(job) => {
            environment.let_close();
            completions::settle_one(environment, job);
        }
    }
}

/// Serves a queue: the callback of its waker.
pub unsafe extern "C" fn serve_one(env: sys::napi_env, _: sys::napi_value, context: *mut c_void, _: *mut c_void) {
    // SAFETY: M12; `make_waker` gave the state, which the finalizer gives back.
    let environment = unsafe { &*context.cast::<Environment>() };
    if env.is_null() {
        return environment.end();
    }
    // One for each wake: what a Promise's continuation does comes before the next.
    match environment.take_work() {
        Some(work) => serve(environment, work),
        None => environment.check_alive(),
    }
}

/// Keeps the process alive while a callback is expected; taken back by `unrefQueue`.
#[napi]
pub fn ref_queue(env: Env) -> napi::Result<()> {
    let environment = current(env)?;
    environment.queue();
    environment.hold_open();
    Ok(())
}

/// Takes one `refQueue` back.
#[napi]
pub fn unref_queue(env: Env) -> napi::Result<()> {
    current(env)?.let_close();
    Ok(())
}

/// The process goes on after an `exit` event: other threads are answered again.
#[napi]
pub fn reopen_queue(env: Env) -> napi::Result<()> {
    current(env)?.reopen_queue();
    Ok(())
}

/// Whether other threads have called, and wait for the event loop to turn.
#[napi]
pub fn has_work(env: Env) -> napi::Result<bool> {
    Ok(current(env)?.has_work())
}
