//! The queue of work that other threads submit to a JavaScript thread: calls of callbacks, which wait for their
//! result, and finished jobs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::attention::spin;
use crate::memory::arg_buffer::ArgBlock;
use crate::sync::locks::atomic::{AtomicBool, AtomicIsize};
use crate::sync::locks::{Condvar, Mutex, locked, wait, wait_while_for};

/// The bytes of a result; `None` where C gets a zeroed one.
pub type Answer = Option<Box<[u8]>>;

/// A call of a callback from a foreign thread. The arguments are copies.
#[derive(Debug)]
pub struct Request {
    /// The callback slot, as an opaque address: only the JavaScript thread dereferences it.
    pub slot: usize,
    /// The generation of the slot.
    pub life: u32,
    /// The arguments, laid out as in the argument buffer.
    pub block: ArgBlock,
    /// Copies of the texts that the arguments point to, if C does not wait.
    _texts: Vec<Box<[u8]>>,
    /// The asynchronous call that C made it from; 0 for none.
    pub origin: usize,
    /// The calling thread.
    pub thread: usize,
    /// Whether C waits for it.
    pub kind: Kind,
    answer: Mutex<Slot>,
    answered: Condvar,
    /// Whether there is an answer; read without the lock.
    is_answered: AtomicBool,
}

#[derive(Debug, Default)]
struct Slot {
    answer: Option<Answer>,
    /// Whether the thread sleeps until it is woken.
    sleeps: bool,
}

/// The caller's expectation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It waits for the result.
    Waiting,
    /// It does not wait. The call was made while the callback was open, so it is delivered even after the close.
    Queued,
    /// Nothing, because the callback was closed.
    Late,
}

/// A piece of work.
#[derive(Debug)]
pub enum Work<T> {
    /// A call that may be waited for.
    Call(Arc<Request>),
    /// A finished job of a dedicated thread.
    Done(T),
}

#[derive(Debug)]
struct State<T> {
    open: bool,
    /// Whether work is taken only by a synchronous call that serves it.
    exiting: bool,
    /// The synchronous calls that serve work.
    serving: usize,
    /// Whether the JavaScript thread sleeps in [`Queue::take_until`].
    sleeps: bool,
    work: VecDeque<Work<T>>,
}

/// The queue of one JavaScript thread.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
    /// The calls that were announced, less those that were taken.
    ahead: AtomicIsize,
    /// Whether the JavaScript thread has lately waited for a call without sleeping, and one has come.
    is_attended: AtomicBool,
}

/// A synchronous call that serves work; see [`Queue::serve`].
#[derive(Debug)]
pub struct Serving<'a, T>(&'a Queue<T>);

impl<T> Drop for Serving<'_, T> {
    fn drop(&mut self) {
        let mut state = locked(&self.0.state);
        state.serving -= 1;
        if state.exiting && state.serving == 0 {
            self.0.answer_calls(&mut state);
        }
    }
}

impl Request {
    /// A request without an answer.
    pub fn new(
        slot: usize,
        life: u32,
        block: ArgBlock,
        texts: Vec<Box<[u8]>>,
        origin: usize,
        thread: usize,
        kind: Kind,
    ) -> Arc<Self> {
        Arc::new(Self {
            slot,
            life,
            block,
            _texts: texts,
            origin,
            thread,
            kind,
            answer: Mutex::new(Slot::default()),
            answered: Condvar::new(),
            is_answered: AtomicBool::new(false),
        })
    }

    /// Answers; only the first answer counts.
    pub fn answer(&self, answer: Answer) {
        let mut slot = locked(&self.answer);
        if slot.answer.is_none() {
            slot.answer = Some(answer);
            self.is_answered.store(true, Ordering::Release);
            // A notification without a sleeper would cost a system call, too.
            if slot.sleeps {
                self.answered.notify_all();
            }
        }
    }

    /// Whether it was answered.
    pub fn is_answered(&self) -> bool {
        self.is_answered.load(Ordering::Acquire)
    }

    /// Waits for the answer; `None` on a timeout.
    pub fn wait(&self, time: Duration) -> Option<Answer> {
        let mut slot = locked(&self.answer);
        slot.sleeps = true;
        let mut slot = wait_while_for(&self.answered, slot, time, |slot| slot.answer.is_none());
        slot.sleeps = false;
        slot.answer.take()
    }
}

impl<T: Send> Queue<T> {
    /// An open, empty queue.
    pub fn new() -> Arc<Self> {
        let state = State { open: true, exiting: false, serving: 0, sleeps: false, work: VecDeque::new() };
        Arc::new(Self {
            state: Mutex::new(state),
            arrived: Condvar::new(),
            ahead: AtomicIsize::new(0),
            is_attended: AtomicBool::new(false),
        })
    }

    /// Submits work.
    ///
    /// # Errors
    /// The work, if it will never be taken.
    pub fn submit(&self, work: Work<T>) -> Result<(), Work<T>> {
        let mut state = locked(&self.state);
        // No thread waits for a finished job, and the process may continue after an `exit` event.
        let is_taken = state.open && (matches!(work, Work::Done(_)) || !state.exiting || state.serving > 0);
        if !is_taken {
            return Err(work);
        }
        state.work.push_back(work);
        // A notification without a sleeper would cost a system call, too.
        if state.sleeps {
            self.arrived.notify_all();
        }
        Ok(())
    }

    /// Tells a JavaScript thread that is attentive that a call is in the queue and the event loop was woken for it.
    pub fn announce(&self) {
        self.ahead.fetch_add(1, Ordering::Release);
    }

    /// Whether the JavaScript thread has lately waited for a call without sleeping, and one has come: it will probably
    /// answer the next one soon.
    pub fn is_attended(&self) -> bool {
        self.is_attended.load(Ordering::Relaxed)
    }

    /// Waits for the next call without sleeping, no longer than `time`. Returns whether one has come.
    pub fn attend(&self, time: Duration) -> bool {
        self.is_attended.store(true, Ordering::Relaxed);
        let has_come = spin(time, || self.ahead.load(Ordering::Acquire) > 0);
        self.is_attended.store(has_come, Ordering::Relaxed);
        has_come
    }

    /// Takes the oldest work.
    pub fn take(&self) -> Option<Work<T>> {
        let work = locked(&self.state).work.pop_front();
        work.iter().for_each(|work| self.count_taken(work));
        work
    }

    /// Whether the queue has work.
    pub fn has_work(&self) -> bool {
        !locked(&self.state).work.is_empty()
    }

    /// Takes the oldest work; waits for it until `done` is set. See [`Queue::finish`].
    pub fn take_until(&self, done: &AtomicBool) -> Option<Work<T>> {
        let mut state = locked(&self.state);
        loop {
            if let Some(work) = state.work.pop_front() {
                self.count_taken(&work);
                return Some(work);
            }
            if done.load(Ordering::Acquire) {
                return None;
            }
            state.sleeps = true;
            state = wait(&self.arrived, state);
            state.sleeps = false;
        }
    }

    /// Allows a synchronous call to serve work until the result is dropped, even while the process exits. Must be
    /// called before other threads can submit work of that call.
    pub fn serve(&self) -> Serving<'_, T> {
        locked(&self.state).serving += 1;
        Serving(self)
    }

    /// Sets `done` and wakes the thread that waits for it.
    pub fn finish(&self, done: &AtomicBool) {
        let state = locked(&self.state);
        done.store(true, Ordering::Release);
        if state.sleeps {
            self.arrived.notify_all();
        }
    }

    /// Tells the queue that the process is exiting: threads that wait get a zeroed result, and so do later ones that no
    /// synchronous call serves.
    pub fn exit(&self) {
        let mut state = locked(&self.state);
        state.exiting = true;
        self.answer_calls(&mut state);
    }

    /// Undoes `exit`: the process continues.
    pub fn reopen(&self) {
        locked(&self.state).exiting = false;
    }

    /// Tells the queue that the JavaScript thread has ended: threads that wait get a zeroed result, and so do later
    /// ones. Returns the finished jobs that were not taken.
    pub fn end(&self) -> Vec<T> {
        let mut state = locked(&self.state);
        state.open = false;
        self.answer_all(&mut state)
    }
}

impl<T> Queue<T> {
    /// Answers the calls; finished jobs stay.
    fn answer_calls(&self, state: &mut State<T>) {
        let done = self.answer_all(state);
        state.work.extend(done.into_iter().map(Work::Done));
    }

    fn answer_all(&self, state: &mut State<T>) -> Vec<T> {
        let mut done = Vec::new();
        for work in state.work.drain(..) {
            self.count_taken(&work);
            match work {
                Work::Call(request) => request.answer(None),
                Work::Done(job) => done.push(job),
            }
        }
        done
    }

    /// Work was taken, whether or not its thread has announced it by now.
    fn count_taken(&self, work: &Work<T>) {
        if matches!(work, Work::Call(_)) {
            self.ahead.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_answered_from_another_thread() {
        let queue = Queue::<usize>::new();
        let request = Request::new(7, 0, ArgBlock::new(), Vec::new(), 0, 0, Kind::Waiting);
        assert!(request.wait(Duration::from_millis(1)).is_none());
        assert!(queue.submit(Work::Call(Arc::clone(&request))).is_ok());
        let server = std::thread::spawn({
            let queue = Arc::clone(&queue);
            move || match queue.take() {
                Some(Work::Call(request)) => request.answer(Some(vec![request.slot as u8].into())),
                other => panic!("{other:?}"),
            }
        });
        assert_eq!(request.wait(Duration::MAX).unwrap().as_deref(), Some(&[7u8][..]));
        server.join().unwrap();
    }

    #[test]
    fn a_call_that_is_announced_ends_the_attention_of_the_javascript_thread() {
        let queue = Queue::<usize>::new();
        assert!(!queue.attend(Duration::ZERO));
        let request = Request::new(7, 0, ArgBlock::new(), Vec::new(), 0, 0, Kind::Waiting);
        assert!(queue.submit(Work::Call(request)).is_ok());
        // It may be taken before its thread comes to announce it.
        assert!(matches!(queue.take(), Some(Work::Call(_))));
        queue.announce();
        assert!(!queue.attend(Duration::ZERO));
        queue.announce();
        assert!(!queue.is_attended());
        assert!(queue.attend(Duration::MAX) && queue.is_attended());
    }

    #[test]
    fn an_ended_queue_answers_everybody_with_nothing() {
        let queue = Queue::<usize>::new();
        let request = Request::new(7, 0, ArgBlock::new(), Vec::new(), 0, 0, Kind::Waiting);
        assert!(queue.submit(Work::Call(Arc::clone(&request))).is_ok());
        queue.end();
        assert_eq!(request.wait(Duration::MAX), Some(None));
        assert!(queue.submit(Work::Done(1)).is_err());
    }

    #[test]
    fn an_exit_that_did_not_take_place_is_taken_back() {
        let queue = Queue::<usize>::new();
        let request = || Request::new(7, 0, ArgBlock::new(), Vec::new(), 0, 0, Kind::Waiting);
        queue.exit();
        assert!(queue.submit(Work::Call(request())).is_err());
        assert!(queue.submit(Work::Done(5)).is_ok());
        queue.reopen();
        assert!(queue.submit(Work::Call(request())).is_ok());
        assert!(matches!(queue.take(), Some(Work::Done(5))));
        assert!(matches!(queue.take(), Some(Work::Call(_))));
    }

    #[test]
    fn waiting_ends_when_the_call_is_done() {
        let queue = Queue::new();
        let done = Arc::new(AtomicBool::new(false));
        let finisher = std::thread::spawn({
            let (queue, done) = (Arc::clone(&queue), Arc::clone(&done));
            move || {
                queue.submit(Work::Done(5)).unwrap();
                queue.finish(&done);
            }
        });
        assert!(matches!(queue.take_until(&done), Some(Work::Done(5))));
        assert!(queue.take_until(&done).is_none());
        finisher.join().unwrap();
    }
}
