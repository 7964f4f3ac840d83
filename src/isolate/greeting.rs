//! The first message of a host: it answers, and is of this build.

use std::thread;
use std::time::Instant;

use super::channel::Missed;
use super::child::{Child, STARTING};
use super::wire::Kind;
use crate::error::{FfiError, Result};

/// The first address that no process has.
const END: usize = 1 << 47;

/// The spans of a greeting.
fn spans_of(bytes: &[u8]) -> Option<Vec<(usize, usize)>> {
    let (words, rest) = bytes.as_chunks::<8>();
    let (pairs, odd) = words.as_chunks::<2>();
    let spans = pairs.iter().map(|pair| {
        let [start, end] = pair.map(|word| u64::from_le_bytes(word) as usize);
        (start < end && end <= END && (start | end).is_multiple_of(4096)).then(|| (start, end - start))
    });
    if rest.is_empty() && odd.is_empty() { spans.collect() } else { None }
}

impl Child {
    /// Waits until it answers, once, before the first request; on the thread that has started it. The spans of memory
    /// that it has outside of its window, each a start and a number of bytes.
    ///
    /// # Errors
    /// Where the host ends, does not answer, or is of another build.
    pub fn greet(&self, build: &[u8]) -> Result<Vec<(usize, usize)>> {
        assert_eq!(thread::current().id(), self.main.owner, "a line is used by one thread");
        let deadline = Instant::now() + STARTING;
        let mut payload = Vec::new();
        let hello = self.main.line.end.receive(&mut payload, Some(deadline), || self.life.exit.has_ended());
        match hello {
            Ok(head) => {
                let words = payload.strip_prefix(build).filter(|_| head.kind == Kind::Return as u32);
                words.and_then(spans_of).ok_or_else(|| {
                    self.kill();
                    FfiError::IsolateUnavailable { reason: "the addon's file is of another build by now".into() }
                })
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
