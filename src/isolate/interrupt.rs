//! Whether the thread that waits for a host is to stop. Nothing of JavaScript is known here: who does know says how to ask.

use std::cell::Cell;

thread_local! {
    static CHECK: Cell<Option<fn() -> bool>> = const { Cell::new(None) };
}

/// Has this thread ask by a function from now on.
pub fn ask_by(check: fn() -> bool) {
    CHECK.set(Some(check));
}

/// Whether this thread is to stop; it is asked from time to time while it waits.
#[inline(never)] // Calls may nest.
pub fn is_interrupted() -> bool {
    CHECK.get().is_some_and(|check| check())
}
