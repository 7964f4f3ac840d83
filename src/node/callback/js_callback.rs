//! Opens and closes C function pointers. `own_thread` and `foreign_thread` answer C's calls.

use std::ptr::null_mut;

use super::kept_function::JsFunction;
use crate::node::env::{CallbackSlot, Callbacks, Environment};
use crate::node::native_fn::{Arguments, JsResult};

/// The offsets of the arguments of [`open`] and [`close`] in the argument buffer.
const ID: usize = 0;
const KIND: usize = 4;
const NAME: usize = 8;

/// Kinds: C does not wait for the result; open for the length of a call. Any other is 0.
const OF_THREADS: u32 = 1;
const SCOPED: u32 = 2;

impl Callbacks {
    /// Closes all callbacks of an environment that has ended; their slots outlive it.
    pub fn abandon(&self, environment: &Environment) -> Vec<&'static CallbackSlot> {
        if let Some(late) = self.late.take() {
            late.let_go(environment);
        }
        let slots = self.slots.take();
        slots.iter().for_each(|slot| slot.abandon(environment));
        slots
    }

    /// Closes the callbacks that were scoped to the call that ends, or to one inside it. Used when JavaScript is being
    /// terminated and cannot do so itself.
    pub fn close_scoped(&self, environment: &Environment) {
        let depth = environment.calls.depth.get();
        let is_ended = |slot: &&'static CallbackSlot| slot.scoped.get().is_some_and(|scoped| scoped >= depth);
        while let Some(slot) = self.scoped.borrow_mut().pop_if(|slot| is_ended(&&**slot)) {
            slot.scoped.set(None);
            slot.close(environment);
        }
    }

    /// The callback whose number is in the argument buffer.
    fn named(&self, environment: &Environment) -> Option<&'static CallbackSlot> {
        let id = environment.arg_buffer.half(ID);
        self.slots.borrow().get(id as usize).copied()
    }
}

/// Opens the callback whose number is in the argument buffer.
pub fn open(environment: &Environment, arguments: Arguments) -> JsResult {
    let [function] = arguments.first();
    if let Some(slot) = environment.callbacks.named(environment) {
        let (name, kind) = (environment.arg_buffer.half(NAME), environment.arg_buffer.half(KIND));
        slot.open(JsFunction::hold(environment, function), name, kind == OF_THREADS);
        if kind == SCOPED {
            slot.scoped.set(Some(environment.calls.depth.get()));
            environment.callbacks.scoped.borrow_mut().push(slot);
        }
    }
    Ok(null_mut())
}

/// Closes the callback whose number is in the argument buffer.
pub fn close(environment: &Environment, _: Arguments) -> JsResult {
    if let Some(slot) = environment.callbacks.named(environment) {
        if slot.scoped.take().is_some() {
            let mut scoped = environment.callbacks.scoped.borrow_mut();
            if let Some(at) = scoped.iter().rposition(|other| std::ptr::eq(*other, slot)) {
                scoped.remove(at);
            }
        }
        slot.close(environment);
    }
    Ok(null_mut())
}
