//! V8's isolate of this thread, for the exported functions of V8 that take one.
#![expect(unsafe_code, reason = "calls an exported function of V8")]

use std::mem::transmute;
use std::sync::OnceLock;

use crate::loader::library::Library;
use crate::memory::address::Address;

#[cfg(not(windows))]
const GET_CURRENT: &str = "_ZN2v87Isolate10GetCurrentEv";
#[cfg(windows)]
const GET_CURRENT: &str = "?GetCurrent@Isolate@v8@@SAPEAV12@XZ";

/// The isolate of this thread; `None` outside of the engine's threads, and where the engine does not export the function.
pub fn current_isolate() -> Option<Address> {
    static FUNCTION: OnceLock<Option<Address>> = OnceLock::new();
    let find = || {
        // SAFETY: U4; the process runs no constructor again.
        let process = unsafe { Library::open(None, 0) }.ok()?;
        process.find(GET_CURRENT)
    };
    let function = (*FUNCTION.get_or_init(find))?;
    // SAFETY: M11; the symbol is `v8::Isolate::GetCurrent` of the running executable.
    let current = unsafe { transmute::<*mut u8, extern "C" fn() -> *mut u8>(function.as_ptr()) };
    Address::new(current().expose_provenance())
}
