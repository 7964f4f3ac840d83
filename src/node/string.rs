//! JavaScript strings from texts of C.
#![expect(unsafe_code, reason = "makes JavaScript strings")]

use std::borrow::Cow;
use std::ptr::null_mut;

use napi::sys;

use super::env::Environment;
use super::error::clear_exception;
use crate::error::FfiError;
use crate::memory::ascii::is_plain;
use crate::memory::text::decode;
use crate::memory::text::encoding::Encoding;

/// A JavaScript string of bytes in an encoding, without a NUL; what is invalid becomes U+FFFD, but a lone surrogate of
/// UTF-16 stays.
///
/// # Errors
/// If the text is too long for a string.
pub fn to_string(environment: &Environment, bytes: &[u8], encoding: Encoding) -> Result<sys::napi_value, FfiError> {
    match encoding {
        Encoding::Utf8 => of_utf8(environment, bytes),
        Encoding::Utf16 => of_utf16(environment, &units_of(bytes)),
        Encoding::Utf32 => {
            let points = bytes.as_chunks().0.iter().map(|bytes| u32::from_ne_bytes(*bytes));
            of_utf16(environment, &decode::utf16_of_utf32(points))
        }
    }
}

/// The units of bytes: copied, where the bytes begin at an odd address.
fn units_of(bytes: &[u8]) -> Cow<'_, [u16]> {
    // SAFETY: any two bytes are a unit.
    let (before, units, after) = unsafe { bytes.align_to::<u16>() };
    if before.is_empty() && after.is_empty() {
        return Cow::Borrowed(units);
    }
    bytes.as_chunks().0.iter().map(|bytes| u16::from_ne_bytes(*bytes)).collect()
}

fn of_utf8(environment: &Environment, bytes: &[u8]) -> Result<sys::napi_value, FfiError> {
    // ASCII is Latin-1, of which the engine makes a string without decoding.
    let is_plain = is_plain(bytes);
    #[cfg(v8_abi)]
    if let Some(v8) = environment.v8.templates.get() {
        let text = if is_plain {
            // SAFETY: M6; a native function is under way, and its scope is open. In Node a `Local` is a `napi_value`.
            unsafe { v8.text(bytes) }
        } else {
            of_decoded(environment, bytes, |units| {
                // SAFETY: as above.
                unsafe { v8.wide_text(units) }
            })
        };
        if let Some(text) = text {
            return Ok(text.cast());
        }
    }
    let create = if is_plain { sys::napi_create_string_latin1 } else { sys::napi_create_string_utf8 };
    // SAFETY: M6; the bytes are a slice.
    created(environment, bytes.len(), |string| unsafe {
        create(environment.raw, bytes.as_ptr().cast(), bytes.len() as isize, string)
    })
}

/// What `make` makes of the units of UTF-8; `None` where the bytes are no UTF-8, or there is no memory to decode them
/// in.
#[cfg(v8_abi)]
fn of_decoded<T>(environment: &Environment, bytes: &[u8], make: impl FnOnce(&[u16]) -> Option<T>) -> Option<T> {
    let room = decode::most_units(bytes.len());
    let decoded = environment.calls.strings.lend(room.checked_mul(size_of::<u16>())?, |memory| {
        // SAFETY: any two bytes are a unit; the memory is aligned.
        let (_, units, _) = unsafe { memory.align_to_mut::<u16>() };
        let used = decode::utf16_of_utf8(bytes, units)?;
        make(&units[..used])
    });
    decoded.flatten()
}

fn of_utf16(environment: &Environment, units: &[u16]) -> Result<sys::napi_value, FfiError> {
    #[cfg(v8_abi)]
    if let Some(v8) = environment.v8.templates.get()
        // SAFETY: M6; a native function is under way, and its scope is open. In Node a `Local` is a `napi_value`.
        && let Some(text) = unsafe { v8.wide_text(units) }
    {
        return Ok(text.cast());
    }
    // SAFETY: M6; the units are a slice.
    created(environment, units.len(), |string| unsafe {
        sys::napi_create_string_utf16(environment.raw, units.as_ptr(), units.len() as isize, string)
    })
}

/// The string that a function of Node-API makes, of so many units.
fn created(
    environment: &Environment,
    length: usize,
    create: impl FnOnce(*mut sys::napi_value) -> sys::napi_status,
) -> Result<sys::napi_value, FfiError> {
    let mut string = null_mut();
    if create(&mut string) == sys::Status::napi_ok {
        return Ok(string);
    }
    clear_exception(environment.raw);
    Err(FfiError::OutOfRange { reason: format!("a text of {length} bytes is longer than a string can be") })
}
