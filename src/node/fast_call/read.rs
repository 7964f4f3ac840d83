//! `read.*` as fast calls: optimised code calls a C function that copies a value to the start of the argument buffer.
//! It runs no JavaScript and needs no test for open callbacks, so that it serves callbacks as well.
#![cfg(v8_abi)]
#![expect(unsafe_code, reason = "is called by V8")]

use std::ffi::c_void;

use crate::memory::address::Address;
use crate::memory::raw::PointerCheck;
use crate::memory::{other_memory, raw, raw_copy, short_text};
use crate::node::env::Environment;
use crate::v8::array_buffer_view::ViewStorage;
use crate::v8::fast_signature::FastType;
use crate::v8::handle::Local;

/// Makes the function: (address, size, argument buffer) => 1 if the bytes are in the argument buffer, and undefined if
/// the caller is not optimised. `None` without V8's functions.
pub fn make_loader(environment: &Environment) -> Option<Local> {
    let code = (load as unsafe extern "C" fn(Local, u32, f64, f64) -> i32 as *const ()).expose_provenance();
    let (v8, code) = (environment.v8.templates.get()?, Address::new(code)?);
    let passed = [FastType::F64, FastType::U32, FastType::F64];
    // SAFETY: M15; `load` is a function of these, and the scope of the native function under way is open.
    unsafe { v8.function(code, passed, FastType::I32, missed) }
}

/// Copies `size` bytes at an address to the argument buffer. JavaScript has refused the first page.
unsafe extern "C" fn load(_: Local, size: u32, address: f64, arg_buffer: f64) -> i32 {
    // SAFETY: JavaScript has tested that the address is an integer from 4096 to 2^53-1; the other is one of a buffer. A
    // saturating conversion would take ten instructions more for each.
    let (address, arg_buffer) =
        unsafe { (address.to_int_unchecked::<i64>() as usize, arg_buffer.to_int_unchecked::<i64>() as usize) };
    if other_memory::at(address).is_some() {
        return 0;
    }
    // SAFETY: U2 for the address, which the user passed. M1 and M2: the argument buffer's address is passed by the
    // package's own source, which keeps this function to itself, and no type of `read` is larger than a word.
    unsafe { raw::load_word(arg_buffer, address, size) };
    1
}

/// In place of the length of a text: NULL, and a text that JavaScript has to fetch.
const NULL: i32 = -1;
const NOT_PLAIN: i32 = -2;

/// Makes the function: (address, whether the text's address is there, place for the text) => its length, if the text is
/// short ASCII, or else one of the above; undefined if the caller is not optimised.
pub fn make_text_loader(environment: &Environment) -> Option<Local> {
    let code = (load_text as unsafe extern "C" fn(Local, u32, f64, f64) -> i32 as *const ()).expose_provenance();
    let (v8, code) = (environment.v8.templates.get()?, Address::new(code)?);
    let passed = [FastType::F64, FastType::U32, FastType::F64];
    // SAFETY: M15; as above.
    unsafe { v8.function(code, passed, FastType::I32, missed) }
}

/// Copies a short text ([`short_text::SHORT`]) to a place, and returns its length. JavaScript has refused the first
/// page.
unsafe extern "C" fn load_text(_: Local, is_indirect: u32, address: f64, to: f64) -> i32 {
    let (address, to) = (address as usize, to as usize);
    if other_memory::at(address).is_some() {
        return NOT_PLAIN;
    }
    let text = if is_indirect == 0 {
        address
    } else {
        // SAFETY: U2; the user has passed the address of a pointer.
        match unsafe { raw::pointer_at(address) } {
            0 => return NULL,
            there if other_memory::at(there).is_some() => return NOT_PLAIN,
            there => there,
        }
    };
    // SAFETY: U2, as above. M1: the package's own source passes the place, which has room for it.
    unsafe { short_text::copy(std::ptr::with_exposed_provenance_mut(to), text) }.map_or(NOT_PLAIN, u32::cast_signed)
}

/// Makes the function: (Uint8Array, its length, address, views) => 1 if the array was filled with the bytes there, 0 if
/// it has no storage outside of the engine's heap, and undefined if the caller is not optimised.
pub fn make_filler(environment: &Environment) -> Option<Local> {
    let code = (fill as unsafe extern "C" fn(Local, Local, u32, f64, f64) -> i32 as *const ()).expose_provenance();
    let (v8, code) = (environment.v8.templates.get()?, Address::new(code)?);
    let passed = [FastType::View, FastType::U32, FastType::F64, FastType::F64];
    // SAFETY: M15; as above.
    unsafe { v8.function(code, passed, FastType::I32, missed) }
}

/// Fills a view of `length` bytes with those at an address. JavaScript has refused the first page.
unsafe extern "C" fn fill(_: Local, view: Local, length: u32, address: f64, views: f64) -> i32 {
    // SAFETY: M6; the package's own source passes the address of the environment's, on its thread.
    let views = unsafe { &*std::ptr::with_exposed_provenance::<ViewStorage>(views as usize) };
    // SAFETY: M3; the view is an argument of the function under way.
    let view = unsafe { views.of(view) }.filter(|view| view.length == length as usize);
    // SAFETY: U2 for the address, which the user passed; M3, as above, and M15: no JavaScript runs.
    view.is_some_and(|view| unsafe { raw_copy::fill(view, address as usize, PointerCheck::LowPage) }).into()
}

/// V8 calls this from code that is not optimised: it returns undefined.
unsafe extern "C" fn missed(_: *const c_void) {}
