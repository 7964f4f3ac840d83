//! Whether a host runs, and how it is ended.
#![expect(unsafe_code, reason = "signals a process")]

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use super::watcher::Exit;

/// A host as a process.
#[derive(Debug)]
pub struct Life {
    pub pid: i32,
    pub exit: Arc<Exit>,
    pidfd: OwnedFd,
}

impl Life {
    /// The life of a process that was started.
    pub fn new(pid: i32, exit: Arc<Exit>, pidfd: OwnedFd) -> Self {
        Self { pid, exit, pidfd }
    }

    /// Whether it has not ended.
    pub fn is_alive(&self) -> bool {
        !self.exit.has_ended()
    }

    /// Ends it, with the processes that it has started.
    pub fn kill(&self) {
        if self.is_alive() {
            self.exit.expect_kill();
            // SAFETY: its status was not taken yet, so that the number is still its, and that of its group.
            unsafe {
                libc::kill(-self.pid, libc::SIGKILL);
                libc::syscall(libc::SYS_pidfd_send_signal, self.pidfd.as_raw_fd(), libc::SIGKILL, 0, 0);
            }
        }
    }
}
