//! The size of an object by its symbol. Knows no JavaScript.

use crate::memory::address::Address;

/// The bytes of the object that a symbol names, as the file that defines it says; `None` where that is not known.
#[cfg(glibc)]
#[expect(unsafe_code, reason = "asks the dynamic loader")]
pub fn symbol_size(_: &str, symbol: Address) -> Option<usize> {
    const RTLD_DL_SYMENT: libc::c_int = 1;
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    let mut entry: *mut libc::c_void = std::ptr::null_mut();
    // SAFETY: M11; dladdr1 reads no memory at the address, and fills both where it returns non-zero: the entry is one
    // of the file's table of symbols, which stays mapped.
    unsafe {
        let is_known = libc::dladdr1(symbol.as_ptr().cast(), found.as_mut_ptr(), &mut entry, RTLD_DL_SYMENT) != 0;
        let entry = entry.cast::<libc::Elf64_Sym>().as_ref().filter(|_| is_known)?;
        (found.assume_init().dli_saddr == symbol.as_ptr().cast()).then_some(entry.st_size as usize)
    }
}

/// The bytes of the object that a symbol of Node names; `None` where that is not known. musl has no dladdr1.
#[cfg(all(target_os = "linux", not(target_env = "gnu"), target_pointer_width = "64"))]
pub fn symbol_size(name: &str, symbol: Address) -> Option<usize> {
    crate::loader::exports::Exports::of_program()?.size_of(name, symbol.get())
}

/// It is not asked for where there is no stand-in.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub fn symbol_size(_: &str, _: Address) -> Option<usize> {
    None
}
