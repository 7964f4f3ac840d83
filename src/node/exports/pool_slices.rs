//! The slabs of Node's Buffer pool, as JavaScript has them.

use napi::JsValue;
use napi::bindgen_prelude::{Env, Object};
use napi_derive::napi;

use crate::node::env::current;

/// Records the size of a slab of Node's Buffer pool. `asks` returns whether a buffer of this size is one.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn add_slab_size(env: Env, bytes: u32, asks: Object<'_>) -> napi::Result<()> {
    let environment = current(env)?;
    let keep = || environment.keep(asks.raw());
    environment.pool_slices.add_size(env.raw(), bytes as usize, keep);
    Ok(())
}
