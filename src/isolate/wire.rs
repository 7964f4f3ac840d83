//! The layout of the memory through which a process and its host exchange messages. The host may write all of it at any
//! time, so a reader copies a value once and checks the copy.
#![expect(unsafe_code, reason = "says of shared memory that threads may share it")]

use std::cell::UnsafeCell;

use super::death_report::DeathReport;
pub use super::payload::PAYLOAD;
use super::payload::Payload;
use super::thread_mark::ThreadMark;
use crate::sync::locks::atomic::{AtomicU32, AtomicU64};

/// The file descriptors of the host: the arena, the read end of the pipe that ends with the parent, and the
/// memory of this file.
pub const ARENA_FD: i32 = 3;
pub const LIFE_FD: i32 = 4;
pub const CONTROL_FD: i32 = 5;
/// The first descriptor that the host must not inherit.
pub const FIRST_OTHER_FD: i32 = 6;

/// The channels of a host: one for the JavaScript thread, one for the host's own threads, the rest for asynchronous
/// calls.
pub const CHANNELS: usize = 256;
/// The channel of the JavaScript thread.
pub const MAIN: usize = 0;
/// The channel on which threads of the library request separate channels, one after the other.
pub const FOREIGN: usize = 1;
/// The first channel of asynchronous calls.
pub const FIRST_SPARE: usize = 2;
/// The first channel of callbacks from threads of the library.
pub const FIRST_FOREIGN: usize = 128;

#[cfg(not(all(test, loom)))]
const DIRECTION_HEAD: usize = 64;

/// Bytes of the build's name.
pub const BUILD_BYTES: usize = 64;

/// The kind of a message. The host sends the last four, the parent the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// Calls a function: its address, the signature's number and the flags; the arguments.
    Call = 1,
    /// A callback's result.
    CallbackResult = 2,
    /// Opens a library: the flags; the path, empty for the process itself.
    Open = 3,
    /// Finds a symbol: the library; the name.
    Find = 4,
    /// Closes a library.
    Close = 5,
    /// Defines a signature: its number; the types.
    Define = 6,
    /// Applies the sandbox: its text.
    Sandbox = 7,
    /// Ends the host, after its destructors.
    Quit = 8,
    /// Ends the thread that serves the channel.
    Leave = 9,
    /// The result of a request.
    Return = 16,
    /// The reason why a request was refused.
    Refused = 17,
    /// Calls a callback: its number; the arguments.
    Callback = 18,
    /// The host is about to end by a signal.
    Dying = 19,
}

impl Kind {
    /// The kind of a number that came from shared memory.
    pub fn of(number: u32) -> Option<Self> {
        use Kind::*;
        let requests = [Call, CallbackResult, Open, Find, Close, Define, Sandbox, Quit, Leave];
        requests.into_iter().chain([Return, Refused, Callback, Dying]).into_iter().find(|kind| *kind as u32 == number)
    }
}

/// Flags of [`Kind::Call`]: errno is cleared before the call; the result is text, which is sent along.
pub const CALL_ERRNO: u64 = 1 << 32;
pub const CALL_TEXT: u64 = 1 << 33;
/// The word of a [`Kind::Return`] of text that was too long to be sent along.
pub const TEXT_STAYS: u64 = u64::MAX;

/// The second word of a [`Kind::Callback`] that asks for the callback's signature instead of calling it.
pub const ASKS_SIGNATURE: u64 = 1;
/// The second word of a [`Kind::Callback`] that asks for a thread of the parent for a channel, whose number is the
/// first word.
pub const ASKS_THREAD: u64 = 2;

/// The words in a message's head.
pub const WORDS: usize = 3;

/// One direction of a channel. The head and a short payload share one line of the cache.
#[cfg_attr(all(test, loom), derive(Default))]
#[cfg_attr(not(all(test, loom)), repr(C, align(4096)))]
pub struct Direction {
    /// The number of messages that were sent. The sign bit means that no other follows.
    pub sequence: AtomicU32,
    /// Whether the receiver sleeps.
    pub sleeping: AtomicU32,
    /// The processor that the sender ran on.
    pub processor: AtomicU32,
    pub kind: AtomicU32,
    pub length: AtomicU32,
    pub status: AtomicU32,
    pub words: [AtomicU64; WORDS],
    _rest: [u64; 2],
    pub payload: Payload,
}

// The atomics of the models are larger.
#[cfg(not(all(test, loom)))]
const _: () = assert!(
    size_of::<Direction>() == DIRECTION_HEAD + PAYLOAD && std::mem::offset_of!(Direction, payload) == DIRECTION_HEAD
);

/// The sign of [`Direction::sequence`].
pub const ENDED: u32 = 1 << 31;

/// A channel: requests go down, to the host.
#[cfg_attr(all(test, loom), derive(Default))]
#[repr(C)]
pub struct Channel {
    pub down: Direction,
    pub up: Direction,
}

/// The settings that the host reads first. The parent writes them before the host starts.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Settings {
    /// The name of the build, as long as it fits; the host compares it with its own.
    pub build: [u8; BUILD_BYTES],
    /// The arena; 0 without one.
    pub arena: u64,
    pub arena_size: u64,
    /// The part of the arena that is the host's heap.
    pub heap: u64,
    pub heap_size: u64,
    /// Where the pages of function pointers are mapped ([`super::stubs`]); 0 where there are none.
    pub stubs: u64,
    /// Where the host's own mappings are to lie; 0 where they may lie anywhere.
    pub window: u64,
    pub window_size: u64,
    /// Whether the host may spin.
    pub spins: u32,
    /// Whether the library keeps the malloc that it has.
    pub keeps_malloc: u32,
}

/// All shared memory except the arena.
#[repr(C, align(4096))]
pub struct Control {
    pub settings: Settings,
    /// Pages of function pointers that are in use: [`super::stubs`].
    pub stub_pages: std::sync::atomic::AtomicU32,
    /// The marks of the threads that serve the channels. That of [`FOREIGN`], which none serves, is of the host's main
    /// thread.
    pub threads: [ThreadMark; CHANNELS],
    /// The report that the host writes when a signal ends it.
    pub report: Report,
    pub channels: [Channel; CHANNELS],
}

/// Memory for a report of death.
#[repr(C, align(4096))]
pub struct Report(UnsafeCell<DeathReport>);

impl Report {
    /// Where it lies.
    pub fn get(&self) -> *mut DeathReport {
        self.0.get()
    }
}

// SAFETY: the bytes are only copied in and out, never referenced, because another process may write them at any time.
unsafe impl Sync for Report {}
// SAFETY: as above; the rest are atomics.
unsafe impl Sync for Direction {}
