//! The answer to a [`Kind::Callback`]: the bytes of the callback's result, or of its signature, and errno.

use super::channel::{End, Head};
use super::wire::{Kind, WORDS};

/// What a callback has left for the C function that called it.
#[derive(Default)]
pub struct CallbackResult {
    pub bytes: Vec<u8>,
    /// errno of the thread that called, which only JavaScript changes: `errno(value)`.
    pub errno: i32,
}

impl CallbackResult {
    /// Sends it to the host.
    pub fn post(&self, end: &End<'_>) {
        let head = Head { status: self.errno as u32, ..Head::new(Kind::CallbackResult, [0; WORDS]) };
        end.post(head, &[&self.bytes]);
    }

    /// The result that a message has.
    pub fn received(head: &Head, bytes: Vec<u8>) -> Self {
        Self { bytes, errno: head.status as i32 }
    }
}
