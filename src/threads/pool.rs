//! The calls for libuv's pool. They wait in one queue; a few drainers, each on a thread of the pool, run them. Finished
//! jobs are returned in batches. A job has one owner at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::sync::locks::atomic::AtomicBool;
use crate::sync::locks::{Mutex, locked};

/// The time after which a drainer asks for a successor, which queues behind the work that others of the process have
/// submitted. In the models time does not pass.
const SLICE: Duration = if cfg!(all(test, loom)) { Duration::MAX } else { Duration::from_millis(2) };
/// The time that a drainer waits for a next job when the queue is empty: about the time that JavaScript takes to
/// receive a result and to make the next call. Ending and starting again takes longer.
const LINGER: Duration = Duration::from_micros(30);
/// The number of chances to linger that are skipped after one that was in vain.
const PASSED_OVER: u32 = 3;

#[derive(Debug)]
struct State<T> {
    queued: VecDeque<T>,
    done: Vec<T>,
    /// The jobs that have not finished.
    unfinished: usize,
    /// The drainers that run, or wait for a thread of the pool.
    drainers: usize,
    /// Whether JavaScript was woken and has not taken the jobs yet.
    told: bool,
    /// The drainers that ask for a successor.
    wanted: usize,
    /// Whether a drainer lingers; at most one does.
    lingering: bool,
    /// The chances to linger that are still to be skipped.
    passed_over: u32,
}

/// The calls of one environment for libuv's pool.
#[derive(Debug)]
pub struct Pool<T> {
    state: Mutex<State<T>>,
    /// Whether a job is queued; read without the lock by the drainer that lingers.
    has_job: AtomicBool,
    /// The number of threads of the pool.
    threads: usize,
    /// Whether there is another processor that can run while a drainer lingers.
    may_linger: bool,
}

/// A drainer's report to JavaScript.
#[derive(Debug, PartialEq, Eq)]
pub struct Done<T> {
    /// The finished jobs.
    pub jobs: Vec<T>,
    /// The number of drainers to start.
    pub wanted: usize,
}

impl<T: Send> Pool<T> {
    /// An empty queue, for a pool of so many threads.
    pub fn new(threads: usize, may_linger: bool) -> Arc<Self> {
        let state = State {
            queued: VecDeque::new(),
            done: Vec::new(),
            unfinished: 0,
            drainers: 0,
            told: false,
            wanted: 0,
            lingering: false,
            passed_over: 0,
        };
        Arc::new(Self { state: Mutex::new(state), has_job: AtomicBool::new(false), threads, may_linger })
    }

    /// Queues a job. Returns whether the caller has to start a drainer: there is one for each unfinished job, up to the
    /// number of threads.
    pub fn push(&self, job: T) -> bool {
        let mut state = locked(&self.state);
        state.queued.push_back(job);
        state.unfinished += 1;
        self.has_job.store(true, Ordering::Release);
        let is_wanted = state.drainers < self.least(&state);
        state.drainers += usize::from(is_wanted);
        is_wanted
    }

    /// Records that no drainer could be started for the job that was pushed last. Returns that job if no other thread
    /// will run it. Only the JavaScript thread pushes, and the oldest job runs first, so if it is still queued it is
    /// the last one.
    pub fn take_back(&self) -> Option<T> {
        let mut state = locked(&self.state);
        state.drainers -= 1;
        if state.drainers > 0 {
            return None;
        }
        let job = state.queued.pop_back()?;
        state.unfinished -= 1;
        self.has_job.store(!state.queued.is_empty(), Ordering::Release);
        Some(job)
    }

    /// A lower bound of the number of drainers.
    fn least(&self, state: &State<T>) -> usize {
        state.unfinished.min(self.threads)
    }

    /// The main function of a drainer: runs jobs until there are none, or until its time is over and a successor runs.
    /// The last jobs are not reported: the thread that started the drainer looks for them when it ends.
    pub fn drain(&self, mut run: impl FnMut(&mut T), tell: impl Fn()) {
        let mut start = Instant::now();
        let mut state = locked(&self.state);
        loop {
            let is_over = start.elapsed() >= SLICE;
            let Some(mut job) = state.queued.pop_front() else {
                if is_over || !self.lingers(&mut state) {
                    break;
                }
                let tells = !state.told && !state.done.is_empty();
                state.told |= tells;
                drop(state);
                if tells {
                    tell();
                }
                self.linger();
                state = locked(&self.state);
                state.lingering = false;
                if state.queued.is_empty() {
                    state.passed_over = PASSED_OVER;
                    break;
                }
                continue;
            };
            self.has_job.store(!state.queued.is_empty(), Ordering::Release);
            drop(state);
            run(&mut job);
            state = locked(&self.state);
            state.done.push(job);
            state.unfinished -= 1;
            if state.queued.is_empty() {
                continue;
            }
            if start.elapsed() >= SLICE {
                if state.drainers > self.least(&state) {
                    break;
                }
                state.wanted = (state.wanted + 1).min(state.drainers);
                start = Instant::now();
            }
            if !state.told {
                state.told = true;
                drop(state);
                tell();
                state = locked(&self.state);
            }
        }
        state.drainers -= 1;
    }

    /// Decides whether a drainer with an empty queue lingers, and records it.
    fn lingers(&self, state: &mut State<T>) -> bool {
        if !self.may_linger || state.lingering {
            return false;
        }
        if state.passed_over > 0 {
            state.passed_over -= 1;
            return false;
        }
        state.lingering = true;
        true
    }

    /// Waits for a job for a short while. It yields, as JavaScript's thread may have been woken on this processor.
    #[cfg(not(all(test, loom)))]
    fn linger(&self) {
        let end = Instant::now() + LINGER;
        while !self.has_job.load(Ordering::Acquire) && Instant::now() < end {
            std::thread::yield_now();
        }
    }

    /// In the models time does not pass.
    #[cfg(all(test, loom))]
    fn linger(&self) {
        let _ = self.has_job.load(Ordering::Acquire);
    }

    /// Takes the finished jobs, on the JavaScript thread. The caller starts the drainers that are asked for, or calls
    /// [`Pool::unstarted`].
    pub fn take(&self) -> Done<T> {
        let mut state = locked(&self.state);
        state.told = false;
        let wanted = std::mem::take(&mut state.wanted);
        state.drainers += wanted;
        Done { jobs: std::mem::take(&mut state.done), wanted }
    }

    /// Records that a drainer could not be started.
    pub fn unstarted(&self) {
        locked(&self.state).drainers -= 1;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};

    fn drained(pool: &Pool<usize>) -> Vec<usize> {
        let ran = RefCell::new(Vec::new());
        pool.drain(|job| ran.borrow_mut().push(*job), || {});
        ran.into_inner()
    }

    #[test]
    #[cfg_attr(miri, ignore = "is slower there than a slice of time")]
    fn there_are_as_many_drainers_as_jobs_or_threads() {
        let pool = Pool::new(2, false);
        assert_eq!([1, 2, 3, 4].map(|job| pool.push(job)), [true, true, false, false]);
        assert_eq!(drained(&pool), [1, 2, 3, 4]);
        assert!(drained(&pool).is_empty());
        assert_eq!(pool.take(), Done { jobs: vec![1, 2, 3, 4], wanted: 0 });
        assert!(pool.push(5));
    }

    #[test]
    fn a_drainer_without_a_thread_leaves_its_job_to_the_others_or_gives_it_back() {
        let pool = Pool::new(2, false);
        assert!(pool.push(1) && pool.take_back() == Some(1));
        assert!(pool.push(2) && pool.push(3) && pool.take_back().is_none());
        assert_eq!(drained(&pool), [2, 3]);
    }

    #[test]
    fn a_drainer_gives_its_thread_up_once_another_takes_its_place_and_goes_on_until_then() {
        let pool = Pool::new(1, false);
        for job in 1..=5 {
            pool.push(job);
        }
        let (ran, told) = (RefCell::new(Vec::new()), Cell::new(0));
        let run = |job: &mut usize| {
            std::thread::sleep(SLICE);
            // JavaScript comes after the third.
            if *job == 4 {
                assert_eq!(pool.take(), Done { jobs: vec![1, 2, 3], wanted: 1 });
            }
            ran.borrow_mut().push(*job);
        };
        pool.drain(run, || told.set(told.get() + 1));
        assert_eq!((ran.take(), told.get()), (vec![1, 2, 3, 4], 1));
        assert_eq!(drained(&pool), [5]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "is slower there than a slice of time")]
    fn who_lingers_tells_of_what_is_done_before() {
        let pool = Pool::new(1, true);
        assert!(pool.push(1));
        let told = Cell::new(0);
        pool.drain(
            |_| {},
            || {
                told.set(told.get() + 1);
                if told.get() == 1 {
                    assert_eq!(pool.take().jobs, [1]);
                    assert!(!pool.push(2));
                }
            },
        );
        assert!(told.get() >= 1);
        assert_eq!(pool.take().jobs, [2]);
    }
}
