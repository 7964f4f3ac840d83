//! The jobs of one dedicated thread, which runs them in order. A job has one owner at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::sync::locks::{Condvar, Mutex, MutexGuard, locked, wait, wait_while};

#[derive(Debug)]
struct State<T> {
    queued: VecDeque<T>,
    /// Whether the thread runs a job.
    running: bool,
    /// No more jobs are accepted; the queued ones still run.
    closed: bool,
    /// Jobs that have run and could not be returned.
    left: Vec<T>,
}

/// The jobs of a dedicated thread.
#[derive(Debug)]
pub struct Jobs<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

impl<T: Send> Jobs<T> {
    /// An empty queue.
    pub fn new() -> Arc<Self> {
        let state = State { queued: VecDeque::new(), running: false, closed: false, left: Vec::new() };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    fn locked(&self) -> MutexGuard<'_, State<T>> {
        locked(&self.state)
    }

    /// Queues a job.
    ///
    /// # Errors
    /// The job, if the thread accepts no more.
    pub fn push(&self, job: T) -> Result<(), T> {
        let mut state = self.locked();
        if state.closed {
            return Err(job);
        }
        state.queued.push_back(job);
        self.changed.notify_all();
        Ok(())
    }

    /// The thread's main function: runs the jobs until they are closed. `run` returns the job to its environment, or to
    /// this function if the environment has ended.
    pub fn run(&self, mut run: impl FnMut(T) -> Option<T>) {
        let mut state = self.locked();
        loop {
            if let Some(job) = state.queued.pop_front() {
                state.running = true;
                drop(state);
                let left = run(job);
                state = self.locked();
                state.running = false;
                state.left.extend(left);
                self.changed.notify_all();
            } else if state.closed {
                return;
            } else {
                state = wait(&self.changed, state);
            }
        }
    }

    /// Accepts no more jobs. The thread ends after the queued ones.
    pub fn close(&self) {
        self.locked().closed = true;
        self.changed.notify_all();
    }

    /// Removes the queued jobs and waits for the one that runs, because the environment that it uses ends. Returns the
    /// jobs that were not returned to it.
    pub fn stop(&self) -> Vec<T> {
        let mut state = self.locked();
        state.closed = true;
        let mut jobs: Vec<T> = state.queued.drain(..).collect();
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
        assert!((1..=3).all(|job| jobs.push(job).is_ok()));
        jobs.close();
        assert_eq!(jobs.push(4), Err(4));
        let mut ran = Vec::new();
        jobs.run(|job| {
            ran.push(job);
            None
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
                jobs.run(|job| {
                    started.send(()).unwrap();
                    finished.recv().unwrap();
                    Some(job)
                });
            }
        });
        assert!((1..=3).all(|job| jobs.push(job).is_ok()));
        wait.recv().unwrap();
        // The others may have begun by the time of the stop.
        (0..3).for_each(|_| finish.send(()).unwrap());
        let mut left = jobs.stop();
        thread.join().unwrap();
        left.sort_unstable();
        assert!(left.ends_with(&[3]) && !left.is_empty() && jobs.push(4).is_err());
    }
}
