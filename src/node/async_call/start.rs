//! Starts asynchronous calls, and the helper thread of a synchronous call that serves callbacks meanwhile.
#![expect(unsafe_code, reason = "hands calls to other threads")]

use std::rc::Rc;
use std::thread;

use napi::bindgen_prelude::Env;
use napi::sys;
use napi_derive::napi;

use super::completions;
use super::dedicated_thread::JsThread;
use super::job::{IS_HELPER, Job, STACK};
use crate::abi::signature::Signature;
use crate::call::invoke::{self, ResultBlock};
use crate::error::{FfiError, Result};
use crate::memory::address::Address;
use crate::memory::arg_buffer::ArgBlock;
use crate::node::call::prepared::PreparedCall;
use crate::node::env::{BoundFunction, Environment, SentJob, current};
use crate::node::event_loop::serve;
use crate::sync::locks::atomic::AtomicBool;
use crate::threads::exit;
use crate::trace::recorder;
use crate::trace::thread::Who;

/// Starts a call on libuv's pool, or on a thread of its own. `slot` is a value of the current scope.
pub fn start(
    function: &Rc<BoundFunction>,
    mut prepared: PreparedCall,
    slot: sys::napi_value,
    thread: Option<&JsThread>,
) -> Result<()> {
    let environment = &function.environment;
    let mut number = 0;
    // SAFETY: M6.
    unsafe { sys::napi_get_value_uint32(environment.raw, slot, &mut number) };
    let begun = environment.begin_job(number);
    environment.pool_slices.lend(begun, prepared.take_lent());
    let job = SentJob::new(Job {
        function: Rc::clone(function),
        prepared,
        slot: number,
        number: begun,
        who: if thread.is_some() { Who::Own } else { Who::Pool },
        result: invoke::no_result(&function.signature),
        errno: 0,
        traced: recorder::job_entry(),
    });
    function.library.enter_job();
    let (job, refused) = match thread {
        Some(thread) => {
            environment.hold_open();
            let Err(job) = thread.push(job) else {
                function.record_free();
                return Ok(());
            };
            environment.let_close();
            (job, FfiError::ThreadClosed { symbol: function.symbol.clone() })
        }
        None => {
            let Err(job) = completions::push(environment, job) else {
                function.record_free();
                return Ok(());
            };
            (job, FfiError::Internal { reason: "the pool refuses the call".into() })
        }
    };
    function.library.leave_job();
    // SAFETY: M6; nobody took the job, and this is JavaScript's thread.
    let job = unsafe { job.open() };
    let _ = environment.end_job(job.number);
    Err(refused)
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
    let traced = recorder::open_call();
    let _serving = queue.serve();
    thread::scope(|scope| {
        let helper = thread::Builder::new().name("pinned-ffi".into()).stack_size(STACK).spawn_scoped(scope, || {
            recorder::take_over(traced);
            IS_HELPER.set(true);
            // What starting the thread has left there is not C's.
            invoke::clear_errno();
            // SAFETY: U1 and M4; the caller waits for the result.
            let result = exit::on_other_thread(|| unsafe { invoke::enter(signature, code, block) });
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
    Ok(current(env)?.frees.get())
}

/// The errno (GetLastError on Windows) of the last call that was declared to capture it.
#[napi]
pub fn last_errno(env: Env) -> napi::Result<i32> {
    Ok(current(env)?.errno.get())
}

/// Sets errno of this thread, and what `last_errno` gives until the next call that is declared to capture it.
#[napi]
pub fn set_errno(env: Env, value: i32) -> napi::Result<()> {
    current(env)?.errno.set(value);
    invoke::set_errno(value);
    Ok(())
}
