//! UTF-16 and UTF-32 of a string's characters.

use super::encoding::HasNul;

/// Characters that are copied without a branch in between.
const CHUNK: usize = 64;

/// Writes units of two bytes, by `unit` of each character: how many bytes they take.
#[inline(always)]
fn in_units<const SIZE: usize, T: Copy + Default + PartialEq>(
    characters: &[T],
    to: &mut [u8],
    unit: impl Fn(T) -> [u8; SIZE],
) -> Result<usize, HasNul> {
    let to = &mut to.as_chunks_mut::<SIZE>().0[..characters.len()];
    for (characters, to) in characters.chunks(CHUNK).zip(to.chunks_mut(CHUNK)) {
        // No early exit, so that the loop is vectorised.
        let mut has_nul = false;
        for (character, to) in characters.iter().zip(to) {
            has_nul |= *character == T::default();
            *to = unit(*character);
        }
        if has_nul {
            return Err(HasNul);
        }
    }
    Ok(characters.len() * SIZE)
}

pub fn utf16_of_latin1(characters: &[u8], to: &mut [u8]) -> Result<usize, HasNul> {
    in_units(characters, to, |character| u16::from(character).to_ne_bytes())
}

pub fn utf16_of_utf16(units: &[u16], to: &mut [u8]) -> Result<usize, HasNul> {
    in_units(units, to, u16::to_ne_bytes)
}

pub fn utf32_of_latin1(characters: &[u8], to: &mut [u8]) -> Result<usize, HasNul> {
    in_units(characters, to, |character| u32::from(character).to_ne_bytes())
}

pub fn utf32_of_utf16(units: &[u16], to: &mut [u8]) -> Result<usize, HasNul> {
    let places = to.as_chunks_mut::<4>().0;
    let mut count = 0;
    for (decoded, place) in char::decode_utf16(units.iter().copied()).zip(places) {
        match decoded.unwrap_or(char::REPLACEMENT_CHARACTER) {
            '\0' => return Err(HasNul),
            character => *place = u32::from(character).to_ne_bytes(),
        }
        count += 1;
    }
    Ok(count * 4)
}
