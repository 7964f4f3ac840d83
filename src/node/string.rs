//! JavaScript strings from texts of C.
#![expect(unsafe_code, reason = "makes JavaScript strings")]

use std::ptr::null_mut;

use napi::sys;

use super::env::Environment;
use super::error::clear_exception;
use crate::error::FfiError;
use crate::memory::ascii::is_plain;

/// A JavaScript string of UTF-8 bytes; invalid ones become U+FFFD.
///
/// # Errors
/// If the text is too long for a string.
pub fn to_string(environment: &Environment, bytes: &[u8]) -> Result<sys::napi_value, FfiError> {
    let (env, mut string) = (environment.raw, null_mut());
    // ASCII is Latin-1, of which the engine makes a string without decoding.
    let is_plain = is_plain(bytes);
    #[cfg(v8_abi)]
    if is_plain
        && let Some(v8) = environment.v8.templates.get()
        // SAFETY: M6; a native function is under way, and its scope is open. In Node a `Local` is a `napi_value`.
        && let Some(text) = unsafe { v8.text(bytes) }
    {
        return Ok(text.cast());
    }
    let create = if is_plain { sys::napi_create_string_latin1 } else { sys::napi_create_string_utf8 };
    // SAFETY: M6; the bytes are a slice.
    let status = unsafe { create(env, bytes.as_ptr().cast(), bytes.len() as isize, &mut string) };
    if status == sys::Status::napi_ok {
        return Ok(string);
    }
    clear_exception(env);
    Err(FfiError::OutOfRange { reason: format!("a text of {} bytes is longer than a string can be", bytes.len()) })
}
