//! UTF-8 of Latin-1 and of UTF-16, for every processor.

use super::encoding::HasNul;

/// The bytes of a word of which all are ASCII, or not.
const WORD: usize = size_of::<u64>();
const ONES: u64 = u64::MAX / 255;
const HIGH_BITS: u64 = ONES << 7;

/// Writes Latin-1 as UTF-8: how many bytes that takes.
///
/// # Errors
/// [`HasNul`], where a character is NUL.
pub fn of_latin1(characters: &[u8], to: &mut [u8]) -> Result<usize, HasNul> {
    let (mut at, mut from) = (0, 0);
    while from < characters.len() {
        if let Some(word) = characters[from..].first_chunk::<WORD>() {
            let number = u64::from_ne_bytes(*word);
            // A byte of 0 borrows, and has its highest bit set then.
            if (number | number.wrapping_sub(ONES)) & HIGH_BITS == 0 {
                to[at..at + WORD].copy_from_slice(word);
                (at, from) = (at + WORD, from + WORD);
                continue;
            }
        }
        match characters[from] {
            0 => return Err(HasNul),
            character => at += put(char::from(character), &mut to[at..]),
        }
        from += 1;
    }
    Ok(at)
}

/// Writes UTF-16 as UTF-8: how many bytes that takes. U+FFFD takes the place of a lone surrogate.
///
/// # Errors
/// [`HasNul`], where a unit is NUL.
pub fn of_utf16(units: &[u16], to: &mut [u8]) -> Result<usize, HasNul> {
    let mut at = 0;
    for decoded in char::decode_utf16(units.iter().copied()) {
        match decoded.unwrap_or(char::REPLACEMENT_CHARACTER) {
            '\0' => return Err(HasNul),
            character => at += put(character, &mut to[at..]),
        }
    }
    Ok(at)
}

#[inline]
fn put(character: char, to: &mut [u8]) -> usize {
    character.encode_utf8(to).len()
}
