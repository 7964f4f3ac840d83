//! The first message of a host: it answers, and is of this build.

use std::thread;
use std::time::Instant;

use super::channel::Missed;
use super::child::{Child, STARTING};
use super::wire::Kind;
use crate::error::{FfiError, Result};

impl Child {
    /// Waits until it answers, once, before the first request; on the thread that has started it.
    ///
    /// # Errors
    /// Where the host ends, does not answer, or is of another build.
    pub fn greet(&self, build: &[u8]) -> Result<()> {
        assert_eq!(thread::current().id(), self.main.owner, "a line is used by one thread");
        let deadline = Instant::now() + STARTING;
        let mut payload = Vec::new();
        let hello = self.main.line.end.receive(&mut payload, Some(deadline), || self.life.exit.has_ended());
        match hello {
            Ok(head) if head.kind == Kind::Return as u32 && payload == build => Ok(()),
            Ok(_) => {
                self.kill();
                Err(FfiError::IsolateUnavailable { reason: "the addon's file is of another build by now".into() })
            }
            Err(missed) => {
                self.kill();
                let death = self.death();
                let last = death.stderr.trim().lines().last().unwrap_or_default().to_owned();
                let late = if missed == Missed::Late { " too late" } else { "" };
                Err(FfiError::IsolateUnavailable {
                    reason: format!("its process {death} before it answered{late}: {last}"),
                })
            }
        }
    }
}
