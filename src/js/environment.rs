//! What one JavaScript environment (the main thread or a worker) has of its own. There is no other state.
#![expect(unsafe_code, reason = "keeps Node-API references and takes the frame's address")]

use std::cell::{Cell, RefCell};
use std::ffi::CString;
use std::ptr::{NonNull, null_mut};
use std::rc::Rc;

use napi::bindgen_prelude::{Env, Object};
use napi::{JsValue, sys};
use napi_derive::napi;

use super::pin::Locks;
use super::stack::Stack;
use crate::error::{Class, FfiError};
use crate::layout::Layout;
use crate::memory::fence::Fenced;
use crate::memory::frame::Frame;
use crate::memory::own;
use crate::memory::peek::Care;
use crate::memory::pin::{self, Pinned};
use crate::memory::scratch::Scratch;
use crate::memory::watch::Watch;

/// The state of an environment, shared by its functions and callbacks.
#[derive(Debug)]
pub struct Environment {
    /// The environment.
    pub raw: sys::napi_env,
    /// The memory that calls and callbacks exchange values in.
    pub frame: Frame,
    /// Text of the calls that are under way.
    pub scratch: Scratch,
    /// Calls into C that are under way.
    pub depth: Cell<usize>,
    /// Whether the environment is gone; native code may still hold callbacks of it.
    pub ended: Cell<bool>,
    /// What a callback has thrown and no outer call has rethrown yet.
    pending: Cell<Option<NonNull<sys::napi_ref__>>>,
    /// What the calls under way watch that callbacks have to pause, innermost last.
    pub watches: RefCell<Vec<Watch>>,
    /// How carefully raw addresses are used.
    pub care: Cell<Care>,
    /// How deep calls may nest.
    pub stack: Stack,
    /// What may not be transferred.
    pub locks: Locks,
    /// The aggregates that have been declared; their ids follow those of the scalars.
    pub layouts: RefCell<Vec<Rc<Layout>>>,
    /// The size of Node's Buffer pool, whose slices lie side by side.
    pub pool_size: Cell<usize>,
    /// Where a pointer to an empty view points: a block of no bytes.
    pub nowhere: Fenced,
    frame_reference: sys::napi_ref,
}

impl Environment {
    /// Keeps what a callback has thrown until the outer call returns; a second one while one is kept is dropped.
    pub fn keep_exception(&self, exception: sys::napi_value) {
        if self.pending.get().is_some() {
            return;
        }
        let mut reference = null_mut();
        let mut holder = null_mut();
        let mut scope = null_mut();
        // SAFETY: M6; the exception rides in an object, because a reference may hold objects only before Node-API 10.
        unsafe {
            sys::napi_open_handle_scope(self.raw, &mut scope);
            sys::napi_create_object(self.raw, &mut holder);
            sys::napi_set_named_property(self.raw, holder, EXCEPTION.as_ptr(), exception);
            sys::napi_create_reference(self.raw, holder, 1, &mut reference);
            sys::napi_close_handle_scope(self.raw, scope);
        }
        self.pending.set(NonNull::new(reference));
    }

    /// Whether an exception is waiting for the outer call.
    pub fn has_exception(&self) -> bool {
        self.pending.get().is_some()
    }

    /// Takes the exception that is waiting.
    pub fn take_exception(&self) -> Option<sys::napi_value> {
        let reference = self.pending.take()?.as_ptr();
        let (mut holder, mut exception) = (null_mut(), null_mut());
        // SAFETY: M6; `keep_exception` made the reference and the property.
        unsafe {
            sys::napi_get_reference_value(self.raw, reference, &mut holder);
            sys::napi_get_named_property(self.raw, holder, EXCEPTION.as_ptr(), &mut exception);
            sys::napi_delete_reference(self.raw, reference);
        }
        Some(exception)
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        if self.ended.get() {
            return;
        }
        // SAFETY: M6; the reference was made by `attach` for this state.
        unsafe { sys::napi_delete_reference(self.raw, self.frame_reference) };
    }
}

const EXCEPTION: &std::ffi::CStr = c"exception";

/// Throws an error of the native side. An overflow carries what was found as properties, and the exception of a
/// callback that it replaces as its cause.
pub fn throw(env: sys::napi_env, error: &FfiError, cause: Option<sys::napi_value>) {
    let code = CString::new(error.code()).unwrap_or_default();
    let message = CString::new(error.to_string().replace('\0', "\\0")).unwrap_or_default();
    let (mut js_code, mut js_message, mut js_error) = (null_mut(), null_mut(), null_mut());
    // SAFETY: M6; the texts live until the calls return, and all out-parameters are locals.
    unsafe {
        sys::napi_create_string_utf8(env, code.as_ptr(), -1, &mut js_code);
        sys::napi_create_string_utf8(env, message.as_ptr(), -1, &mut js_message);
        match error.class() {
            Class::Error => sys::napi_create_error(env, js_code, js_message, &mut js_error),
            Class::TypeError => sys::napi_create_type_error(env, js_code, js_message, &mut js_error),
            Class::RangeError => sys::napi_create_range_error(env, js_code, js_message, &mut js_error),
        };
        if let FfiError::Overflow { symbol, overflow } = error {
            let mut js_symbol = null_mut();
            sys::napi_create_string_utf8(env, symbol.as_ptr().cast(), symbol.len() as isize, &mut js_symbol);
            sys::napi_set_named_property(env, js_error, c"symbol".as_ptr(), js_symbol);
            for (name, value) in [
                (c"argument", overflow.argument as f64),
                (c"byteLength", overflow.byte_length as f64),
                (c"firstBadOffset", overflow.first_bad_offset as f64),
                (c"bytesPast", overflow.bytes_past as f64),
            ] {
                let mut number = null_mut();
                sys::napi_create_double(env, value, &mut number);
                sys::napi_set_named_property(env, js_error, name.as_ptr(), number);
            }
        }
        if let Some(cause) = cause {
            sys::napi_set_named_property(env, js_error, c"cause".as_ptr(), cause);
        }
        sys::napi_throw(env, js_error);
    }
}

/// Turns an error of the native side into the error napi-rs throws as it stands.
pub fn thrown(env: Env, error: &FfiError) -> napi::Error {
    throw(env.raw(), error, None);
    napi::Error::new(napi::Status::PendingException, "")
}

/// The state that `attach` made for the environment.
pub fn current(env: Env) -> napi::Result<Rc<Environment>> {
    match env.get_instance_data::<Rc<Environment>>()? {
        Some(state) => Ok(Rc::clone(state)),
        None => Err(thrown(env, &FfiError::Internal { reason: "the environment is not attached".into() })),
    }
}

/// Gives the environment its frame: an ArrayBuffer that JavaScript keeps for itself and never transfers.
#[napi]
pub fn attach(env: Env, frame: Object<'_>) -> napi::Result<()> {
    let mut frame_reference = null_mut();
    // SAFETY: M1 and M3; `frame` is rooted by the caller and then by the reference.
    let storage = unsafe {
        sys::napi_create_reference(env.raw(), frame.raw(), 1, &mut frame_reference);
        pin::storage(env.raw(), frame.raw())
    };
    let base = match storage {
        Ok(Pinned::Bytes(storage, _)) => {
            NonNull::new(storage.view.start.as_ptr()).map(|base| (base, storage.view.length))
        }
        _ => None,
    };
    let Some((base, length)) = base else {
        return Err(thrown(env, &FfiError::Internal { reason: "the frame is not an ArrayBuffer".into() }));
    };
    let Some(nowhere) = own::allocate(0, 16) else {
        return Err(thrown(env, &FfiError::MemoryExhausted { wanted: 0 }));
    };
    let state = Environment {
        raw: env.raw(),
        // SAFETY: M1, by the reference above.
        frame: unsafe { Frame::new(base, length) },
        scratch: Scratch::new(),
        depth: Cell::new(0),
        ended: Cell::new(false),
        pending: Cell::new(None),
        watches: RefCell::new(Vec::new()),
        care: Cell::new(Care::LowPage),
        stack: Stack::default(),
        locks: Locks::default(),
        layouts: RefCell::new(Vec::new()),
        pool_size: Cell::new(0),
        nowhere,
        frame_reference,
    };
    env.set_instance_data(Rc::new(state), (), |ending| ending.value.ended.set(true))
}
