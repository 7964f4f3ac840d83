//! Event-loop wakers: other threads wake a JavaScript thread by a key.

use std::cell::Cell;
use std::sync::Arc;

use napi::sys;

use super::threadsafe_function::ThreadsafeFunction;
use crate::sync::wakers::Wakers;
use crate::threads::callback_queue::Queue;

/// The waker of an environment.
#[derive(Debug)]
pub struct Waker {
    function: ThreadsafeFunction,
    held: Cell<usize>,
}

static WAKERS: Wakers<ThreadsafeFunction> = Wakers::new();

/// The key of a queue's waker.
pub fn key_of<T>(queue: &Arc<Queue<T>>) -> usize {
    Arc::as_ptr(queue).addr()
}

/// Wakes the JavaScript thread whose waker has this key; does nothing if that has ended.
pub fn wake(key: usize) {
    WAKERS.wake(key, |function| function.call());
}

impl Waker {
    /// Allows other threads to wake this one by a key, until [`forget_waker`].
    pub fn register(key: usize, function: ThreadsafeFunction) -> Self {
        WAKERS.add(key, function);
        Self { function, held: Cell::new(0) }
    }

    /// Keeps the process alive until [`Waker::release`] was called as often.
    pub fn hold(&self, env: sys::napi_env) {
        self.held.set(self.held.get() + 1);
        if self.held.get() == 1 {
            self.function.keep_alive(env, true);
        }
    }

    /// Whether it keeps the process alive.
    pub fn is_held(&self) -> bool {
        self.held.get() > 0
    }

    /// Takes one [`Waker::hold`] back.
    pub fn release(&self, env: sys::napi_env) {
        self.held.set(self.held.get().saturating_sub(1));
        if self.held.get() == 0 {
            self.function.keep_alive(env, false);
        }
    }
}

/// Removes a waker. It is not called any more once this returns.
pub fn forget_waker(key: usize) {
    WAKERS.remove(key);
}
