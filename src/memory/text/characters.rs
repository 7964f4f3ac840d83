//! The characters of a string, and their way into an encoding.

use super::encoding::{Encoding, HasNul};
use super::{utf8, wide};

/// The characters of a string, where the engine keeps them. It has one of two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Characters<'a> {
    /// Each is of Latin-1.
    Latin1(&'a [u8]),
    /// Units of UTF-16, where a surrogate may stand alone.
    Utf16(&'a [u16]),
}

impl Characters<'_> {
    /// The length of the string.
    pub fn len(self) -> usize {
        match self {
            Self::Latin1(characters) => characters.len(),
            Self::Utf16(units) => units.len(),
        }
    }

    /// The most bytes that [`Characters::encode`] writes.
    pub fn most_bytes(self, encoding: Encoding) -> usize {
        match self {
            Self::Latin1(characters) => encoding.most_of_latin1(characters.len()),
            Self::Utf16(units) => encoding.most_bytes(units.len()),
        }
    }

    /// The bytes that the text and a NUL take; `None` if that is not known before it is encoded.
    #[inline]
    pub fn bytes(self, encoding: Encoding) -> Option<usize> {
        match (self, encoding) {
            (_, Encoding::Utf16) | (Self::Latin1(_), Encoding::Utf32) => Some((self.len() + 1) * encoding.unit()),
            _ => None,
        }
    }

    /// Writes the text and a NUL to the start of `to`: how many bytes they take. What is behind them may be
    /// overwritten.
    ///
    /// # Errors
    /// [`HasNul`], where the text contains one.
    ///
    /// # Panics
    /// If `to` is shorter than the text and its NUL; for UTF-8, than [`Characters::most_bytes`].
    #[inline]
    pub fn encode(self, encoding: Encoding, to: &mut [u8]) -> Result<usize, HasNul> {
        let length = match (self, encoding) {
            (Self::Latin1(characters), Encoding::Utf8) => utf8::of_latin1(characters, to),
            (Self::Utf16(units), Encoding::Utf8) => utf8::of_utf16(units, to),
            (Self::Latin1(characters), Encoding::Utf16) => wide::utf16_of_latin1(characters, to),
            (Self::Utf16(units), Encoding::Utf16) => wide::utf16_of_utf16(units, to),
            (Self::Latin1(characters), Encoding::Utf32) => wide::utf32_of_latin1(characters, to),
            (Self::Utf16(units), Encoding::Utf32) => wide::utf32_of_utf16(units, to),
        }?;
        let end = length + encoding.unit();
        to[length..end].fill(0);
        Ok(end)
    }
}

#[cfg(test)]
mod tests;
