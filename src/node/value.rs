//! The storage of JavaScript values that native code uses while a call is under way: views and buffers.
#![expect(unsafe_code, reason = "asks Node-API for the storage of a value")]

use std::ffi::c_void;
use std::ptr::null_mut;

use napi::sys;

use crate::memory::address::{Address, Span};
use crate::memory::fence::borrows::Storage;

/// Why a pin has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpinned {
    /// The storage was detached.
    Detached,
    /// The storage can be resized.
    Resizable,
    /// It is no view, buffer or string.
    NotAView,
    /// It is a string with a NUL in it.
    HasNul,
    /// There is no memory for its copy, of so many bytes.
    NoMemory(usize),
    /// The process of the function does not share it, and the call does not wait.
    NotShared,
}

/// The storage of a view or a buffer that is attached.
#[derive(Clone, Copy, Debug)]
pub enum Pinned {
    /// A view of no bytes, and the buffer it is of.
    Empty(sys::napi_value),
    /// A view of some, and the buffer it is of.
    Bytes(Storage, sys::napi_value),
}

const FLOAT16: sys::napi_typedarray_type = 11;
/// Bytes an element, by `napi_typedarray_type`.
const ELEMENT_SIZE: [usize; 12] = [1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2];

/// The storage of a typed array, DataView, ArrayBuffer or SharedArrayBuffer. Node-API moves a small typed array's
/// storage out of the engine's heap here, for good (promise level 1, External).
///
/// # Errors
/// Why the storage of the value cannot be used.
///
/// # Safety
/// `env` is the current environment and `value` one of its values, rooted while the result is used (M3).
pub unsafe fn storage(env: sys::napi_env, value: sys::napi_value) -> Result<Pinned, Unpinned> {
    let mut data = null_mut();
    let mut buffer = null_mut();
    // A kind that Node-API does not know leaves `kind` as it is: a Float16Array before Node-API knew it.
    let (mut kind, mut count, mut offset) = (FLOAT16, 0, 0);
    // SAFETY: M3; the out-parameters are locals.
    unsafe {
        if sys::napi_get_typedarray_info(env, value, &mut kind, &mut count, &mut data, &mut buffer, &mut offset)
            == sys::Status::napi_ok
        {
            let size = usize::try_from(kind).ok().and_then(|kind| ELEMENT_SIZE.get(kind)).copied().unwrap_or(1);
            return pinned(env, buffer, data, count * size, offset);
        }
        if sys::napi_get_dataview_info(env, value, &mut count, &mut data, &mut buffer, &mut offset)
            == sys::Status::napi_ok
        {
            return pinned(env, buffer, data, count, offset);
        }
        if sys::napi_get_arraybuffer_info(env, value, &mut data, &mut count) == sys::Status::napi_ok {
            return pinned(env, value, data, count, 0);
        }
    }
    Err(Unpinned::NotAView)
}

/// The bytes of a view or buffer; `None` for other values, and where there are none.
///
/// # Safety
/// As [`storage`].
pub unsafe fn span(env: sys::napi_env, value: sys::napi_value) -> Option<Span> {
    // SAFETY: by the contract of this function.
    match unsafe { storage(env, value) } {
        Ok(Pinned::Bytes(storage, _)) => Some(storage.view),
        _ => None,
    }
}

/// # Safety
/// As [`storage`].
unsafe fn pinned(
    env: sys::napi_env,
    buffer: sys::napi_value,
    data: *mut c_void,
    length: usize,
    offset: usize,
) -> Result<Pinned, Unpinned> {
    if length > 0
        && let Some(start) = Address::new(data.expose_provenance())
        && let Ok(view) = Span::new(start, length)
    {
        return Ok(Pinned::Bytes(Storage { view, offset }, buffer));
    }
    let mut detached = false;
    // SAFETY: M3; `detached` is a local. A SharedArrayBuffer is refused by this function, and is never detached.
    unsafe { sys::napi_is_detached_arraybuffer(env, buffer, &mut detached) };
    if detached { Err(Unpinned::Detached) } else { Ok(Pinned::Empty(buffer)) }
}

/// The bytes of a view; `None` for every other value, an empty view and a detached one.
///
/// # Safety
/// As [`storage`].
#[inline(never)]
pub unsafe fn view(env: sys::napi_env, value: sys::napi_value) -> Option<Span> {
    let (mut is_view, mut data, mut length) = (false, null_mut(), 0);
    // SAFETY: M3; the out-parameters are locals. In Node any view passes for a Buffer, and nothing else does.
    unsafe {
        if sys::napi_is_buffer(env, value, &mut is_view) != sys::Status::napi_ok
            || !is_view
            || sys::napi_get_buffer_info(env, value, &mut data, &mut length) != sys::Status::napi_ok
            || length == 0
        {
            return None;
        }
    }
    Some(Span { start: Address::new(data.expose_provenance())?, length })
}

/// The bytes of an ArrayBuffer; `None` for a SharedArrayBuffer.
///
/// # Safety
/// As [`storage`].
pub unsafe fn buffer_length(env: sys::napi_env, buffer: sys::napi_value) -> Option<usize> {
    let mut length = 0;
    // SAFETY: M3; `length` is a local.
    let status = unsafe { sys::napi_get_arraybuffer_info(env, buffer, null_mut(), &mut length) };
    (status == sys::Status::napi_ok).then_some(length)
}

/// Whether a value is a JavaScript string.
///
/// # Safety
/// As [`storage`].
pub unsafe fn is_string(env: sys::napi_env, value: sys::napi_value) -> bool {
    let mut kind = 0;
    // SAFETY: M3; `kind` is a local.
    unsafe { sys::napi_typeof(env, value, &mut kind) == sys::Status::napi_ok && kind == sys::ValueType::napi_string }
}
