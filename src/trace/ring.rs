//! The ring of the last calls. Written under a lock; a signal handler reads it without one, because all of it is
//! atomic.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::text::{Line, Text};
use super::thread::{self, Who};

/// The number of calls that are kept.
pub const CALLS: usize = 64;

/// The progress of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// C has not returned yet.
    Inside = 1,
    /// C has returned.
    Returned = 2,
    /// It has ended in an exception, before C was entered or after.
    Threw = 3,
}

impl State {
    /// Its name.
    pub fn name(code: u8) -> &'static str {
        match code {
            1 => "inside",
            2 => "returned",
            _ => "threw",
        }
    }
}

/// The record of a call.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    /// The number of the library's handle.
    pub library: u32,
    /// The library's name in messages.
    pub library_name: String,
    /// The function.
    pub symbol: String,
    /// The types and the kinds of the arguments, one per line.
    pub arguments: String,
    /// The position of the call in JavaScript.
    pub site: String,
    /// Whether JavaScript runs meanwhile.
    pub is_async: bool,
}

/// A slot for one call. Longer texts are cut.
pub struct Slot {
    /// The number of the call, from 1; 0 while the slot is empty or being written.
    pub ticket: AtomicU64,
    /// The call on the same thread that this one is nested in; 0 for none.
    outer: AtomicU64,
    /// A [`State`].
    pub state: AtomicU8,
    /// The system's number of its thread.
    pub thread: AtomicU64,
    /// The kind of its thread: [`Who::code`].
    pub who: AtomicU32,
    /// Whether JavaScript runs meanwhile.
    pub is_async: AtomicBool,
    library: AtomicU32,
    /// The library's name in messages.
    pub library_name: Text<160>,
    /// The function.
    pub symbol: Text<128>,
    /// The types and the kinds of the arguments.
    pub arguments: Text<320>,
    /// The position of the call in JavaScript.
    pub site: Text<256>,
}

/// The last calls.
pub struct Ring {
    /// In no order: a call replaces the oldest one that has ended.
    pub slots: [Slot; CALLS],
    last: Mutex<u64>,
}

/// The ring of the process.
pub static RING: Ring = Ring::new();

/// A recorded call, for JavaScript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    ticket: u64,
    /// The function.
    pub symbol: String,
    /// The library's name in messages.
    pub library: String,
    /// The types and the kinds of the arguments.
    pub arguments: String,
    /// The position of the call in JavaScript.
    pub site: String,
    /// Its progress.
    pub state: &'static str,
    /// Its thread.
    pub thread: String,
    /// Whether JavaScript runs meanwhile.
    pub is_async: bool,
}

impl Slot {
    const fn new() -> Self {
        Self {
            ticket: AtomicU64::new(0),
            outer: AtomicU64::new(0),
            state: AtomicU8::new(0),
            thread: AtomicU64::new(0),
            who: AtomicU32::new(0),
            is_async: AtomicBool::new(false),
            library: AtomicU32::new(0),
            library_name: Text::new(),
            symbol: Text::new(),
            arguments: Text::new(),
            site: Text::new(),
        }
    }

    /// Whether the call has not ended.
    pub fn is_inside(&self) -> bool {
        self.state.load(Ordering::Relaxed) == State::Inside as u8
    }

    fn recorded(&self) -> Recorded {
        let text =
            |bytes: &mut dyn Iterator<Item = u8>| String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned();
        let mut thread = Line::<32>::new();
        Who::describe(self.who.load(Ordering::Relaxed), &mut thread);
        Recorded {
            ticket: self.ticket.load(Ordering::Relaxed),
            symbol: text(&mut self.symbol.bytes()),
            library: text(&mut self.library_name.bytes()),
            arguments: text(&mut self.arguments.bytes()),
            site: text(&mut self.site.bytes()),
            state: State::name(self.state.load(Ordering::Relaxed)),
            thread: String::from_utf8_lossy(thread.as_bytes()).into_owned(),
            is_async: self.is_async.load(Ordering::Relaxed),
        }
    }
}

impl Ring {
    const fn new() -> Self {
        Self { slots: [const { Slot::new() }; CALLS], last: Mutex::new(0) }
    }

    fn locked(&self) -> MutexGuard<'_, u64> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, ticket: u64) -> Option<&Slot> {
        self.slots.iter().find(|slot| ticket != 0 && slot.ticket.load(Ordering::Relaxed) == ticket)
    }

    /// Records a call that enters C on this thread, nested in another (0 for none). Returns its ticket.
    pub fn begin(&self, entry: &Entry, outer: u64) -> u64 {
        let mut last = self.locked();
        *last += 1;
        // Calls under way are kept, however old: one of them may crash.
        let oldest = self.slots.iter().min_by_key(|slot| (slot.is_inside(), slot.ticket.load(Ordering::Relaxed)));
        let Some(slot) = oldest else { return 0 };
        slot.ticket.store(0, Ordering::Release);
        slot.outer.store(outer, Ordering::Relaxed);
        slot.library.store(entry.library, Ordering::Relaxed);
        slot.library_name.set_end(&entry.library_name);
        slot.symbol.set_start(&entry.symbol);
        slot.arguments.set_start(&entry.arguments);
        slot.site.set_end(&entry.site);
        slot.is_async.store(entry.is_async, Ordering::Relaxed);
        slot.thread.store(thread::number(), Ordering::Relaxed);
        slot.who.store(thread::who().code(), Ordering::Relaxed);
        slot.state.store(State::Inside as u8, Ordering::Relaxed);
        slot.ticket.store(*last, Ordering::Release);
        *last
    }

    /// Records that a call has ended. Returns the one that it was nested in.
    pub fn end(&self, ticket: u64, state: State) -> u64 {
        let _last = self.locked();
        self.slot(ticket).map_or(0, |slot| {
            slot.state.store(state as u8, Ordering::Relaxed);
            slot.outer.load(Ordering::Relaxed)
        })
    }

    /// Records that this thread runs a call that another thread has recorded.
    pub fn take_over(&self, ticket: u64) {
        let _last = self.locked();
        if let Some(slot) = self.slot(ticket) {
            slot.thread.store(thread::number(), Ordering::Relaxed);
            slot.who.store(thread::who().code(), Ordering::Relaxed);
        }
    }

    /// The calls of one library's handle, newest last.
    pub fn calls_of(&self, library: u32) -> Vec<Recorded> {
        let _last = self.locked();
        let is_wanted =
            |slot: &&Slot| slot.ticket.load(Ordering::Relaxed) != 0 && slot.library.load(Ordering::Relaxed) == library;
        let mut calls: Vec<_> = self.slots.iter().filter(is_wanted).map(Slot::recorded).collect();
        calls.sort_by_key(|call| call.ticket);
        calls
    }

    /// The slot of the oldest call after a ticket. May be called in a signal handler.
    pub fn next_after(&self, ticket: u64) -> Option<(u64, &Slot)> {
        let numbered = self.slots.iter().map(|slot| (slot.ticket.load(Ordering::Acquire), slot));
        numbered.filter(|(number, _)| *number > ticket).min_by_key(|(number, _)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(library: u32, symbol: &str) -> Entry {
        Entry { library, symbol: symbol.into(), site: "file.js:1:2".into(), ..Entry::default() }
    }

    #[test]
    fn the_last_calls_are_kept_in_order() {
        let ring = Ring::new();
        for number in 0..100 {
            let ticket = ring.begin(&entry(1, &format!("call{number}")), 0);
            ring.end(ticket, State::Returned);
        }
        let calls = ring.calls_of(1);
        assert_eq!(calls.len(), CALLS);
        assert_eq!((&*calls[0].symbol, &*calls[63].symbol), ("call36", "call99"));
        assert!(calls.iter().all(|call| call.state == "returned" && call.site == "file.js:1:2"));
        assert!(ring.calls_of(2).is_empty());
    }

    #[test]
    fn a_call_that_is_under_way_stays_however_many_follow() {
        let ring = Ring::new();
        let outer = ring.begin(&entry(1, "outer"), 0);
        // Miri takes minutes for a call.
        let followers = if cfg!(miri) { CALLS + 2 } else { 200 };
        for _ in 0..followers {
            let inner = ring.begin(&entry(2, "inner"), outer);
            assert_eq!(ring.end(inner, State::Threw), outer);
        }
        assert_eq!(ring.calls_of(1)[0].state, "inside");
        let (first, slot) = ring.next_after(0).unwrap();
        assert_eq!((first, slot.is_inside()), (outer, true));
        assert_eq!(ring.end(outer, State::Returned), 0);
        assert_eq!(ring.calls_of(1)[0].state, "returned");
        assert!(ring.next_after(followers as u64 + 1).is_none());
    }

    #[test]
    fn more_calls_under_way_than_there_is_room_for_lose_the_oldest() {
        let ring = Ring::new();
        let first = ring.begin(&entry(1, "first"), 0);
        for _ in 0..CALLS {
            ring.begin(&entry(2, "other"), 0);
        }
        assert!(ring.calls_of(1).is_empty());
        assert_eq!(ring.end(first, State::Returned), 0);
        assert!(ring.calls_of(2).iter().all(|call| call.state == "inside"));
    }

    #[test]
    fn threads_record_side_by_side() {
        let ring: &'static Ring = Box::leak(Box::new(Ring::new()));
        let threads: Vec<_> = (1..=4)
            .map(|library| {
                std::thread::spawn(move || {
                    thread::set_who(Who::Script(library));
                    for _ in 0..4 {
                        let ticket = ring.begin(&entry(library, "call"), 0);
                        ring.end(ticket, State::Returned);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        for library in 1..=4 {
            let calls = ring.calls_of(library);
            assert_eq!(calls.len(), 4);
            assert!(calls.iter().all(|call| call.thread == format!("worker {library}")));
        }
    }
}
