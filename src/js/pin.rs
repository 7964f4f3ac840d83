//! Locks: a buffer that is pinned cannot be transferred away under native code's feet. V8 refuses to detach a buffer
//! whose detach key is not given, so a lock is a key that nobody has (`v8::ArrayBuffer::SetDetachKey`).
#![expect(unsafe_code, reason = "calls an exported function of V8")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::null_mut;

use napi::bindgen_prelude::{Env, Unknown};
use napi::{JsValue, sys};
use napi_derive::napi;

use super::environment::current;
use super::memory::{JsAddress, from_js, to_js};
use crate::library::Library;
use crate::memory::address::Address;
use crate::memory::fence::Fenced;
use crate::memory::pin::{self, Pinned};
use crate::memory::report;

/// The locks of an environment, and the buffers that the calls under way were handed.
#[derive(Debug, Default)]
pub struct Locks {
    /// `SetDetachKey`, where the executable exports it.
    setter: Cell<Option<Address>>,
    /// `IsResizableByUserJavaScript`, where the executable exports it.
    is_resizable: Cell<Option<Address>>,
    /// How often each buffer is locked, by the address of its storage.
    counts: RefCell<HashMap<usize, usize>>,
    buffers: RefCell<Vec<sys::napi_value>>,
    /// How many of `buffers` are locked: those a callback has run under.
    locked: Cell<usize>,
}

const IS_RESIZABLE: &str = "_ZNK2v811ArrayBuffer27IsResizableByUserJavaScriptEv";
const SET_DETACH_KEY: &str = "_ZN2v811ArrayBuffer12SetDetachKeyENS_5LocalINS_5ValueEEE";

impl Locks {
    /// Looks V8's functions up, once an environment. Whether resizable buffers are found natively.
    fn find(&self, has_detach_keys: bool) -> bool {
        // SAFETY: U4; the process runs no constructor again.
        let Ok(process) = (unsafe { Library::open(None, 0) }) else { return false };
        if has_detach_keys {
            self.setter.set(process.find(SET_DETACH_KEY));
        }
        self.is_resizable.set(process.find(IS_RESIZABLE));
        self.is_resizable.get().is_some()
    }

    /// Whether a buffer can be resized; false where only JavaScript can tell, which has asked then.
    #[inline]
    pub fn is_resizable(&self, buffer: sys::napi_value) -> bool {
        // SAFETY: M11 and M3.
        self.is_resizable.get().is_some_and(|function| unsafe { pin::is_resizable(function, buffer) })
    }

    /// Notes a buffer that a call was handed.
    pub fn hand(&self, buffer: sys::napi_value) {
        self.buffers.borrow_mut().push(buffer);
    }

    /// Where the list stands; for [`Locks::end`].
    pub fn mark(&self) -> usize {
        self.buffers.borrow().len()
    }

    /// JavaScript is about to run inside a call: locks what the calls under way were handed.
    pub fn before_callback(&self, env: sys::napi_env) {
        let buffers = self.buffers.borrow();
        for buffer in &buffers[self.locked.get()..] {
            self.lock(env, *buffer);
        }
        self.locked.set(buffers.len());
    }

    /// A call has returned: what was handed to it since `mark` is unlocked.
    pub fn end(&self, env: sys::napi_env, mark: usize) {
        let mut buffers = self.buffers.borrow_mut();
        for buffer in buffers.drain(mark..).take(self.locked.get().saturating_sub(mark)) {
            self.unlock(env, buffer);
        }
        self.locked.set(self.locked.get().min(mark));
    }

    /// Locks a buffer once more. False where this runtime cannot.
    fn lock(&self, env: sys::napi_env, buffer: sys::napi_value) -> bool {
        let (Some(setter), Some(base)) = (self.setter.get(), lockable(env, buffer)) else { return false };
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(base).or_insert(0);
        *count += 1;
        if *count == 1 {
            let mut key = null_mut();
            // SAFETY: M6 and M3; any value but undefined is a key.
            unsafe {
                sys::napi_get_boolean(env, true, &mut key);
                pin::set_detach_key(setter, buffer, key);
            }
        }
        true
    }

    fn unlock(&self, env: sys::napi_env, buffer: sys::napi_value) {
        let (Some(setter), Some(base)) = (self.setter.get(), lockable(env, buffer)) else { return };
        let mut counts = self.counts.borrow_mut();
        let Some(count) = counts.get_mut(&base) else { return };
        *count -= 1;
        if *count == 0 {
            counts.remove(&base);
            let mut no_key = null_mut();
            // SAFETY: M6 and M3.
            unsafe {
                sys::napi_get_undefined(env, &mut no_key);
                pin::set_detach_key(setter, buffer, no_key);
            }
        }
    }
}

/// The fenced block of an ArrayBuffer; `None` for an empty, detached or shared one, which cannot be transferred.
fn block(env: sys::napi_env, buffer: sys::napi_value) -> Option<Fenced> {
    // SAFETY: M3.
    let storage = unsafe {
        pin::buffer_length(env, buffer)?;
        pin::storage(env, buffer)
    };
    match storage {
        Ok(Pinned::Bytes(storage, _)) => storage.block(),
        _ => None,
    }
}

/// The address of an ArrayBuffer that may have a key: one that the engine allocated. An external one Node itself detaches
/// without a key when its environment ends, and ends the process where that fails.
fn lockable(env: sys::napi_env, buffer: sys::napi_value) -> Option<usize> {
    block(env, buffer).filter(|block| block.is_of_engine()).map(|block| block.data().get())
}

/// Keeps the memory of an ArrayBuffer allocated, whatever becomes of the buffer, until `letGo` of what is returned.
#[napi]
pub fn hold(env: Env, buffer: Unknown<'_>) -> Option<JsAddress> {
    let block = block(env.raw(), buffer.raw())?;
    block.give(report::intern("pin"));
    block.pin();
    Some(to_js(block.data().get()))
}

/// Takes one `hold` back.
#[napi]
pub fn let_go(address: JsAddress) {
    if let Some(data) = Address::new(from_js(address)) {
        // SAFETY: M8 and M10; `hold` returned the address, and what is pinned is not given back.
        unsafe { Fenced::at(data) }.unpin();
    }
}

/// Looks for what V8 offers for pins; in Node only, where a `napi_value` is the pointer of a `v8::Local`. Whether calls
/// refuse resizable buffers by themselves.
#[napi]
pub fn find_locks(env: Env, has_detach_keys: bool) -> napi::Result<bool> {
    Ok(current(env)?.locks.find(has_detach_keys))
}

/// Locks an ArrayBuffer against transfer; false where this runtime cannot.
#[napi]
pub fn lock(env: Env, buffer: Unknown<'_>) -> napi::Result<bool> {
    Ok(current(env)?.locks.lock(env.raw(), buffer.raw()))
}

/// Takes one lock of an ArrayBuffer back.
#[napi]
pub fn unlock(env: Env, buffer: Unknown<'_>) -> napi::Result<()> {
    current(env)?.locks.unlock(env.raw(), buffer.raw());
    Ok(())
}
