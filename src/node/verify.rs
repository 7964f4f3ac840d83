//! Whether V8 keeps numbers and texts in memory as this package reads them: one look before anything relies on it.
//!
//! Each check compares words with known values. The kernel copies them, so that a V8 of another layout is
//! refused rather than read: with pointer compression, what is taken for the length of a text may be any number.
#![expect(unsafe_code, reason = "makes values by Node-API")]

use std::ptr::null_mut;

use napi::bindgen_prelude::Env;
use napi::{JsString, JsValue, sys};
use napi_derive::napi;

use crate::memory::address::Address;
use crate::memory::probe;
use crate::v8::flat_string::{CHARACTERS, LENGTH};
use crate::v8::trampoline::Maps;

type Refusal = &'static str;

const HANDLES: Refusal = "V8's handles are not addresses of values";
const INTEGERS: Refusal = "V8 keeps small integers in another way";
const NUMBERS: Refusal = "V8 keeps numbers in another way";
const BIGINTS: Refusal = "V8 keeps BigInts in another way";
const TEXTS: Refusal = "V8 keeps texts in another way";

/// A word of memory that may be of another layout than expected, or not mapped at all.
fn word(at: Address, offset: usize) -> Option<usize> {
    let mut bytes = [0; size_of::<usize>()];
    let from = Address::new(at.get().checked_add(offset)?)?;
    // SAFETY: the engine is of a verified version and build, whose values are addresses of mapped memory.
    unsafe { probe::read(from, &mut bytes) }.then(|| usize::from_ne_bytes(bytes))
}

/// What a value is to V8: in Node a `napi_value` is the address of a word with it.
fn content(value: sys::napi_value) -> Option<usize> {
    let slot = Address::new(value.addr()).filter(|slot| slot.get().is_multiple_of(align_of::<usize>()))?;
    word(slot, 0)
}

/// The object that a value refers to.
fn object(value: sys::napi_value) -> Option<Address> {
    content(value).filter(|word| word & 1 == 1).and_then(|word| Address::new(word - 1))
}

fn made(make: impl FnOnce(*mut sys::napi_value)) -> sys::napi_value {
    let mut value = null_mut();
    make(&mut value);
    value
}

/// The maps of V8's numbers, where its objects are as `trampoline` reads them.
///
/// # Errors
/// What is not.
pub fn numbers(env: sys::napi_env) -> Result<Maps, Refusal> {
    // SAFETY: M6; a native function is under way, and the out-parameter is a local.
    let small = made(|value| unsafe {
        sys::napi_create_int32(env, -7, value);
    });
    if content(small).ok_or(HANDLES)? != (-7isize << 32) as usize {
        return Err(INTEGERS);
    }
    // SAFETY: as above.
    let number = object(made(|value| unsafe {
        sys::napi_create_double(env, 0.75, value);
    }));
    let number = number.ok_or(NUMBERS)?;
    if word(number, 8) != Some(0.75f64.to_bits() as usize) {
        return Err(NUMBERS);
    }
    let mut bigint = None;
    for (sign, digits) in [(0, &[][..]), (0, &[5]), (1, &[1 << 63]), (0, &[u64::MAX]), (1, &[7, 9])] {
        // SAFETY: as above.
        let object = object(made(|value| unsafe {
            sys::napi_create_bigint_words(env, sign, digits.len(), digits.as_ptr(), value);
        }));
        let object = object.ok_or(BIGINTS)?;
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
fn is_flat(text: sys::napi_value, characters: &[u8]) -> bool {
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

/// Looks whether V8 keeps its values as this package reads them: why not, or null. `literal` and `made` are texts of
/// Latin-1 in one piece.
#[napi(js_name = "verifyV8")]
pub fn verify_v8(env: Env, literal: JsString<'_>, made: JsString<'_>) -> napi::Result<Option<String>> {
    if let Err(refusal) = numbers(env.raw()) {
        return Ok(Some(refusal.to_owned()));
    }
    for text in [literal, made] {
        if !is_flat(text.raw(), text.into_latin1()?.as_slice()) {
            return Ok(Some(TEXTS.to_owned()));
        }
    }
    Ok(None)
}
