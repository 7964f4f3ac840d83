//! Fast calls: their start, their functions, and the errors that they leave.
#![cfg(v8_abi)]

use napi::bindgen_prelude::{ClassInstance, Env, Object};
use napi_derive::napi;

use super::signature::JsSignature;
use crate::call::inside::take_called_back;
use crate::error::FfiError;
use crate::memory::address::Address;
use crate::node::env::current;
use crate::node::error::{leaf_called_back, throw_error};
use crate::node::fast_call::{arguments, binding, read};
use crate::node::js_address::{JsAddress, from_js};
use crate::node::native_fn::{NativeFn, error_of, native_functions};
use crate::node::value::Rooted;

/// The functions that JavaScript calls around a fast call.
#[napi(object)]
pub struct JsStores<'env> {
    /// (text, argument and slot): puts a copy of a flat text of Latin-1 between fences, for the argument.
    pub text: Object<'env>,
    /// The text that was returned, where it is not short ASCII.
    pub take_text: Object<'env>,
}

/// Starts fast calls. `shared` is a Uint8Array over the memory that both use. Null where there are none.
///
/// # Errors
/// Where the environment is not attached, or the engine makes no function.
#[napi(ts_return_type = "JsStores | null")]
pub fn attach_fast_calls<'env>(env: &'env Env, shared: Object<'env>) -> napi::Result<Option<JsStores<'env>>> {
    let environment = current(*env)?;
    let Some(text) = binding::attach(&environment, Rooted::of(&shared)) else { return Ok(None) };
    let [take_text] = native_functions(*env, [NativeFn::new(arguments::take_text)])?;
    Ok(Some(JsStores { text: Object::from_raw(env.raw(), text.cast()), take_text }))
}

/// The function of fast calls for all functions of a signature, which takes the number of one and then its arguments;
/// null where there is none. `arguments` and `result` are numbers of `FastType`; `is_leaf` says that the functions call
/// no callback.
///
/// # Errors
/// Where the environment is not attached.
#[napi(ts_return_type = "Function | null")]
pub fn fast_function<'env>(
    env: &'env Env,
    signature: ClassInstance<'env, JsSignature>,
    arguments: Vec<u8>,
    result: u8,
    is_leaf: bool,
) -> napi::Result<Option<Object<'env>>> {
    let environment = current(*env)?;
    let function = binding::function(&environment, &signature.signature, &arguments, result, is_leaf);
    Ok(function.map(|function| Object::from_raw(env.raw(), function.cast())))
}

/// Whether fast calls may call a function. A function of Node, or one outside of every library, may run JavaScript.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn runs_no_script(env: Env, address: JsAddress) -> napi::Result<bool> {
    let environment = current(env)?;
    let code = Address::new(from_js(address));
    Ok(environment.v8.templates.get().zip(code).is_some_and(|(v8, code)| !v8.owns(code)))
}

/// Throws the error of the last fast call: an overflow, or a leaf function that has called a callback.
///
/// # Errors
/// The error of the call.
#[napi]
pub fn take_failure(env: Env) -> napi::Result<()> {
    let environment = current(env)?;
    let error_of = |error: &FfiError, cause| error_of(&environment, error, cause);
    let called_back = take_called_back().map(|called_back| error_of(&leaf_called_back(called_back), None));
    let overflow = arguments::take_overflow(&environment).map(|overflow| error_of(&overflow, called_back));
    match overflow.or(called_back) {
        Some(error) => {
            throw_error(env.raw(), error);
            Err(napi::Error::new(napi::Status::PendingException, ""))
        }
        None => Ok(()),
    }
}

/// `read.*` as a fast call.
#[napi(object)]
pub struct JsLoader<'env> {
    /// (address, size, argument buffer): 1 where the bytes are in the argument buffer; undefined where the caller is
    /// not optimised.
    pub load: Object<'env>,
    /// The address of the argument buffer, to be passed along.
    pub arg_buffer: f64,
    /// (address, 1 where it is that of a pointer to the text, place for the text): the length of a short text of ASCII,
    /// which is there then; -1 for NULL, -2 for any other text, undefined as above.
    pub load_text: Object<'env>,
    /// The address of that place, to be passed along.
    pub text: f64,
    /// (Uint8Array, its length, address, views): 1 where the array was filled with the bytes at the address; undefined
    /// as above.
    pub fill: Object<'env>,
    /// What finds the storage of views, to be passed along.
    pub views: f64,
}

/// Makes the function. Null where it cannot be had.
///
/// # Errors
/// Where the environment is not attached.
#[napi(ts_return_type = "JsLoader | null")]
pub fn make_loader<'env>(env: &'env Env) -> napi::Result<Option<JsLoader<'env>>> {
    let environment = current(*env)?;
    let arg_buffer = environment.arg_buffer.base().expose_provenance() as f64;
    let loader = || {
        let made = [read::make_loader, read::make_text_loader, read::make_filler].map(|make| make(&environment));
        let [Some(load), Some(load_text), Some(fill)] = made else { return None };
        let views = std::ptr::from_ref(environment.v8.view_storage.get()?).expose_provenance() as f64;
        let text = environment.v8.fast_calls.get()?.passed.shared.returned().expose_provenance() as f64;
        let [load, load_text, fill] = [load, load_text, fill].map(|made| Object::from_raw(env.raw(), made.cast()));
        Some(JsLoader { load, arg_buffer, load_text, text, fill, views })
    };
    Ok(loader())
}
