//! What an environment has of libuv's pool: the queue of its calls, and those that are done.
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

/// The pool of an environment, and what wakes its JavaScript thread for it.
pub struct Entry<E> {
    /// The jobs.
    pub pool: Arc<Pool<SentJob<E>>>,
    pub waker: Option<Waker>,
    /// Drainers on threads of the package.
    pub own_threads: RefCell<Vec<JoinHandle<()>>>,
    /// Those that have ended, and whose hold on the process was not taken back.
    pub ended: Arc<AtomicUsize>,
}

impl<E> Entry<E> {
    /// What wakes the JavaScript thread for it.
    pub fn waker(&self) -> Option<&Waker> {
        self.waker.as_ref()
    }

    /// Waits for the drainers on threads of the package.
    pub fn join(&self) {
        for drainer in self.own_threads.take() {
            let _ = drainer.join();
        }
    }

    /// What wakers know it by.
    pub fn key(&self) -> usize {
        key_of(&self.pool)
    }
}

/// What wakers know a pool by.
pub fn key_of<E>(pool: &Arc<Pool<SentJob<E>>>) -> usize {
    Arc::as_ptr(pool).addr()
}

/// Calls that are done, on their way to JavaScript.
pub struct Completions<E> {
    pub jobs: RefCell<VecDeque<SentJob<E>>>,
    /// Whether the event loop has to turn before JavaScript gets the next one: `errno()` is that of the last.
    pub paused: Cell<bool>,
    /// Whether what is left keeps the process alive.
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
