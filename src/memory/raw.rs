//! Reads and writes through raw addresses: `read.*`, `write.*` and C strings.
#![expect(unsafe_code, reason = "touches memory at an address the user gave")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw copies")]

use std::borrow::Cow;
use std::ffi::{CStr, c_char};
use std::ptr::NonNull;

use super::address::{Address, LOWEST, Span};
use super::arg_buffer::{ArgBuffer, HEAD_BYTES};
use super::other_memory;
use super::probe::{self, Access, PAGE};
use super::text::encoding::Encoding;

/// The check of raw addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointerCheck {
    /// Addresses in the first page are refused (M5).
    LowPage,
    /// Addresses that are not mapped are refused as well.
    Mapped,
}

/// The span of an address and a length, if the check allows the access.
pub fn checked(address: usize, length: usize, access: Access, pointer_check: PointerCheck) -> Option<Span> {
    let span = Span::new(Address::new(address).filter(|_| address >= LOWEST)?, length).ok()?;
    (pointer_check == PointerCheck::LowPage || probe::is_mapped(span, access)).then_some(span)
}

/// Whether the first NUL at an address is the one behind so many bytes. It is looked for no further: another process
/// may change the bytes.
///
/// # Safety
/// U2: the bytes and one more are readable.
pub unsafe fn ends_at(start: *const u8, length: usize) -> bool {
    // SAFETY: by the contract of this function.
    let bytes = unsafe { std::slice::from_raw_parts(start, length + 1) };
    CStr::from_bytes_until_nul(bytes).is_ok_and(|text| text.count_bytes() == length)
}

/// A copy of the bytes of a span.
///
/// # Safety
/// U2: the span is readable.
pub unsafe fn copy(span: Span) -> Vec<u8> {
    let mut bytes = vec![0; span.length];
    // SAFETY: by the contract of this function.
    unsafe { span.start.as_ptr().copy_to_nonoverlapping(bytes.as_mut_ptr(), span.length) };
    bytes
}

/// Copies `length` bytes from an address to where the values of the argument buffer begin; false for an address that is
/// refused.
///
/// # Safety
/// U2: `length` bytes are readable at `address`.
pub unsafe fn load(arg_buffer: &ArgBuffer, address: usize, length: usize, pointer_check: PointerCheck) -> bool {
    if let Some(other) = other_memory::at(address) {
        let mut bytes = vec![0; length];
        let is_read = other.read(address, &mut bytes);
        arg_buffer.put(HEAD_BYTES, &bytes);
        return is_read;
    }
    let span = checked(address, length, Access::Read, pointer_check);
    let Some(source) = span.and_then(|span| NonNull::new(span.start.as_ptr())) else { return false };
    // SAFETY: M5, and U2 by the contract of this function.
    unsafe { arg_buffer.put_from(HEAD_BYTES, source, length) };
    true
}

/// Copies a scalar of `size` bytes from an address to the first word of the argument buffer at another, by one access.
///
/// # Safety
/// U2: `size` bytes are readable at `address`. M1: `arg_buffer` is the address of an argument buffer.
#[cfg(v8_abi)]
#[inline]
pub unsafe fn load_word(arg_buffer: usize, address: usize, size: u32) {
    let target = std::ptr::with_exposed_provenance_mut::<u64>(arg_buffer);
    let from = std::ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: U2 and M1 by the contract of this function.
    unsafe {
        let word = match size {
            1 => u64::from(from.read()),
            2 => u64::from(from.cast::<u16>().read_unaligned()),
            4 => u64::from(from.cast::<u32>().read_unaligned()),
            _ => from.cast::<u64>().read_unaligned(),
        };
        target.write_unaligned(word);
    }
}

/// The pointer at an address.
///
/// # Safety
/// U2: a word is readable at `address`.
#[cfg(v8_abi)]
#[inline]
pub unsafe fn pointer_at(address: usize) -> usize {
    // SAFETY: by the contract of this function.
    unsafe { std::ptr::with_exposed_provenance::<usize>(address).read_unaligned() }
}

/// The bytes of a text of 2 or 4 bytes a unit, without its NUL; copied where they are of another process. `None` for an
/// address that is refused.
///
/// # Safety
/// U2: the bytes up to the NUL are readable at `address` for as long as the slice is used.
pub unsafe fn wide_text<'a>(address: usize, unit: usize, pointer_check: PointerCheck) -> Option<Cow<'a, [u8]>> {
    if let Some(other) = other_memory::at(address) {
        return other.text(address, unit).map(Cow::Owned);
    }
    let start = checked(address, unit, Access::Read, pointer_check)?.start.as_ptr().cast_const();
    // SAFETY: M5, and U2 by the contract of this function; with `Mapped` as far as the memory is mapped.
    let length = unsafe {
        match (pointer_check, unit) {
            (PointerCheck::LowPage, 2) => units_before_nul::<u16>(start) * 2,
            (PointerCheck::LowPage, _) => units_before_nul::<u32>(start) * 4,
            (PointerCheck::Mapped, _) => wide_length_in_mapped(address, unit)?,
        }
    };
    // SAFETY: U2, as above.
    Some(Cow::Borrowed(unsafe { std::slice::from_raw_parts(start, length) }))
}

/// The number of units before the first NUL. None after that is read: they may not be mapped.
///
/// # Safety
/// The units up to a NUL may be read.
#[inline(always)]
unsafe fn units_before_nul<T: Default + PartialEq>(start: *const u8) -> usize {
    let start = start.cast::<T>();
    let mut count = 0;
    loop {
        // A branch for each of four units, and one more for all of them.
        for next in count..count + 4 {
            // SAFETY: by the contract of this function; no unit before this one was the NUL.
            if unsafe { start.add(next).read_unaligned() } == T::default() {
                return next;
            }
        }
        count += 4;
    }
}

/// The distance to the NUL of a text of 2 or 4 bytes a unit, in mapped pages.
///
/// # Safety
/// U2: memory that is mapped may be read.
unsafe fn wide_length_in_mapped(address: usize, unit: usize) -> Option<usize> {
    let mut length = 0;
    loop {
        let here = address.checked_add(length)?;
        // A unit may lie across the end of a page.
        let units = ((PAGE - here % PAGE) / unit).max(1);
        let span = checked(here, units * unit, Access::Read, PointerCheck::Mapped)?;
        // SAFETY: U2 by the contract of this function; the units were found to be mapped.
        let bytes = unsafe { std::slice::from_raw_parts(span.start.as_ptr(), span.length) };
        match bytes.chunks_exact(unit).position(|unit| unit.iter().all(|byte| *byte == 0)) {
            Some(before) => return Some(length + before * unit),
            None => length += span.length,
        }
    }
}

/// Copies `length` bytes from where the values of the argument buffer begin to an address; false for an address that is
/// refused.
///
/// # Safety
/// U2: `length` bytes are writable at `address`.
pub unsafe fn store(arg_buffer: &ArgBuffer, address: usize, length: usize, pointer_check: PointerCheck) -> bool {
    if let Some(other) = other_memory::at(address) {
        return other.write(address, &arg_buffer.copy_out(HEAD_BYTES, length));
    }
    let span = checked(address, length, Access::Write, pointer_check);
    let Some(target) = span.and_then(|span| NonNull::new(span.start.as_ptr())) else { return false };
    // SAFETY: M5, and U2 by the contract of this function.
    unsafe { arg_buffer.take_to(HEAD_BYTES, target, length) };
    true
}

/// As [`text`], of another process's memory as well: copied there.
///
/// # Safety
/// As [`text`].
pub unsafe fn any_text<'a>(
    address: usize,
    length: Option<usize>,
    pointer_check: PointerCheck,
) -> Option<Cow<'a, [u8]>> {
    let Some(other) = other_memory::at(address) else {
        // SAFETY: by the contract of this function.
        return unsafe { text(address, length, pointer_check) }.map(Cow::Borrowed);
    };
    let Some(length) = length else { return other.text(address, 1).map(Cow::Owned) };
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).ok()?;
    bytes.resize(length, 0);
    other.read(address, &mut bytes).then_some(Cow::Owned(bytes))
}

/// The bytes of a text in an encoding, up to its NUL.
///
/// # Safety
/// As [`text`].
pub unsafe fn text_in<'a>(encoding: Encoding, address: usize, pointer_check: PointerCheck) -> Option<Cow<'a, [u8]>> {
    // SAFETY: by the contract of this function.
    unsafe {
        match encoding {
            Encoding::Utf8 => any_text(address, None, pointer_check),
            _ => wide_text(address, encoding.unit(), pointer_check),
        }
    }
}

/// The bytes of a C string without its NUL, or the first `length` bytes; `None` for an address that is refused.
///
/// # Safety
/// U2: the bytes up to the NUL, or `length` bytes, are readable at `address` for as long as the slice is used.
pub unsafe fn text<'a>(address: usize, length: Option<usize>, pointer_check: PointerCheck) -> Option<&'a [u8]> {
    let length = match length {
        Some(length) => length,
        None if pointer_check == PointerCheck::LowPage => {
            let start = checked(address, 1, Access::Read, pointer_check)?.start;
            // SAFETY: M5, and U2 by the contract of this function.
            return Some(unsafe { CStr::from_ptr(start.as_ptr().cast::<c_char>()) }.to_bytes());
        }
        // SAFETY: U2 by the contract of this function, which goes as far as the memory is mapped.
        None => unsafe { length_in_mapped(address) }?,
    };
    let span = checked(address, length, Access::Read, pointer_check)?;
    // SAFETY: M5, and U2 by the contract of this function.
    Some(unsafe { std::slice::from_raw_parts(span.start.as_ptr(), span.length) })
}

/// The distance to the NUL, in mapped pages.
///
/// # Safety
/// U2: memory that is mapped may be read.
unsafe fn length_in_mapped(address: usize) -> Option<usize> {
    let mut length = 0;
    loop {
        let here = address.checked_add(length)?;
        let rest = PAGE - here % PAGE;
        let span = checked(here, rest, Access::Read, PointerCheck::Mapped)?;
        // One by one: the bytes after the NUL may not be mapped.
        // SAFETY: U2 by the contract of this function; the page was found to be mapped.
        match (0..rest).find(|at| unsafe { span.start.as_ptr().add(*at).read() } == 0) {
            Some(at) => return Some(length + at),
            None => length += rest,
        }
    }
}

/// A slice over bytes that are to be written.
///
/// # Safety
/// M1 or M8: so many bytes are there, and only this call uses them while it has the slice.
#[inline]
pub unsafe fn bytes_mut<'a>(start: *mut u8, length: usize) -> &'a mut [u8] {
    // SAFETY: by the contract of this function.
    unsafe { std::slice::from_raw_parts_mut(start, length) }
}

/// The elements of an object of the engine from an offset on.
///
/// # Safety
/// M15: the object has as many of that type there, aligned, and does not move or change while the slice is used.
#[cfg(v8_abi)]
#[inline]
pub unsafe fn elements<'a, T>(object: Address, offset: usize, count: usize) -> &'a [T] {
    // SAFETY: by the contract of this function.
    unsafe { std::slice::from_raw_parts(object.as_ptr().add(offset).cast::<T>(), count) }
}

/// The word at an offset from an address.
///
/// # Safety
/// M15: there is an object of the engine, as long as that, which does not move meanwhile.
#[cfg(v8_abi)]
pub unsafe fn word(object: Address, offset: usize) -> usize {
    // SAFETY: by the contract of this function.
    unsafe { object.as_ptr().add(offset).cast::<usize>().read_unaligned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_is_refused() {
        let mut memory = [0u8; 48];
        // SAFETY: M1; the array outlives the argument buffer.
        let arg_buffer = unsafe { ArgBuffer::new(NonNull::from(&mut memory).cast(), 48) };
        for address in [0, 1, 64, 4095] {
            for pointer_check in [PointerCheck::LowPage, PointerCheck::Mapped] {
                // SAFETY: M5; nothing is read.
                assert!(unsafe {
                    !load(&arg_buffer, address, 8, pointer_check) && !store(&arg_buffer, address, 8, pointer_check)
                });
                // SAFETY: M5; nothing is read.
                assert!(unsafe { text(address, None, pointer_check) }.is_none());
            }
        }
    }

    #[test]
    fn text_is_found_page_by_page() {
        let long = [vec![b'x'; 3 * PAGE + 5], vec![0, b'y']].concat();
        let address = long.as_ptr().expose_provenance();
        for pointer_check in [PointerCheck::LowPage, PointerCheck::Mapped] {
            // SAFETY: U2; the vector holds a NUL.
            assert_eq!(unsafe { text(address, None, pointer_check) }.unwrap().len(), 3 * PAGE + 5);
            // SAFETY: U2; the vector is longer.
            assert_eq!(unsafe { text(address, Some(7), pointer_check) }.unwrap(), b"xxxxxxx");
        }
    }

    #[test]
    fn wide_text_is_found_page_by_page() {
        for unit in [2, 4] {
            for offset in [0, 1] {
                let long = [vec![b'x'; 2 * PAGE + 8 * unit + offset], vec![0; unit], vec![b'y'; 8]].concat();
                let address = long.as_ptr().expose_provenance() + offset;
                for pointer_check in [PointerCheck::LowPage, PointerCheck::Mapped] {
                    // SAFETY: U2; the vector holds a NUL.
                    let found = unsafe { wide_text(address, unit, pointer_check) };
                    assert_eq!(found.unwrap().len(), 2 * PAGE + 8 * unit);
                }
            }
        }
    }
}
