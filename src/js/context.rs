//! Whether JavaScript runs in an asynchronous context that is not empty: what V8 keeps for Node's AsyncLocalStorage from Node 24
//! on.
#![expect(unsafe_code, reason = "calls exported functions of V8")]

use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::OnceLock;

use napi::bindgen_prelude::{Env, Object};
use napi::sys;
use napi_derive::napi;

use super::environment::Environment;
use super::native::{Arguments, Given, Native, native_functions};
use crate::library::Library;

/// `v8::Isolate::GetCurrent` and `v8::Isolate::GetContinuationPreservedEmbedderData`.
struct Isolate {
    current: extern "C" fn() -> *mut u8,
    context: unsafe extern "C" fn(*mut u8) -> sys::napi_value,
}

/// Those of this process; `None` where the engine has no such data or other names.
fn isolate() -> Option<&'static Isolate> {
    static ISOLATE: OnceLock<Option<Isolate>> = OnceLock::new();
    let find = || {
        // SAFETY: U4; the process runs no constructor again.
        let process = unsafe { Library::open(None, 0) }.ok()?;
        let current = process.find("_ZN2v87Isolate10GetCurrentEv")?;
        let context = process.find("_ZN2v87Isolate36GetContinuationPreservedEmbedderDataEv")?;
        // SAFETY: M11; the mangled names tell the parameters.
        unsafe {
            Some(Isolate {
                current: transmute::<*mut u8, extern "C" fn() -> *mut u8>(current.as_ptr()),
                context: transmute::<*mut u8, unsafe extern "C" fn(*mut u8) -> sys::napi_value>(context.as_ptr()),
            })
        }
    };
    ISOLATE.get_or_init(find).as_ref()
}

/// Gives null where there is a context, undefined where there is none.
fn has_context(environment: &Environment, _: Arguments) -> Given {
    let Some(isolate) = isolate() else { return Ok(null_mut()) };
    let mut kind = sys::ValueType::napi_undefined;
    let mut null = null_mut();
    // SAFETY: M6 and M11; the out-parameters are locals, and in Node a `napi_value` is a `Local`.
    unsafe {
        let context = (isolate.context)((isolate.current)());
        if !context.is_null() {
            sys::napi_typeof(environment.raw, context, &mut kind);
        }
        if kind != sys::ValueType::napi_undefined {
            sys::napi_get_null(environment.raw, &mut null);
        }
    }
    Ok(null)
}

/// The function that tells whether there is an asynchronous context: it returns undefined where there is none.
#[napi]
pub fn make_has_context(env: Env) -> napi::Result<Object<'static>> {
    let [function] = native_functions(env, [Native::new(has_context)])?;
    Ok(function)
}
