//! V8's stack limit, as JavaScript has it.

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use crate::node::env::current;

/// Allows this environment to move its limit, if it is the main thread's. The stack is measured at the first callback.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn move_stack_limit(env: Env) -> napi::Result<()> {
    current(env)?.stack_limit.allow_move();
    Ok(())
}
