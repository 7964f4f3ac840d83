//! UTF-8 of Latin-1 and of UTF-16: thirty-two bytes at a time where the processor has AVX2, else one by one.

use super::encoding::{Encoding, HasNul};
#[cfg(target_arch = "x86_64")]
use super::utf8_avx2;
use super::utf8_scalar;

/// Writes Latin-1 as UTF-8: how many bytes that takes.
///
/// # Errors
/// [`HasNul`], where a character is NUL.
///
/// # Panics
/// If `to` is shorter than [`Encoding::most_of_latin1`].
#[inline]
pub fn of_latin1(characters: &[u8], to: &mut [u8]) -> Result<usize, HasNul> {
    assert!(to.len() >= Encoding::Utf8.most_of_latin1(characters.len()));
    #[cfg(target_arch = "x86_64")]
    if utf8_avx2::is_there() {
        #[expect(unsafe_code, reason = "is for a processor that has it")]
        // SAFETY: this one has, and there is room.
        return unsafe { utf8_avx2::of_latin1(characters, to) };
    }
    utf8_scalar::of_latin1(characters, to)
}

/// Writes UTF-16 as UTF-8: how many bytes that takes. U+FFFD takes the place of a lone surrogate.
///
/// # Errors
/// [`HasNul`], where a unit is NUL.
///
/// # Panics
/// If `to` is shorter than [`Encoding::most_bytes`].
#[inline]
pub fn of_utf16(units: &[u16], to: &mut [u8]) -> Result<usize, HasNul> {
    assert!(to.len() >= Encoding::Utf8.most_bytes(units.len()));
    #[cfg(target_arch = "x86_64")]
    if utf8_avx2::is_there() {
        #[expect(unsafe_code, reason = "is for a processor that has it")]
        // SAFETY: this one has, and there is room.
        return unsafe { utf8_avx2::of_utf16(units, to) };
    }
    utf8_scalar::of_utf16(units, to)
}
