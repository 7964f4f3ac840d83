//! A job: a call that leaves the JavaScript thread, for libuv's pool or a dedicated thread, and comes back to settle a
//! Promise.
#![expect(unsafe_code, reason = "hands calls to other threads")]

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;

use crate::call::bound_function::{BoundFunction, Entered};
use crate::call::inside::{self, CalledBack};
use crate::call::invoke::ResultBlock;
use crate::error::Result;
use crate::node::call::prepared::PreparedCall;
use crate::threads::callback_queue::{self, Request};
use crate::threads::dedicated;
use crate::threads::exit;
use crate::trace::recorder;
use crate::trace::ring::Entry;
use crate::trace::thread::Who;

thread_local! {
    /// The job this thread is running; 0 for none.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

thread_local! {
    /// Whether this thread is the helper of a call that serves callbacks.
    pub static IS_HELPER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in a call of the package, which keeps the library loaded.
pub fn is_ours() -> bool {
    current() != 0 || IS_HELPER.get()
}

/// The number of the job that this thread is running; 0 for none.
pub fn current() -> usize {
    CURRENT.with(Cell::get)
}

/// A call under way on another thread.
pub struct Job<E> {
    /// Everything that is used on the JavaScript thread only (M6).
    pub function: Rc<BoundFunction<E>>,
    pub prepared: PreparedCall,
    /// The slot by which JavaScript knows the call. It has the Promise and the values that must stay alive.
    pub slot: u32,
    /// Everything the other thread uses.
    pub number: usize,
    pub who: Who,
    pub result: Result<ResultBlock>,
    pub errno: i32,
    /// The callback that the function has called, although it is a leaf.
    pub called_back: Option<CalledBack>,
    /// The entry of the flight recorder, if it is on.
    pub traced: Option<Entry>,
}

/// A job that another thread has, or that is on its way there or back. Dropped there, it is leaked: what it has of
/// JavaScript belongs to JavaScript's thread.
pub struct SentJob<E>(ManuallyDrop<Box<Job<E>>>);

impl<E> fmt::Debug for SentJob<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SentJob({})", self.0.number)
    }
}

// SAFETY: M13; a job has one owner at a time. [`SentJob::run`], which is all that another thread can do with
// it, uses no more of it than what belongs to that thread.
unsafe impl<E> Send for SentJob<E> {}

/// The queue of work for a JavaScript thread.
pub type Queue<E> = callback_queue::Queue<SentJob<E>>;
/// A piece of work of that queue.
pub type Work<E> = callback_queue::Work<SentJob<E>>;
/// The jobs of a dedicated thread.
pub type Jobs<E> = dedicated::Jobs<SentJob<E>>;

impl<E> SentJob<E> {
    /// A job that is about to be passed to another thread.
    pub fn new(job: Job<E>) -> Self {
        Self(ManuallyDrop::new(Box::new(job)))
    }

    /// Runs the call, on any thread.
    pub fn run(&mut self) {
        let job = &mut **self.0;
        CURRENT.with(|current| current.set(job.number));
        let enter = || {
            // SAFETY: U1; the job keeps what the block points to (M13).
            exit::on_other_thread(|| unsafe { job.function.calling().enter(&job.prepared.block) })
        };
        let run = || recorder::record(job.traced.as_ref(), job.who, enter);
        let (entered, called_back) =
            if job.function.options.is_leaf() { inside::run_leaf(job.function.id, run) } else { (run(), None) };
        job.called_back = called_back;
        job.result = entered.map(|entered| {
            let Entered { block, errno, text } = *entered;
            (job.errno, job.prepared.text) = (errno, text);
            block
        });
        CURRENT.with(|current| current.set(0));
    }

    /// The job itself.
    ///
    /// # Safety
    /// M6: this is the thread of its environment.
    pub unsafe fn open(self) -> Box<Job<E>> {
        ManuallyDrop::into_inner(self.0)
    }
}

impl<E> Job<E> {
    /// The slot by which JavaScript knows the call.
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// Whether `errno()` is that of this call from now on.
    pub fn captures_errno(&self) -> bool {
        self.function.options.captures_errno()
    }
}

/// Stack bytes, as many as the main thread has by default: C code expects that.
pub const STACK: usize = 8 << 20;

/// Calls waiting for a Promise of JavaScript, by token.
#[derive(Debug, Default)]
pub struct Waiting {
    next: u32,
    requests: HashMap<u32, Arc<Request>>,
}

impl Waiting {
    /// Keeps a request; the token to take it again.
    pub fn keep(&mut self, request: Arc<Request>) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.requests.insert(self.next, request);
        self.next
    }

    /// Takes a request.
    pub fn take(&mut self, token: u32) -> Option<Arc<Request>> {
        self.requests.remove(&token)
    }

    /// Whether a call waits.
    pub fn is_any(&self) -> bool {
        !self.requests.is_empty()
    }

    /// Answers all without a result.
    pub fn end(&mut self) {
        for (_, request) in self.requests.drain() {
            request.answer(None);
        }
    }
}
