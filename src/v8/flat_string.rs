//! Flat texts of Latin-1, read where V8 keeps them. A text is recognised by its map, which has to be that of a sample:
//! one that V8 has in its table (a literal, a key), one that was made, or one that was put together and then flattened,
//! which refers to such a one and to the empty text.
#![expect(unsafe_code, reason = "reads the engine's memory")]

use super::handle::Local;
use crate::memory::address::Address;
use crate::memory::latin1::Latin1;
use crate::memory::raw;

/// The offsets of a text's parts: they follow the map and a hash.
pub const LENGTH: usize = 12;
pub const CHARACTERS: usize = 16;
/// Of one that was put together.
const FIRST: usize = 16;
const SECOND: usize = 24;

/// The maps of such texts.
#[derive(Debug)]
pub struct FlatStrings {
    maps: [usize; 2],
    joined: usize,
    /// The empty text, as a value.
    empty: usize,
}

/// Texts of more than a word, as V8 has them and as they are.
pub struct Samples<'a> {
    /// One of the table.
    pub literal: (Local, &'a [u8]),
    /// One that was made.
    pub made: (Local, &'a [u8]),
    /// One that was put together and flattened.
    pub joined: (Local, &'a [u8]),
    /// The empty one.
    pub empty: Local,
}

impl FlatStrings {
    /// The maps of the samples, if they are laid out as expected.
    ///
    /// # Safety
    /// M3: the values are texts, rooted meanwhile.
    pub unsafe fn find(samples: &Samples<'_>) -> Option<Self> {
        // SAFETY: by the contract of this function and M15, here and below; what is read lies inside of the texts.
        let map = |(value, _): (Local, &[u8])| unsafe { Some(raw::word(object(word(value)?)?, 0)) };
        let found = Self {
            maps: [map(samples.literal)?, map(samples.made)?],
            joined: map(samples.joined)?,
            // SAFETY: as above.
            empty: unsafe { word(samples.empty)? },
        };
        let is_read = |(value, characters): (Local, &[u8])| {
            // The length is compared before so many characters are read.
            // SAFETY: as above.
            let length = unsafe { found.flat(value) }.map(|text| unsafe { length(text) });
            // SAFETY: as above.
            length == Some(characters.len())
                && unsafe { found.of(value) }.is_some_and(|text| text.characters() == characters)
        };
        let all = [samples.literal, samples.made, samples.joined];
        let is_told = found.joined != found.maps[0] && found.joined != found.maps[1];
        (is_told && all.into_iter().all(is_read)).then_some(found)
    }

    /// The characters of a value; `None` where it is no such text, or has a NUL in it.
    ///
    /// # Safety
    /// M3 and M15: the value is rooted, and V8 allocates nothing while the result is used.
    #[inline]
    pub unsafe fn of<'a>(&self, value: Local) -> Option<Latin1<'a>> {
        // SAFETY: by the contract of this function; what has one of the maps has the parts of such a text.
        unsafe {
            let text = self.flat(value)?;
            Latin1::new(text.as_ptr().add(CHARACTERS), length(text))
        }
    }

    /// The object with the characters of a text; `None` for every other value.
    ///
    /// # Safety
    /// As [`FlatStrings::of`].
    #[inline]
    unsafe fn flat(&self, value: Local) -> Option<Address> {
        // SAFETY: by the contract of this function.
        unsafe {
            let mut text = object(word(value)?)?;
            let mut map = raw::word(text, 0);
            if map == self.joined && raw::word(text, SECOND) == self.empty {
                text = object(raw::word(text, FIRST))?;
                map = raw::word(text, 0);
            }
            self.maps.contains(&map).then_some(text)
        }
    }
}

/// # Safety
/// M15: `text` is an object with the parts of a text.
#[inline]
unsafe fn length(text: Address) -> usize {
    // SAFETY: by the contract of this function.
    unsafe { text.as_ptr().add(LENGTH).cast::<u32>().read_unaligned() as usize }
}

/// The word behind a value: in Node a `Local` is the address of a word with it.
///
/// # Safety
/// M3: the value is rooted.
#[inline]
unsafe fn word(value: Local) -> Option<usize> {
    // SAFETY: by the contract of this function.
    Some(unsafe { raw::word(Address::new(value.addr())?, 0) })
}

/// The object that a word of V8's refers to, if it is one.
#[inline]
fn object(word: usize) -> Option<Address> {
    if word & 1 == 1 { Address::new(word - 1) } else { None }
}
