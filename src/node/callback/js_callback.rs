//! JSCallback's native half: makes C function pointers, opens and closes them. C's calls of them are in `slot` and
//! `foreign_thread`.

use std::ptr::null_mut;

use napi::JsValue;
use napi::bindgen_prelude::{ClassInstance, Env, Object};
use napi_derive::napi;

use super::kept_function::JsFunction;
use crate::memory::address::Address;
use crate::memory::fence::report;
use crate::node::env::{CallbackSlot, Callbacks, Environment, current};
use crate::node::error::thrown;
use crate::node::exports::signature::JsSignature;
use crate::node::js_address::{JsAddress, to_js};
use crate::node::native_fn::{Arguments, JsResult, NativeFn, native_functions};
use crate::node::nesting::Nesting;

/// A C function pointer, before it was opened.
#[napi(object)]
pub struct JsPointer {
    /// Its number in this environment.
    pub id: u32,
    /// Its address.
    pub address: JsAddress,
}

/// Makes a C function pointer of the signature: a closed one.
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
/// its name, and its kind: threadsafe, or lent for the length of a call. `open(function)` has the pointer call a
/// function. On its own thread that takes no arguments: it reads and writes the argument buffer. For a call from
/// another thread it takes a token, and may return true: then `answer` or `fail` ends the call. `close()` lets the
/// function go: C gets zero from now on, and when it calls all the same, `late` is called with the number.
#[napi]
pub fn callbacks(env: Env, late: Object<'_>) -> napi::Result<Vec<Object<'static>>> {
    let environment = current(env)?;
    environment.callbacks.late.set(Some(JsFunction::hold(&environment, late.raw())));
    let functions = [NativeFn::new(open), NativeFn::new(close)];
    Ok(native_functions(env, functions)?.into())
}

/// Where they lie in the argument buffer.
const ID: usize = 0;
const KIND: usize = 4;
const NAME: usize = 8;

/// Kinds: C does not wait for it; it is open for the length of a call. Any other is 0.
const OF_THREADS: u32 = 1;
const LENT: u32 = 2;

impl Callbacks {
    /// The environment is gone; the callbacks outlive it.
    pub fn abandon(&self, environment: &Environment) -> Vec<&'static CallbackSlot> {
        if let Some(late) = self.late.take() {
            late.let_go(environment);
        }
        let slots = self.slots.take();
        slots.iter().for_each(|slot| slot.abandon(environment));
        slots
    }

    /// Closes those that were lent to the call that ends, or to one inside of it: JavaScript is being ended, and does
    /// not.
    pub fn close_lent(&self, environment: &Environment) {
        let depth = Nesting::level(environment.nesting.get());
        let is_ended = |slot: &&'static CallbackSlot| slot.lent.get().is_some_and(|lent| lent >= depth);
        while let Some(slot) = self.lent.borrow_mut().pop_if(|slot| is_ended(&&**slot)) {
            slot.lent.set(None);
            slot.close(environment);
        }
    }

    /// The callback whose number is in the argument buffer.
    fn named(&self, environment: &Environment) -> Option<&'static CallbackSlot> {
        let id = environment.arg_buffer.half(ID);
        self.slots.borrow().get(id as usize).copied()
    }
}

fn open(environment: &Environment, arguments: Arguments) -> JsResult {
    let [function] = arguments.first();
    if let Some(slot) = environment.callbacks.named(environment) {
        let (name, kind) = (environment.arg_buffer.half(NAME), environment.arg_buffer.half(KIND));
        slot.open(JsFunction::hold(environment, function), name, kind == OF_THREADS);
        if kind == LENT {
            slot.lent.set(Some(Nesting::level(environment.nesting.get())));
            environment.callbacks.lent.borrow_mut().push(slot);
        }
    }
    Ok(null_mut())
}

fn close(environment: &Environment, _: Arguments) -> JsResult {
    if let Some(slot) = environment.callbacks.named(environment) {
        if slot.lent.take().is_some() {
            let mut lent = environment.callbacks.lent.borrow_mut();
            if let Some(at) = lent.iter().rposition(|other| std::ptr::eq(*other, slot)) {
                lent.remove(at);
            }
        }
        slot.close(environment);
    }
    Ok(null_mut())
}
