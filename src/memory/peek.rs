//! Reads and writes through raw addresses: `read.*`, `write.*` and C strings.
#![expect(unsafe_code, reason = "touches memory at an address the user gave")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw copies")]

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;

use super::address::{Address, LOWEST, Span};
use super::frame::Frame;
use crate::error::{FfiError, Result};

/// The pointer of an address that is at least not in the first page (M5).
fn checked(address: usize) -> Option<NonNull<u8>> {
    if address < LOWEST { None } else { Address::new(address).and_then(|address| NonNull::new(address.as_ptr())) }
}

/// Copies `length` bytes from an address to the start of the frame; false for an address in the first page.
///
/// # Safety
/// U2: `length` bytes are readable at `address`.
pub unsafe fn load(frame: &Frame, address: usize, length: usize) -> bool {
    let Some(source) = checked(address) else { return false };
    // SAFETY: M5, and U2 by the contract of this function.
    unsafe { frame.put_from(0, source, length) };
    true
}

/// Copies `length` bytes from the start of the frame to an address; false for an address in the first page.
///
/// # Safety
/// U2: `length` bytes are writable at `address`.
pub unsafe fn store(frame: &Frame, address: usize, length: usize) -> bool {
    let Some(target) = checked(address) else { return false };
    // SAFETY: M5, and U2 by the contract of this function.
    unsafe { frame.take_to(0, target, length) };
    true
}

/// The bytes of a C string without its NUL, or the first `length` bytes; `None` for an address in the first page.
///
/// # Safety
/// U2: the bytes up to the NUL, or `length` bytes, are readable at `address` for as long as the slice is used.
pub unsafe fn text<'a>(address: usize, length: Option<usize>) -> Result<Option<&'a [u8]>> {
    let Some(start) = checked(address) else { return Ok(None) };
    Ok(Some(match length {
        Some(length) => {
            let start = Address::new(address)
                .ok_or_else(|| FfiError::Internal { reason: "a checked address is not NULL".into() })?;
            let span = Span::new(start, length)?;
            // SAFETY: M5, and U2 by the contract of this function.
            unsafe { std::slice::from_raw_parts(span.start.as_ptr(), span.length) }
        }
        // SAFETY: M5, and U2 by the contract of this function.
        None => unsafe { CStr::from_ptr(start.as_ptr().cast::<c_char>()) }.to_bytes(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_is_refused() {
        let mut memory = [0u8; 16];
        // SAFETY: M1; the array outlives the frame.
        let frame = unsafe { Frame::new(NonNull::from(&mut memory).cast(), 16) };
        for address in [0, 1, 64, 4095] {
            // SAFETY: M5; nothing is read.
            assert!(unsafe { !load(&frame, address, 8) && !store(&frame, address, 8) });
            // SAFETY: M5; nothing is read.
            assert!(unsafe { text(address, None) }.unwrap().is_none());
        }
    }
}
