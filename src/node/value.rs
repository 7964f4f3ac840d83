//! The storage of JavaScript values that native code uses while a call is under way: views, buffers and strings.
#![expect(unsafe_code, reason = "asks Node-API for the storage of a value")]

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use napi::sys;

use crate::memory::address::{Address, Span};
use crate::memory::block_source::BlockSource;
use crate::memory::fence::block::Fenced;
use crate::memory::fence::borrows::Storage;
use crate::memory::fence::heap;
use crate::memory::raw;
use crate::memory::string_arena::StringArena;

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
    /// A view of no bytes.
    Empty,
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
    if detached { Err(Unpinned::Detached) } else { Ok(Pinned::Empty) }
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

/// Text that did not fit the arena: a separate block.
#[derive(Debug)]
pub struct OwnedText(Fenced, usize);

impl Drop for OwnedText {
    fn drop(&mut self) {
        // SAFETY: M10; the call that the text was made for is over.
        unsafe { heap::free(self.0, self.1) };
    }
}

/// The bytes of a JavaScript string as UTF-8 with a NUL behind it; `None` for every other value.
///
/// # Safety
/// As [`storage`].
pub unsafe fn text_size(env: sys::napi_env, value: sys::napi_value) -> Option<usize> {
    let mut length = 0;
    // SAFETY: M3; with no buffer only the length is written.
    let status = unsafe { sys::napi_get_value_string_utf8(env, value, null_mut(), 0, &mut length) };
    (status == sys::Status::napi_ok).then_some(length + 1)
}

/// Encodes a JavaScript string as UTF-8 with a NUL behind it, into the arena or, where that is full, into a block of
/// its own that `owned` keeps. The block and its bytes, the NUL among them.
///
/// # Errors
/// If the value is no string, has a NUL in it, or there is no memory for it.
///
/// # Safety
/// As [`storage`].
pub unsafe fn text(
    env: sys::napi_env,
    value: sys::napi_value,
    strings: Option<&StringArena>,
    source: Option<&Arc<dyn BlockSource>>,
    owned: &mut Vec<OwnedText>,
) -> Result<(Fenced, usize), Unpinned> {
    // SAFETY: as of this function.
    if let Some(found) = strings.and_then(|strings| unsafe { short_text(env, value, strings) }) {
        return Ok(found);
    }
    // SAFETY: as of this function.
    let length = unsafe { text_size(env, value) }.ok_or(Unpinned::NotAView)?;
    let block = match source {
        Some(source) => heap::allocate_from(source, length, 16),
        None => heap::allocate_uninitialized(length),
    };
    let block = block.ok_or(Unpinned::NoMemory(length))?;
    owned.push(OwnedText(block, length));
    // SAFETY: M3 and M8; the block has space for as much.
    unsafe { encode(env, value, block.data().as_ptr(), length) }?;
    Ok((block, length))
}

/// Encodes a JavaScript string as UTF-8 into the arena, as [`text`] does; `None` for any other value, and where there
/// is no room.
///
/// # Safety
/// As [`storage`].
pub unsafe fn short_text(env: sys::napi_env, value: sys::napi_value, strings: &StringArena) -> Option<(Fenced, usize)> {
    strings.fill(|free| {
        // SAFETY: as of this function.
        let used = unsafe { encode(env, value, free.as_mut_ptr(), free.len()) }.ok()?;
        // A text that ends in the last 4 bytes may have been cut before a character of 4 bytes.
        (used + 4 < free.len()).then_some(used + 1)
    })
}

/// Writes at most `room` bytes of a string and a NUL; the bytes without it.
///
/// # Safety
/// As [`storage`], and `bytes` is writable for `room` bytes.
unsafe fn encode(env: sys::napi_env, value: sys::napi_value, bytes: *mut u8, room: usize) -> Result<usize, Unpinned> {
    let mut used = 0;
    // SAFETY: M3, and the contract of this function; Node-API puts a NUL behind what it writes.
    let is_whole = unsafe {
        if sys::napi_get_value_string_utf8(env, value, bytes.cast(), room, &mut used) != sys::Status::napi_ok {
            return Err(Unpinned::NotAView);
        }
        raw::ends_at(bytes, used)
    };
    if is_whole { Ok(used) } else { Err(Unpinned::HasNul) }
}
