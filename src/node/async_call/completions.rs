//! Asynchronous calls on libuv's pool: starts the drainers of `threads::pool`, and has JavaScript settle the calls that
//! are done.
#![expect(unsafe_code, reason = "hands calls to libuv's pool")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, ThreadId};

use napi::sys;

use super::job::{Job, STACK};
use super::pool::{Entry, key_of};
use crate::call::invoke::ResultBlock;
use crate::node::env::{Environment, SentJob};
use crate::node::env_waker::make_waker;
use crate::node::error::leaf_called_back;
use crate::node::native_fn::error_of;
use crate::node::waker::wake;
use crate::panics::contain;
use crate::threads::pool::Pool;

/// A drainer's turn on a thread of libuv's pool.
struct Turn {
    pool: Arc<Pool<SentJob>>,
    /// Used on the JavaScript thread only (M6).
    environment: Rc<Environment>,
    work: sys::napi_async_work,
    /// The JavaScript thread.
    thread: ThreadId,
}

/// The number of threads of libuv's pool. libuv reads the variable in the same way (`init_threads`), at its first use.
fn pool_size() -> usize {
    const MOST: i64 = 1024;
    let Some(text) = std::env::var_os("UV_THREADPOOL_SIZE") else { return 4 };
    let text = text.to_string_lossy();
    let text = text.trim_start();
    let (is_negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = &digits[..digits.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(digits.len())];
    match digits.parse::<i64>() {
        Ok(0) | Err(_) => 1,
        Ok(_) if is_negative => MOST as usize,
        Ok(size) => size.min(MOST) as usize,
    }
}

fn entry(environment: &Rc<Environment>) -> &Entry<Environment> {
    environment.work.pool.get_or_init(|| {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = Pool::new(pool_size(), processors > 1);
        let waker = make_waker(environment, key_of(&pool), c"pinned-ffi calls", come_by_waker);
        Entry { pool, waker, own_threads: RefCell::default(), ended: Arc::default() }
    })
}

/// Queues a job.
///
/// # Errors
/// The job, where libuv's pool does not take it.
pub fn push(environment: &Rc<Environment>, job: SentJob) -> Result<(), SentJob> {
    let Entry { pool, .. } = entry(environment);
    if !pool.push(job) || start_drainer(environment, pool) {
        return Ok(());
    }
    pool.take_back().map_or(Ok(()), Err)
}

fn start_drainer(environment: &Rc<Environment>, pool: &Arc<Pool<SentJob>>) -> bool {
    let env = environment.raw;
    let turn = Turn {
        pool: Arc::clone(pool),
        environment: Rc::clone(environment),
        work: null_mut(),
        thread: thread::current().id(),
    };
    let turn = Box::into_raw(Box::new(turn));
    let (mut name, mut work) = (null_mut(), null_mut());
    // SAFETY: M6 and M13; libuv's pool has the turn until `complete`.
    unsafe {
        sys::napi_create_string_utf8(env, c"pinned-ffi call".as_ptr(), -1, &mut name);
        let (resource, data) = (null_mut(), turn.cast());
        if sys::napi_create_async_work(env, resource, name, Some(execute), Some(complete), data, &mut work)
            == sys::Status::napi_ok
        {
            (*turn).work = work;
            if sys::napi_queue_async_work(env, work) == sys::Status::napi_ok {
                environment.pool_slices.requests.begin();
                return true;
            }
            sys::napi_delete_async_work(env, work);
        }
        drop(Box::from_raw(turn));
    }
    false
}

unsafe extern "C" fn execute(_: sys::napi_env, data: *mut c_void) {
    // SAFETY: M13; the turn is this thread's until `complete`.
    let turn = unsafe { &*data.cast::<Turn>() };
    // Deno before 2.9 has no threads for such work: on JavaScript's, a call that waits for a callback would wait for
    // ever.
    if turn.thread == thread::current().id() && drain_apart(&turn.environment) {
        return;
    }
    // Only the pool of the turn is used on another thread.
    let pool = &turn.pool;
    // No panic can reach this point: `run` only calls C.
    pool.drain(SentJob::run, || wake(key_of(pool)));
}

/// Starts a drainer on a thread of the package; false where none can be started. To be called on the JavaScript thread.
fn drain_apart(environment: &Rc<Environment>) -> bool {
    let Entry { pool, waker: Some(waker), own_threads, ended } = entry(environment) else { return false };
    let (mine, ends) = (Arc::clone(pool), Arc::clone(ended));
    let run = move || {
        mine.drain(SentJob::run, || wake(key_of(&mine)));
        ends.fetch_add(1, Ordering::Release);
        wake(key_of(&mine));
    };
    let Ok(drainer) = thread::Builder::new().name("pinned-ffi".into()).stack_size(STACK).spawn(run) else {
        return false;
    };
    waker.hold(environment.raw);
    let mut own_threads = own_threads.borrow_mut();
    own_threads.retain(|drainer| !drainer.is_finished());
    own_threads.push(drainer);
    true
}

unsafe extern "C" fn complete(env: sys::napi_env, _: sys::napi_status, data: *mut c_void) {
    // SAFETY: M13; the other thread is done with the turn.
    let turn = unsafe { Box::from_raw(data.cast::<Turn>()) };
    // SAFETY: M6; libuv calls this on the thread of the environment, once for each work item, which is over.
    unsafe { sys::napi_delete_async_work(env, turn.work) };
    turn.environment.pool_slices.requests.end();
    come(&turn.environment);
}

unsafe extern "C" fn come_by_waker(env: sys::napi_env, _: sys::napi_value, context: *mut c_void, _: *mut c_void) {
    // SAFETY: M12; `make_waker` gave the state, which its finalizer gives back.
    let environment = unsafe { &*context.cast::<Environment>() };
    if env.is_null() {
        return environment.end();
    }
    if let Some(environment) = environment.this() {
        come(&environment);
    }
}

/// Starts the drainers that were requested, and has JavaScript settle the finished calls.
fn come(environment: &Rc<Environment>) {
    let Some(Entry { pool, waker, ended, .. }) = environment.work.pool.get() else { return };
    for _ in 0..ended.swap(0, Ordering::Acquire) {
        waker.iter().for_each(|waker| waker.release(environment.raw));
    }
    let done = pool.take();
    for _ in 0..done.wanted {
        if !start_drainer(environment, pool) {
            pool.unstarted();
        }
    }
    environment.work.completions.jobs.borrow_mut().extend(done.jobs);
    settle(environment);
}

/// Makes JavaScript settle a job that another thread has returned.
pub fn settle_one(environment: &Environment, job: SentJob) {
    environment.work.completions.jobs.borrow_mut().push_back(job);
    settle(environment);
}

/// Makes JavaScript settle all finished calls, by one call of a function.
fn settle(environment: &Environment) {
    let completions = &environment.work.completions;
    if !completions.jobs.borrow().is_empty() {
        let env = environment.raw;
        let (mut scope, mut this, mut function, mut ignored) = (null_mut(), null_mut(), null_mut(), null_mut());
        // SAFETY: M6; `settle_by` made the reference.
        unsafe {
            sys::napi_open_handle_scope(env, &mut scope);
            sys::napi_get_undefined(env, &mut this);
            sys::napi_get_reference_value(env, completions.function.get(), &mut function);
            let status = sys::napi_call_function(env, this, function, 0, null_mut(), &mut ignored);
            if status != sys::Status::napi_ok && !environment.runs_js() {
                forget_all(environment);
            }
            sys::napi_close_handle_scope(env, scope);
        }
    }
    let is_left = !completions.jobs.borrow().is_empty();
    if !is_left && !completions.held.get() {
        return;
    }
    let Some(environment) = environment.this() else { return };
    let Entry { pool, waker, .. } = entry(&environment);
    let Some(waker) = waker else { return };
    if completions.held.replace(is_left) != is_left {
        if is_left {
            waker.hold(environment.raw);
        } else {
            waker.release(environment.raw);
        }
    }
    if is_left {
        wake(key_of(pool));
    }
}

impl Job<Environment> {
    /// Ends the call, on the JavaScript thread: whether it failed, and its text or what it failed with. Any other
    /// result is in the argument buffer.
    pub fn outcome(mut self: Box<Self>) -> (bool, sys::napi_value) {
        let environment = Rc::clone(&self.function.environment);
        self.function.record_errno(self.errno);
        let result = std::mem::replace(&mut self.result, Ok(ResultBlock::new()));
        let outcome = match result {
            Ok(result) => self.function.finish(&mut self.prepared, &result),
            Err(error) => Err(self.function.failed(&mut self.prepared, error)),
        };
        self.function.library.leave_job();
        let thrown = environment.end_job(self.number);
        let refused = self.called_back.map(|called_back| error_of(&environment, &leaf_called_back(called_back), None));
        match (outcome, thrown.or(refused)) {
            (Ok(text), None) => (false, text),
            (Ok(_), Some(exception)) => (true, exception),
            (Err(error), cause) => (true, error_of(&environment, &error, cause)),
        }
    }
}

/// Ends the calls that JavaScript will not settle any more.
fn forget_all(environment: &Environment) {
    loop {
        let Some(job) = environment.work.completions.jobs.borrow_mut().pop_front() else { return };
        // SAFETY: M6; this is JavaScript's thread.
        unsafe { job.open() }.outcome();
    }
}

/// The next call that is done, for JavaScript to settle: its slot, where the result is in the argument buffer; or
/// `[slot, failed, value]`; undefined where there is none.
unsafe extern "C" fn take_settled(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (mut data, mut count) = (null_mut(), 0);
    // SAFETY: M6; `data` is the state, which outlives its functions.
    let environment = unsafe {
        sys::napi_get_cb_info(env, info, &mut count, null_mut(), null_mut(), &mut data);
        &*data.cast::<Environment>()
    };
    let completions = &environment.work.completions;
    if completions.paused.take() {
        return null_mut();
    }
    let Some(job) = completions.jobs.borrow_mut().pop_front() else { return null_mut() };
    // SAFETY: M6; this is JavaScript's thread.
    let job = unsafe { job.open() };
    completions.paused.set(job.captures_errno());
    let slot = job.slot();
    let (is_failed, value) = contain(|| job.outcome()).unwrap_or((true, null_mut()));
    let (mut number, mut failed, mut taken) = (null_mut(), null_mut(), null_mut());
    // SAFETY: M6; Node-API calls this native function on the environment's thread, and its scope is open.
    unsafe {
        sys::napi_create_uint32(env, slot, &mut number);
        if !is_failed && value.is_null() {
            return number;
        }
        sys::napi_get_boolean(env, is_failed, &mut failed);
        sys::napi_create_array_with_length(env, 3, &mut taken);
        for (index, part) in [number, failed, value].into_iter().enumerate().filter(|(_, part)| !part.is_null()) {
            sys::napi_set_element(env, taken, index as u32, part);
        }
    }
    taken
}

/// Calls `settle_all` when asynchronous calls are done. Returns the function that takes them, one by one; `None` if the
/// engine refuses the function.
pub fn settle_by(environment: &Environment, settle_all: sys::napi_value) -> Option<sys::napi_value> {
    // The state lives as long as the environment, which is as long as its functions.
    let data = (&raw const *environment).cast_mut().cast::<c_void>();
    let mut function = null_mut();
    environment.work.completions.function.set(environment.keep(settle_all));
    // SAFETY: M6; a native function of the environment is under way. The environment, which `data` points to, outlives
    // its functions.
    let status =
        unsafe { sys::napi_create_function(environment.raw, null_mut(), 0, Some(take_settled), data, &mut function) };
    (status == sys::Status::napi_ok).then_some(function)
}
