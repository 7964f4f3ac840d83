//! V8's private binary interface, which each environment tries before it uses it.
#![cfg(v8_abi)]
#![expect(unsafe_code, reason = "passes values to V8's functions")]

use napi::bindgen_prelude::{Env, Object};
use napi::{JsString, JsValue};
use napi_derive::napi;

use crate::memory::text::characters::Characters;
use crate::node::env::current;
use crate::node::native_fn::by_v8;
use crate::node::text_argument::copy_units;
use crate::node::value::Rooted;
use crate::node::verify;
use crate::v8::array_buffer_view::{ViewLayout, ViewStorage};
use crate::v8::flat_string::{FlatStrings, Samples};
use crate::v8::handle::Local;

/// Whether V8 keeps its values as this package reads them: why not, or null. `literal` and `made` are texts of Latin-1
/// in one piece.
///
/// # Errors
/// Where Node-API does not copy the texts.
#[napi(js_name = "verifyV8")]
pub fn verify_v8(env: Env, literal: JsString<'_>, made: JsString<'_>) -> napi::Result<Option<String>> {
    let characters = [literal.into_latin1()?, made.into_latin1()?];
    let texts = [literal.raw().cast(), made.raw().cast()];
    let texts = [(texts[0], characters[0].as_slice()), (texts[1], characters[1].as_slice())];
    Ok(verify::verify_values(env.raw(), &texts).err().map(str::to_owned))
}

/// Makes V8 call native functions of this environment itself, if everything is found and a trial works. For a verified
/// `NODE_MODULE_VERSION`.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn attach_v8(env: Env, modules: u32) -> napi::Result<()> {
    by_v8::attach(&*current(env)?, modules);
    Ok(())
}

/// Makes all call paths find the storage of views by V8's own functions, which are tried on two views over memory
/// outside of the engine's heap first; for a verified `NODE_MODULE_VERSION`. False where they are not there.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn attach_views(env: Env, array: Object<'_>, view: Object<'_>) -> napi::Result<bool> {
    let environment = current(env)?;
    let samples = [array, view].map(|value| verify::view_sample(Rooted::of(&value)));
    let [Some(array_sample), Some(view_sample)] = samples else { return Ok(false) };
    let layout = ViewLayout::find(&[array_sample, view_sample]);
    let Some(views) = layout.and_then(ViewStorage::find) else { return Ok(false) };
    let is_same = [array, view].iter().all(|value| {
        let value = Rooted::of(value);
        // SAFETY: the engine keeps a rooted value where it is; in Node a `napi_value` is a `Local`.
        unsafe { views.of(value.raw().cast()) }.is_some_and(|found| value.view() == Some(found))
    });
    let _ = is_same.then(|| environment.v8.view_storage.set(views));
    Ok(is_same)
}

/// Makes all call paths read flat strings where V8 stores them, which is tried on samples first, in the order of
/// [`Samples`]: five whose characters are all of Latin-1, and five others. For a verified `NODE_MODULE_VERSION`. False
/// where they are stored in another way.
///
/// # Errors
/// Where the environment is not attached, or Node-API does not copy the strings.
#[napi]
pub fn attach_texts(env: Env, of_latin1: Vec<JsString<'_>>, of_utf16: Vec<JsString<'_>>) -> napi::Result<bool> {
    let environment = current(env)?;
    let empty = env.create_string("")?;
    let locals = |texts: &[JsString<'_>]| texts.iter().map(|text| text.raw().cast()).collect::<Vec<Local>>();
    let (latin1, utf16) = (locals(&of_latin1), locals(&of_utf16));
    let bytes = of_latin1.into_iter().map(JsString::into_latin1).collect::<napi::Result<Vec<_>>>()?;
    let copy_units = |text: &JsString<'_>| copy_units(Rooted::of(text));
    let Some(units) = of_utf16.iter().map(copy_units).collect::<Option<Vec<_>>>() else { return Ok(false) };
    let bytes = bytes.iter().map(|text| Characters::Latin1(text.as_slice()));
    let units = units.iter().map(|text| Characters::Utf16(text.as_slice()));
    let samples = [Samples::of(latin1.into_iter().zip(bytes)), Samples::of(utf16.into_iter().zip(units))];
    let [Some(of_latin1), Some(of_utf16)] = samples else { return Ok(false) };
    // SAFETY: M3; the strings are arguments of this call, or its own.
    let found = unsafe { FlatStrings::find(&of_latin1, &of_utf16, empty.raw().cast()) };
    Ok(found.is_some_and(|found| environment.v8.flat_strings.set(found).is_ok()))
}
