//! UTF-16 of UTF-8 with the instructions of AVX2.
//!
//! Eight bytes of characters of one byte or two: a shuffle puts the last byte of each character and what is before it
//! into one unit. Four characters of three bytes each go in the same way. What is left goes one by one.
#![expect(unsafe_code, reason = "reads and writes registers through pointers")]

use std::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_andnot_si128, _mm_cmpeq_epi8, _mm_cmpeq_epi32, _mm_cmpgt_epi8, _mm_cmpgt_epi32,
    _mm_cvtepu8_epi16, _mm_loadl_epi64, _mm_loadu_si128, _mm_movemask_epi8, _mm_or_si128, _mm_packus_epi32,
    _mm_set1_epi8, _mm_set1_epi16, _mm_set1_epi32, _mm_setr_epi8, _mm_shuffle_epi8, _mm_srli_epi16, _mm_srli_epi32,
    _mm_srli_si128, _mm_storel_epi64, _mm_storeu_si128,
};

use super::decode_scalar::{first, put};
pub use super::utf8_avx2::is_there;

/// The bytes that a step takes of characters of one byte or two.
const STEP: usize = 8;
/// The bytes of four characters of three bytes each.
const TRIPLES: usize = 12;

/// Where the units of eight bytes are, by the bits of those that begin a character of two: the last byte of each
/// character, and the one before it if that is its first.
static PAIRS: [[u8; 16]; 128] = {
    let mut table = [[0x80; 16]; 128];
    let mut bits = 0;
    while bits < 128 {
        let (mut byte, mut unit) = (0, 0);
        while byte < 8 {
            if bits >> byte & 1 == 1 && byte < 7 {
                table[bits][2 * unit + 1] = byte as u8;
                byte += 1;
            }
            table[bits][2 * unit] = byte as u8;
            byte += 1;
            unit += 1;
        }
        bits += 1;
    }
    table
};

/// Writes UTF-8 as UTF-16: how many units that takes; `None` where the bytes are no UTF-8.
///
/// # Safety
/// `to` has a unit for each byte, and sixteen more.
#[target_feature(enable = "avx2,popcnt")]
pub unsafe fn utf16_of_utf8(bytes: &[u8], to: &mut [u16]) -> Option<usize> {
    let (start, mut at, mut from) = (to.as_mut_ptr(), 0, 0);
    while from < bytes.len() {
        let rest = &bytes[from..];
        // SAFETY: what is read is inside of `bytes` or of `last`; the rest by the contract of this function.
        unsafe {
            if rest.len() >= 2 * STEP {
                let loaded = _mm_loadu_si128(rest.as_ptr().cast());
                let taken = if _mm_movemask_epi8(loaded) == 0 {
                    _mm_storeu_si128(start.add(at).cast(), _mm_cvtepu8_epi16(loaded));
                    let second = _mm_cvtepu8_epi16(_mm_srli_si128(loaded, STEP as i32));
                    _mm_storeu_si128(start.add(at + STEP).cast(), second);
                    Some((2 * STEP, 2 * STEP))
                } else {
                    put_triples(loaded, start.add(at))
                };
                if let Some((taken, units)) = taken {
                    (at, from) = (at + units, from + taken);
                    continue;
                }
            }
            let (mut last, mut fillers) = ([0; STEP], 0);
            let loaded = if rest.len() >= STEP {
                _mm_loadl_epi64(rest.as_ptr().cast())
            } else {
                last[..rest.len()].copy_from_slice(rest);
                fillers = STEP - rest.len();
                _mm_loadl_epi64(last.as_ptr().cast())
            };
            if let Some((taken, units)) = put_pairs(loaded, start.add(at)) {
                (at, from) = (at + units - fillers, from + taken - fillers);
                continue;
            }
        }
        let (character, taken) = first(rest)?;
        at += put(character, &mut to[at..]);
        from += taken;
    }
    Some(at)
}

/// Writes the characters of eight bytes, if they have one byte or two each: how many bytes and units these are. The
/// last byte may begin a character; then it is not taken.
///
/// # Safety
/// Eight units may be written.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_pairs(bytes: __m128i, to: *mut u16) -> Option<(usize, usize)> {
    const ALL: i32 = 0xff;
    // As signed numbers: bytes that go on are below 0xc0, first ones of two bytes lie from 0xc2 to 0xdf.
    let goes_on = _mm_movemask_epi8(_mm_cmpgt_epi8(_mm_set1_epi8(0xc0_u8.cast_signed()), bytes)) & ALL;
    let is_first = _mm_andnot_si128(
        _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0xdf_u8.cast_signed())),
        _mm_cmpgt_epi8(bytes, _mm_set1_epi8(0xc1_u8.cast_signed())),
    );
    let begins = _mm_movemask_epi8(is_first) & ALL;
    let is_other = _mm_movemask_epi8(bytes) & ALL & !(goes_on | begins);
    if is_other != 0 || goes_on != begins << 1 & ALL {
        return None;
    }
    let taken = STEP - (begins >> (STEP - 1)) as usize;
    // SAFETY: by the contract of this function; the table has an entry for seven bits.
    unsafe {
        let places = _mm_loadu_si128(PAIRS.as_ptr().add((begins & 0x7f) as usize).cast());
        let units = _mm_shuffle_epi8(bytes, places);
        let low = _mm_and_si128(units, _mm_set1_epi16(0x7f));
        let high = _mm_srli_epi16(_mm_and_si128(units, _mm_set1_epi16(0x1f00)), 2);
        _mm_storeu_si128(to.cast(), _mm_or_si128(low, high));
    }
    Some((taken, taken - goes_on.count_ones() as usize))
}

/// Writes the characters of the first twelve of sixteen bytes, if they have three bytes each: how many bytes and units
/// these are.
///
/// # Safety
/// Four units may be written.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn put_triples(bytes: __m128i, to: *mut u16) -> Option<(usize, usize)> {
    const BEGIN: i32 = 0b0010_0100_1001;
    const ALL: i32 = 0xfff;
    let begins = _mm_cmpeq_epi8(
        _mm_and_si128(bytes, _mm_set1_epi8(0xf0_u8.cast_signed())),
        _mm_set1_epi8(0xe0_u8.cast_signed()),
    );
    let goes_on = _mm_cmpgt_epi8(_mm_set1_epi8(0xc0_u8.cast_signed()), bytes);
    if _mm_movemask_epi8(begins) & ALL != BEGIN || _mm_movemask_epi8(goes_on) & ALL != ALL & !BEGIN {
        return None;
    }
    let places = _mm_setr_epi8(2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9, -1);
    let triples = _mm_shuffle_epi8(bytes, places);
    let low = _mm_and_si128(triples, _mm_set1_epi32(0x3f));
    let middle = _mm_and_si128(_mm_srli_epi32(triples, 2), _mm_set1_epi32(0xfc0));
    let high = _mm_and_si128(_mm_srli_epi32(triples, 4), _mm_set1_epi32(0xf000));
    let points = _mm_or_si128(_mm_or_si128(low, middle), high);
    let is_short = _mm_cmpgt_epi32(_mm_set1_epi32(0x800), points);
    let is_surrogate = _mm_cmpeq_epi32(_mm_and_si128(points, _mm_set1_epi32(0xf800)), _mm_set1_epi32(0xd800));
    if _mm_movemask_epi8(_mm_or_si128(is_short, is_surrogate)) != 0 {
        return None;
    }
    // SAFETY: by the contract of this function.
    unsafe { _mm_storel_epi64(to.cast(), _mm_packus_epi32(points, points)) };
    Some((TRIPLES, TRIPLES / 3))
}
