//! Pins and transfer locks, as JavaScript has them.
#![expect(unsafe_code, reason = "finds blocks by their addresses")]

use napi::JsValue;
use napi::bindgen_prelude::{Env, Object, Unknown};
use napi_derive::napi;

use crate::memory::address::Address;
use crate::memory::fence::block::Fenced;
use crate::memory::fence::report;
use crate::node::env::current;
use crate::node::js_address::{JsAddress, from_js, to_js};
use crate::node::transfer_lock::block;
use crate::node::value::Rooted;

/// Keeps the memory of an ArrayBuffer allocated, even if the buffer is transferred or collected, until `letGo` of the
/// returned value.
#[napi]
pub fn hold(buffer: Unknown<'_>) -> Option<JsAddress> {
    let (block, _) = block(Rooted::of(&buffer))?;
    block.expose_to(report::intern("pin"));
    block.pin();
    Some(to_js(block.data().get()))
}

/// Takes one `hold` back.
#[napi]
pub fn let_go(address: JsAddress) {
    if let Some(data) = Address::new(from_js(address)) {
        // SAFETY: M8 and M10; `hold` returned the address, and pinned memory is not freed.
        unsafe { Fenced::at(data) }.unpin();
    }
}

/// Looks for V8's functions for pins; in Node only, where a `napi_value` is the pointer of a `v8::Local`.
/// `asks_resizable` tells of an ArrayBuffer or SharedArrayBuffer whether it can be resized, for where V8 cannot be
/// asked; `asks_marked` whether Node has marked one as not transferable.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn find_locks(
    env: Env,
    is_node: bool,
    has_detach_keys: bool,
    transfer_aborts: bool,
    asks_resizable: Object<'_>,
    asks_marked: Object<'_>,
) -> napi::Result<()> {
    let environment = current(env)?;
    for (place, function) in [
        (&environment.transfer_locks.asks_resizable, asks_resizable),
        (&environment.transfer_locks.asks_marked, asks_marked),
    ] {
        place.set(environment.keep(function.raw()));
    }
    if is_node {
        environment.transfer_locks.find(has_detach_keys, transfer_aborts);
    }
    Ok(())
}

/// Locks an ArrayBuffer against transfer; false where this runtime cannot.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn lock(env: Env, buffer: Unknown<'_>) -> napi::Result<bool> {
    Ok(current(env)?.transfer_locks.lock(Rooted::of(&buffer)))
}

/// Takes one lock of an ArrayBuffer back.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn unlock(env: Env, buffer: Unknown<'_>) -> napi::Result<()> {
    current(env)?.transfer_locks.unlock(Rooted::of(&buffer));
    Ok(())
}
