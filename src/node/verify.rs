//! Makes the values that `v8/verify` compares.
#![expect(unsafe_code, reason = "makes values by Node-API")]

use std::ptr::null_mut;

use napi::sys;

use super::value::{Pinned, Rooted};
use crate::v8::array_buffer_view::ViewSample;
use crate::v8::handle::Local;
use crate::v8::verify::Maps;
use crate::v8::verify::{self, BIGINT_WORDS, DOUBLE, INTEGER, Refusal, Samples};

fn make(make: impl FnOnce(*mut sys::napi_value)) -> Local {
    let mut value: sys::napi_value = null_mut();
    make(&mut value);
    value.cast()
}

fn make_samples(env: sys::napi_env) -> Samples {
    // SAFETY: M6, here and below; a native function is under way, and the out-parameters are locals.
    let integer = make(|value| unsafe {
        sys::napi_create_int32(env, INTEGER, value);
    });
    // SAFETY: as above.
    let double = make(|value| unsafe {
        sys::napi_create_double(env, DOUBLE, value);
    });
    let bigints = BIGINT_WORDS.map(|(sign, digits)| {
        // SAFETY: as above.
        make(|value| unsafe {
            sys::napi_create_bigint_words(env, sign, digits.len(), digits.as_ptr(), value);
        })
    });
    Samples { integer, double, bigints }
}

/// The maps of V8's numbers, where its objects are as they are read.
///
/// # Errors
/// The refusal, if a value is not laid out as expected.
pub fn find_number_maps(env: sys::napi_env) -> Result<Maps, Refusal> {
    verify::numbers(&make_samples(env))
}

/// Compares V8's numbers and two texts of Latin-1 in one piece, which come with their characters, with what the package
/// expects.
///
/// # Errors
/// The first difference.
pub fn verify_values(env: sys::napi_env, texts: &[(Local, &[u8])]) -> Result<(), Refusal> {
    verify::verify(&make_samples(env), texts)
}

/// A view with its parts, for `v8/array_buffer_view`.
pub fn view_sample(view: Rooted<'_>) -> Option<ViewSample> {
    let Ok(Pinned::Bytes(storage, buffer)) = view.storage() else { return None };
    let buffer_length = buffer.buffer_length()?;
    let (view, buffer) = (view.raw().cast(), buffer.raw().cast());
    Some(ViewSample { view, buffer, storage: storage.view, offset: storage.offset, buffer_length })
}
