//! The JavaScript function of a callback: held, released, and called by Node-API. Where V8's own functions were found,
//! `own_thread` calls it by them.
#![expect(unsafe_code, reason = "calls JavaScript functions")]

use std::ptr::null_mut;

use napi::sys;

use super::kept_function::JsFunction;
use crate::node::env::Environment;
#[cfg(v8_abi)]
use crate::v8::function_call::FunctionCaller;

impl JsFunction {
    /// Holds a function, so that the engine does not collect it.
    pub fn hold(environment: &Environment, function: sys::napi_value) -> Self {
        #[cfg(v8_abi)]
        if let Some(entry) = environment.v8.function_caller.get() {
            // SAFETY: M3 and M6; the function is an argument of the native function under way.
            return Self::Global(unsafe { entry.hold(function.cast()) }.cast());
        }
        let mut reference = null_mut();
        // SAFETY: M3 and M6, as above.
        unsafe { sys::napi_create_reference(environment.raw, function, 1, &mut reference) };
        Self::Reference(reference)
    }

    /// Releases it.
    pub fn let_go(self, environment: &Environment) {
        match self {
            // SAFETY: M6; `hold` made the reference.
            Self::Reference(reference) => unsafe {
                sys::napi_delete_reference(environment.raw, reference);
            },
            #[cfg(v8_abi)]
            Self::Global(handle) => {
                if let Some(entry) = environment.v8.function_caller.get() {
                    // SAFETY: M6; `hold` made the handle.
                    unsafe { entry.let_go(handle.cast()) };
                }
            }
        }
    }

    /// The function itself.
    pub fn value(self, environment: &Environment) -> sys::napi_value {
        match self {
            Self::Reference(reference) => {
                let mut function = null_mut();
                // SAFETY: M6; `hold` made the reference.
                unsafe { sys::napi_get_reference_value(environment.raw, reference, &mut function) };
                function
            }
            #[cfg(v8_abi)]
            Self::Global(handle) => handle,
        }
    }

    /// Calls it by Node-API, with a number or without arguments. Returns its result; `None` where it threw or could not
    /// run. `origin` is the asynchronous call whose callback it is, or 0.
    pub fn call(self, environment: &Environment, number: Option<u32>, origin: usize) -> Option<sys::napi_value> {
        let env = environment.raw;
        let (mut argument, mut result) = (null_mut(), null_mut());
        // An arrow function ignores the receiver, so any value will do for it.
        let function = self.value(environment);
        // SAFETY: M6, because an `Environment` cannot be reached on another thread; all out-parameters are locals.
        unsafe {
            if let Some(number) = number {
                sys::napi_create_uint32(env, number, &mut argument);
            }
            let count = usize::from(number.is_some());
            if sys::napi_call_function(env, function, function, count, &argument, &mut result) == sys::Status::napi_ok {
                return Some(result);
            }
        }
        environment.propagate_failure(origin);
        None
    }
}

/// Makes callbacks of this environment call JavaScript by V8's functions. Returns false if one of them is missing.
#[cfg(not(v8_abi))]
pub fn attach(_: &Environment, _: sys::napi_env, _: u32) -> bool {
    false
}

/// Makes callbacks of this environment call JavaScript by V8's functions. Returns false if one of them is missing.
#[cfg(v8_abi)]
pub fn attach(environment: &Environment, env: sys::napi_env, modules: u32) -> bool {
    if environment.v8.function_caller.get().is_some() {
        return false;
    }
    let mut undefined = null_mut();
    // SAFETY: M6; this is called by a native function of the environment's context, and its handle scope is open.
    let entry = unsafe {
        sys::napi_get_undefined(env, &mut undefined);
        FunctionCaller::find(undefined.cast(), modules).filter(|entry| keeps_level(environment, entry))
    };
    entry.is_some_and(|entry| environment.v8.function_caller.set(entry).is_ok())
}

/// Whether V8's scopes are where they are looked for: Node-API's are seen there.
#[cfg(v8_abi)]
fn keeps_level(environment: &Environment, entry: &FunctionCaller) -> bool {
    let before = entry.level();
    let mut scope = null_mut();
    // SAFETY: M6; a native function of the environment is under way, and the scope that is opened here is closed here.
    let inside = unsafe {
        sys::napi_open_handle_scope(environment.raw, &mut scope);
        let inside = entry.level();
        sys::napi_close_handle_scope(environment.raw, scope);
        inside
    };
    before.zip(inside).is_none_or(|(before, inside)| inside == before + 1 && entry.level() == Some(before))
}
