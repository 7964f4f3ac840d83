//! The life of a C function pointer: made, opened, closed, abandoned. `dispatch` has C's calls of it.

use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::dispatch::JsHandler;
use super::free_list;
use super::kept_function::JsFunction;
use super::slot::OPEN;
use crate::abi::signature::Signature;
use crate::callback::closure::Closure;
use crate::node::env::{CallbackSlot, Callbacks, Environment};
use crate::node::native_fn::{Arguments, JsResult};

/// The offsets of the arguments of [`open`] and [`close`] in the argument buffer.
const ID: usize = 0;
const KIND: usize = 4;
const NAME: usize = 8;

/// Kinds: C does not wait for the result; open for the length of a call. Any other is 0.
const OF_THREADS: u32 = 1;
const SCOPED: u32 = 2;

impl CallbackSlot {
    /// Makes a closed one, or takes one that an ended environment has left.
    ///
    /// # Errors
    /// If there is no executable memory, or libffi refuses the signature.
    pub fn make(environment: &Environment, signature: &Arc<Signature>, id: u32) -> crate::error::Result<&'static Self> {
        let env_handle = environment.env_handle();
        if let Some(slot) = free_list::reuse(signature) {
            slot.function.set(None);
            slot.id.set(id);
            slot.set_env_handle(env_handle);
            return Ok(slot);
        }
        let slot: &'static Self = Box::leak(Box::new(Self::new(signature, env_handle, id)));
        let closure = Closure::new(Arc::clone(signature), Box::new(JsHandler(slot)))?;
        slot.set_code(closure.code());
        Ok(slot)
    }

    /// Opens it: calls go to the function.
    pub fn open(&self, function: JsFunction, name: u32, threadsafe: bool) {
        self.function.set(Some(function));
        self.name.store(name, Ordering::Relaxed);
        self.threadsafe.store(threadsafe, Ordering::Relaxed);
        self.warned.store(false, Ordering::Relaxed);
        // Only this thread writes them (M6): a swap would lock the bus.
        self.life.store(self.life.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
        if self.closed.load(Ordering::Relaxed) {
            self.closed.store(false, Ordering::Release);
            OPEN.set(OPEN.get() + 1);
        }
    }

    /// Closes it: calls return zero, and the function is released.
    pub fn close(&self, environment: &Environment) {
        if !self.closed.load(Ordering::Relaxed) {
            self.closed.store(true, Ordering::Release);
            OPEN.set(OPEN.get() - 1);
        }
        let Some(function) = self.function.take() else { return };
        // Calls that C has made before, and does not wait for, are still delivered.
        if self.queued.load(Ordering::Acquire) > 0 && !environment.ended.get() {
            self.leaving.set(Some(function));
        } else {
            function.let_go(environment);
        }
    }

    /// The environment is gone: calls return zero without a warning, until another one opens it.
    pub fn abandon(&self, environment: &Environment) {
        self.close(environment);
        if let Some(function) = self.leaving.take() {
            function.let_go(environment);
        }
        self.queued.store(0, Ordering::Release);
        self.warned.store(true, Ordering::Release);
        self.held.set(0);
    }
}

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
