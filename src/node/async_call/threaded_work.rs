//! The work of an environment on other threads.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::job::{Jobs, Queue, Waiting};
use super::pool::{self, Completions};
use crate::node::unwinding::Held;
use crate::node::waker::Waker;
use crate::threads::attention::Attention;

/// Asynchronous calls, and calls of callbacks on other threads.
pub struct ThreadedWork<E> {
    /// The asynchronous calls under way, by number: the slot by which JavaScript knows each, and what its callbacks
    /// have thrown.
    pub jobs: RefCell<HashMap<usize, (u32, Option<Held>)>>,
    /// Calls of callbacks that wait for a Promise.
    pub waiting: RefCell<Waiting>,
    /// The queue of work from other threads, and the waker of the JavaScript thread.
    pub queue: OnceCell<(Arc<Queue<E>>, Option<Waker>)>,
    /// Whether it is worth waiting for the next call of another thread.
    pub attention: Attention,
    /// The calls for libuv's pool, from the first one on.
    pub pool: OnceCell<pool::Entry<E>>,
    /// The asynchronous calls that are done.
    pub completions: Completions<E>,
    /// The dedicated threads that were started.
    pub threads: RefCell<Vec<Weak<Jobs<E>>>>,
}

impl<E> Default for ThreadedWork<E> {
    fn default() -> Self {
        Self {
            jobs: RefCell::default(),
            waiting: RefCell::default(),
            queue: OnceCell::new(),
            attention: Attention::new(std::thread::available_parallelism().map_or(1, usize::from)),
            pool: OnceCell::new(),
            completions: Completions::default(),
            threads: RefCell::default(),
        }
    }
}
