//! Transfer locks: a buffer that is pinned cannot be transferred while native code uses it. V8 refuses to detach a
//! buffer whose detach key is not passed, so a lock is a secret key (`v8::ArrayBuffer::SetDetachKey`).
#![expect(unsafe_code, reason = "calls an exported function of V8")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ptr::null_mut;

use napi::sys;

use super::value::{Pinned, Rooted};
use crate::memory::fence::block::Fenced;
use crate::memory::fence::borrows::Storage;
use crate::v8::array_buffer::{BackingStores, DetachKey, Question};
use crate::v8::symbols;

/// The locks of an environment, and the buffers that the calls under way were passed.
#[derive(Debug)]
pub struct TransferLocks {
    /// `SetDetachKey`, where the executable exports it.
    setter: Cell<Option<DetachKey>>,
    /// Whether callbacks hold the storage of what their call was passed rather than lock it: V8 ends the process in
    /// `transfer()` where it meets a key.
    only_holds: Cell<bool>,
    /// Holds the storage of buffers that cannot be locked.
    stores: Cell<Option<BackingStores>>,
    /// `IsResizableByUserJavaScript`, where the executable exports it.
    is_resizable: Cell<Option<Question>>,
    /// A JavaScript function that returns the same, for all other runtimes.
    pub asks_resizable: Cell<sys::napi_ref>,
    /// `IsDetachable`, where the executable exports it.
    is_detachable: Cell<Option<Question>>,
    /// A JavaScript function that returns whether Node has marked a buffer as not transferable.
    pub asks_marked: Cell<sys::napi_ref>,
    /// The number of locks of each buffer, by the address of its storage.
    counts: RefCell<HashMap<usize, usize>>,
    passed: RefCell<Vec<Passed>>,
    /// The number of buffers of `passed` that are locked, because a callback has run during their call.
    locked: Cell<usize>,
}

/// A view or buffer that a call under way was passed, and its block, which is held while callbacks run.
#[derive(Debug)]
struct Passed {
    value: sys::napi_value,
    block: Option<Fenced>,
    /// Holds its storage meanwhile, if it cannot be locked.
    store: Cell<sys::napi_ref>,
}

impl Default for TransferLocks {
    fn default() -> Self {
        Self {
            setter: Cell::default(),
            only_holds: Cell::default(),
            stores: Cell::default(),
            is_resizable: Cell::default(),
            asks_resizable: Cell::new(null_mut()),
            is_detachable: Cell::default(),
            asks_marked: Cell::new(null_mut()),
            counts: RefCell::default(),
            passed: RefCell::default(),
            locked: Cell::default(),
        }
    }
}

impl TransferLocks {
    /// Looks V8's functions up, once per environment.
    pub fn find(&self, has_detach_keys: bool, transfer_aborts: bool) {
        let Some(process) = symbols::process() else { return };
        if has_detach_keys {
            self.setter.set(DetachKey::find(&process));
            self.is_detachable.set(Question::is_detachable(&process));
        }
        if !has_detach_keys || transfer_aborts {
            self.only_holds.set(transfer_aborts);
            self.stores.set(BackingStores::find(&process));
        }
        self.is_resizable.set(Question::is_resizable(&process));
    }

    /// Whether a buffer can be resized.
    pub fn is_resizable(&self, buffer: Rooted<'_>) -> bool {
        if let Some(function) = self.is_resizable.get() {
            // SAFETY: M11; `find` took the function from the running executable. The buffer is rooted.
            return unsafe { function.ask(buffer.raw().cast()) };
        }
        // SAFETY: the environment keeps the function, where it has got it.
        unsafe { ask(self.asks_resizable.get(), buffer) }.unwrap_or(false)
    }

    /// Whether the engine allocated an ArrayBuffer. An external one Node itself detaches without a key when its
    /// environment ends, and ends the process where that fails; a WebAssembly.Memory's has a separate key.
    fn is_of_engine(&self, value: Rooted<'_>, buffer: Rooted<'_>) -> bool {
        if block(value).is_some_and(|(block, _)| block.is_of_engine()) {
            return true;
        }
        // SAFETY: as in `is_resizable`.
        let ask_v8 = |function: Question| unsafe { function.ask(buffer.raw().cast()) };
        // Node marks external buffers when it makes them (node_buffer.cc, CallbackInfo).
        // SAFETY: the environment keeps the function, where it has got it.
        self.is_detachable.get().is_some_and(ask_v8) && unsafe { ask(self.asks_marked.get(), buffer) } == Some(false)
    }

    /// Records a view or buffer that a call was passed, and its block if nothing else holds that. The call that was
    /// passed it calls [`TransferLocks::end`] before it returns.
    pub fn hand(&self, value: Rooted<'_>, block: Option<Fenced>) {
        self.passed.borrow_mut().push(Passed { value: value.raw(), block, store: Cell::new(null_mut()) });
    }

    /// The length of the list; for [`TransferLocks::end`].
    pub fn mark(&self) -> usize {
        self.passed.borrow().len()
    }

    /// JavaScript is about to run inside a call: locks what the calls under way were passed. True where there was
    /// anything: an exception may be pending in Node-API then, thrown by JavaScript of the package at the end of the
    /// stack.
    #[inline]
    pub fn before_callback(&self, env: sys::napi_env) -> bool {
        let passed = self.passed.borrow();
        let has_more = passed.len() > self.locked.get();
        if has_more {
            self.lock_handed(env, &passed);
        }
        has_more
    }

    #[cold]
    fn lock_handed(&self, env: sys::napi_env, passed: &[Passed]) {
        for Passed { value, block, store } in &passed[self.locked.get()..] {
            block.inspect(|block| block.pin());
            // SAFETY: the call that was passed the value is under way, because `end` has not removed it; its native
            // function has it as an argument (M3). `env` is that of this thread (M6).
            let value = unsafe { Rooted::new(env, *value) };
            let is_locked = !self.only_holds.get() && self.lock(value);
            if !is_locked && block.is_none() {
                store.set(self.stores.get().map_or(null_mut(), |stores| hold_storage(stores, value)));
            }
        }
        self.locked.set(passed.len());
    }

    /// Unlocks the views that were passed to a call since `mark`, after it has returned.
    #[inline]
    pub fn end(&self, env: sys::napi_env, mark: usize) {
        let mut passed = self.passed.borrow_mut();
        let locked = self.locked.get();
        if locked > mark {
            self.unlock_handed(env, &passed[mark..locked]);
            self.locked.set(mark);
        }
        passed.truncate(mark);
    }

    #[cold]
    fn unlock_handed(&self, env: sys::napi_env, passed: &[Passed]) {
        for Passed { value, block, store } in passed {
            if !self.only_holds.get() {
                // SAFETY: as in `lock_handed`: the call has not returned to JavaScript yet.
                self.unlock(unsafe { Rooted::new(env, *value) });
            }
            block.inspect(|block| block.unpin());
            let store = store.replace(null_mut());
            if !store.is_null() {
                // SAFETY: M6; `hold_storage` made the reference, and nothing else has it.
                unsafe { sys::napi_delete_reference(env, store) };
            }
        }
    }

    /// Locks a buffer, or that of a view, once more. False where this runtime cannot.
    pub fn lock(&self, value: Rooted<'_>) -> bool {
        let (Some(setter), Some((base, buffer))) = (self.setter.get(), array_buffer(value)) else { return false };
        if !self.counts.borrow().contains_key(&base) && !self.is_of_engine(value, buffer) {
            return false;
        }
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(base).or_insert(0);
        *count += 1;
        if *count == 1 {
            let mut key = null_mut();
            // SAFETY: M11 for the setter; the buffer is rooted, and the key a handle of its scope. Any value but
            // undefined is a key.
            unsafe {
                sys::napi_get_boolean(value.env(), true, &mut key);
                setter.set(buffer.raw().cast(), key.cast());
            }
        }
        true
    }

    /// Takes one lock of an ArrayBuffer back; the last one makes it transferable.
    pub fn unlock(&self, value: Rooted<'_>) {
        let (Some(setter), Some((base, buffer))) = (self.setter.get(), array_buffer(value)) else { return };
        let mut counts = self.counts.borrow_mut();
        let Some(count) = counts.get_mut(&base) else { return };
        *count -= 1;
        if *count == 0 {
            counts.remove(&base);
            let mut no_key = null_mut();
            // SAFETY: as in `lock`; undefined takes the key away.
            unsafe {
                sys::napi_get_undefined(value.env(), &mut no_key);
                setter.set(buffer.raw().cast(), no_key.cast());
            }
        }
    }
}

/// A reference that holds the storage of a view or buffer; null for a value without transferable storage.
fn hold_storage(stores: BackingStores, value: Rooted<'_>) -> sys::napi_ref {
    let Some((_, buffer)) = array_buffer(value) else { return null_mut() };
    let (env, buffer) = (value.env(), buffer.raw().cast());
    // SAFETY: M11 for V8's functions; the buffer is rooted.
    if unsafe { stores.is_shared(buffer) } {
        return null_mut();
    }
    let (mut scope, mut reference) = (null_mut(), null_mut());
    // SAFETY: as above. What holds the storage is a handle of the scope that is opened here, and the reference keeps
    // it.
    unsafe {
        sys::napi_open_handle_scope(env, &mut scope);
        let held = stores.share(buffer);
        if !held.is_null() {
            sys::napi_create_reference(env, held.cast(), 1, &mut reference);
        }
        sys::napi_close_handle_scope(env, scope);
    }
    reference
}

/// The fenced block of an ArrayBuffer or of a view's, and that buffer; `None` for an empty, detached or shared one,
/// which cannot be transferred.
pub fn block(value: Rooted<'_>) -> Option<(Fenced, Rooted<'_>)> {
    let (storage, buffer) = transferable(value)?;
    Some((storage.block()?, buffer))
}

/// The address of an ArrayBuffer or of a view's, and that buffer; `None` for one that cannot be transferred, as
/// [`block`].
fn array_buffer(value: Rooted<'_>) -> Option<(usize, Rooted<'_>)> {
    let (storage, buffer) = transferable(value)?;
    Some((storage.view.start.get() - storage.offset, buffer))
}

fn transferable(value: Rooted<'_>) -> Option<(Storage, Rooted<'_>)> {
    let Ok(Pinned::Bytes(storage, buffer)) = value.storage() else { return None };
    buffer.buffer_length()?;
    Some((storage, buffer))
}

/// The result of a function of the package for a buffer; it runs no code of the user. `None` where it throws, or there
/// is no function.
///
/// # Safety
/// The environment of the buffer keeps the function, or it is null.
pub unsafe fn ask(function: sys::napi_ref, buffer: Rooted<'_>) -> Option<bool> {
    if function.is_null() {
        return None;
    }
    let (env, value) = (buffer.env(), buffer.raw());
    let (mut callee, mut this, mut answer, mut is_so) = (null_mut(), null_mut(), null_mut(), false);
    // SAFETY: by the contract of this function; the buffer is rooted, and the others are handles of its scope.
    unsafe {
        sys::napi_get_reference_value(env, function, &mut callee);
        sys::napi_get_undefined(env, &mut this);
        let has_answered = sys::napi_call_function(env, this, callee, 1, &value, &mut answer) == sys::Status::napi_ok
            && sys::napi_get_value_bool(env, answer, &mut is_so) == sys::Status::napi_ok;
        has_answered.then_some(is_so)
    }
}
