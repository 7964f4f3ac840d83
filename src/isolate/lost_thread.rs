//! A host that runs on without the thread that a caller waits for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::child::Child;

/// The longest time that a host may take to end, once its threads have.
const LAST_THREADS: Duration = Duration::from_millis(500);

impl Child {
    /// Whether the thread that serves a channel has ended without its process. Asked now and then by a thread that
    /// waits for it.
    #[cold]
    pub(super) fn has_lost_thread(&self, channel: usize) -> bool {
        // The threads of a process that ends, end before it.
        let is_lost = self.memory.is_thread_lost(channel) && self.life.exit.wait(LAST_THREADS).is_none();
        if is_lost {
            self.is_thread_lost.store(true, Ordering::Relaxed);
        }
        is_lost
    }
}
