//! The jobs of one dedicated thread, which runs them in order. A job is an address that only its maker understands.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::sync::{Condvar, Mutex, MutexGuard, locked, wait, wait_while};

#[derive(Debug, Default)]
struct State {
    queued: VecDeque<usize>,
    /// Whether a job is with the thread.
    running: bool,
    /// No more jobs are taken; those that are queued still run.
    closed: bool,
    /// Jobs that have run, and that nobody wanted back.
    left: Vec<usize>,
}

/// What a dedicated thread has to do.
#[derive(Debug, Default)]
pub struct Jobs {
    state: Mutex<State>,
    changed: Condvar,
}

impl Jobs {
    /// Nothing to do yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Queues a job; false where the thread takes no more.
    pub fn push(&self, job: usize) -> bool {
        let mut state = self.locked();
        if !state.closed {
            state.queued.push_back(job);
            self.changed.notify_all();
            return true;
        }
        false
    }

    /// The thread's work: runs the jobs until they are closed. `run` says whether the job was handed back.
    pub fn run(&self, mut run: impl FnMut(usize) -> bool) {
        let mut state = self.locked();
        loop {
            if let Some(job) = state.queued.pop_front() {
                state.running = true;
                drop(state);
                let is_back = run(job);
                state = self.locked();
                state.running = false;
                if !is_back {
                    state.left.push(job);
                }
                self.changed.notify_all();
            } else if state.closed {
                return;
            } else {
                state = wait(&self.changed, state);
            }
        }
    }

    /// Takes no more jobs; the thread ends after those that are queued.
    pub fn close(&self) {
        self.locked().closed = true;
        self.changed.notify_all();
    }

    /// Takes the queued jobs away and waits for the one that runs, because what it uses is going. The jobs that were not
    /// handed back.
    pub fn stop(&self) -> Vec<usize> {
        let mut state = self.locked();
        state.closed = true;
        let mut jobs: Vec<usize> = state.queued.drain(..).collect();
        self.changed.notify_all();
        state = wait_while(&self.changed, state, |state| state.running);
        jobs.append(&mut state.left);
        jobs
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn jobs_run_in_order_and_closed_ones_to_the_end() {
        let jobs = Jobs::new();
        assert!((1..=3).all(|job| jobs.push(job)));
        jobs.close();
        assert!(!jobs.push(4));
        let mut ran = Vec::new();
        jobs.run(|job| {
            ran.push(job);
            true
        });
        assert_eq!(ran, [1, 2, 3]);
    }

    #[test]
    fn stopping_waits_for_the_one_that_runs_and_gives_the_others_back() {
        let jobs = Jobs::new();
        let (started, wait) = mpsc::channel();
        let (finish, finished) = mpsc::channel();
        let thread = std::thread::spawn({
            let jobs = Arc::clone(&jobs);
            move || {
                jobs.run(|_| {
                    started.send(()).unwrap();
                    finished.recv().unwrap();
                    false
                });
            }
        });
        assert!((1..=3).all(|job| jobs.push(job)));
        wait.recv().unwrap();
        // The others may have begun by the time of the stop.
        (0..3).for_each(|_| finish.send(()).unwrap());
        let mut left = jobs.stop();
        thread.join().unwrap();
        left.sort_unstable();
        assert!(left.ends_with(&[3]) && !left.is_empty() && !jobs.push(4));
    }
}
