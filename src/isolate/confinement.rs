//! The sandbox of a host: asks for it, once.

use std::sync::Arc;

use super::channel::Head;
use super::child::{Child, LAST_WORDS, STARTING, locked};
use super::deadline::Deadline;
use super::wire::{Kind, WORDS};
use crate::error::{FfiError, Result};

impl Child {
    /// Takes rights from the host, once: those that a sandbox does not have.
    ///
    /// # Errors
    /// Where the sandbox cannot be applied. The host has ended then.
    pub fn confine(self: &Arc<Self>, sandbox: &str) -> Result<()> {
        if self.sandbox().is_some() {
            return Ok(());
        }
        let deadline = Deadline::after(STARTING.as_millis() as u64);
        match self.ask(Head::new(Kind::Sandbox, [0; WORDS]), &[sandbox.as_bytes()], deadline) {
            Ok(reply) => {
                *locked(&self.sandbox) = Some(String::from_utf8_lossy(&reply.payload).into_owned());
                Ok(())
            }
            Err(FfiError::LibraryInvalid { reason }) => {
                self.kill();
                self.wait(LAST_WORDS);
                Err(FfiError::IsolateUnavailable { reason: format!("the sandbox cannot be applied: {reason}") })
            }
            Err(error) => Err(error),
        }
    }

    /// The parts of the sandbox that are applied, as text.
    pub fn sandbox(&self) -> Option<String> {
        locked(&self.sandbox).clone()
    }
}
