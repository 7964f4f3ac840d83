//! The threads that calls run on: their numbers and their kinds.
#![allow(unsafe_code, reason = "asks the system which thread this is; not on Windows")]

use std::cell::Cell;

use super::text::Line;

/// The kind of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A thread of libuv's pool.
    Pool,
    /// The thread of a library's `thread()`.
    Own,
    /// The helper of a call with `threads: true`.
    Helper,
    /// A thread of JavaScript: the main one is 0, workers have their `threadId`.
    Script(u32),
}

impl Who {
    const SCRIPT: u32 = 8;

    /// As a number, for an atomic.
    pub fn code(self) -> u32 {
        match self {
            Self::Pool => 1,
            Self::Own => 2,
            Self::Helper => 3,
            Self::Script(id) => Self::SCRIPT.saturating_add(id),
        }
    }

    /// Adds the name of a [`Who::code`] to a line.
    pub fn describe<const N: usize>(code: u32, line: &mut Line<N>) {
        match code {
            1 => line.text("pool"),
            2 => line.text("thread"),
            3 => line.text("helper"),
            Self::SCRIPT => line.text("main"),
            worker if worker > Self::SCRIPT => line.text("worker ").number(u64::from(worker - Self::SCRIPT), 10),
            _ => line.text("unknown"),
        };
    }
}

thread_local!(static WHO: Cell<Who> = const { Cell::new(Who::Pool) });

/// The kind of this thread.
pub fn who() -> Who {
    WHO.with(Cell::get)
}

/// Sets the kind of this thread.
pub fn set_who(who: Who) {
    WHO.with(|cell| cell.set(who));
}

/// The system's number of this thread. May be called in a signal handler.
pub fn number() -> u64 {
    #[cfg(target_os = "linux")]
    // SAFETY: U1; the function has no preconditions.
    return unsafe { libc::gettid() } as u64;
    #[cfg(all(unix, not(target_os = "linux")))]
    // SAFETY: U1; the function has no preconditions.
    return unsafe { libc::pthread_self() } as u64;
    #[cfg(not(unix))]
    return WHO.with(|here| (&raw const *here).addr()) as u64;
}
