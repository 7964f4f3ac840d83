//! Functions that Node-API calls as they are, with the environment's state as their data.
#![expect(unsafe_code, reason = "makes functions of Node-API")]

use std::ptr::null_mut;

use napi::bindgen_prelude::{Env, Object};
use napi::sys;

use super::environment::{Environment, current, thrown};
use crate::error::FfiError;

/// A native function of the environment.
pub fn native_function(env: Env, callback: sys::napi_callback) -> napi::Result<Object<'static>> {
    // The state lives as long as the environment, which is as long as its functions.
    let data = (&raw const *current(env)?).cast_mut().cast();
    let mut function = null_mut();
    // SAFETY: M6.
    if unsafe { sys::napi_create_function(env.raw(), null_mut(), 0, callback, data, &mut function) }
        != sys::Status::napi_ok
    {
        return Err(thrown(env, &FfiError::Internal { reason: "the engine refuses a function".into() }));
    }
    Ok(Object::from_raw(env.raw(), function))
}

/// The environment of a function made by [`native_function`], and its first `COUNT` arguments.
///
/// # Safety
/// `info` is that of such a function, in its environment (M6).
#[inline]
pub unsafe fn entered<const COUNT: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> (&'static Environment, [sys::napi_value; COUNT]) {
    let (mut data, mut values, mut count) = (null_mut(), [null_mut(); COUNT], COUNT);
    let (wanted, room) = if COUNT == 0 { (null_mut(), null_mut()) } else { (&raw mut count, values.as_mut_ptr()) };
    // SAFETY: by the contract of this function; the state outlives its functions.
    unsafe {
        sys::napi_get_cb_info(env, info, wanted, room, null_mut(), &mut data);
        (&*data.cast::<Environment>(), values)
    }
}
