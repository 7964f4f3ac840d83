//! The encodings of texts, and how much they take.

/// What C gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Where U+FFFD takes the place of a lone surrogate.
    Utf8,
    /// Units as the string has them.
    Utf16,
    /// Code points, where U+FFFD takes the place of a lone surrogate.
    Utf32,
}

/// The text has a NUL in it, which C would take for its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HasNul;

/// Encoders write whole registers, two at a time: so many bytes behind a text may change.
const SLACK: usize = 32;

impl Encoding {
    /// The bytes of a unit, which are those of the NUL.
    pub fn unit(self) -> usize {
        match self {
            Self::Utf8 => 1,
            Self::Utf16 => 2,
            Self::Utf32 => 4,
        }
    }

    /// The encoding of units of so many bytes; UTF-8 for any other number.
    pub fn of_unit(unit: usize) -> Self {
        match unit {
            2 => Self::Utf16,
            4 => Self::Utf32,
            _ => Self::Utf8,
        }
    }

    /// The most bytes that so many units of UTF-16 take, with a NUL, and those behind it that an encoder may overwrite.
    pub fn most_bytes(self, units: usize) -> usize {
        self.room(units, 3)
    }

    /// The same for characters of Latin-1.
    pub fn most_of_latin1(self, characters: usize) -> usize {
        self.room(characters, 2)
    }

    fn room(self, units: usize, most_of_utf8: usize) -> usize {
        let most = if self == Self::Utf8 { most_of_utf8 } else { self.unit() };
        units.saturating_mul(most).saturating_add(self.unit() + SLACK)
    }
}
