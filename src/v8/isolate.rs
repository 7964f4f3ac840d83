//! V8's isolate of this thread, for the exported functions of V8 that take one.
#![expect(unsafe_code, reason = "calls exported functions of V8")]

use std::mem::transmute;
use std::sync::OnceLock;

use super::symbols;
use crate::memory::address::Address;

/// The isolate of this thread; `None` outside of the engine's threads, and where the engine does not export the
/// function.
pub fn current_isolate() -> Option<Address> {
    static FUNCTION: OnceLock<Option<Address>> = OnceLock::new();
    let function = (*FUNCTION.get_or_init(|| symbols::process()?.find(symbols::ISOLATE_GET_CURRENT)))?;
    // SAFETY: M11; the symbol is `v8::Isolate::GetCurrent` of the running executable.
    let current = unsafe { transmute::<*mut u8, extern "C" fn() -> *mut u8>(function.as_ptr()) };
    Address::new(current().expose_provenance())
}

/// Whether V8 is ending the JavaScript of this thread; `None` if the engine does not export the function.
pub fn is_execution_terminating() -> Option<bool> {
    static FUNCTION: OnceLock<Option<Address>> = OnceLock::new();
    let function = (*FUNCTION.get_or_init(|| symbols::process()?.find(symbols::ISOLATE_IS_TERMINATING)))?;
    let isolate = current_isolate()?;
    // SAFETY: M6 and M11; the symbol is a method of the isolate without parameters, and this is the isolate's thread.
    Some(unsafe { transmute::<*mut u8, unsafe extern "C" fn(*mut u8) -> bool>(function.as_ptr())(isolate.as_ptr()) })
}
