//! Models of the state that threads share, for loom, which tries every order of their steps. A thread that waits for
//! ever is a failure. Run by `npm run test:loom`.
#![expect(unsafe_code, reason = "opens the process itself as a library")]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use loom::{model, thread};

use super::callback_queue::{Answer, Queue, Request, Work};
use super::dedicated::Jobs;
use super::pool::Pool;
use crate::loader::library::Library;
use crate::memory::arg_buffer::ArgBlock;
use crate::sync::locks::atomic::{AtomicBool, AtomicUsize};

fn answer_of(number: usize) -> Answer {
    Some(vec![number as u8].into())
}

/// The result that a foreign thread gets from a callback, as in `node/callback/foreign_thread.rs`.
fn call(queue: &Queue<usize>, number: usize) -> Answer {
    let request =
        Request::new(number, 0, ArgBlock::new(), Vec::new(), 0, 0, crate::threads::callback_queue::Kind::Waiting);
    if queue.submit(Work::Call(Arc::clone(&request))).is_err() {
        return None;
    }
    request.wait(Duration::MAX).expect("time does not pass here")
}

fn caller(queue: &Arc<Queue<usize>>, number: usize) -> thread::JoinHandle<Answer> {
    let queue = Arc::clone(queue);
    thread::spawn(move || call(&queue, number))
}

fn serve(work: Work<usize>) {
    match work {
        Work::Call(request) => request.answer(answer_of(request.slot)),
        Work::Done(job) => panic!("no thread has made the job {job}"),
    }
}

fn is_own_or_zero(answer: &Answer, number: usize) -> bool {
    answer.is_none() || *answer == answer_of(number)
}

#[test]
fn a_call_while_the_environment_ends_gets_its_result_or_zero() {
    model(|| {
        let queue = Queue::new();
        let callers = [1, 2].map(|number| (number, caller(&queue, number)));
        if let Some(work) = queue.take() {
            serve(work);
        }
        queue.end();
        for (number, caller) in callers {
            assert!(is_own_or_zero(&caller.join().unwrap(), number));
        }
        assert!(queue.take().is_none() && call(&queue, 3).is_none());
    });
}

#[test]
fn a_call_while_the_process_exits_gets_its_result_or_zero() {
    model(|| {
        let queue = Queue::new();
        let first = caller(&queue, 1);
        queue.exit();
        assert!(first.join().unwrap().is_none());
        assert!(queue.take().is_none() && call(&queue, 2).is_none());
    });
}

#[test]
fn a_call_that_serves_its_callbacks_ends_when_it_is_done_and_has_answered_all() {
    model(|| {
        let queue = Queue::new();
        let done = Arc::new(AtomicBool::new(false));
        let helper = thread::spawn({
            let (queue, done) = (Arc::clone(&queue), Arc::clone(&done));
            move || {
                let answers = [1, 2].map(|number| call(&queue, number));
                queue.finish(&done);
                answers
            }
        });
        while let Some(work) = queue.take_until(&done) {
            serve(work);
        }
        assert_eq!(helper.join().unwrap(), [answer_of(1), answer_of(2)]);
    });
}

#[test]
fn a_call_that_serves_its_callbacks_ends_when_the_process_exits_meanwhile() {
    model(|| {
        let queue = Queue::new();
        let done = Arc::new(AtomicBool::new(false));
        let helper = thread::spawn({
            let (queue, done) = (Arc::clone(&queue), Arc::clone(&done));
            move || {
                let answer = call(&queue, 1);
                queue.finish(&done);
                answer
            }
        });
        queue.exit();
        while let Some(work) = queue.take_until(&done) {
            serve(work);
        }
        assert!(is_own_or_zero(&helper.join().unwrap(), 1));
    });
}

#[test]
fn a_call_that_serves_its_callbacks_does_so_while_the_process_exits() {
    model(|| {
        let queue = Queue::new();
        queue.exit();
        let done = Arc::new(AtomicBool::new(false));
        let serving = queue.serve();
        let helper = thread::spawn({
            let (queue, done) = (Arc::clone(&queue), Arc::clone(&done));
            move || {
                let answers = [1, 2].map(|number| call(&queue, number));
                queue.finish(&done);
                answers
            }
        });
        while let Some(work) = queue.take_until(&done) {
            serve(work);
        }
        drop(serving);
        assert_eq!(helper.join().unwrap(), [answer_of(1), answer_of(2)]);
        assert!(call(&queue, 3).is_none());
    });
}

#[test]
fn only_the_first_answer_counts() {
    model(|| {
        let request =
            Request::new(1, 0, ArgBlock::new(), Vec::new(), 0, 0, crate::threads::callback_queue::Kind::Waiting);
        let other = thread::spawn({
            let request = Arc::clone(&request);
            move || request.answer(None)
        });
        request.answer(answer_of(1));
        let answer = request.wait(Duration::MAX).unwrap();
        assert!(is_own_or_zero(&answer, 1));
        other.join().unwrap();
    });
}

#[test]
fn a_thread_that_is_stopped_runs_nothing_any_more_and_every_job_ends_once() {
    model(|| {
        let jobs = Jobs::new();
        let (running, ran) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let thread = thread::spawn({
            let (jobs, running, ran) = (Arc::clone(&jobs), Arc::clone(&running), Arc::clone(&ran));
            move || {
                jobs.run(|job| {
                    running.store(true, Ordering::Release);
                    thread::yield_now();
                    running.store(false, Ordering::Release);
                    // The first job is returned; the second is not accepted.
                    ran.fetch_add(usize::from(job == 1), Ordering::AcqRel);
                    (job != 1).then_some(job)
                });
            }
        });
        assert!(jobs.push(1).is_ok() && jobs.push(2).is_ok());
        let left = jobs.stop();
        assert!(!running.load(Ordering::Acquire) && jobs.push(3).is_err());
        thread.join().unwrap();
        assert_eq!(ran.load(Ordering::Acquire) + left.len(), 2);
        assert!(left.contains(&2));
    });
}

#[test]
fn every_call_of_the_pool_is_run_once_and_told_of_before_its_drainers_have_ended() {
    model(|| {
        let (pool, ran) = (Pool::new(2, true), Arc::new(AtomicUsize::new(0)));
        let start = || {
            let (pool, ran) = (Arc::clone(&pool), Arc::clone(&ran));
            thread::spawn(move || {
                pool.drain(
                    |_| {
                        ran.fetch_add(1, Ordering::AcqRel);
                    },
                    || {},
                );
            })
        };
        let mut drainers: Vec<_> = [1, 2].into_iter().filter(|job| pool.push(*job)).map(|_| start()).collect();
        let mut done = pool.take().jobs;
        drainers.extend(pool.push(3).then(start));
        for drainer in drainers {
            drainer.join().unwrap();
        }
        done.extend(pool.take().jobs);
        done.sort_unstable();
        assert_eq!((done, ran.load(Ordering::Acquire)), (vec![1, 2, 3], 3));
    });
}

#[test]
fn a_library_is_unloaded_when_its_last_call_has_come_back_and_not_before() {
    model(|| {
        // SAFETY: U4; the process has been running its own constructors already.
        let library = unsafe { Library::open(None, 0) }.unwrap();
        let is_loaded = Arc::new(AtomicBool::new(true));
        let note = |library: &Library| is_loaded.store(library.find("malloc").is_some(), Ordering::Release);
        let (queue, jobs, never) = (Queue::new(), Jobs::new(), AtomicBool::new(false));
        let thread = thread::spawn({
            let (queue, jobs, is_loaded) = (Arc::clone(&queue), Arc::clone(&jobs), Arc::clone(&is_loaded));
            move || {
                jobs.run(|job| {
                    assert!(is_loaded.load(Ordering::Acquire), "a call has entered a library that is gone");
                    thread::yield_now();
                    assert!(is_loaded.load(Ordering::Acquire), "a library has gone under a call");
                    queue.submit(Work::Done(job)).err().map(|_| job)
                });
            }
        });
        for job in [1, 2] {
            library.enter_job();
            assert!(jobs.push(job).is_ok());
        }
        library.close().unwrap();
        note(&library);
        for _ in 0..2 {
            assert!(matches!(queue.take_until(&never), Some(Work::Done(_))));
            library.leave_job();
            note(&library);
        }
        assert!(!is_loaded.load(Ordering::Acquire), "a closed library without calls stays loaded");
        jobs.close();
        thread.join().unwrap();
    });
}
