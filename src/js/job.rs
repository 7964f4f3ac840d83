//! Asynchronous calls: a job is a call that leaves the JavaScript thread, for libuv's pool or a thread of its own, and
//! comes back to settle a Promise. And the helper thread of a synchronous call that serves callbacks meanwhile.
#![expect(unsafe_code, reason = "hands calls to other threads")]

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use napi::bindgen_prelude::Env;
use napi::sys;
use napi_derive::napi;

use super::callback;
use super::environment::{Environment, current as current_environment, to_error};
use super::function::{Callable, Prepared};
use super::thread::JsThread;
use super::trace;
use crate::call::{self, ResultBlock};
use crate::error::{FfiError, Result};
use crate::memory::address::Address;
use crate::memory::frame::Block;
use crate::queue::{Request, Work};
use crate::signature::Signature;
use crate::sync::atomic::AtomicBool;
use crate::trace::ring::Entry;
use crate::trace::thread::Who;

thread_local! {
    /// The job this thread is running; 0 for none.
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// The number of the job that this thread is running; 0 for none.
pub fn current() -> usize {
    CURRENT.with(Cell::get)
}

/// A call under way on another thread.
pub struct Job {
    /// Everything that is used on the JavaScript thread only (M6).
    callable: Rc<Callable>,
    prepared: Prepared,
    /// Settles the Promise, and holds the values that must stay alive.
    done: sys::napi_ref,
    work: sys::napi_async_work,
    /// Everything the other thread uses.
    number: usize,
    result: ResultBlock,
    errno: i32,
    /// What the flight recorder keeps, where it is on.
    traced: Option<Entry>,
}

impl Job {
    /// Runs the call, on whatever thread this is.
    ///
    /// # Safety
    /// M13: the address is that of a job that is this thread's.
    pub unsafe fn run(job: usize) {
        // SAFETY: M13 by the contract of this function.
        let job = unsafe { &mut *std::ptr::with_exposed_provenance_mut::<Self>(job) };
        CURRENT.with(|current| current.set(job.number));
        let who = if job.work.is_null() { Who::Own } else { Who::Pool };
        (job.result, job.errno) = trace::record(job.traced.as_ref(), who, || {
            // SAFETY: U1; the job keeps what the block points to (M13).
            let result = unsafe { call::enter(&job.callable.signature, job.callable.code, &job.prepared.block) };
            (result, call::last_errno())
        });
        CURRENT.with(|current| current.set(0));
    }

    /// Takes back a job that will not be settled, because its environment is going.
    ///
    /// # Safety
    /// M13: the address is that of a job of this environment that no other thread has.
    pub unsafe fn forget(job: usize) {
        // SAFETY: M13 by the contract of this function.
        drop(unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut::<Self>(job)) });
    }

    /// Settles the Promise, on the JavaScript thread.
    fn settle(mut self: Box<Self>) {
        let environment = Rc::clone(&self.callable.environment);
        let env = environment.raw;
        let mut scope = null_mut();
        // SAFETY: M6.
        unsafe { sys::napi_open_handle_scope(env, &mut scope) };
        self.callable.note_errno(self.errno);
        let outcome = self.callable.finish(&mut self.prepared, &self.result);
        self.callable.library.leave_job();
        let exception = environment.end_job(self.number);
        let (mut function, mut this, mut ignored) = (null_mut(), null_mut(), null_mut());
        // SAFETY: M6; `start` made the references.
        unsafe {
            sys::napi_get_undefined(env, &mut this);
            let (failed, value) = match (outcome, exception) {
                (Ok(text), None) => (false, if text.is_null() { this } else { text }),
                (Ok(_), Some(exception)) => (true, exception),
                (Err(error), cause) => (true, to_error(env, &error, cause)),
            };
            let mut js_failed = null_mut();
            sys::napi_get_boolean(env, failed, &mut js_failed);
            sys::napi_get_reference_value(env, self.done, &mut function);
            let arguments = [js_failed, value];
            sys::napi_call_function(env, this, function, 2, arguments.as_ptr(), &mut ignored);
            sys::napi_delete_reference(env, self.done);
            if !self.work.is_null() {
                sys::napi_delete_async_work(env, self.work);
            }
            sys::napi_close_handle_scope(env, scope);
        }
    }
}

unsafe extern "C" fn execute(_: sys::napi_env, data: *mut c_void) {
    // SAFETY: M13; the job is this thread's until `complete`. A panic does not get this far: `run` calls C alone.
    unsafe { Job::run(data.expose_provenance()) };
}

unsafe extern "C" fn complete(_: sys::napi_env, _: sys::napi_status, data: *mut c_void) {
    // SAFETY: M13; the other thread is done with the job, and it is settled once.
    unsafe { Box::from_raw(data.cast::<Job>()) }.settle();
}

/// Starts a call on libuv's pool, or on a thread of its own. `done` is a value of the current scope.
pub fn start(
    callable: &Rc<Callable>,
    prepared: Prepared,
    done: sys::napi_value,
    thread: Option<&JsThread>,
) -> Result<()> {
    let environment = &callable.environment;
    let env = environment.raw;
    let internal = |reason: &str| FfiError::Internal { reason: reason.into() };
    let mut reference = null_mut();
    // SAFETY: M3 and M6.
    unsafe { sys::napi_create_reference(env, done, 1, &mut reference) };
    let job = Box::into_raw(Box::new(Job {
        callable: Rc::clone(callable),
        prepared,
        done: reference,
        work: null_mut(),
        number: environment.begin_job(),
        result: call::no_result(&callable.signature),
        errno: 0,
        traced: trace::job_entry(),
    }));
    callable.library.enter_job();
    if let Some(thread) = thread {
        environment.hold_open();
        if thread.push(job.expose_provenance()) {
            return Ok(());
        }
        environment.let_close();
        callable.library.leave_job();
        // SAFETY: M13; the thread did not take the job.
        unsafe {
            let _ = environment.end_job((*job).number);
            Job::forget(job.expose_provenance());
        }
        return Err(FfiError::ThreadClosed { symbol: callable.symbol.clone() });
    }
    let (mut name, mut work) = (null_mut(), null_mut());
    // SAFETY: M6 and M13; libuv's pool has the job until `complete`.
    unsafe {
        sys::napi_create_string_utf8(env, c"pinned-ffi call".as_ptr(), -1, &mut name);
        let data = job.cast();
        sys::napi_create_async_work(env, null_mut(), name, Some(execute), Some(complete), data, &mut work);
        (*job).work = work;
        if sys::napi_queue_async_work(env, work) != sys::Status::napi_ok {
            callable.library.leave_job();
            let _ = environment.end_job((*job).number);
            drop(Box::from_raw(job));
            return Err(internal("the pool refuses the call"));
        }
    }
    Ok(())
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
        Work::Call(request) => callback::serve(environment, &request),
        Work::Done(address) => {
            environment.let_close();
            // SAFETY: M13; the thread has handed the job back, and it is settled once.
            unsafe { Box::from_raw(std::ptr::with_exposed_provenance_mut::<Job>(address)) }.settle();
        }
    }
}

/// Makes a call on a helper thread while this one, JavaScript's, serves callbacks.
#[inline(never)] // The stack of other calls need not hold what this one needs.
pub fn enter_on_helper(
    environment: &Environment,
    signature: &Signature,
    code: Address,
    block: &Block,
) -> Result<(ResultBlock, i32)> {
    let queue = environment.queue();
    let done = AtomicBool::new(false);
    let traced = trace::open_call();
    thread::scope(|scope| {
        let helper = thread::Builder::new().name("pinned-ffi".into()).stack_size(STACK).spawn_scoped(scope, || {
            trace::take_over(traced);
            // SAFETY: U1 and M4; the caller waits for the result.
            let result = unsafe { call::enter(signature, code, block) };
            let errno = call::last_errno();
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

/// The errno (GetLastError on Windows) of the last call that was declared to capture it.
#[napi]
pub fn last_errno(env: Env) -> napi::Result<i32> {
    Ok(current_environment(env)?.errno.get())
}
