//! Asynchronous calls: a job is a call that leaves the JavaScript thread, for libuv's pool or a dedicated thread, and
//! comes back to settle a Promise. Also the helper thread of a synchronous call that serves callbacks meanwhile.
#![expect(unsafe_code, reason = "hands calls to other threads")]

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use napi::bindgen_prelude::Env;
use napi::sys;
use napi_derive::napi;

use super::completions;
use super::dedicated_thread::JsThread;
use crate::abi::signature::Signature;
use crate::call::invoke::{self, ResultBlock};
use crate::error::{FfiError, Result};
use crate::memory::address::Address;
use crate::memory::arg_buffer::ArgBlock;
use crate::node::call::prepared::PreparedCall;
use crate::node::callback::foreign_thread;
use crate::node::env::BoundFunction;
use crate::node::env::{Environment, current as current_environment};
use crate::node::error::to_error;
use crate::node::exports::trace;
use crate::node::native_fn::contained;
use crate::sync::locks::atomic::AtomicBool;
use crate::threads::callback_queue::{self, Request};
use crate::threads::dedicated;
use crate::threads::exit;
use crate::trace::ring::Entry;
use crate::trace::thread::Who;

thread_local! {
    /// The job this thread is running; 0 for none.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

thread_local! {
    /// Whether this thread is the helper of a call that serves callbacks.
    static IS_HELPER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in a call of the package's, which keeps the library loaded.
pub fn is_ours() -> bool {
    current() != 0 || IS_HELPER.get()
}

/// The number of the job that this thread is running; 0 for none.
pub fn current() -> usize {
    CURRENT.with(Cell::get)
}

/// A call under way on another thread.
pub struct Job {
    /// Everything that is used on the JavaScript thread only (M6).
    callable: Rc<BoundFunction>,
    prepared: PreparedCall,
    /// What JavaScript knows the call by: it has the Promise, and the values that must stay alive.
    slot: u32,
    /// Everything the other thread uses.
    number: usize,
    who: Who,
    result: ResultBlock,
    errno: i32,
    /// What the flight recorder keeps, where it is on.
    traced: Option<Entry>,
}

/// A job that is with another thread, or on its way there or back. Dropped there, it is given up: what it has of
/// JavaScript belongs to JavaScript's thread.
pub struct SentJob(ManuallyDrop<Box<Job>>);

impl fmt::Debug for SentJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SentJob({})", self.0.number)
    }
}

// SAFETY: M13; a job has one owner at a time. [`SentJob::run`], which is all that another thread can do with
// it, uses no more of it than what belongs to that thread.
unsafe impl Send for SentJob {}

/// The queue of work for a JavaScript thread.
pub type Queue = callback_queue::Queue<SentJob>;
/// What it takes.
pub type Work = callback_queue::Work<SentJob>;
/// The jobs of a dedicated thread.
pub type Jobs = dedicated::Jobs<SentJob>;

impl SentJob {
    /// Runs the call, on whatever thread this is.
    pub fn run(&mut self) {
        let job = &mut **self.0;
        CURRENT.with(|current| current.set(job.number));
        (job.result, job.errno) = trace::record(job.traced.as_ref(), job.who, || {
            job.callable.clear_errno();
            // SAFETY: U1; the job keeps what the block points to (M13).
            let enter = || unsafe { invoke::enter(&job.callable.signature, job.callable.code, &job.prepared.block) };
            let result = if matches!(job.who, Who::Pool) { exit::in_pool(enter) } else { enter() };
            (result, invoke::last_errno())
        });
        CURRENT.with(|current| current.set(0));
    }

    /// The job itself.
    ///
    /// # Safety
    /// M6: this is the thread of its environment.
    pub unsafe fn open(self) -> Box<Job> {
        ManuallyDrop::into_inner(self.0)
    }
}

impl Job {
    /// What JavaScript knows the call by.
    pub fn slot(&self) -> u32 {
        self.slot
    }

    /// Whether `errno()` is that of this call from now on.
    pub fn captures_errno(&self) -> bool {
        self.callable.options.captures_errno()
    }

    /// Ends the call, on the JavaScript thread: whether it failed, and its text or what it failed with. Any other
    /// result is in the argument buffer.
    pub fn outcome(mut self: Box<Self>) -> (bool, sys::napi_value) {
        let environment = Rc::clone(&self.callable.environment);
        self.callable.record_errno(self.errno);
        let outcome = self.callable.finish(&mut self.prepared, &self.result);
        self.callable.library.leave_job();
        match (outcome, environment.end_job(self.number)) {
            (Ok(text), None) => (false, text),
            (Ok(_), Some(exception)) => (true, exception),
            (Err(error), cause) => (true, to_error(environment.raw, &error, cause)),
        }
    }
}

/// Starts a call on libuv's pool, or on a thread of its own. `slot` is a value of the current scope.
pub fn start(
    callable: &Rc<BoundFunction>,
    mut prepared: PreparedCall,
    slot: sys::napi_value,
    thread: Option<&JsThread>,
) -> Result<()> {
    let environment = &callable.environment;
    let mut number = 0;
    // SAFETY: M6.
    unsafe { sys::napi_get_value_uint32(environment.raw, slot, &mut number) };
    let begun = environment.begin_job(number);
    environment.pool_slices.lend(begun, prepared.take_lent());
    let job = SentJob(ManuallyDrop::new(Box::new(Job {
        callable: Rc::clone(callable),
        prepared,
        slot: number,
        number: begun,
        who: if thread.is_some() { Who::Own } else { Who::Pool },
        result: invoke::no_result(&callable.signature),
        errno: 0,
        traced: trace::job_entry(),
    })));
    callable.library.enter_job();
    let (job, refused) = match thread {
        Some(thread) => {
            environment.hold_open();
            let Err(job) = thread.push(job) else {
                callable.record_free();
                return Ok(());
            };
            environment.let_close();
            (job, FfiError::ThreadClosed { symbol: callable.symbol.clone() })
        }
        None => {
            let Err(job) = completions::push(environment, job) else {
                callable.record_free();
                return Ok(());
            };
            (job, FfiError::Internal { reason: "the pool refuses the call".into() })
        }
    };
    callable.library.leave_job();
    // SAFETY: M6; nobody took the job, and this is JavaScript's thread.
    let job = unsafe { job.open() };
    let _ = environment.end_job(job.number);
    Err(refused)
}

/// As much as the main thread has by default: C code expects it.
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

    /// Whether anybody waits.
    pub fn is_any(&self) -> bool {
        !self.requests.is_empty()
    }

    /// Answers all with nothing.
    pub fn end(&mut self) {
        for (_, request) in self.requests.drain() {
            request.answer(None);
        }
    }
}

/// Serves one piece of work on the JavaScript thread.
pub fn serve(environment: &Environment, work: Work) {
    match work {
        // The thread that made the call must not wait for ever.
        Work::Call(request) => {
            if !contained(|| foreign_thread::serve(environment, &request)) {
                request.answer(None);
            }
        }
        Work::Done(job) => {
            environment.let_close();
            completions::settle_one(environment, job);
        }
    }
}

/// Makes a call on a helper thread while this one, JavaScript's, serves callbacks.
#[inline(never)] // The stack of other calls need not hold what this one needs.
pub fn enter_on_helper(
    environment: &Environment,
    signature: &Signature,
    code: Address,
    block: &ArgBlock,
) -> Result<(ResultBlock, i32)> {
    let queue = environment.queue();
    let done = AtomicBool::new(false);
    let traced = trace::open_call();
    let _serving = queue.serve();
    thread::scope(|scope| {
        let helper = thread::Builder::new().name("pinned-ffi".into()).stack_size(STACK).spawn_scoped(scope, || {
            trace::take_over(traced);
            IS_HELPER.set(true);
            // What starting the thread has left there is not C's.
            invoke::clear_errno();
            // SAFETY: U1 and M4; the caller waits for the result.
            let result = unsafe { invoke::enter(signature, code, block) };
            let errno = invoke::last_errno();
            queue.finish(&done);
            (result, errno)
        });
        let helper =
            helper.map_err(|error| FfiError::Internal { reason: format!("no thread could be started: {error}") })?;
        while let Some(work) = queue.take_until(&done) {
            serve(environment, work);
        }
        helper.join().map_err(|_| FfiError::Internal { reason: "the helper thread panicked".into() })
    })
}

/// How many calls of functions that free a handle have gone in, at once or as a job.
#[napi]
pub fn entered_frees(env: Env) -> napi::Result<u32> {
    Ok(current_environment(env)?.frees.get())
}

/// The errno (GetLastError on Windows) of the last call that was declared to capture it.
#[napi]
pub fn last_errno(env: Env) -> napi::Result<i32> {
    Ok(current_environment(env)?.errno.get())
}
