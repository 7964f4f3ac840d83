//! The channels of a host for calls that are made on other threads than JavaScript's. A call takes one that is free. A
//! dedicated thread keeps its own, so that C finds the same thread, and what is local to it, at each call.

use std::cell::Cell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::control::{ControlMemory, Line};
use super::wire::{FIRST_FOREIGN, FIRST_SPARE};
use crate::call::remote;
use crate::error::{FfiError, Result};

/// The lines that no call uses.
#[derive(Debug, Default)]
pub struct Lines(Mutex<Free>);

#[derive(Debug, Default)]
struct Free {
    lines: Vec<Line>,
    /// Channels whose threads have ended.
    numbers: Vec<usize>,
    made: usize,
}

thread_local! {
    /// The line of this thread, where it is a dedicated one.
    static OWN: Cell<Option<OwnLine>> = const { Cell::new(None) };
}

/// The line of a dedicated thread. When the thread ends the one that serves it ends as well.
struct OwnLine {
    pid: i32,
    line: Option<Line>,
    leave: Option<Box<dyn FnOnce(Line)>>,
}

impl Drop for OwnLine {
    fn drop(&mut self) {
        if let (Some(leave), Some(line)) = (self.leave.take(), self.line.take()) {
            leave(line);
        }
    }
}

impl Lines {
    fn locked(&self) -> MutexGuard<'_, Free> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line that this thread keeps to a host.
    pub fn take_own(&self, pid: i32) -> Option<Line> {
        let mut own = OWN.take()?;
        if own.pid == pid {
            return own.line.take();
        }
        // The line belongs to a host that has ended, or to another library.
        None
    }

    /// Takes a line that is not in use. `start` has the host serve a new one.
    ///
    /// # Errors
    /// Where all are in use.
    pub fn take(&self, memory: &Arc<ControlMemory>, may_spin: bool, start: impl FnOnce(u8)) -> Result<Line> {
        let mut free = self.locked();
        // A dedicated thread gets one that no other calls were made on.
        if !remote::keeps_thread()
            && let Some(line) = free.lines.pop()
        {
            return Ok(line);
        }
        let number = match free.numbers.pop() {
            Some(number) => number,
            None if FIRST_SPARE + free.made < FIRST_FOREIGN => {
                free.made += 1;
                FIRST_SPARE + free.made - 1
            }
            None => {
                let most = FIRST_FOREIGN - FIRST_SPARE;
                let reason = format!("at most {most} calls of an isolated library can be under way on threads");
                return Err(FfiError::OutOfRange { reason });
            }
        };
        start(number as u8);
        Ok(memory.line(number, may_spin))
    }

    /// Keeps a line for the thread, if it is a dedicated one, or for the next call. `leave` is run when the thread
    /// ends.
    pub fn give(&self, pid: i32, line: Line, leave: impl FnOnce(Line) + 'static) {
        if remote::keeps_thread() {
            OWN.set(Some(OwnLine { pid, line: Some(line), leave: Some(Box::new(leave)) }));
        } else {
            self.locked().lines.push(line);
        }
    }

    /// Returns the number of a channel that is no longer served.
    pub fn give_number(&self, number: usize) {
        self.locked().numbers.push(number);
    }
}
