//! Where C's calls of callbacks arrive: one on the environment's own thread runs JavaScript at once, one on another
//! thread waits for that thread.

use std::sync::atomic::Ordering;

use super::slot::this_thread;
use crate::call::inside::Inside;
use crate::callback::closure::{Handler, Incoming};
use crate::errno::Errno;
use crate::node::env::CallbackSlot;
#[cfg(v8_abi)]
use crate::node::fast_call::binding;

/// Answers the calls of one function pointer.
pub struct JsHandler(pub &'static CallbackSlot);

impl Handler for JsHandler {
    fn call(&self, incoming: &Incoming<'_>) {
        // The engine changes errno, also where JavaScript does not: C, and what `fails` says of it, need C's own.
        let errno = Errno::here();
        let before = errno.get();
        // Read once: a late call may find another one at any time.
        let env_handle = self.0.env_handle();
        if this_thread() != env_handle.thread {
            self.0.call_from_foreign_thread(env_handle, incoming);
            return errno.set(before);
        }
        let Some(environment) = env_handle.environment() else { return };
        let outer = environment.calls.chosen_errno.take();
        self.0.call_on_own_thread(environment, env_handle, incoming);
        errno.set(environment.calls.chosen_errno.replace(outer).unwrap_or(before));
    }
}

impl CallbackSlot {
    /// The function that has declared to call no callback does so: no JavaScript runs, and its call throws.
    #[cold]
    pub fn refuse_leaf(&self, inside: &Inside) {
        inside.record_called_back(self.name.load(Ordering::Relaxed));
        #[cfg(v8_abi)]
        if inside.is_fast() {
            binding::refuse_result();
        }
    }
}
