//! When a call has to be over.

use std::time::{Duration, Instant};

/// A deadline, and the timeout that it was computed from.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    pub at: Instant,
    pub milliseconds: u64,
}

impl Deadline {
    /// The deadline of an operation that begins now.
    pub fn after(milliseconds: u64) -> Option<Self> {
        Some(Self { at: Instant::now().checked_add(Duration::from_millis(milliseconds))?, milliseconds })
    }
}
