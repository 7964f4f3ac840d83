//! Work from other threads: how an environment takes it, keeps the process alive for it, and ends it.
#![expect(unsafe_code, reason = "takes jobs back")]

use std::sync::Arc;

use super::async_call::pool;
use super::env::{Environment, Jobs, Work};
use super::waker::{Waker, forget_waker, key_of};

impl Environment {
    /// Answers the threads that wait for a Promise that cannot settle any more, because JavaScript has ended.
    pub fn check_alive(&self) {
        if self.work.waiting.borrow().is_any() && !self.runs_js() {
            self.end();
        }
    }

    /// The oldest work from other threads.
    pub fn take_work(&self) -> Option<Work> {
        self.work.queue.get()?.0.take()
    }

    /// Whether other threads have submitted work that was not taken yet.
    pub fn has_work(&self) -> bool {
        self.work.queue.get().is_some_and(|(queue, _)| queue.has_work())
    }

    /// Keeps the process alive until [`Environment::let_close`].
    pub fn hold_open(&self) {
        if let Some((_, Some(waker))) = self.work.queue.get() {
            waker.hold(self.raw);
        }
    }

    /// Takes one [`Environment::hold_open`] back.
    pub fn let_close(&self) {
        if let Some((_, Some(waker))) = self.work.queue.get() {
            waker.release(self.raw);
        }
    }

    /// Whether the process is kept alive for other threads.
    pub fn is_held_open(&self) -> bool {
        let queue = self.work.queue.get().and_then(|(_, waker)| waker.as_ref());
        let pool = self.work.pool.get().and_then(pool::Entry::waker);
        queue.into_iter().chain(pool).any(Waker::is_held)
    }

    /// Other threads are answered again, after an exit that did not take place.
    pub fn reopen_queue(&self) {
        if let Some((queue, _)) = self.work.queue.get() {
            queue.reopen();
        }
    }

    /// Records a dedicated thread, which ends with the environment.
    pub fn record_thread(&self, jobs: &Arc<Jobs>) {
        let mut threads = self.work.threads.borrow_mut();
        threads.retain(|thread| thread.strong_count() > 0);
        threads.push(Arc::downgrade(jobs));
    }

    /// The environment is going: everybody who waits gets a zeroed result, now and from now on, and the calls of
    /// dedicated threads are over, because the engine frees the Buffers they use. Node itself waits for the calls of
    /// its pool.
    pub fn end(&self) {
        self.ended.set(true);
        let mut jobs = Vec::new();
        if let Some((queue, _)) = self.work.queue.get() {
            forget_waker(key_of(queue));
            jobs = queue.end();
        }
        if let Some(entry) = self.work.pool.get() {
            forget_waker(entry.key());
            entry.join();
        }
        self.work.completions.end();
        self.work.waiting.borrow_mut().end();
        for thread in self.work.threads.take() {
            jobs.extend(thread.upgrade().map(|thread| thread.stop()).unwrap_or_default());
        }
        for job in jobs {
            // SAFETY: M6; the threads have stopped, and no JavaScript runs here that could settle it.
            drop(unsafe { job.open() });
        }
    }
}
