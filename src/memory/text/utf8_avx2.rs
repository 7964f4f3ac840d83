//! UTF-8 of Latin-1 and of UTF-16 with the instructions of AVX2, eight characters at a time.
//!
//! Eight characters below U+0800 are made two bytes each; a shuffle then drops the second byte of those that are ASCII.
//! Four characters are made three bytes each in the same way. What is left, surrogates, goes one by one.
#![expect(unsafe_code, reason = "reads and writes registers through pointers")]

use std::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_blendv_epi8, _mm_castsi128_ps, _mm_cmpeq_epi8, _mm_cmpeq_epi16, _mm_cmpgt_epi8,
    _mm_cmplt_epi16, _mm_cmplt_epi32, _mm_cvtepu8_epi16, _mm_cvtepu16_epi32, _mm_loadl_epi64, _mm_loadu_si128,
    _mm_movemask_epi8, _mm_movemask_ps, _mm_or_si128, _mm_packs_epi16, _mm_packus_epi16, _mm_set1_epi16,
    _mm_set1_epi32, _mm_setzero_si128, _mm_shuffle_epi8, _mm_slli_epi16, _mm_slli_epi32, _mm_srli_epi16,
    _mm_srli_epi32, _mm_srli_si128, _mm_storel_epi64, _mm_storeu_si128, _mm_testz_si128, _mm256_cmpgt_epi8,
    _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_setzero_si256, _mm256_storeu_si256,
};

use super::encoding::HasNul;
use super::utf8_scalar;

/// The characters that a step takes.
const STEP: usize = 8;
/// A character of one byte that stands for none behind the end of a text.
const FILLER: u8 = 1;

/// Whether the processor has what the functions of this file need.
#[inline]
pub fn is_there() -> bool {
    std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("popcnt")
}

/// The bytes to take of eight units of two bytes each, by the bits of those that have one only.
static OF_TWO: [[u8; 16]; 256] = {
    let mut table = [[0x80; 16]; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut unit, mut at) = (0, 0);
        while unit < 8 {
            table[bits][at] = 2 * unit;
            at += 1;
            if bits >> unit & 1 == 0 {
                table[bits][at] = 2 * unit + 1;
                at += 1;
            }
            unit += 1;
        }
        bits += 1;
    }
    table
};

/// The bytes to take of four units of four bytes each, by the bits of those that have one byte, and above them by the
/// bits of those that have at most two. Others have three.
static OF_THREE: [[u8; 16]; 256] = {
    let mut table = [[0x80; 16]; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut unit, mut at) = (0, 0);
        while unit < 4 {
            let length = 3 - (bits >> unit & 1) - (bits >> (unit + 4) & 1);
            let mut byte = 0;
            while byte < length {
                table[bits][at] = 4 * unit as u8 + byte as u8;
                at += 1;
                byte += 1;
            }
            unit += 1;
        }
        bits += 1;
    }
    table
};

/// Writes Latin-1 as UTF-8: how many bytes that takes.
///
/// # Errors
/// [`HasNul`], where a character is NUL.
///
/// # Safety
/// `to` has two bytes for each character, and a register more.
#[target_feature(enable = "avx2,popcnt")]
pub unsafe fn of_latin1(characters: &[u8], to: &mut [u8]) -> Result<usize, HasNul> {
    const LONG: usize = 32;
    let (start, mut at, mut from) = (to.as_mut_ptr(), 0, 0);
    while from < characters.len() {
        let rest = &characters[from..];
        // SAFETY: what is read is inside of `characters` or of `last`; the rest by the contract of this function.
        unsafe {
            if rest.len() >= LONG {
                let loaded = _mm256_loadu_si256(rest.as_ptr().cast());
                // Neither NUL nor negative.
                if _mm256_movemask_epi8(_mm256_cmpgt_epi8(loaded, _mm256_setzero_si256())) == -1 {
                    _mm256_storeu_si256(start.add(at).cast(), loaded);
                    (at, from) = (at + LONG, from + LONG);
                    continue;
                }
            }
            if rest.len() >= 2 * STEP {
                let loaded = _mm_loadu_si128(rest.as_ptr().cast());
                if _mm_movemask_epi8(_mm_cmpgt_epi8(loaded, _mm_setzero_si128())) == 0xffff {
                    _mm_storeu_si128(start.add(at).cast(), loaded);
                    (at, from) = (at + 2 * STEP, from + 2 * STEP);
                    continue;
                }
                if _mm_movemask_epi8(_mm_cmpeq_epi8(loaded, _mm_setzero_si128())) != 0 {
                    return Err(HasNul);
                }
                at += put_of_two(_mm_cvtepu8_epi16(loaded), start.add(at));
                at += put_of_two(_mm_cvtepu8_epi16(_mm_srli_si128(loaded, STEP as i32)), start.add(at));
                from += 2 * STEP;
                continue;
            }
            let mut last = [FILLER; 2 * STEP];
            last[..rest.len()].copy_from_slice(rest);
            if last.contains(&0) {
                return Err(HasNul);
            }
            let fillers = last.len() - rest.len();
            for half in last.as_chunks::<STEP>().0.iter().take(rest.len().div_ceil(STEP)) {
                at += put_of_two(_mm_cvtepu8_epi16(_mm_loadl_epi64(half.as_ptr().cast())), start.add(at));
            }
            return Ok(at - fillers % STEP);
        }
    }
    Ok(at)
}

/// Writes UTF-16 as UTF-8: how many bytes that takes. U+FFFD takes the place of a lone surrogate.
///
/// # Errors
/// [`HasNul`], where a unit is NUL.
///
/// # Safety
/// `to` has three bytes for each unit, and two registers more.
#[target_feature(enable = "avx2,popcnt")]
pub unsafe fn of_utf16(units: &[u16], to: &mut [u8]) -> Result<usize, HasNul> {
    let (start, mut at, mut from) = (to.as_mut_ptr(), 0, 0);
    while from < units.len() {
        let rest = &units[from..];
        // SAFETY: what is read is inside of `units` or of `last`; the rest by the contract of this function.
        unsafe {
            if rest.len() >= 2 * STEP {
                let (first, second) =
                    (_mm_loadu_si128(rest.as_ptr().cast()), _mm_loadu_si128(rest.as_ptr().add(STEP).cast()));
                // A unit above 0xFF becomes 0xFF or 0, neither of which passes.
                let packed = _mm_packus_epi16(first, second);
                if _mm_movemask_epi8(_mm_cmpgt_epi8(packed, _mm_setzero_si128())) == 0xffff {
                    _mm_storeu_si128(start.add(at).cast(), packed);
                    (at, from) = (at + 2 * STEP, from + 2 * STEP);
                    continue;
                }
            }
            let (mut last, mut fillers) = ([u16::from_ne_bytes([FILLER, 0]); STEP], 0);
            let loaded = if rest.len() >= STEP {
                _mm_loadu_si128(rest.as_ptr().cast())
            } else {
                last[..rest.len()].copy_from_slice(rest);
                fillers = STEP - rest.len();
                _mm_loadu_si128(last.as_ptr().cast())
            };
            match put_step(loaded, start.add(at))? {
                Some(bytes) => (at, from) = (at + bytes - fillers, from + STEP - fillers),
                None => {
                    // A pair is not taken apart.
                    let is_cut = rest
                        .get(STEP - 1..=STEP)
                        .is_some_and(|ends| ends[0] & 0xfc00 == 0xd800 && ends[1] & 0xfc00 == 0xdc00);
                    let taken = rest.len().min(STEP + usize::from(is_cut));
                    at += utf8_scalar::of_utf16(&rest[..taken], &mut to[at..])?;
                    from += taken;
                }
            }
        }
    }
    Ok(at)
}

/// Writes eight units as UTF-8: how many bytes they take; `None` if there are surrogates among them.
///
/// # Errors
/// [`HasNul`], where a unit is NUL.
///
/// # Safety
/// Thirty-two bytes may be written.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_step(units: __m128i, to: *mut u8) -> Result<Option<usize>, HasNul> {
    if _mm_movemask_epi8(_mm_cmpeq_epi16(units, _mm_setzero_si128())) != 0 {
        return Err(HasNul);
    }
    // SAFETY: by the contract of this function.
    unsafe {
        if _mm_testz_si128(units, _mm_set1_epi16(0xff80_u16.cast_signed())) == 1 {
            _mm_storel_epi64(to.cast(), _mm_packus_epi16(units, units));
            return Ok(Some(STEP));
        }
        if _mm_testz_si128(units, _mm_set1_epi16(0xf800_u16.cast_signed())) == 1 {
            return Ok(Some(put_of_two(units, to)));
        }
        let high = _mm_and_si128(units, _mm_set1_epi16(0xf800_u16.cast_signed()));
        if _mm_movemask_epi8(_mm_cmpeq_epi16(high, _mm_set1_epi16(0xd800_u16.cast_signed()))) != 0 {
            return Ok(None);
        }
        let first = put_of_three(_mm_cvtepu16_epi32(units), to);
        let second = put_of_three(_mm_cvtepu16_epi32(_mm_srli_si128(units, STEP as i32)), to.add(first));
        Ok(Some(first + second))
    }
}

/// Writes eight units below 0x800 as UTF-8: how many bytes they take.
///
/// # Safety
/// Sixteen bytes may be written.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_of_two(units: __m128i, to: *mut u8) -> usize {
    let ascii = _mm_cmplt_epi16(units, _mm_set1_epi16(0x80));
    let last = _mm_slli_epi16(_mm_and_si128(units, _mm_set1_epi16(0x3f)), 8);
    let marks = _mm_set1_epi16(0x80c0_u16.cast_signed());
    let pairs = _mm_or_si128(_mm_or_si128(_mm_srli_epi16(units, 6), last), marks);
    let bits = _mm_movemask_epi8(_mm_packs_epi16(ascii, _mm_setzero_si128()));
    // SAFETY: by the contract of this function; the table has an entry for each byte.
    unsafe {
        let taken = _mm_loadu_si128(OF_TWO.as_ptr().add(bits as usize).cast());
        _mm_storeu_si128(to.cast(), _mm_shuffle_epi8(_mm_blendv_epi8(pairs, units, ascii), taken));
    }
    2 * STEP - bits.count_ones() as usize
}

/// Writes four code points below 0x10000 as UTF-8: how many bytes they take.
///
/// # Safety
/// Sixteen bytes may be written.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_of_three(points: __m128i, to: *mut u8) -> usize {
    let ascii = _mm_cmplt_epi32(points, _mm_set1_epi32(0x80));
    let is_short = _mm_cmplt_epi32(points, _mm_set1_epi32(0x800));
    let low = _mm_and_si128(points, _mm_set1_epi32(0x3f));
    let middle = _mm_and_si128(_mm_slli_epi32(points, 2), _mm_set1_epi32(0x3f00));
    let triples = _mm_or_si128(
        _mm_or_si128(_mm_srli_epi32(points, 12), middle),
        _mm_or_si128(_mm_slli_epi32(low, 16), _mm_set1_epi32(0x0080_80e0)),
    );
    let pairs = _mm_or_si128(_mm_or_si128(_mm_srli_epi32(points, 6), _mm_slli_epi32(low, 8)), _mm_set1_epi32(0x80c0));
    let units = _mm_blendv_epi8(_mm_blendv_epi8(triples, pairs, is_short), points, ascii);
    let bits = _mm_movemask_ps(_mm_castsi128_ps(ascii)) | _mm_movemask_ps(_mm_castsi128_ps(is_short)) << 4;
    // SAFETY: by the contract of this function; the table has an entry for each byte.
    unsafe {
        let taken = _mm_loadu_si128(OF_THREE.as_ptr().add(bits as usize).cast());
        _mm_storeu_si128(to.cast(), _mm_shuffle_epi8(units, taken));
    }
    12 - bits.count_ones() as usize
}
