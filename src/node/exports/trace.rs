//! The flight recorder, as JavaScript has it.
#![allow(unsafe_code, reason = "installs signal handlers (not on every system: no `expect`)")]

use std::sync::atomic::{AtomicU32, Ordering};

use napi_derive::napi;

use crate::trace::recorder;
use crate::trace::ring::{Entry, RING, State};
use crate::trace::thread::{self, Who};
#[cfg(unix)]
use crate::v8::symbols;

/// Starts recording on this JavaScript thread (0 is the main one). A crash prints the record.
#[napi]
pub fn start_trace(thread_id: u32) {
    thread::set_who(Who::Script(thread_id));
    recorder::prepare_thread();
    #[cfg(unix)]
    if crate::loader::library::keep_loaded() {
        let resolve = symbols::process().and_then(|process| process.find(symbols::HANDLE_WASM_TRAP));
        // SAFETY: M11; the addon stays, and the symbol is that of the running executable.
        unsafe { crate::trace::signals::install(resolve.map(crate::memory::address::Address::get)) };
    }
}

/// A number for a library's handle, which no other handle of the process has.
#[napi]
pub fn trace_library() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// Records a call that goes in now on this thread; its ticket, for `endTrace`.
#[napi]
pub fn begin_trace(library: u32, library_name: String, symbol: String, arguments: String, site: String) -> f64 {
    let entry = Entry { library, library_name, symbol, arguments, site, is_async: false };
    recorder::begin(&entry) as f64
}

/// The call of a ticket is over.
#[napi]
pub fn end_trace(ticket: f64, threw: bool) {
    recorder::end(ticket as u64, if threw { State::Threw } else { State::Returned });
}

/// Says what the asynchronous call that this thread starts next is recorded as, once another thread runs it.
#[napi]
pub fn trace_next_job(library: u32, library_name: String, symbol: String, arguments: String, site: String) {
    recorder::set_next_job(Entry { library, library_name, symbol, arguments, site, is_async: true });
}

/// A call that was recorded.
#[napi(object)]
pub struct TracedCall {
    /// The function.
    pub symbol: String,
    /// The library's name in messages.
    pub library: String,
    /// The types and the kinds of the arguments, one by line.
    pub arguments: String,
    /// The position of the call in JavaScript.
    pub site: String,
    /// `inside`, `returned` or `threw`.
    pub state: String,
    /// The thread that it ran on.
    pub thread: String,
    /// Whether JavaScript goes on meanwhile.
    pub is_async: bool,
}

/// The calls of a library's handle that are kept, newest last.
#[napi]
pub fn traced(library: u32) -> Vec<TracedCall> {
    let calls = RING.calls_of(library).into_iter();
    calls
        .map(|call| TracedCall {
            symbol: call.symbol,
            library: call.library,
            arguments: call.arguments,
            site: call.site,
            state: call.state.to_owned(),
            thread: call.thread,
            is_async: call.is_async,
        })
        .collect()
}
