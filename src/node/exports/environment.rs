//! Attaches the package to an environment.

use napi::JsValue;
use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;

use crate::node::attach;

/// Sets the argument buffer of the environment: an ArrayBuffer that JavaScript keeps and never transfers. `nothing` is
/// a function that does nothing. What was bound by an earlier instance of the package belongs to the state that it
/// attached, so that none is ever replaced.
///
/// # Errors
/// Where Node-API refuses the state of the environment.
#[napi]
pub fn attach(env: Env, arg_buffer: Object<'_>, nothing: Object<'_>) -> napi::Result<()> {
    attach::attach(env, arg_buffer.raw(), nothing.raw())
}
