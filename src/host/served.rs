//! The channel that a thread of the host serves, for callbacks that are called on the thread.

use std::cell::Cell;

use crate::isolate::callback_result::CallbackResult;
use crate::isolate::channel::End;

/// A thread that serves a channel.
pub trait Served {
    /// The host's end of the channel.
    fn end(&self) -> &End<'static>;

    /// Serves the channel until the result of a callback comes.
    fn until_result(&self) -> CallbackResult;
}

thread_local! {
    static HERE: Cell<Option<&'static dyn Served>> = const { Cell::new(None) };
}

/// The calls that this thread serves.
pub fn here() -> Option<&'static dyn Served> {
    HERE.get()
}

/// Says what this thread serves.
pub fn serve_here(served: Option<&'static dyn Served>) {
    HERE.set(served);
}
