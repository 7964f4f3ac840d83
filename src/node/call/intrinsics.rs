//! Intrinsics (`read.*`, `ptr()` and others): called so often that their arguments and results lie in the argument
//! buffer, and nothing is converted.
#![expect(unsafe_code, reason = "is called by the engine")]

use std::ptr::null_mut;

use napi::sys;

use crate::memory::address::Span;
use crate::memory::arg_buffer::HEAD_BYTES;
use crate::memory::fence::block_cache::begun_by;
use crate::memory::fence::{exposed, report};
use crate::memory::raw;
use crate::memory::raw_copy;
use crate::memory::text::encoding::Encoding;
use crate::node::env::Environment;
use crate::node::native_fn::{Arguments, JsResult, NativeFn, thrown_by};
use crate::node::string::to_string;
use crate::node::value::Rooted;

/// The argument buffer's word of an address, and that of a length in bytes.
const ADDRESS: usize = 0;
const LENGTH: usize = 8;
/// In place of the length: the bytes of a unit of text, and how many bytes there are.
const UNIT: usize = LENGTH;
const TEXT_LENGTH: usize = LENGTH + 4;

/// The result of an intrinsic that did not work, null. One that worked returns undefined.
fn refused(environment: &Environment) -> JsResult {
    let mut null = null_mut();
    // SAFETY: M6, because only its own thread reaches an environment; the out-parameter is a local.
    unsafe { sys::napi_get_null(environment.raw, &mut null) };
    Ok(null)
}

/// Copies as many bytes as the argument buffer says, from the address that it says, to where values begin.
#[inline(always)] // It is short.
fn load(environment: &Environment, _: Arguments) -> JsResult {
    let arg_buffer = &environment.arg_buffer;
    let (address, length) = (arg_buffer.word(ADDRESS) as usize, arg_buffer.word(LENGTH) as usize);
    let check = environment.pointer_check.get();
    // SAFETY: U2; the user passed the address. The length is that of a type, which fits the argument buffer.
    if length <= arg_buffer.length() - HEAD_BYTES && unsafe { raw::load(arg_buffer, address, length, check) } {
        return Ok(null_mut());
    }
    refused(environment)
}

/// Copies as many bytes as the argument buffer says, from where values begin, to the address that it says.
#[inline(always)] // It is short.
fn store(environment: &Environment, _: Arguments) -> JsResult {
    let arg_buffer = &environment.arg_buffer;
    let (address, length) = (arg_buffer.word(ADDRESS) as usize, arg_buffer.word(LENGTH) as usize);
    let check = environment.pointer_check.get();
    // SAFETY: U2; the user has given the address. The length is that of a type, which fits the argument buffer.
    if length <= arg_buffer.length() - HEAD_BYTES && unsafe { raw::store(arg_buffer, address, length, check) } {
        return Ok(null_mut());
    }
    refused(environment)
}

/// The text at the address that the argument buffer says, with the bytes of a unit behind it. The next half of a word
/// is 0 for a text up to its NUL; for one of UTF-8 it may be the number of bytes and one.
fn text(environment: &Environment, _: Arguments) -> JsResult {
    let (arg_buffer, check) = (&environment.arg_buffer, environment.pointer_check.get());
    let address = arg_buffer.word(ADDRESS) as usize;
    let encoding = Encoding::of_unit(arg_buffer.half(UNIT) as usize);
    let length = arg_buffer.half(TEXT_LENGTH).checked_sub(1).map(|length| length as usize);
    // SAFETY: U2; the user has given the address.
    let found = unsafe {
        match encoding {
            Encoding::Utf8 => raw::any_text(address, length, check),
            _ => raw::wide_text(address, encoding.unit(), check),
        }
    };
    let Some(bytes) = found else { return refused(environment) };
    to_string(environment, &bytes, encoding).map_err(|error| thrown_by(environment, &error))
}

/// The memory of the view that is the argument. The engine keeps it until the native function has returned.
#[inline(always)] // It is short.
fn view_of(environment: &Environment, arguments: Arguments) -> Option<Span> {
    let [view] = arguments.first();
    // SAFETY: M3 and M6; the view is an argument of the native function, which runs on its environment's thread.
    environment.view(unsafe { Rooted::new(environment.raw, view) })
}

/// Puts the address of a view that begins a fenced block into the argument buffer; everything else is refused.
#[inline(always)] // It is short.
fn locate(environment: &Environment, arguments: Arguments) -> JsResult {
    // SAFETY: M3; the view is the argument, and keeps its block.
    let block = view_of(environment, arguments).and_then(|view| unsafe { begun_by(view) });
    let Some(block) = block else { return refused(environment) };
    let symbol = report::intern_ptr();
    if block.exposed_to() != symbol {
        let Some(length) = block.length().filter(|length| !environment.pool_slices.has_size(*length)) else {
            return refused(environment);
        };
        block.expose_to(symbol);
        exposed::insert(block.data(), length);
    }
    environment.arg_buffer.put_word(ADDRESS, block.data().get() as u64);
    Ok(null_mut())
}

/// Fills a view with the bytes at the address that the argument buffer says. A view in the engine's heap is refused.
fn fill(environment: &Environment, arguments: Arguments) -> JsResult {
    let address = environment.arg_buffer.word(ADDRESS) as usize;
    let check = environment.pointer_check.get();
    // SAFETY: M3; the view is the argument. U2; the user passed the address.
    match view_of(environment, arguments).map(|view| unsafe { raw_copy::fill(view, address, check) }) {
        Some(true) => Ok(null_mut()),
        _ => refused(environment),
    }
}

/// Copies a view to the address that the argument buffer says. A view in the engine's heap is refused.
fn store_bytes(environment: &Environment, arguments: Arguments) -> JsResult {
    let address = environment.arg_buffer.word(ADDRESS) as usize;
    let check = environment.pointer_check.get();
    // SAFETY: M3; the view is the argument. U2; the user passed the address.
    match view_of(environment, arguments).map(|view| unsafe { raw_copy::store(view, address, check) }) {
        Some(true) => Ok(null_mut()),
        _ => refused(environment),
    }
}

/// [`fill`] and [`store_bytes`]. Each returns undefined where it has worked.
pub fn copiers() -> [NativeFn; 2] {
    [NativeFn::new(fill), NativeFn::new(store_bytes)]
}

/// [`load`], [`locate`], [`store`] and [`text`]. Each of the first three returns undefined where it has worked.
pub fn intrinsics() -> [NativeFn; 4] {
    [NativeFn::new(load), NativeFn::new(locate), NativeFn::new(store), NativeFn::new(text)]
}
