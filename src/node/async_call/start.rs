//! Starts asynchronous calls, and the helper thread of a synchronous call that serves callbacks meanwhile.
#![expect(unsafe_code, reason = "hands calls to other threads")]

use std::rc::Rc;
use std::thread;

use napi::sys;

use super::completions;
use super::job::{IS_HELPER, Job, STACK};
use crate::error::{FfiError, Result};
use crate::node::call::prepared::PreparedCall;
use crate::node::env::{BoundFunction, Environment, Jobs, SentJob};
use crate::node::event_loop::serve;
use crate::sync::locks::atomic::AtomicBool;
use crate::threads::exit;
use crate::trace::recorder;
use crate::trace::thread::Who;

/// Starts a call on libuv's pool, or on a separate thread. `slot` is a value of the current scope.
///
/// # Errors
/// If the thread is closed, or the pool takes no call.
pub fn start(
    function: &Rc<BoundFunction>,
    mut prepared: PreparedCall,
    slot: sys::napi_value,
    thread: Option<&Jobs>,
) -> Result<()> {
    let environment = &function.environment;
    let mut number = 0;
    // SAFETY: M6; the slot is an argument of the native function under way, and the out-parameter a local.
    unsafe { sys::napi_get_value_uint32(environment.raw, slot, &mut number) };
    let begun = environment.begin_job(number);
    environment.pool_slices.lend(begun, prepared.take_lent());
    let job = SentJob::new(Job {
        function: Rc::clone(function),
        prepared,
        slot: number,
        number: begun,
        who: if thread.is_some() { Who::Own } else { Who::Pool },
        result: Err(FfiError::Internal { reason: "the call was not made".into() }),
        errno: 0,
        called_back: None,
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
    // SAFETY: M6; the job was not taken, and this is JavaScript's thread.
    let job = unsafe { job.open() };
    let _ = environment.end_job(job.number);
    Err(refused)
}

/// Makes a call on a helper thread while this one, JavaScript's, serves callbacks.
///
/// # Errors
/// If no thread can be started.
#[inline(never)] // The stack of other calls need not hold what this one needs.
pub fn enter_on_helper<T: Send>(environment: &Environment, call: impl FnOnce() -> T + Send) -> Result<T> {
    let queue = environment.queue();
    let done = AtomicBool::new(false);
    let traced = recorder::open_call();
    let _serving = queue.serve();
    thread::scope(|scope| {
        let helper = thread::Builder::new().name("pinned-ffi".into()).stack_size(STACK).spawn_scoped(scope, || {
            recorder::take_over(traced);
            IS_HELPER.set(true);
            let result = exit::on_other_thread(call);
            queue.finish(&done);
            result
        });
        let helper =
            helper.map_err(|error| FfiError::Internal { reason: format!("no thread could be started: {error}") })?;
        while let Some(work) = queue.take_until(&done) {
            serve(environment, work);
        }
        helper.join().map_err(|_| FfiError::Internal { reason: "the helper thread panicked".into() })
    })
}
