//! The handle by which a callback finds its environment. Like the callback it is never freed (M7), so it outlives the
//! environment.
#![expect(unsafe_code, reason = "points to a state that ends before it")]

use std::cell::Cell;
use std::ptr::null;
use std::sync::Arc;

use crate::call::inside::Inside;
use crate::node::async_call::job::Queue;

/// The destination of calls of an environment's callbacks.
#[derive(Debug)]
pub struct EnvHandle<E> {
    /// The JavaScript thread.
    pub thread: usize,
    /// The queue for calls from other threads; it ends with the environment.
    pub queue: Arc<Queue<E>>,
    /// The function that the JavaScript thread is inside.
    pub inside: Inside,
    /// Null once the environment has ended. Used on its thread only (M6).
    environment: Cell<*const E>,
}

impl<E> EnvHandle<E> {
    /// Makes the handle of an environment, which must call [`EnvHandle::end`]. It is never freed.
    pub fn make(environment: &E, queue: Arc<Queue<E>>, inside: Inside, thread: usize) -> &'static Self {
        Box::leak(Box::new(Self { thread, queue, inside, environment: Cell::new(environment) }))
    }

    /// The environment, on its thread; `None` once it has ended.
    #[inline]
    pub fn environment(&self) -> Option<&E> {
        // SAFETY: M6; the state calls `end` before it is dropped, on this thread.
        unsafe { self.environment.get().as_ref() }
    }

    /// Forgets the environment, which ends.
    pub fn end(&self) {
        self.environment.set(null());
    }
}
