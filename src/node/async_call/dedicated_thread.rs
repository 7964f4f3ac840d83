//! Starts a dedicated native thread, whose calls run one after the other.

use std::io;
use std::sync::Arc;
use std::thread;

use super::job::STACK;
use crate::call::remote;
use crate::node::env::{Environment, Jobs, Work};
use crate::node::waker::{key_of, wake};

/// Starts a thread. It runs the jobs that are pushed to the result.
///
/// # Errors
/// If the system refuses the thread.
pub fn start(environment: &Environment) -> io::Result<Arc<Jobs>> {
    let (jobs, queue) = (Jobs::new(), environment.queue());
    let shared = Arc::clone(&jobs);
    let run = move || {
        remote::keep_thread();
        shared.run(|mut job| {
            job.run();
            match queue.submit(Work::Done(job)) {
                Ok(()) => {
                    wake(key_of(&queue));
                    None
                }
                Err(Work::Done(job)) => Some(job),
                Err(Work::Call(_)) => None,
            }
        });
    };
    thread::Builder::new().name("pinned-ffi".into()).stack_size(STACK).spawn(run)?;
    environment.record_thread(&jobs);
    Ok(jobs)
}
