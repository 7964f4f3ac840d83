//! Records calls while they run on a thread: what is under way there, and what its next asynchronous call is recorded
//! as.

use std::cell::{Cell, RefCell};

use super::ring::{Entry, RING, State};
use super::thread::{self, Who};

thread_local! {
    /// The call that this thread has recorded last and that is under way; 0 for none.
    static OPEN: Cell<u64> = const { Cell::new(0) };
    /// What the next asynchronous call of this thread is recorded as, once it runs.
    static NEXT_JOB: RefCell<Option<Entry>> = const { RefCell::new(None) };
}

/// Has this thread print what was recorded where it crashes.
pub fn prepare_thread() {
    #[cfg(unix)]
    super::signals::prepare_thread();
}

/// Records a call that goes in now on this thread; its ticket.
pub fn begin(entry: &Entry) -> u64 {
    let ticket = RING.begin(entry, OPEN.get());
    OPEN.set(ticket);
    ticket
}

/// The call of a ticket is over.
pub fn end(ticket: u64, state: State) {
    OPEN.set(RING.end(ticket, state));
}

/// Says what the asynchronous call that this thread starts next is recorded as.
pub fn set_next_job(entry: Entry) {
    NEXT_JOB.set(Some(entry));
}

/// What the asynchronous call that is being started is recorded as; `None` where nothing is.
pub fn job_entry() -> Option<Entry> {
    NEXT_JOB.take()
}

/// Records a call while it runs on this thread, which is `who`; returns the result of `run`.
pub fn record<T>(entry: Option<&Entry>, who: Who, run: impl FnOnce() -> T) -> T {
    let Some(entry) = entry else { return run() };
    prepare_thread();
    thread::set_who(who);
    let ticket = RING.begin(entry, 0);
    let result = run();
    RING.end(ticket, State::Returned);
    result
}

/// The call that this thread has recorded and is about to hand to a helper; 0 for none.
pub fn open_call() -> u64 {
    OPEN.get()
}

/// This thread, a helper, runs the call of a ticket.
pub fn take_over(ticket: u64) {
    if ticket != 0 {
        prepare_thread();
        thread::set_who(Who::Helper);
        RING.take_over(ticket);
    }
}
