//! Work of other threads on the event loop: the wakers of an environment, and how their work is served.
#![expect(unsafe_code, reason = "lets other threads call into Node-API")]

use std::ffi::c_void;
use std::sync::Arc;

use napi::sys;

use super::async_call::completions;
use super::callback::foreign_thread;
use super::callback::slot::this_thread;
use super::env::{EnvHandle, Environment, Queue, Work};
use super::env_waker::make_waker;
use super::waker::key_of;
use crate::panics::contain;

impl Environment {
    /// The queue of work from other threads, made when first needed.
    pub fn queue(&self) -> Arc<Queue> {
        let (queue, _) = self.work.queue.get_or_init(|| {
            let queue = Queue::new();
            let make = |this| make_waker(&this, key_of(&queue), c"pinned-ffi callbacks", serve_one);
            let waker = self.this().and_then(make);
            (queue, waker)
        });
        Arc::clone(queue)
    }

    /// The handle that its callbacks have, made when first needed.
    pub fn env_handle(&self) -> &'static EnvHandle {
        self.env_handle.get_or_init(|| EnvHandle::make(self, self.queue(), self.inside.clone(), this_thread()))
    }
}

impl Environment {
    /// A thread goes on, and may call the next callback at once: waits for that for some microseconds. The event loop
    /// serves it then without having slept.
    fn attend(&self) {
        let attention = &self.work.attention;
        if let (Some((queue, _)), Some(time)) = (self.work.queue.get(), attention.time()) {
            attention.record(queue.attend(time));
        }
    }
}

/// Serves one piece of work on the JavaScript thread.
pub fn serve(environment: &Environment, work: Work) {
    match work {
        // The thread that made the call must not wait for ever.
        Work::Call(request) => {
            if contain(|| foreign_thread::serve(environment, &request)).is_err() {
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
///
/// # Safety
/// M12: Node-API calls it, with the state that the waker was made with.
pub unsafe extern "C" fn serve_one(env: sys::napi_env, _: sys::napi_value, context: *mut c_void, _: *mut c_void) {
    // SAFETY: M12; `make_waker` gave the state, which the finalizer gives back.
    let environment = unsafe { &*context.cast::<Environment>() };
    if env.is_null() {
        return environment.end();
    }
    // One for each wake: what a Promise's continuation does comes before the next.
    match environment.take_work() {
        Some(Work::Call(request)) => {
            serve(environment, Work::Call(Arc::clone(&request)));
            if request.is_answered() {
                environment.attend();
            }
        }
        Some(work) => serve(environment, work),
        None => environment.check_alive(),
    }
}
