//! Records the calls of a thread: those under way, and the ticket of its next asynchronous call.

use std::cell::{Cell, RefCell};

use super::ring::{Entry, RING, State};
use super::thread::{self, Who};

thread_local! {
    /// The ticket of the innermost call under way on this thread; 0 for none.
    static OPEN: Cell<u64> = const { Cell::new(0) };
    /// The record of this thread's next asynchronous call, which is written once it runs.
    static NEXT_JOB: RefCell<Option<Entry>> = const { RefCell::new(None) };
}

/// Gives this thread a stack for the crash handlers, where no other code has.
pub fn prepare_thread() {
    #[cfg(unix)]
    super::alternate_stack::prepare_thread(0);
}

/// Records a call that enters C on this thread. Returns its ticket.
pub fn begin(entry: &Entry) -> u64 {
    let ticket = RING.begin(entry, OPEN.get());
    OPEN.set(ticket);
    ticket
}

/// Records that the call of a ticket has ended.
pub fn end(ticket: u64, state: State) {
    OPEN.set(RING.end(ticket, state));
}

/// Sets the record of the asynchronous call that this thread starts next.
pub fn set_next_job(entry: Entry) {
    NEXT_JOB.set(Some(entry));
}

/// Takes the record of the asynchronous call that is being started; `None` if nothing is recorded.
pub fn job_entry() -> Option<Entry> {
    NEXT_JOB.take()
}

/// Runs `run` on this thread, which is `who`, and records the call meanwhile. Returns the result.
pub fn record<T>(entry: Option<&Entry>, who: Who, run: impl FnOnce() -> T) -> T {
    let Some(entry) = entry else { return run() };
    prepare_thread();
    thread::set_who(who);
    let ticket = RING.begin(entry, 0);
    let result = run();
    RING.end(ticket, State::Returned);
    result
}

/// The ticket of the call that this thread is about to give to a helper; 0 for none.
pub fn open_call() -> u64 {
    OPEN.get()
}

/// Records that this thread, a helper, runs the call of a ticket.
pub fn take_over(ticket: u64) {
    if ticket != 0 {
        prepare_thread();
        thread::set_who(Who::Helper);
        RING.take_over(ticket);
    }
}
