//! Unfenced memory whose address was exposed. The guard keeps it in step with its copies: a number from `ptr()` means
//! the copy for the length of a call; what a pin or a struct holds the address of is not copied.
#![expect(unsafe_code, reason = "holds weak references to buffers")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ptr::null_mut;

use napi::sys;

use super::value::Rooted;
use crate::memory::address::{Address, Span};
use crate::memory::fence::borrows::Storage;

/// The exposed memory of an environment.
#[derive(Debug, Default)]
pub struct ExposedViews {
    /// By the first byte.
    entries: RefCell<BTreeMap<usize, Entry>>,
    /// The most bytes of any entry: how far in front of a number its entry may begin.
    longest: Cell<usize>,
    /// Whether anything is guarded: otherwise the memory of a number does not matter.
    is_guarded: Cell<bool>,
    /// The number of entries at which the dead ones are removed.
    limit: Cell<usize>,
}

#[derive(Debug)]
struct Entry {
    length: usize,
    /// The buffer, weakly.
    buffer: sys::napi_ref,
    /// C may keep the address.
    is_kept: bool,
    /// The memory is C's own, which may free it.
    is_native: bool,
}

/// Memory that a number from `ptr()` lies in.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Everything that was exposed.
    pub memory: Span,
    /// Its buffer.
    pub buffer: sys::napi_value,
    /// Whether it is C's own.
    pub is_native: bool,
}

const FIRST_LIMIT: usize = 64;

impl ExposedViews {
    /// Something is guarded from here on.
    pub fn guard(&self) {
        self.is_guarded.set(true);
    }

    /// Forgets all: the environment is going.
    pub fn forget(&self, env: sys::napi_env) {
        for entry in self.entries.take().into_values() {
            // SAFETY: M6; the entry is no longer used.
            unsafe { sys::napi_delete_reference(env, entry.buffer) };
        }
    }

    /// Records a view without a fence whose address `ptr()` exposes.
    pub fn note(&self, storage: Storage, buffer: Rooted<'_>) {
        if self.is_guarded.get() {
            self.insert(storage.view, buffer, (false, false));
        }
    }

    /// The same for a view over C's own memory.
    pub fn note_native(&self, storage: Storage, buffer: Rooted<'_>) {
        if self.is_guarded.get() {
            self.insert(storage.view, buffer, (false, true));
        }
    }

    /// Records that C may keep addresses of a view's buffer for as long as that lives.
    pub fn keep(&self, storage: Storage, buffer: Rooted<'_>) {
        let whole = buffer
            .buffer_length()
            .and_then(|length| Some(Span { start: Address::new(storage.view.start.get() - storage.offset)?, length }));
        self.insert(whole.unwrap_or(storage.view), buffer, (true, false));
    }

    fn insert(&self, span: Span, buffer: Rooted<'_>, (is_kept, is_native): (bool, bool)) {
        let env = buffer.env();
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= self.limit.get() {
            entries.retain(|_, entry| entry.is_alive(env));
            self.limit.set((entries.len() * 2).max(FIRST_LIMIT));
        }
        let mut entry = Entry { length: span.length, buffer: null_mut(), is_kept, is_native };
        if let Some(known) = entries.remove(&span.start.get())
            && known.is_alive(env)
        {
            entry = Entry { length: known.length.max(span.length), is_kept: known.is_kept || is_kept, ..known };
        } else {
            // SAFETY: the buffer is rooted. A count of 0 makes a weak reference.
            unsafe { sys::napi_create_reference(env, buffer.raw(), 0, &mut entry.buffer) };
        }
        self.longest.set(self.longest.get().max(entry.length));
        entries.insert(span.start.get(), entry);
    }

    /// Whether C may keep an address of the memory.
    pub fn is_kept(&self, env: sys::napi_env, address: Address) -> bool {
        self.find(env, address, true).is_some()
    }

    /// The memory that a number from `ptr()` lies in, and its buffer, rooted until the native entry returns; `None`
    /// where that is gone, and where C may keep the address.
    pub fn memory(&self, env: sys::napi_env, address: Address) -> Option<Known> {
        if self.is_kept(env, address) { None } else { self.find(env, address, false) }
    }

    fn find(&self, env: sys::napi_env, address: Address, is_kept: bool) -> Option<Known> {
        let entries = self.entries.borrow();
        let first = address.get().saturating_sub(self.longest.get());
        let near = entries.range(first..=address.get()).rev();
        near.filter(|(start, entry)| entry.is_kept == is_kept && address.get() - **start < entry.length).find_map(
            |(start, entry)| {
                let memory = Span::new(Address::new(*start)?, entry.length).ok()?;
                Some(Known { memory, buffer: entry.alive(env)?, is_native: entry.is_native })
            },
        )
    }
}

impl Entry {
    /// Its buffer, where that has neither been collected nor detached.
    fn alive(&self, env: sys::napi_env) -> Option<sys::napi_value> {
        let mut buffer = null_mut();
        // SAFETY: M6; the reference is this environment's, and the out-parameters are locals. M3: what it gives is
        // rooted.
        unsafe {
            sys::napi_get_reference_value(env, self.buffer, &mut buffer);
            if buffer.is_null() {
                return None;
            }
            let (mut data, mut length) = (null_mut(), 0);
            let is_array_buffer = sys::napi_get_arraybuffer_info(env, buffer, &mut data, &mut length);
            // A SharedArrayBuffer is refused by that function, and is never detached.
            (is_array_buffer != sys::Status::napi_ok || length > 0).then_some(buffer)
        }
    }

    /// The same; where it is gone, so is the reference.
    fn is_alive(&self, env: sys::napi_env) -> bool {
        let is_alive = self.alive(env).is_some();
        if !is_alive {
            // SAFETY: M6; the caller drops the entry.
            unsafe { sys::napi_delete_reference(env, self.buffer) };
        }
        is_alive
    }
}
