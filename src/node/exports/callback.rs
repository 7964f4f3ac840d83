//! C function pointers that call JavaScript functions.

use napi::JsValue;
use napi::bindgen_prelude::{ClassInstance, Env, Object, Unknown};
use napi_derive::napi;

use super::signature::JsSignature;
use crate::memory::address::Address;
use crate::memory::fence::report;
use crate::node::callback::arguments::{put_again, threw};
use crate::node::callback::kept_function::JsFunction;
use crate::node::callback::{foreign_thread, js_callback, js_function};
use crate::node::env::{CallbackSlot, current};
use crate::node::error::thrown;
use crate::node::js_address::{JsAddress, to_js};
use crate::node::native_fn::{NativeFn, native_functions};

/// A C function pointer, before it was opened.
#[napi(object)]
pub struct JsPointer {
    /// Its number in this environment.
    pub id: u32,
    /// Its address.
    pub address: JsAddress,
}

/// Makes a C function pointer of the signature: a closed one.
///
/// # Errors
/// Where the environment is not attached, there is no executable memory, or libffi refuses the signature.
#[napi]
pub fn make_callback(env: Env, signature: ClassInstance<'_, JsSignature>) -> napi::Result<JsPointer> {
    let environment = current(env)?;
    let mut slots = environment.callbacks.slots.borrow_mut();
    let id = u32::try_from(slots.len()).unwrap_or(u32::MAX);
    let slot = CallbackSlot::make(&environment, &signature.signature, id).map_err(|error| thrown(env, &error))?;
    slots.push(slot);
    Ok(JsPointer { id, address: to_js(slot.code().map_or(0, |code| public_address(slot, code))) })
}

/// The address by which C knows a callback, here and in the processes of isolated libraries.
#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
fn public_address(slot: &CallbackSlot, code: Address) -> usize {
    crate::isolate::stubs::public_address(code, &slot.signature).get()
}

#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
fn public_address(_: &CallbackSlot, code: Address) -> usize {
    code.get()
}

/// The number of a name, for messages.
#[napi]
pub fn number_of_name(name: String) -> u32 {
    report::intern_callback(&name)
}

/// `[open, close]`, whose arguments lie in the argument buffer: the number of a pointer; for the first one also that of
/// its name, and its kind: threadsafe, or open for the length of a call. `open(function)` has the pointer call a
/// function. On its own thread that takes no arguments: it reads and writes the argument buffer. For a call from
/// another thread it takes a token, and may return true: then `answer` or `fail` ends the call. `close()` lets the
/// function go: C gets zero from now on, and when it calls all the same, `late` is called with the number.
///
/// # Errors
/// Where the environment is not attached, or the engine makes no function.
#[napi]
pub fn callbacks(env: Env, late: Object<'_>) -> napi::Result<Vec<Object<'static>>> {
    let environment = current(env)?;
    environment.callbacks.late.set(Some(JsFunction::hold(&environment, late.raw())));
    let functions = [NativeFn::new(js_callback::open), NativeFn::new(js_callback::close)];
    Ok(native_functions(env, functions)?.into())
}

/// The function that takes what a callback has thrown.
///
/// # Errors
/// Where the environment is not attached, or the engine makes no function.
#[napi]
pub fn make_threw(env: Env) -> napi::Result<Object<'static>> {
    let [function] = native_functions(env, [NativeFn::new(threw)])?;
    Ok(function)
}

/// The function that puts the arguments of the callback under way into the argument buffer again.
///
/// # Errors
/// Where the environment is not attached, or the engine makes no function.
#[napi]
pub fn make_put_again(env: Env) -> napi::Result<Object<'static>> {
    let [function] = native_functions(env, [NativeFn::new(put_again)])?;
    Ok(function)
}

/// Makes callbacks of this environment use V8's own functions from now on, if all of them are found. For a verified
/// `NODE_MODULE_VERSION`. False where not.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn attach_entry(env: Env, modules: u32) -> napi::Result<bool> {
    let environment = current(env)?;
    Ok(js_function::attach(&environment, env.raw(), modules))
}

/// A callback's Promise has settled: the result is in the argument buffer.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn answer(env: Env, token: u32) -> napi::Result<()> {
    let environment = current(env)?;
    if let Some(request) = environment.work.waiting.borrow_mut().take(token) {
        request.answer(Some(foreign_thread::target_of(&request).result_bytes(&environment)));
    }
    Ok(())
}

/// A callback's Promise was rejected, or its value does not fit: C gets zero.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn fail(env: Env, token: u32, error: Unknown<'_>) -> napi::Result<()> {
    let environment = current(env)?;
    let request = environment.work.waiting.borrow_mut().take(token);
    if let Some(request) = request {
        request.answer(None);
        environment.propagate(error.raw(), request.origin);
    }
    Ok(())
}
