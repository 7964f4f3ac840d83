//! A JavaScript function that is kept.

use napi::sys;

/// A JavaScript function that is kept.
#[derive(Clone, Copy, Debug)]
pub enum JsFunction {
    /// By a reference of Node-API.
    Reference(sys::napi_ref),
    /// By a global handle of V8, which in Node is a `napi_value` as well.
    #[cfg(v8_abi)]
    Global(sys::napi_value),
}
