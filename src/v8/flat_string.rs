//! Flat strings, read where V8 keeps them. A string is recognised by its map, which has to be that of a sample: one in
//! V8's table (a literal, a key), one that was made, or one that refers to such a one: that was put together and then
//! flattened, that is a part of another, or that was found to be in the table.
#![expect(unsafe_code, reason = "reads the engine's memory")]

use super::handle::Local;
use crate::memory::address::Address;
use crate::memory::raw;
use crate::memory::text::characters::Characters;

/// The offsets of a string's parts: they follow the map and a hash.
pub const LENGTH: usize = 12;
pub const CHARACTERS: usize = 16;
/// Of one that refers to another.
const TARGET: usize = 16;
/// Of one that was put together.
const SECOND: usize = 24;
/// Of a part of another: a small integer.
const OFFSET: usize = 24;
const SMALL_INTEGER: usize = 32;

/// The map of no object.
const NONE: usize = 0;
/// A string refers to a flat one over so many others at most.
const MOST_STEPS: usize = 4;

/// The maps of such strings: each for characters of Latin-1, and for units of UTF-16.
#[derive(Debug)]
pub struct FlatStrings {
    latin1: [usize; 2],
    utf16: [usize; 2],
    joined: [usize; 2],
    parts: [usize; 2],
    moved: [usize; 2],
    /// The empty string, as a value.
    empty: usize,
}

/// A string of more than a word, as V8 has it and as it is.
pub type Sample<'a> = (Local, Characters<'a>);

/// Strings whose characters are all of Latin-1, or not. A sample of another kind than it should be has the string not
/// read; only the first two of a set have to be of theirs.
pub struct Samples<'a> {
    /// One of the table.
    pub literal: Sample<'a>,
    /// One that was made.
    pub made: Sample<'a>,
    /// One that was put together and flattened.
    pub joined: Sample<'a>,
    /// A part of another.
    pub part: Sample<'a>,
    /// One that was used as a key after it was made.
    pub moved: Sample<'a>,
}

impl<'a> Samples<'a> {
    /// Samples in the order of the fields; `None` where there are fewer.
    pub fn of(mut samples: impl Iterator<Item = Sample<'a>>) -> Option<Self> {
        let mut next = || samples.next();
        Some(Self { literal: next()?, made: next()?, joined: next()?, part: next()?, moved: next()? })
    }
}

impl FlatStrings {
    /// The maps of the samples, of Latin-1 and of UTF-16, if they are laid out as expected.
    ///
    /// # Safety
    /// M3: the values are strings, rooted meanwhile.
    pub unsafe fn find(of_latin1: &Samples<'_>, of_utf16: &Samples<'_>, empty: Local) -> Option<Self> {
        // SAFETY: by the contract of this function and M15, here and below; what is read lies inside of the strings.
        let map = |(value, _): Sample<'_>| unsafe { Some(raw::word(object(word(value)?)?, 0)) };
        // SAFETY: as above.
        let empty = unsafe { word(empty)? };
        let mut found = Self {
            latin1: [map(of_latin1.literal)?, map(of_latin1.made)?],
            utf16: [map(of_utf16.literal)?, map(of_utf16.made)?],
            joined: [NONE; 2],
            parts: [NONE; 2],
            moved: [NONE; 2],
            empty,
        };
        let flat = [of_latin1.literal, of_latin1.made, of_utf16.literal, of_utf16.made];
        // SAFETY: as above.
        if !flat.into_iter().all(|sample| unsafe { found.reads(sample) }) || found.has_two_meanings() {
            return None;
        }
        for (at, samples) in [of_latin1, of_utf16].into_iter().enumerate() {
            // SAFETY: as above.
            unsafe {
                found.add(|found| &mut found.joined[at], samples.joined);
                found.add(|found| &mut found.parts[at], samples.part);
                found.add(|found| &mut found.moved[at], samples.moved);
            }
        }
        Some(found)
    }

    /// Whether the same map is in both lists.
    fn has_two_meanings(&self) -> bool {
        self.latin1.iter().any(|map| self.utf16.contains(map))
    }

    /// Adds the map of a sample, if the sample is read right with it and was not before.
    ///
    /// # Safety
    /// As [`FlatStrings::find`].
    unsafe fn add(&mut self, place: impl Fn(&mut Self) -> &mut usize, sample: Sample<'_>) {
        // SAFETY: by the contract of this function.
        unsafe {
            let map = word(sample.0).and_then(object).map(|string| raw::word(string, 0));
            let Some(map) = map.filter(|map| !self.knows(*map)) else { return };
            *place(self) = map;
            if !self.reads(sample) {
                *place(self) = NONE;
            }
        }
    }

    fn knows(&self, map: usize) -> bool {
        [self.latin1, self.utf16, self.joined, self.parts, self.moved].iter().any(|maps| maps.contains(&map))
    }

    /// Whether a sample is read as it is.
    ///
    /// # Safety
    /// As [`FlatStrings::find`].
    unsafe fn reads(&self, (value, characters): Sample<'_>) -> bool {
        // The length is compared before so many characters are read.
        // SAFETY: by the contract of this function.
        unsafe {
            let has_length = word(value).and_then(object).is_some_and(|string| length(string) == characters.len());
            has_length && self.of(value) == Some(characters)
        }
    }

    /// The characters of a value; `None` where it is no such string.
    ///
    /// # Safety
    /// M3 and M15: the value is rooted, and V8 allocates nothing while the result is used.
    #[inline]
    pub unsafe fn of<'a>(&self, value: Local) -> Option<Characters<'a>> {
        // SAFETY: by the contract of this function; what has one of the maps has the parts of such a string.
        unsafe {
            let string = object(word(value)?)?;
            if self.latin1.contains(&raw::word(string, 0)) {
                return Some(Characters::Latin1(characters(string, 0, length(string))));
            }
            self.referred_to(string)
        }
    }

    /// The same for any string.
    ///
    /// # Safety
    /// As [`FlatStrings::of`].
    unsafe fn referred_to<'a>(&self, mut string: Address) -> Option<Characters<'a>> {
        // SAFETY: by the contract of this function; what is read of a string is what its map says.
        unsafe {
            let (length, mut offset) = (length(string), 0);
            for _ in 0..MOST_STEPS {
                let map = raw::word(string, 0);
                if self.utf16.contains(&map) {
                    return Some(Characters::Utf16(characters(string, offset, length)));
                } else if self.latin1.contains(&map) {
                    return Some(Characters::Latin1(characters(string, offset, length)));
                } else if self.parts.contains(&map) {
                    offset += raw::word(string, OFFSET) >> SMALL_INTEGER;
                } else if !(self.moved.contains(&map)
                    || self.joined.contains(&map) && raw::word(string, SECOND) == self.empty)
                {
                    return None;
                }
                string = object(raw::word(string, TARGET))?;
            }
            None
        }
    }
}

/// # Safety
/// M15: `string` is a string of so many characters of that size behind the offset, which V8 does not move meanwhile.
#[inline]
unsafe fn characters<'a, T>(string: Address, offset: usize, length: usize) -> &'a [T] {
    // SAFETY: by the contract of this function.
    unsafe { raw::elements(string, CHARACTERS + offset * size_of::<T>(), length) }
}

/// # Safety
/// M15: `string` is an object with the parts of a string.
#[inline]
unsafe fn length(string: Address) -> usize {
    // SAFETY: by the contract of this function.
    unsafe { string.as_ptr().add(LENGTH).cast::<u32>().read_unaligned() as usize }
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
