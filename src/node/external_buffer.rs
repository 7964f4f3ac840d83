//! JavaScript buffers over native memory: borrowed, or owned with a native deallocator that runs once.
#![expect(unsafe_code, reason = "gives native memory to the engine")]

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use napi::sys;

use crate::abi::ctype::CType;
use crate::abi::signature::Signature;
use crate::call::remote::Remote;
use crate::error::{FfiError, Result};
use crate::memory::address::{Address, Span};
use crate::memory::arg_buffer::{ArgBlock, set_address};

/// A C function that frees what a buffer was made of: bun's `(bytes, context)`.
pub type Deallocator = unsafe extern "C" fn(bytes: *mut c_void, context: *mut c_void);

struct Owner {
    free: Deallocator,
    context: usize,
    /// The function in another process, where it is there.
    remote: Option<Remote>,
}

impl Owner {
    /// Makes another process free the memory, unless it has ended.
    fn free_there(&self, remote: &Remote, data: usize) -> Result<()> {
        let pointers = vec![CType::Pointer.into(), CType::Pointer.into()];
        let signature = Arc::new(Signature::new(pointers, CType::Void.into(), None)?);
        let mut block = ArgBlock::from_elem(0, signature.layout.size.div_ceil(16));
        set_address(&mut block, signature.layout.arguments[0], data);
        set_address(&mut block, signature.layout.arguments[1], self.context);
        remote.function.call(&signature, &block, false).map(|_| ())
    }
}

unsafe extern "C" fn release(_: sys::napi_env, data: *mut c_void, hint: *mut c_void) {
    // SAFETY: M4; `wrap` leaked exactly this box for exactly one finalizer.
    let owner = unsafe { Box::from_raw(hint.cast::<Owner>()) };
    if let Some(remote) = &owner.remote {
        let _ = owner.free_there(remote, data.expose_provenance());
        return;
    }
    // SAFETY: U3; the user promised that this function frees that memory.
    unsafe { (owner.free)(data, std::ptr::with_exposed_provenance_mut(owner.context)) };
}

/// An ArrayBuffer over a span. With a deallocator it owns the memory: the deallocator runs once, on the JavaScript
/// thread, after the buffer was collected or when the environment ends.
///
/// # Errors
/// If the engine refuses the memory.
///
/// # Safety
/// `env` is the current environment; U2: the span stays valid while the buffer is used; U3 for the deallocator.
pub unsafe fn wrap(
    env: sys::napi_env,
    span: Span,
    owner: Option<(Address, usize, Option<Remote>)>,
) -> Result<sys::napi_value> {
    let mut result = null_mut();
    let (finalize, hint): (sys::napi_finalize, *mut c_void) = match owner {
        None => (None, null_mut()),
        Some((free, context, remote)) => {
            // SAFETY: U3; the user promised that the address is a function of this type.
            let free = unsafe { std::mem::transmute::<*mut u8, Deallocator>(free.as_ptr()) };
            (Some(release), Box::into_raw(Box::new(Owner { free, context, remote })).cast())
        }
    };
    let data = span.start.as_ptr().cast();
    // SAFETY: U2 for the memory; the finalizer owns the hint.
    let status = unsafe { sys::napi_create_external_arraybuffer(env, data, span.length, finalize, hint, &mut result) };
    if status == sys::Status::napi_ok {
        return Ok(result);
    }
    if !hint.is_null() {
        // SAFETY: M4; the engine did not take the hint.
        drop(unsafe { Box::from_raw(hint.cast::<Owner>()) });
    }
    Err(match status {
        sys::Status::napi_no_external_buffers_allowed => FfiError::ExternalRefused,
        _ => FfiError::OutOfRange {
            reason: format!("a buffer of {} bytes is larger than the engine allows", span.length),
        },
    })
}
