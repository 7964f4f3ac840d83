//! Errors of the native side as JavaScript errors, and the pending exception of Node-API.
#![expect(unsafe_code, reason = "makes and throws JavaScript errors")]

use std::ffi::CString;
use std::ptr::null_mut;

use napi::bindgen_prelude::Env;
use napi::sys;

use crate::call::inside::CalledBack;
use crate::error::{Class, Death, FfiError, signal_name};
use crate::memory::fence::report;

/// The error of a leaf function that has called a callback.
pub fn leaf_called_back(CalledBack { function, callback }: CalledBack) -> FfiError {
    let [symbol, callback] = [function, callback].map(|number| report::name(number).unwrap_or_default());
    FfiError::LeafCalledBack { symbol, callback }
}

/// Throws an error of the native side.
pub fn throw(env: sys::napi_env, error: &FfiError, cause: Option<sys::napi_value>) {
    throw_error(env, to_error(env, error, cause));
}

/// Throws an error of JavaScript.
pub fn throw_error(env: sys::napi_env, error: sys::napi_value) {
    // SAFETY: M6; the error was made in the current scope, on the thread of the environment.
    unsafe { sys::napi_throw(env, error) };
}

/// Takes the pending exception of Node-API, which it or a function that it called has thrown.
pub fn take_thrown(env: sys::napi_env) -> Option<sys::napi_value> {
    let (mut is_pending, mut exception) = (false, null_mut());
    // SAFETY: M6; the out-parameters are locals.
    unsafe {
        sys::napi_is_exception_pending(env, &mut is_pending);
        let is_taken =
            is_pending && sys::napi_get_and_clear_last_exception(env, &mut exception) == sys::Status::napi_ok;
        is_taken.then_some(exception)
    }
}

/// The JavaScript error of an error of the native side. An overflow carries what was found as properties, and the
/// exception of a callback that it replaces as its cause.
pub fn to_error(env: sys::napi_env, error: &FfiError, cause: Option<sys::napi_value>) -> sys::napi_value {
    let code = CString::new(error.code()).unwrap_or_default();
    let message = CString::new(error.to_string().replace('\0', "\\0")).unwrap_or_default();
    let (mut js_code, mut js_message, mut js_error) = (null_mut(), null_mut(), null_mut());
    // SAFETY: M6; the texts live until the calls return, and all out-parameters are locals.
    unsafe {
        sys::napi_create_string_utf8(env, code.as_ptr(), -1, &mut js_code);
        sys::napi_create_string_utf8(env, message.as_ptr(), -1, &mut js_message);
        match error.class() {
            Class::Error => sys::napi_create_error(env, js_code, js_message, &mut js_error),
            Class::TypeError => sys::napi_create_type_error(env, js_code, js_message, &mut js_error),
            Class::RangeError => sys::napi_create_range_error(env, js_code, js_message, &mut js_error),
        };
        if let FfiError::Overflow { symbol, overflow } = error {
            let mut js_symbol = null_mut();
            sys::napi_create_string_utf8(env, symbol.as_ptr().cast(), symbol.len() as isize, &mut js_symbol);
            sys::napi_set_named_property(env, js_error, c"symbol".as_ptr(), js_symbol);
            for (name, value) in [
                (c"argument", overflow.argument as f64),
                (c"byteLength", overflow.byte_length as f64),
                (c"firstBadOffset", overflow.first_bad_offset as f64),
                (c"bytesPast", overflow.bytes_past as f64),
            ] {
                let mut number = null_mut();
                sys::napi_create_double(env, value, &mut number);
                sys::napi_set_named_property(env, js_error, name.as_ptr(), number);
            }
        }
        if let Some((symbol, death)) = error.death() {
            describe_death(env, js_error, symbol, death);
        }
        if let Some(cause) = cause {
            sys::napi_set_named_property(env, js_error, c"cause".as_ptr(), cause);
        }
    }
    js_error
}

/// Adds the details of the end of an isolated library's process to an error.
fn describe_death(env: sys::napi_env, error: sys::napi_value, symbol: &str, death: &Death) {
    let text = |text: &str| {
        let mut value = null_mut();
        // SAFETY: M6; the text is a slice, and the out-parameter a local.
        unsafe { sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, &mut value) };
        value
    };
    let number = |number: f64| {
        let mut value = null_mut();
        // SAFETY: M6; the out-parameter is a local.
        unsafe { sys::napi_create_double(env, number, &mut value) };
        value
    };
    // SAFETY: M6; all values are of the current scope.
    let set = |name: &std::ffi::CStr, value| unsafe { sys::napi_set_named_property(env, error, name.as_ptr(), value) };
    set(c"symbol", text(symbol));
    if let Some(signal) = death.signal {
        set(c"signal", text(&signal_name(signal)));
    }
    if let Some(code) = death.exit_code {
        set(c"exitCode", number(code.into()));
    }
    if let Some(address) = death.address {
        set(c"address", number(address as f64));
    }
    if let Some(place) = &death.place {
        set(c"where", text(place));
    }
    if let Some(object) = &death.object {
        set(c"object", text(object));
    }
    if !death.frames.is_empty() {
        let mut list = null_mut();
        // SAFETY: M6; the out-parameter is a local, and the index is the list's.
        unsafe {
            sys::napi_create_array_with_length(env, death.frames.len(), &mut list);
            for (at, frame) in (0..).zip(&death.frames) {
                sys::napi_set_element(env, list, at, text(frame));
            }
        }
        set(c"frames", list);
    }
    set(c"stderr", text(&death.stderr));
    set(c"pid", number(death.pid.into()));
    set(c"generation", number(death.generation.into()));
}

/// Turns an error of the native side into the error napi-rs throws as it stands.
pub fn thrown(env: Env, error: &FfiError) -> napi::Error {
    throw(env.raw(), error, None);
    napi::Error::new(napi::Status::PendingException, "")
}

/// Forgets what Node-API has thrown by itself; ours takes its place.
pub fn clear_exception(env: sys::napi_env) {
    let _ = take_thrown(env);
}
