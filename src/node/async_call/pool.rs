//! An environment's part of libuv's pool: the queue of its calls, and the finished ones.
#![expect(unsafe_code, reason = "takes jobs back")]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;

use napi::sys;

use super::job::SentJob;
use crate::node::waker::Waker;
use crate::threads::pool::Pool;

/// The pool of an environment, and the waker of its JavaScript thread.
pub struct Entry<E> {
    /// The jobs.
    pub pool: Arc<Pool<SentJob<E>>>,
    pub waker: Option<Waker>,
    /// Drainers on threads of the package.
    pub own_threads: RefCell<Vec<JoinHandle<()>>>,
    /// The number of those that have ended and still keep the process alive.
    pub ended: Arc<AtomicUsize>,
}

impl<E> Entry<E> {
    /// The waker of the JavaScript thread.
    pub fn waker(&self) -> Option<&Waker> {
        self.waker.as_ref()
    }

    /// Waits for the drainers on threads of the package.
    pub fn join(&self) {
        for drainer in self.own_threads.take() {
            let _ = drainer.join();
        }
    }

    /// The key of its waker.
    pub fn key(&self) -> usize {
        key_of(&self.pool)
    }
}

/// The key of a pool's waker.
pub fn key_of<E>(pool: &Arc<Pool<SentJob<E>>>) -> usize {
    Arc::as_ptr(pool).addr()
}

/// Calls that are done, on their way to JavaScript.
pub struct Completions<E> {
    pub jobs: RefCell<VecDeque<SentJob<E>>>,
    /// Whether the event loop has to turn before JavaScript gets the next one: `errno()` is that of the last.
    pub paused: Cell<bool>,
    /// Whether the rest keeps the process alive.
    pub held: Cell<bool>,
    /// The function of JavaScript that settles all.
    pub function: Cell<sys::napi_ref>,
}

impl<E> Default for Completions<E> {
    fn default() -> Self {
        Self {
            jobs: RefCell::default(),
            paused: Cell::default(),
            held: Cell::default(),
            function: Cell::new(null_mut()),
        }
    }
}

impl<E> Completions<E> {
    /// Drops the jobs that cannot be settled any more, because the environment ends.
    pub fn end(&self) {
        for job in self.jobs.take() {
            // SAFETY: M6; this is JavaScript's thread.
            drop(unsafe { job.open() });
        }
    }
}
