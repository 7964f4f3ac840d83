//! A dedicated native thread (`lib.thread()`), whose calls run one after the other.

use std::sync::Arc;
use std::thread;

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use super::job::STACK;
use crate::call::remote;
use crate::error::FfiError;
use crate::node::env::{Jobs, SentJob, Work, current};
use crate::node::error::thrown;
use crate::node::waker::{key_of, wake};

/// A thread whose calls run one after the other.
#[napi(js_name = "Thread")]
pub struct JsThread {
    jobs: Arc<Jobs>,
}

#[napi]
impl JsThread {
    /// Starts the thread.
    #[napi(constructor)]
    pub fn new(env: Env) -> napi::Result<Self> {
        let environment = current(env)?;
        let (jobs, queue) = (Jobs::new(), environment.queue());
        let mine = Arc::clone(&jobs);
        let run = move || {
            remote::keep_thread();
            mine.run(|mut job| {
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
        match thread::Builder::new().name("pinned-ffi".into()).stack_size(STACK).spawn(run) {
            Ok(_) => {
                environment.record_thread(&jobs);
                Ok(Self { jobs })
            }
            Err(error) => {
                Err(thrown(env, &FfiError::Internal { reason: format!("no thread could be started: {error}") }))
            }
        }
    }

    /// Queues a job.
    ///
    /// # Errors
    /// The job, once the thread is closed.
    pub fn push(&self, job: SentJob) -> Result<(), SentJob> {
        self.jobs.push(job)
    }

    /// Ends the thread after the calls that were handed to it.
    #[napi]
    pub fn close(&mut self) {
        self.jobs.close();
    }
}

impl Drop for JsThread {
    fn drop(&mut self) {
        self.jobs.close();
    }
}
