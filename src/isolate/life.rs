//! Whether a host runs, and how it is ended.
#![expect(unsafe_code, reason = "signals a process")]

use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::watcher::{Exit, Status};

/// A host that ends has ended within this, unless a thread of it is traced.
const MOMENT: Duration = Duration::from_millis(100);

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

    /// Waits for the status of a host that is about to end.
    pub fn wait(&self, longest: Duration) -> Option<Status> {
        let deadline = Instant::now() + longest;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let status = self.exit.wait(left.min(MOMENT));
            if status.is_some() || left.is_zero() {
                return status;
            }
            self.take_traced_threads();
        }
    }

    /// A thread that has itself traced (`PTRACE_TRACEME`) makes this process its tracer. Its process ends only when the
    /// tracer has taken the status of the thread (ptrace(2), "Death under ptrace").
    fn take_traced_threads(&self) {
        let Ok(threads) = fs::read_dir(format!("/proc/{}/task", self.pid)) else { return };
        let numbers = threads.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
        // The status of the first is that of the process, for which the watcher waits.
        for thread in numbers.filter(|thread| *thread != self.pid) {
            // SAFETY: it asks for nothing but the status. The number is of a thread of the host, because the status of
            // the host was not taken yet; of a thread that is not traced there is none to take.
            unsafe { libc::waitpid(thread, null_mut(), libc::__WALL | libc::WNOHANG) };
        }
    }
}
