//! The locks of what threads share: std's, or in the models (`threads::models`) those of loom, which tries every order
//! in which threads can meet.

use std::sync::PoisonError;
use std::time::Duration;

#[cfg(all(test, loom))]
pub use loom::sync::{Condvar, Mutex, MutexGuard, atomic};
#[cfg(not(all(test, loom)))]
pub use std::sync::{Condvar, Mutex, MutexGuard, atomic};

/// Locks, whether or not a thread has panicked meanwhile.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until the condition variable was notified.
pub fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}

/// Waits while `condition` holds.
pub fn wait_while<'a, T>(
    condvar: &Condvar,
    mut guard: MutexGuard<'a, T>,
    condition: impl Fn(&T) -> bool,
) -> MutexGuard<'a, T> {
    while condition(&guard) {
        guard = wait(condvar, guard);
    }
    guard
}

/// Waits while `condition` holds, but no longer than `time`.
#[cfg(not(all(test, loom)))]
pub fn wait_while_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    time: Duration,
    condition: impl Fn(&T) -> bool,
) -> MutexGuard<'a, T> {
    let waited = condvar.wait_timeout_while(guard, time, |value| condition(value));
    waited.unwrap_or_else(PoisonError::into_inner).0
}

/// Waits while `condition` holds: in the models time does not pass.
#[cfg(all(test, loom))]
pub fn wait_while_for<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    _: Duration,
    condition: impl Fn(&T) -> bool,
) -> MutexGuard<'a, T> {
    wait_while(condvar, guard, condition)
}
