//! Whether V8 keeps numbers and texts in memory as this package reads them: checked before anything relies on it.
//!
//! Each check compares words with known values. The kernel copies them, so that a V8 of another layout is
//! refused rather than read: with pointer compression, what is taken for the length of a text may be any number.
#![expect(unsafe_code, reason = "reads the engine's memory through the kernel")]

use super::flat_string::{CHARACTERS, LENGTH};
use super::handle::Local;
use crate::memory::address::Address;
use crate::memory::probe;

/// Why V8's objects are not used.
pub type Refusal = &'static str;

const HANDLES: Refusal = "V8's handles are not addresses of values";
const INTEGERS: Refusal = "V8 keeps small integers in another way";
const NUMBERS: Refusal = "V8 keeps numbers in another way";
const BIGINTS: Refusal = "V8 keeps BigInts in another way";
const TEXTS: Refusal = "V8 keeps texts in another way";

/// The number of [`Samples::integer`].
pub const INTEGER: i32 = -7;
/// The number of [`Samples::double`].
pub const DOUBLE: f64 = 0.75;
/// Sign and digits of [`Samples::bigints`].
pub const BIGINT_WORDS: [(i32, &[u64]); 5] = [(0, &[]), (0, &[5]), (1, &[1 << 63]), (0, &[u64::MAX]), (1, &[7, 9])];

/// The maps by which V8's numbers are told apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Maps {
    /// The map of heap numbers.
    pub number: usize,
    /// The map of BigInts.
    pub bigint: usize,
}

/// Values that are compared, as handles.
#[derive(Clone, Copy, Debug)]
pub struct Samples {
    /// [`INTEGER`]
    pub integer: Local,
    /// [`DOUBLE`]
    pub double: Local,
    /// [`BIGINT_WORDS`]
    pub bigints: [Local; BIGINT_WORDS.len()],
}

/// A word of memory that may be of another layout than expected, or not mapped at all.
pub(super) fn word(at: Address, offset: usize) -> Option<usize> {
    let mut bytes = [0; size_of::<usize>()];
    let from = Address::new(at.get().checked_add(offset)?)?;
    // SAFETY: the engine is of a verified version and build, whose values are addresses of mapped memory.
    unsafe { probe::read(from, &mut bytes) }.then(|| usize::from_ne_bytes(bytes))
}

/// How many words of an object are looked through at most.
pub(super) const WORDS: usize = 15;

/// The first words of an object.
pub(super) struct Words {
    object: Address,
    /// Copied by the kernel, all at once: each copy is a system call. `None` where memory ends sooner, or where a
    /// sandbox forbids the call, so that no word is read that is not asked for.
    copy: Option<[usize; WORDS]>,
}

impl Words {
    /// The words of an object at this address.
    /// Copies the first words of an object.
    pub(super) fn of(object: Address) -> Self {
        let mut bytes = [0; WORDS * size_of::<usize>()];
        let copy = (probe::copy(object, &mut bytes) == Some(true)).then(|| {
            let (words, _) = bytes.as_chunks::<{ size_of::<usize>() }>();
            std::array::from_fn(|number| usize::from_ne_bytes(words[number]))
        });
        Self { object, copy }
    }

    /// The word of this number, counted from the start of the object; `None` if it cannot be read.
    /// A word of the object; `None` where it cannot be read.
    pub(super) fn get(&self, number: usize) -> Option<usize> {
        self.copy.map_or_else(|| word(self.object, number * size_of::<usize>()), |copy| Some(copy[number]))
    }
}

/// The word behind a value: in Node a `napi_value` is the address of a word with it.
pub(super) fn content(value: Local) -> Option<usize> {
    let slot = Address::new(value.addr()).filter(|slot| slot.get().is_multiple_of(align_of::<usize>()))?;
    word(slot, 0)
}

/// The object that a value refers to.
pub(super) fn object(value: Local) -> Option<Address> {
    content(value).filter(|word| word & 1 == 1).and_then(|word| Address::new(word - 1))
}

/// The maps of V8's numbers, where its objects are as `argument_moves` reads them. The cheapest check comes first.
///
/// # Errors
/// The first difference.
pub fn numbers(samples: &Samples) -> Result<Maps, Refusal> {
    if content(samples.integer).ok_or(HANDLES)? != ((INTEGER as isize) << 32) as usize {
        return Err(INTEGERS);
    }
    let number = object(samples.double).ok_or(NUMBERS)?;
    if word(number, 8) != Some(DOUBLE.to_bits() as usize) {
        return Err(NUMBERS);
    }
    let mut bigint = None;
    for (value, (sign, digits)) in samples.bigints.into_iter().zip(BIGINT_WORDS) {
        let object = object(value).ok_or(BIGINTS)?;
        let sign_and_length = word(object, 8).map(|word| word as u32 as usize);
        let fits = sign_and_length == Some(digits.len() << 1 | sign as usize)
            && digits.iter().enumerate().all(|(at, digit)| word(object, 16 + at * 8) == Some(*digit as usize))
            && *bigint.get_or_insert(word(object, 0)) == word(object, 0);
        if !fits {
            return Err(BIGINTS);
        }
    }
    let maps = word(number, 0).zip(bigint.flatten());
    maps.map(|(number, bigint)| Maps { number, bigint }).ok_or(NUMBERS)
}

/// Whether the characters of a text that is in one piece lie where they are looked for.
fn is_flat(text: Local, characters: &[u8]) -> bool {
    let Some(object) = object(text) else { return false };
    let length = word(object, LENGTH & !7).map(|word| word >> ((LENGTH & 7) * 8) & u32::MAX as usize);
    let mut found = vec![0; characters.len()];
    length == Some(characters.len())
        && Address::new(object.get() + CHARACTERS).is_some_and(|at| {
            // SAFETY: as in `word`; the length fits.
            unsafe { probe::read(at, &mut found) }
        })
        && found == characters
}

/// Checks whether V8 keeps its values as this package reads them. The texts are Latin-1 in one piece, with their
/// characters.
///
/// # Errors
/// The first difference.
pub fn verify(samples: &Samples, texts: &[(Local, &[u8])]) -> Result<(), Refusal> {
    numbers(samples)?;
    if texts.iter().all(|(text, characters)| is_flat(*text, characters)) { Ok(()) } else { Err(TEXTS) }
}
