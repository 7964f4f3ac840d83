//! A native thread of the user's own, whose calls run one after the other.
#![expect(unsafe_code, reason = "takes jobs over from other threads")]

use std::sync::Arc;
use std::thread;

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use super::environment::{current, thrown};
use super::job::{Job, STACK};
use super::waker::{key_of, wake};
use crate::error::FfiError;
use crate::jobs::Jobs;
use crate::queue::Work;

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
            mine.run(|job| {
                // SAFETY: M13; the job is this thread's until it is handed back.
                unsafe { Job::run(job) };
                let is_back = queue.submit(Work::Done(job));
                if is_back {
                    wake(key_of(&queue));
                }
                is_back
            });
        };
        match thread::Builder::new().name("pinned-ffi".into()).stack_size(STACK).spawn(run) {
            Ok(_) => {
                environment.note_thread(&jobs);
                Ok(Self { jobs })
            }
            Err(error) => {
                Err(thrown(env, &FfiError::Internal { reason: format!("no thread could be started: {error}") }))
            }
        }
    }

    /// Queues a job; false once the thread is closed.
    pub fn push(&self, job: usize) -> bool {
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
