//! The modules that are loaded into the process, for symbols of any of them. Elsewhere the loader does this itself.
#![cfg(windows)]
#![expect(unsafe_code, reason = "calls Windows")]

use std::ffi::{CString, c_char, c_void};
use std::ptr::null_mut;

use crate::memory::address::Address;

type Module = *mut c_void;

// In kernel32, which every program has.
unsafe extern "system" {
    fn GetCurrentProcess() -> *mut c_void;
    fn K32EnumProcessModules(process: *mut c_void, modules: *mut Module, size: u32, needed: *mut u32) -> i32;
    fn GetModuleHandleA(name: *const c_char) -> Module;
    fn GetProcAddress(module: Module, name: *const c_char) -> *mut c_void;
}

/// The modules that are loaded now, in the order in which they were loaded.
fn loaded() -> Vec<Module> {
    let mut modules: Vec<Module> = vec![null_mut(); 256];
    loop {
        let (size, mut needed) = (size_of_val(modules.as_slice()) as u32, 0);
        // SAFETY: U1; the memory is as large as `size` says. The handle of this process needs no release.
        let is_done =
            unsafe { K32EnumProcessModules(GetCurrentProcess(), modules.as_mut_ptr(), size, &raw mut needed) != 0 };
        let count = if is_done { needed as usize / size_of::<Module>() } else { 0 };
        if count <= modules.len() {
            modules.truncate(count);
            return modules;
        }
        // Another thread may load more meanwhile.
        modules.resize(count + 16, null_mut());
    }
}

/// The address of a symbol that any module exports: of the executable, or else of the one that was loaded first. ntdll
/// comes last: its C functions are for Windows itself, and its `sprintf` has no floating-point numbers, for example.
pub fn find(symbol: &str) -> Option<Address> {
    let name = CString::new(symbol).ok()?;
    // SAFETY: U1; the name ends with a NUL. The handle needs no release.
    let ntdll = unsafe { GetModuleHandleA(c"ntdll.dll".as_ptr()) };
    let (last, first): (Vec<_>, Vec<_>) = loaded().into_iter().partition(|module| *module == ntdll);
    first.into_iter().chain(last).find_map(|module| {
        // SAFETY: U1; a module that another thread unloads meanwhile is none to Windows, which then finds nothing.
        Address::new(unsafe { GetProcAddress(module, name.as_ptr()) }.expose_provenance())
    })
}
