//! JavaScript strings on their way to C, by Node-API: what cannot be read where the engine keeps it, and texts that
//! outlive the native entry.
#![expect(unsafe_code, reason = "reads JavaScript strings")]

use std::ptr::null_mut;
use std::sync::Arc;

use napi::sys;

use super::value::{Rooted, Unpinned};
use crate::memory::block_source::BlockSource;
use crate::memory::fence::block::Fenced;
use crate::memory::fence::block_cache::CachedBlock;
use crate::memory::fence::heap;
use crate::memory::raw;
use crate::memory::string_arena::StringArena;
use crate::memory::text::characters::Characters;
use crate::memory::text::encoding::{Encoding, HasNul};

/// Text that did not fit the arena: a separate block.
#[derive(Debug)]
pub struct OwnedText(Fenced, usize);

impl Drop for OwnedText {
    fn drop(&mut self) {
        // SAFETY: M10; the call that the text was made for is over.
        unsafe { heap::free(self.0, self.1) };
    }
}

/// The units of UTF-16 of a JavaScript string; `None` for every other value.
fn text_units(value: Rooted<'_>) -> Option<usize> {
    let mut length = 0;
    // SAFETY: the value is rooted; with no buffer only the length is written.
    let status = unsafe { sys::napi_get_value_string_utf16(value.env(), value.raw(), null_mut(), 0, &mut length) };
    (status == sys::Status::napi_ok).then_some(length)
}

/// A copy of the units of a JavaScript string; `None` for every other value.
pub fn copy_units(value: Rooted<'_>) -> Option<Vec<u16>> {
    let mut units = vec![0; text_units(value)? + 1];
    let (mut used, start, room) = (0, units.as_mut_ptr(), units.len());
    // SAFETY: the value is rooted; Node-API writes as many as there is room for, and a NUL.
    let status = unsafe { sys::napi_get_value_string_utf16(value.env(), value.raw(), start, room, &mut used) };
    units.truncate(used);
    (status == sys::Status::napi_ok).then_some(units)
}

/// The bytes of a JavaScript string in an encoding with a NUL behind it; `None` for every other value.
pub fn text_size(value: Rooted<'_>, encoding: Encoding) -> Option<usize> {
    match encoding {
        Encoding::Utf8 => {
            let mut length = 0;
            // SAFETY: the value is rooted; with no buffer only the length is written.
            let status =
                unsafe { sys::napi_get_value_string_utf8(value.env(), value.raw(), null_mut(), 0, &mut length) };
            (status == sys::Status::napi_ok).then_some(length + 1)
        }
        Encoding::Utf16 => text_units(value).map(|units| (units + 1) * encoding.unit()),
        Encoding::Utf32 => copy_units(value).map(|units| utf32_size(&units)),
    }
}

/// The bytes of UTF-32 with a NUL.
fn utf32_size(units: &[u16]) -> usize {
    (char::decode_utf16(units.iter().copied()).count() + 1) * Encoding::Utf32.unit()
}

/// Writes units in an encoding with a NUL: the bytes of both. `to` has room for the whole.
fn encode_units(units: &[u16], encoding: Encoding, to: &mut [u8]) -> Result<usize, Unpinned> {
    Characters::Utf16(units).encode(encoding, to).map_err(|HasNul| Unpinned::HasNul)
}

/// Makes the engine put the characters of a string in one piece; false for any other value.
#[cfg(v8_abi)]
pub fn flatten(value: Rooted<'_>) -> bool {
    let mut nul = 0u8;
    let to = (&raw mut nul).cast();
    // SAFETY: the value is rooted; of a buffer of one byte only a NUL is written.
    let status = unsafe { sys::napi_get_value_string_utf8(value.env(), value.raw(), to, 1, null_mut()) };
    status == sys::Status::napi_ok
}

/// Encodes a JavaScript string with a NUL behind it into a new block, which `owned` keeps. Returns the block and its
/// length in bytes with the NUL.
///
/// # Errors
/// If the value is no string, has a NUL in it, or there is no memory for it.
pub fn text(
    value: Rooted<'_>,
    encoding: Encoding,
    source: Option<&Arc<dyn BlockSource>>,
    owned: &mut Vec<OwnedText>,
) -> Result<(Fenced, usize), Unpinned> {
    // Node-API writes no UTF-32: the units are copied, once for the length and for the text.
    let units = match encoding {
        Encoding::Utf32 => Some(copy_units(value).ok_or(Unpinned::NotAView)?),
        Encoding::Utf8 | Encoding::Utf16 => None,
    };
    let length = match &units {
        Some(units) => utf32_size(units),
        None => text_size(value, encoding).ok_or(Unpinned::NotAView)?,
    };
    let block = match source {
        Some(source) => heap::allocate_from(source, length, 16),
        None => heap::allocate_uninitialized(length),
    };
    let block = block.ok_or(Unpinned::NoMemory(length))?;
    owned.push(OwnedText(block, length));
    // SAFETY: M8; the block has space for as much.
    let to = unsafe { raw::bytes_mut(block.data().as_ptr(), length) };
    match units {
        Some(units) => encode_units(&units, encoding, to)?,
        None => encode(value, encoding, to)?,
    };
    Ok((block, length))
}

/// Encodes a JavaScript string into the arena with a NUL behind it; `None` for any other value, for a text with a NUL
/// in it, and where there is no room.
pub fn short_text(value: Rooted<'_>, encoding: Encoding, strings: &StringArena) -> Option<CachedBlock> {
    let most = encoding.most_bytes(text_units(value)?);
    strings.fill(most, |to| encode(value, encoding, to).ok())
}

/// Writes a string and a NUL: the bytes of both. `to` has room for the whole.
///
/// # Errors
/// If the value is no string, or has a NUL in it.
fn encode(text: Rooted<'_>, encoding: Encoding, to: &mut [u8]) -> Result<usize, Unpinned> {
    let (env, value) = (text.env(), text.raw());
    let checked =
        |status: sys::napi_status| if status == sys::Status::napi_ok { Ok(()) } else { Err(Unpinned::NotAView) };
    let mut used = 0;
    match encoding {
        Encoding::Utf8 => {
            // SAFETY: the value is rooted; Node-API writes at most what there is room for, and a NUL behind it.
            checked(unsafe {
                sys::napi_get_value_string_utf8(env, value, to.as_mut_ptr().cast(), to.len(), &mut used)
            })?;
            // SAFETY: the bytes and the NUL are in `to`.
            if unsafe { raw::ends_at(to.as_ptr(), used) } { Ok(used + 1) } else { Err(Unpinned::HasNul) }
        }
        Encoding::Utf16 => {
            let room = to.len() / encoding.unit();
            // SAFETY: as above; a block begins at a multiple of sixteen.
            checked(unsafe { sys::napi_get_value_string_utf16(env, value, to.as_mut_ptr().cast(), room, &mut used) })?;
            let has_nul = to.as_chunks::<2>().0[..used].contains(&[0; 2]);
            if has_nul { Err(Unpinned::HasNul) } else { Ok((used + 1) * encoding.unit()) }
        }
        Encoding::Utf32 => {
            let units = copy_units(text).ok_or(Unpinned::NotAView)?;
            encode_units(&units, encoding, to)
        }
    }
}
