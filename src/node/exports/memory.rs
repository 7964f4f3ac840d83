//! Memory, as JavaScript has it: addresses of views, reads, writes, text, and buffers over native memory.
#![expect(unsafe_code, reason = "passes the user's addresses on")]

use napi::bindgen_prelude::{Either, Env, Null, Object, Unknown};
use napi::sys;
use napi_derive::napi;

use crate::error::FfiError;
use crate::memory::address::{Address, Span};
use crate::memory::fence::borrows::Storage;
use crate::memory::fence::{exposed, report};
use crate::memory::other_memory;
use crate::memory::probe::Access;
use crate::memory::raw;
use crate::memory::raw::PointerCheck;
use crate::node::env::current;
use crate::node::error::{clear_exception, thrown};
use crate::node::exposed_views::ExposedViews;
use crate::node::external_buffer;
use crate::node::isolated::foreign_function;
use crate::node::js_address::{JsAddress, from_js, to_js};
use crate::node::value::{Pinned, Rooted};

/// The result of [`address_of`].
type ViewAddress = Either<JsAddress, Either<Null, ()>>;

/// The address of a view's first byte; null for an empty view; undefined for a detached one.
///
/// # Errors
/// Where the environment is not attached, or the value has no address.
#[napi]
pub fn address_of(env: Env, value: Unknown<'_>) -> napi::Result<ViewAddress> {
    take(env, value, ExposedViews::note)
}

/// The same for a view over memory of C's own.
///
/// # Errors
/// Where the environment is not attached, or the value has no address.
#[napi]
pub fn native_address_of(env: Env, value: Unknown<'_>) -> napi::Result<ViewAddress> {
    take(env, value, ExposedViews::note_native)
}

/// The same, where C may keep the address for as long as the view lives: the guard does not copy such memory.
///
/// # Errors
/// Where the environment is not attached, or the value has no address.
#[napi]
pub fn kept_address_of(env: Env, value: Unknown<'_>) -> napi::Result<ViewAddress> {
    take(env, value, ExposedViews::keep)
}

fn take(env: Env, value: Unknown<'_>, note: fn(&ExposedViews, Storage, Rooted<'_>)) -> napi::Result<ViewAddress> {
    Ok(match Rooted::of(&value).storage() {
        Ok(Pinned::Bytes(storage, buffer)) => {
            let environment = current(env)?;
            let slab = buffer
                .buffer_length()
                .and_then(|length| environment.pool_slices.slab(storage, buffer, length))
                .map(|slab| slab.span);
            if let Some(slab) = slab {
                environment.pool_slices.expose(storage.view, slab);
            }
            match storage.block() {
                Some(block) => {
                    if let Some(length) = block.length() {
                        // `locate` of call/intrinsics.rs leaves a slab to this function every time: another view may
                        // begin it.
                        block.expose_to(if slab.is_some() { report::intern("ptr()") } else { report::intern_ptr() });
                        exposed::insert(block.data(), length);
                    }
                }
                None => note(&environment.exposed_views, storage, buffer),
            }
            Either::A(to_js(storage.view.start.get()))
        }
        Ok(Pinned::Empty(_)) => Either::B(Either::A(Null)),
        Err(_) => Either::B(Either::B(())),
    })
}

/// The bytes before the NUL at an address; null for an address that is refused.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn text_length(env: Env, address: JsAddress) -> napi::Result<Either<f64, Null>> {
    let pointer_check = current(env)?.pointer_check.get();
    // SAFETY: U2; the user passed the address.
    let found = unsafe { raw::any_text(from_js(address), None, pointer_check) };
    Ok(found.map_or(Either::B(Null), |bytes| Either::A(bytes.len() as f64)))
}

/// Whether memory may be read, if that is known.
#[napi]
pub fn is_readable(address: JsAddress, length: f64) -> bool {
    raw::checked(from_js(address), length as usize, Access::Read, PointerCheck::Mapped).is_some()
}

/// The place of the bytes at an address in this process: the address itself, or another one if it is of the process of
/// an isolated library. Null if this process does not have them.
#[napi]
pub fn address_here(address: JsAddress, length: f64) -> Either<JsAddress, Null> {
    let address = from_js(address);
    match other_memory::at(address) {
        None if other_memory::is_cut(address, length as usize) => Either::B(Null),
        None => Either::A(to_js(address)),
        Some(other) => other.here(address, length as usize).map_or(Either::B(Null), |here| Either::A(to_js(here))),
    }
}

/// Makes this environment check that raw addresses are mapped before it uses them.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn guard_addresses(env: Env) -> napi::Result<()> {
    let environment = current(env)?;
    environment.pointer_check.set(PointerCheck::Mapped);
    environment.exposed_views.guard();
    Ok(())
}

/// An ArrayBuffer over native memory, owned if there is a deallocator.
///
/// # Errors
/// Where the range is invalid, or the engine refuses the buffer.
#[napi]
pub fn wrap<'env>(
    env: &'env Env,
    address: JsAddress,
    length: f64,
    deallocator: JsAddress,
    context: JsAddress,
) -> napi::Result<Object<'env>> {
    let wrapped = || -> Result<sys::napi_value, FfiError> {
        let start = Address::new(from_js(address))
            .ok_or_else(|| FfiError::Internal { reason: "the JavaScript side let a NULL through".into() })?;
        let span = Span::new(start, length as usize)?;
        let owner = Address::new(from_js(deallocator)).map(|free| {
            let remote = foreign_function(free.get() as u64);
            (free, from_js(context), remote)
        });
        // SAFETY: U2 and U3; the user passed the addresses.
        let wrapped = unsafe { external_buffer::wrap(env.raw(), span, owner) };
        wrapped.inspect_err(|_| clear_exception(env.raw()))
    };
    let buffer = wrapped().map_err(|error| thrown(*env, &error))?;
    Ok(Object::from_raw(env.raw(), buffer))
}

/// The address of the event loop of this environment's thread, a `uv_loop_t`; null where there is none.
///
/// # Errors
/// Never: a runtime without an event loop gives null.
#[napi]
pub fn event_loop(env: Env) -> napi::Result<Option<JsAddress>> {
    let mut event_loop = std::ptr::null_mut();
    // SAFETY: M6; the out-parameter is a local.
    let status = unsafe { sys::napi_get_uv_event_loop(env.raw(), &mut event_loop) };
    if status != sys::Status::napi_ok {
        return Ok(None);
    }
    Ok(Some(to_js(event_loop as usize)))
}
