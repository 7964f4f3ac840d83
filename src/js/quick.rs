//! What is called so often that nothing is converted: the arguments and results lie in the frame. Node-API calls these
//! functions as they are.
#![expect(unsafe_code, reason = "is called by Node-API")]

use std::ffi::c_void;
use std::ptr::null_mut;

use napi::bindgen_prelude::{Env, Object};
use napi::sys;
use napi_derive::napi;

use super::environment::{Environment, current};
use crate::error::FfiError;
use crate::memory::{given, peek, pin, report};

/// The frame's word of an address, and that of a length in bytes.
const ADDRESS: usize = 0;
const LENGTH: usize = 8;

/// The environment of a function made by [`function`], and its first `count` arguments.
///
/// # Safety
/// `info` is that of such a function, in its environment (M6).
pub unsafe fn entered<const COUNT: usize>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> (&'static Environment, [sys::napi_value; COUNT]) {
    let (mut data, mut values, mut count) = (null_mut(), [null_mut(); COUNT], COUNT);
    // SAFETY: by the contract of this function; the state outlives its functions.
    unsafe {
        sys::napi_get_cb_info(env, info, &mut count, values.as_mut_ptr(), null_mut(), &mut data);
        (&*data.cast::<Environment>(), values)
    }
}

/// What tells that it did not work; undefined tells that it did.
fn refused(env: sys::napi_env) -> sys::napi_value {
    let mut null = null_mut();
    // SAFETY: M6.
    unsafe { sys::napi_get_null(env, &mut null) };
    null
}

/// Copies as many bytes as the frame says, from the address that it says, to its start.
unsafe extern "C" fn load(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: M6; this is a function of `quick`.
    let (environment, []) = unsafe { entered(env, info) };
    let frame = &environment.frame;
    let (address, length) = (frame.word(ADDRESS) as usize, frame.word(LENGTH) as usize);
    // SAFETY: U2; the user has given the address. The length is that of a type, which fits the frame.
    if length <= frame.length() && unsafe { peek::load(frame, address, length, environment.care.get()) } {
        return null_mut();
    }
    refused(env)
}

/// Puts the address of a view that begins a fenced block into the frame; everything else is refused.
unsafe extern "C" fn locate(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: M6; this is a function of `quick`.
    let (environment, [view]) = unsafe { entered(env, info) };
    // SAFETY: M3; the view is an argument of this call.
    let Some((block, view)) = (unsafe { pin::fenced(env, view) }) else { return refused(env) };
    let Some(length) = block.length() else { return refused(env) };
    let giver = report::intern_ptr();
    if block.giver() != giver {
        block.give(giver);
        given::insert(block.data(), length);
    }
    environment.frame.put_word(ADDRESS, view.start.get() as u64);
    null_mut()
}

/// A function that Node-API calls as it is.
pub fn function(env: Env, callback: sys::napi_callback, data: *mut c_void) -> napi::Result<Object<'static>> {
    let mut function = null_mut();
    // SAFETY: M6.
    if unsafe { sys::napi_create_function(env.raw(), null_mut(), 0, callback, data, &mut function) }
        != sys::Status::napi_ok
    {
        let error = FfiError::Internal { reason: "the engine refuses a function".into() };
        return Err(super::environment::thrown(env, &error));
    }
    Ok(Object::from_raw(env.raw(), function))
}

/// `[load, locate]`: each returns undefined where it has worked.
#[napi]
pub fn quick(env: Env) -> napi::Result<Vec<Object<'static>>> {
    let environment = current(env)?;
    // The state lives as long as the environment, which is as long as its functions.
    let data = (&raw const *environment).cast_mut().cast::<c_void>();
    Ok(vec![function(env, Some(load), data)?, function(env, Some(locate), data)?])
}
