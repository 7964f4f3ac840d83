//! The event-loop waker: a threadsafe function by which other threads wake a JavaScript thread.
#![expect(unsafe_code, reason = "lets other threads call into Node-API")]

use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::Arc;

use napi::sys;

use crate::sync::wakers::Wakers;
use crate::threads::callback_queue::Queue;

/// A threadsafe function of an environment.
#[derive(Debug)]
pub struct Waker {
    pub function: sys::napi_threadsafe_function,
    pub held: Cell<usize>,
}

/// A threadsafe function, for other threads.
pub struct Wake(pub sys::napi_threadsafe_function);
// SAFETY: M12; a threadsafe function may be called from any thread.
unsafe impl Send for Wake {}

pub static WAKERS: Wakers<Wake> = Wakers::new();

/// What wakers know a queue by.
pub fn key_of<T>(queue: &Arc<Queue<T>>) -> usize {
    Arc::as_ptr(queue).addr()
}

/// Wakes the JavaScript thread that has a waker of this key, if it still is.
pub fn wake(key: usize) {
    WAKERS.wake(key, |Wake(function)| {
        // SAFETY: M12; the finalizer takes the function off the list, and waits for calls of it, before it is gone.
        unsafe {
            sys::napi_call_threadsafe_function(*function, null_mut(), sys::ThreadsafeFunctionCallMode::nonblocking);
        }
    });
}

impl Waker {
    /// Keeps the process alive until [`Waker::release`], as often as it is called.
    pub fn hold(&self, env: sys::napi_env) {
        self.held.set(self.held.get() + 1);
        if self.held.get() == 1 {
            // SAFETY: M6 and M12.
            unsafe { sys::napi_ref_threadsafe_function(env, self.function) };
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
            // SAFETY: M6 and M12.
            unsafe { sys::napi_unref_threadsafe_function(env, self.function) };
        }
    }
}

/// Takes a waker off the list of those that can be woken.
pub fn forget_waker(key: usize) {
    WAKERS.remove(key);
}
