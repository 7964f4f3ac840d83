//! The bytes behind the head of a message.
#![expect(unsafe_code, reason = "shares memory with another process")]

use std::cell::UnsafeCell;

/// The most bytes that follow the head of a message. With the head they are 17 pages: more than the argument buffer.
pub const PAYLOAD: usize = 17 * 4096 - 64;

/// Bytes that one side writes and the other reads, by turns. A host that does not keep to the turns changes bytes while
/// they are copied: they are bytes all the same.
#[repr(transparent)]
pub struct Payload(UnsafeCell<[u8; PAYLOAD]>);

impl Payload {
    /// Copies bytes in. False where they do not fit.
    pub fn write(&self, at: usize, bytes: &[u8]) -> bool {
        if at > PAYLOAD || bytes.len() > PAYLOAD - at {
            return false;
        }
        // SAFETY: there is room for the bytes, as was just compared, and only this side writes it.
        unsafe { self.0.get().cast::<u8>().add(at).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        true
    }

    /// Copies bytes out, into a vector that holds nothing else afterwards. False where there are not so many.
    pub fn read(&self, length: usize, to: &mut Vec<u8>) -> bool {
        if length > PAYLOAD {
            return false;
        }
        to.clear();
        to.reserve(length);
        // SAFETY: there are so many bytes, as was just compared, and so is the vector's memory.
        unsafe {
            to.as_mut_ptr().copy_from_nonoverlapping(self.0.get().cast::<u8>(), length);
            to.set_len(length);
        }
        true
    }
}
