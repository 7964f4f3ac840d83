//! JavaScript values that the engine keeps while native code uses them, and the storage of views and buffers.
#![expect(unsafe_code, reason = "asks Node-API for the storage of a value")]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::null_mut;

use napi::{JsValue, sys};

use crate::memory::address::{Address, Span};
use crate::memory::fence::borrows::Storage;

/// Why a pin has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unpinned {
    /// The storage was detached.
    Detached,
    /// The storage can be resized.
    Resizable,
    /// It is no view, buffer or string.
    NotAView,
    /// It is a string with a NUL in it.
    HasNul,
    /// There is no memory for its copy, of so many bytes.
    NoMemory(usize),
    /// The process of the function does not share it, and the call does not wait.
    NotShared,
}

/// A JavaScript value that the engine keeps during `'scope` (M3). Its pointers make it stay on the thread of its
/// environment (M6), so its methods need no promise of their caller.
#[derive(Clone, Copy, Debug)]
pub struct Rooted<'scope> {
    env: sys::napi_env,
    value: sys::napi_value,
    scope: PhantomData<&'scope ()>,
}

/// Node-API's environment of this thread (M6), which its pointer does not leave.
#[derive(Clone, Copy, Debug)]
pub struct ThreadEnv(sys::napi_env);

impl ThreadEnv {
    /// An environment.
    ///
    /// # Safety
    /// It is that of this thread, and JavaScript may run in it (M6).
    #[inline(always)]
    pub unsafe fn new(env: sys::napi_env) -> Self {
        Self(env)
    }
}

/// The values that a call was passed, all kept during `'scope`. The environment comes separately: the paths that read
/// values where V8 has them never load it.
#[derive(Clone, Copy, Debug)]
pub struct RootedValues<'scope>(&'scope [sys::napi_value]);

/// The storage of a view or a buffer that is attached.
#[derive(Clone, Copy, Debug)]
pub enum Pinned<'scope> {
    /// A view of no bytes, and the buffer it is of.
    Empty(Rooted<'scope>),
    /// A view of some, and the buffer it is of.
    Bytes(Storage, Rooted<'scope>),
}

const FLOAT16: sys::napi_typedarray_type = 11;
/// Bytes an element, by `napi_typedarray_type`.
const ELEMENT_SIZE: [usize; 12] = [1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 2];

impl<'scope> RootedValues<'scope> {
    /// No values.
    pub const NONE: Self = Self(&[]);

    /// The arguments of the native function under way.
    ///
    /// # Safety
    /// As [`Rooted::new`], for each of them.
    #[inline(always)]
    pub unsafe fn new(values: &'scope [sys::napi_value]) -> Self {
        Self(values)
    }

    /// The values, in order.
    #[inline(always)]
    pub fn iter(self, env: ThreadEnv) -> impl Iterator<Item = Rooted<'scope>> {
        self.0.iter().map(move |value| Rooted { env: env.0, value: *value, scope: PhantomData })
    }

    /// One of them.
    #[inline]
    pub fn get(self, env: ThreadEnv, position: usize) -> Option<Rooted<'scope>> {
        let value = *self.0.get(position)?;
        Some(Rooted { env: env.0, value, scope: PhantomData })
    }
}

impl<'scope> Rooted<'scope> {
    /// A value of an environment.
    ///
    /// # Safety
    /// The environment is that of this thread (M6). The engine keeps the value during `'scope` (M3): it is an argument
    /// of the native function under way, or a handle of a scope that is open as long.
    #[inline(always)]
    pub unsafe fn new(env: sys::napi_env, value: sys::napi_value) -> Self {
        Self { env, value, scope: PhantomData }
    }

    /// A value of napi-rs, whose lifetime is that of the native function under way.
    pub fn of(value: &impl JsValue<'scope>) -> Self {
        let parts = value.value();
        Self { env: parts.env, value: parts.value, scope: PhantomData }
    }

    /// The value for Node-API.
    #[inline(always)]
    pub fn raw(self) -> sys::napi_value {
        self.value
    }

    /// Its environment for Node-API.
    #[inline(always)]
    pub fn env(self) -> sys::napi_env {
        self.env
    }

    /// Another value, which Node-API has put into the same scope.
    fn beside(self, value: sys::napi_value) -> Self {
        Self { value, ..self }
    }

    /// The storage of a typed array, DataView, ArrayBuffer or SharedArrayBuffer. Node-API moves a small typed array's
    /// storage out of the engine's heap here, for good (promise level 1, External).
    ///
    /// # Errors
    /// Why the storage of the value cannot be used.
    pub fn storage(self) -> Result<Pinned<'scope>, Unpinned> {
        let Self { env, value, .. } = self;
        let mut data = null_mut();
        let mut buffer = null_mut();
        // A kind that Node-API does not know leaves `kind` as it is: a Float16Array before Node-API knew it.
        let (mut kind, mut count, mut offset) = (FLOAT16, 0, 0);
        // SAFETY: `new` promised that the value is kept and the thread is its environment's; the out-parameters are
        // locals.
        unsafe {
            if sys::napi_get_typedarray_info(env, value, &mut kind, &mut count, &mut data, &mut buffer, &mut offset)
                == sys::Status::napi_ok
            {
                let size = usize::try_from(kind).ok().and_then(|kind| ELEMENT_SIZE.get(kind)).copied().unwrap_or(1);
                return self.beside(buffer).pinned(data, count * size, offset);
            }
            if sys::napi_get_dataview_info(env, value, &mut count, &mut data, &mut buffer, &mut offset)
                == sys::Status::napi_ok
            {
                return self.beside(buffer).pinned(data, count, offset);
            }
            if sys::napi_get_arraybuffer_info(env, value, &mut data, &mut count) == sys::Status::napi_ok {
                return self.pinned(data, count, 0);
            }
        }
        Err(Unpinned::NotAView)
    }

    /// The bytes of a view or buffer; `None` for other values, and where there are none.
    pub fn span(self) -> Option<Span> {
        match self.storage() {
            Ok(Pinned::Bytes(storage, _)) => Some(storage.view),
            _ => None,
        }
    }

    /// The storage of a view of this buffer.
    fn pinned(self, data: *mut c_void, length: usize, offset: usize) -> Result<Pinned<'scope>, Unpinned> {
        if length > 0
            && let Some(start) = Address::new(data.expose_provenance())
            && let Ok(view) = Span::new(start, length)
        {
            return Ok(Pinned::Bytes(Storage { view, offset }, self));
        }
        let mut detached = false;
        // SAFETY: as in `storage`. A SharedArrayBuffer is refused by this function, and is never detached.
        unsafe { sys::napi_is_detached_arraybuffer(self.env, self.value, &mut detached) };
        if detached { Err(Unpinned::Detached) } else { Ok(Pinned::Empty(self)) }
    }

    /// The bytes of a view; `None` for every other value, an empty view and a detached one.
    #[inline(never)]
    pub fn view(self) -> Option<Span> {
        let Self { env, value, .. } = self;
        let (mut is_view, mut data, mut length) = (false, null_mut(), 0);
        // SAFETY: as in `storage`. In Node any view passes for a Buffer, and nothing else does.
        unsafe {
            if sys::napi_is_buffer(env, value, &mut is_view) != sys::Status::napi_ok
                || !is_view
                || sys::napi_get_buffer_info(env, value, &mut data, &mut length) != sys::Status::napi_ok
                || length == 0
            {
                return None;
            }
        }
        Some(Span { start: Address::new(data.expose_provenance())?, length })
    }

    /// The bytes of an ArrayBuffer; `None` for a SharedArrayBuffer.
    pub fn buffer_length(self) -> Option<usize> {
        let mut length = 0;
        // SAFETY: as in `storage`.
        let status = unsafe { sys::napi_get_arraybuffer_info(self.env, self.value, null_mut(), &mut length) };
        (status == sys::Status::napi_ok).then_some(length)
    }

    /// Whether it is a JavaScript string.
    pub fn is_string(self) -> bool {
        let mut kind = 0;
        // SAFETY: as in `storage`.
        let status = unsafe { sys::napi_typeof(self.env, self.value, &mut kind) };
        status == sys::Status::napi_ok && kind == sys::ValueType::napi_string
    }
}
