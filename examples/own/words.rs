// A cdylib: texts in and out, and memory that Rust made and takes back.
use std::ffi::{CStr, CString, c_char};

/// Counts the words of a text.
///
/// # Safety
/// `text` points to a text that ends with a NUL, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn count_words(text: *const c_char) -> u32 {
    if text.is_null() {
        return 0;
    }
    // SAFETY: promised by the caller.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_string_lossy().split_whitespace().count() as u32
}

/// Gives a text in capitals, to be given back to `free_text`; NULL for NULL.
///
/// # Safety
/// `text` points to a text that ends with a NUL, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn shout(text: *const c_char) -> *mut c_char {
    if text.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: promised by the caller.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy().to_uppercase();
    CString::new(text).map_or(std::ptr::null_mut(), CString::into_raw)
}

/// Takes a text of `shout` back.
///
/// # Safety
/// `text` comes from `shout` and was not given back before, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_text(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: promised by the caller.
        drop(unsafe { CString::from_raw(text) });
    }
}
