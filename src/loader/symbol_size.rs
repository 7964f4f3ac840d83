//! The size of an object by its symbol. Knows no JavaScript.

use crate::memory::address::Address;

/// The bytes of the object that a symbol of Node names; `None` where that is not known.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub fn symbol_size(name: &str, symbol: Address) -> Option<usize> {
    let size = crate::loader::exports::Exports::of_program()?.size_of(name, symbol.get());
    #[cfg(glibc)]
    return size.or_else(|| size_by_loader(symbol));
    #[cfg(not(glibc))]
    size
}

/// The same for a symbol of another image than Node's functions. The loader looks at all symbols of the image; musl has
/// no dladdr1.
#[cfg(glibc)]
#[expect(unsafe_code, reason = "asks the dynamic loader")]
fn size_by_loader(symbol: Address) -> Option<usize> {
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

/// It is not asked for where there is no stand-in.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub fn symbol_size(_: &str, _: Address) -> Option<usize> {
    None
}
