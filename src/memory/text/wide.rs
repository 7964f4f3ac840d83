//! UTF-16 and UTF-32 of a string's characters.

use super::encoding::HasNul;

/// Characters that are looked at before they are copied: few enough that they are still in the processor's cache then.
const CHUNK: usize = 1024;

/// Whether one of the characters is NUL.
#[inline(always)]
fn has_nul<T: Copy + Default + Ord>(characters: &[T]) -> bool {
    // The least one, without an early exit, so that the loop is vectorised.
    characters.iter().copied().reduce(T::min) == Some(T::default())
}

/// Writes units of so many bytes, by `copy`: how many bytes they take.
#[inline(always)]
fn in_units<const SIZE: usize, T: Copy + Default + Ord>(
    characters: &[T],
    to: &mut [u8],
    copy: impl Fn(&[T], &mut [[u8; SIZE]]),
) -> Result<usize, HasNul> {
    let to = &mut to.as_chunks_mut::<SIZE>().0[..characters.len()];
    for (characters, to) in characters.chunks(CHUNK).zip(to.chunks_mut(CHUNK)) {
        if has_nul(characters) {
            return Err(HasNul);
        }
        copy(characters, to);
    }
    Ok(characters.len() * SIZE)
}

/// Copies each character by itself.
#[inline(always)]
fn each<const SIZE: usize, T: Copy>(unit: impl Fn(T) -> [u8; SIZE]) -> impl Fn(&[T], &mut [[u8; SIZE]]) {
    move |characters, to| characters.iter().zip(to).for_each(|(character, to)| *to = unit(*character))
}

/// Makes a function that is compiled for processors with AVX2 as well.
macro_rules! with_avx2 {
    ($(#[$doc:meta])* $name:ident($characters:ident: &[$type:ty], $to:ident) $body:expr) => {
        $(#[$doc])*
        ///
        /// # Errors
        /// [`HasNul`], where a character is NUL.
        pub fn $name($characters: &[$type], $to: &mut [u8]) -> Result<usize, HasNul> {
            #[cfg(target_arch = "x86_64")]
            if std::is_x86_feature_detected!("avx2") {
                #[target_feature(enable = "avx2")]
                fn by_avx2($characters: &[$type], $to: &mut [u8]) -> Result<usize, HasNul> {
                    $body
                }
                #[expect(unsafe_code, reason = "is for a processor that has it")]
                // SAFETY: this one has.
                return unsafe { by_avx2($characters, $to) };
            }
            $body
        }
    };
}

with_avx2! {
    /// Writes Latin-1 as UTF-16: how many bytes that takes.
    utf16_of_latin1(characters: &[u8], to) in_units(characters, to, each(|unit| u16::from(unit).to_ne_bytes()))
}
with_avx2! {
    /// Copies UTF-16: how many bytes that takes.
    utf16_of_utf16(units: &[u16], to) in_units(units, to, each(u16::to_ne_bytes))
}
with_avx2! {
    /// Writes Latin-1 as UTF-32: how many bytes that takes.
    utf32_of_latin1(characters: &[u8], to) in_units(characters, to, each(|unit| u32::from(unit).to_ne_bytes()))
}

/// Writes UTF-16 as UTF-32: how many bytes that takes. U+FFFD takes the place of a lone surrogate.
///
/// # Errors
/// [`HasNul`], where a unit is NUL.
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
