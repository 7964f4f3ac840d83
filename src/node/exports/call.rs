//! Bound functions, and the native functions that call them.

use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{ClassInstance, Env, Object};
use napi_derive::napi;

use super::async_call::start_call;
use super::library::JsLibrary;
use super::signature::JsSignature;
use crate::abi::ctype::CType;
use crate::call::bound_function::Options;
use crate::call::inside;
use crate::call::remote::RemoteArguments;
use crate::errno::Errno;
use crate::error::FfiError;
use crate::memory::address::Address;
use crate::memory::fence::report;
use crate::node::call::entries::native_entries;
use crate::node::call::intrinsics::{copiers, intrinsics};
use crate::node::env::{BoundFunction, current};
use crate::node::error::thrown;
use crate::node::isolated::foreign_function;
use crate::node::js_address::{JsAddress, from_js};
use crate::node::native_fn::{NativeFn, native_functions};

/// The declared shapes of the arguments of a function that may be in another process (lib/call/pointer-shapes.js).
#[napi(object)]
pub struct JsRemoteArguments {
    pub flows: Vec<u32>,
    pub types: Vec<u32>,
    pub arguments: Vec<u32>,
}

/// Binds an address to a signature: the number of the function, which `library` keeps.
///
/// # Errors
/// Where the environment is not attached, or the JavaScript side passed values that make no function.
#[napi]
pub fn bind(
    env: Env,
    symbol: String,
    address: JsAddress,
    signature: ClassInstance<'_, JsSignature>,
    library: ClassInstance<'_, JsLibrary>,
    options: u32,
    declared: Option<JsRemoteArguments>,
) -> napi::Result<u32> {
    let internal = |reason: &str| thrown(env, &FfiError::Internal { reason: reason.into() });
    let address = from_js(address);
    let mut remote = library.remote_at(address as u64).or_else(|| foreign_function(address as u64));
    if let (Some(remote), Some(JsRemoteArguments { flows, types, arguments })) = (&mut remote, declared) {
        remote.arguments = RemoteArguments::decode(&flows, &types, &arguments)
            .ok_or_else(|| internal("what is declared of the arguments makes no sense"))?;
    }
    let options = Options(options | if remote.is_some() { Options::REMOTE } else { 0 });
    let id = report::intern(&symbol);
    let environment = current(env)?;
    if options.has(Options::GUARD) {
        environment.exposed_views.guard();
    }
    let code = Address::new(address).ok_or_else(|| internal("the JavaScript side let a NULL through"))?;
    let mut function = BoundFunction {
        code,
        signature: Arc::clone(&signature.signature),
        library: Rc::clone(&library.library),
        environment: Rc::clone(&environment),
        id,
        inside: inside::word_of(id, options.is_leaf()),
        symbol,
        options,
        may_be_of_numbers: false,
        has_register_call: false,
        returned_text: signature.signature.result.scalar().and_then(CType::encoding),
        remote,
    };
    function.may_be_of_numbers = function.may_be_of_numbers();
    function.has_register_call = function.has_register_call();
    let number = environment.functions.add(code, &library.library, Rc::new(function), inside::fast_word_of(id));
    library.note(&environment, number);
    Ok(number)
}

/// `[enter, enterWithFew, enterWithMany, start]`, which take the number of a function out of the argument buffer. The
/// first is for calls without pins, the second for functions of at most two pins. The values are the pins,
/// what else has to stay alive, and the library. `start` makes the call on another thread; its first two values are
/// what settles it, and the thread or null.
///
/// # Errors
/// Where the environment is not attached, or the engine makes no function.
#[napi]
pub fn entries(env: Env) -> napi::Result<Vec<Object<'static>>> {
    let [enter, few, many] = native_entries();
    let start = NativeFn::with_own_boundary(start_call);
    Ok(native_functions(env, [enter, few, many, start])?.into())
}

/// `[load, locate]`: each returns undefined where it has worked.
///
/// # Errors
/// Where the environment is not attached, or the engine makes no function.
#[napi]
pub fn quick(env: Env) -> napi::Result<Vec<Object<'static>>> {
    Ok(native_functions(env, intrinsics())?.into())
}

/// `[fill, store]`: they copy between a view and the address in the argument buffer.
///
/// # Errors
/// Where the environment is not attached, or the engine makes no function.
#[napi]
pub fn copiers_of_bytes(env: Env) -> napi::Result<Vec<Object<'static>>> {
    Ok(native_functions(env, copiers())?.into())
}

/// The number of calls of functions that free a handle, synchronous and asynchronous.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn entered_frees(env: Env) -> napi::Result<u32> {
    Ok(current(env)?.calls.frees.get())
}

/// The errno (GetLastError on Windows) of the last call that was declared to capture it.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn last_errno(env: Env) -> napi::Result<i32> {
    Ok(current(env)?.calls.errno.get())
}

/// Sets errno of this thread, and the value of `last_errno` until the next call that is declared to capture it. In a
/// callback it is the errno that C finds afterwards.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn set_errno(env: Env, value: i32) -> napi::Result<()> {
    let calls = &current(env)?.calls;
    calls.errno.set(value);
    calls.chosen_errno.set(Some(value));
    Errno::here().set(value);
    Ok(())
}
