//! Whether the thread that waits for a host is to stop. JavaScript may stop it, which this layer does not know: the
//! layer above registers a function that checks.

use std::cell::Cell;

thread_local! {
    static CHECK: Cell<Option<fn() -> bool>> = const { Cell::new(None) };
}

/// Registers the check of this thread.
pub fn ask_by(check: fn() -> bool) {
    CHECK.set(Some(check));
}

/// Whether this thread is to stop; called from time to time while it waits.
#[inline(never)] // Calls may nest.
pub fn is_interrupted() -> bool {
    CHECK.get().is_some_and(|check| check())
}
