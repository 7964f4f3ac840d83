//! Finds definitions of a library that the executable would interpose: on ELF systems a symbol that the executable
//! exports takes precedence, so a library with its own copy of zlib calls the executable's. The file is read before the
//! library is loaded.
#![cfg(glibc)]
#![expect(unsafe_code, reason = "reads the symbol table of the running program")]

use std::ffi::{CStr, CString, c_void};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use object::read::ReadCache;
use object::read::elf::{FileHeader, Sym};
use object::{Endianness, elf};

use crate::loader::dynamic::Dynamic;
use crate::loader::exports::Exports;
use crate::loader::library::Images;
use crate::memory::address::Address;

/// A symbol of the library that the executable would interpose. `None` if there is none, or if the library is loaded
/// already: it is too late then.
pub fn first(path: &Path) -> Option<String> {
    // Opening a FIFO would block until another process writes to it.
    if !std::fs::metadata(path).ok()?.is_file() || is_loaded(path) {
        return None;
    }
    let program = program()?;
    let cache = ReadCache::new(File::open(path).ok()?);
    let header = elf::FileHeader64::<Endianness>::parse(&cache).ok()?;
    let endian = header.endian().ok()?;
    let file = Dynamic::of(header, endian, &cache)?;
    let symbols = file.symbols();
    // By the hashes that the file has of its names, most of which need not be read then.
    let (first, hashes) = file.hashes(symbols.len()).unwrap_or((symbols.len(), &[]));
    let may_be_rival = |index: usize| {
        let hash = index.checked_sub(first).and_then(|at| hashes.get(at));
        hash.is_none_or(|hash| program.may_have(hash.get(endian)))
    };
    let is_rival = |(index, symbol): &(usize, &elf::Sym64<Endianness>)| {
        may_be_rival(*index)
            && is_own(symbol, endian)
            && file.name_of(symbol).is_some_and(|name| program.find(name).is_some())
    };
    let (_, rival) = symbols.iter().enumerate().find(is_rival)?;
    // Variables of other libraries that the program uses (`environ`, `tzname`, `std::cout`) live in the program, which
    // has copies of them. Bound locally, the library would use the originals, which the rest of the process does not
    // use.
    let shares_variable = symbols.iter().any(|symbol| {
        let is_wanted = symbol.st_shndx(endian) == elf::SHN_UNDEF && symbol.st_bind() != elf::STB_LOCAL;
        let is_variable = |found: &elf::Sym64<Endianness>| found.st_type() == elf::STT_OBJECT;
        let name = file.name_of(symbol).filter(|name| is_wanted && !STREAMS.contains(name));
        name.and_then(|name| program.find(name)).is_some_and(is_variable)
    });
    if shares_variable { None } else { file.name_of(rival).map(|name| String::from_utf8_lossy(name).into_owned()) }
}

/// Variables that may be copied: original and copy point to the same streams.
const STREAMS: [&[u8]; 3] = [b"stdin", b"stdout", b"stderr"];

/// Whether the library expects to use this definition itself: it is strong, and code or data. Weak definitions, such as
/// inline functions of C++, are shared by the whole process on purpose.
fn is_own(symbol: &elf::Sym64<Endianness>, endian: Endianness) -> bool {
    let is_defined = !matches!(symbol.st_shndx(endian), elf::SHN_UNDEF | elf::SHN_ABS);
    let is_of_value = matches!(symbol.st_type(), elf::STT_FUNC | elf::STT_OBJECT | elf::STT_GNU_IFUNC);
    is_defined && is_of_value && symbol.st_bind() == elf::STB_GLOBAL && symbol.st_visibility() == elf::STV_DEFAULT
}

/// Whether a library is loaded, by its path or by a name that the loader finds.
pub fn is_loaded(path: &Path) -> bool {
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else { return true };
    // SAFETY: M11; nothing is loaded, and a handle that is returned is closed.
    unsafe {
        let handle = libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        !handle.is_null() && libc::dlclose(handle) == 0
    }
}

/// `None` where binding locally would break the process, or there is no such table.
fn program() -> Option<&'static Exports> {
    static PROGRAM: OnceLock<Option<Exports>> = OnceLock::new();
    PROGRAM.get_or_init(|| if allocator_is_replaced() { None } else { Exports::of_program() }).as_ref()
}

/// Whether malloc is interposed (by LD_PRELOAD or a sanitizer): a library must not bypass that.
fn allocator_is_replaced() -> bool {
    unsafe extern "C" fn note(info: *mut libc::dl_phdr_info, _: usize, names: *mut c_void) -> libc::c_int {
        // SAFETY: M11; the loader passes a whole structure, and `names` is the one below.
        unsafe {
            let name = (*info).dlpi_name;
            if !name.is_null() && *name != 0 {
                (*names.cast::<Vec<CString>>()).push(CStr::from_ptr(name).into());
            }
        }
        0
    }
    let mut names: Vec<CString> = Vec::new();
    // SAFETY: M11; `note` is of the type, and its argument outlives the walk.
    unsafe { libc::dl_iterate_phdr(Some(note), (&raw mut names).cast()) };
    let image_of = image_finder();
    // The loader has its own malloc for the time before libc is loaded; that of this addon serves the processes of
    // isolated libraries alone.
    let known = [
        image_of(symbol(libc::RTLD_DEFAULT, c"gnu_get_libc_version")),
        image_of(symbol(libc::RTLD_DEFAULT, c"__tls_get_addr")),
        image_of(allocator_is_replaced as *const c_void),
    ];
    // The executable may have an address of its own for a function of libc, so the other images are asked one by one.
    names.iter().any(|name| {
        // SAFETY: M11; nothing is loaded, and the handle is freed.
        unsafe {
            let handle = libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
            if handle.is_null() {
                return false;
            }
            let image = image_of(symbol(handle, c"malloc"));
            let is_sanitizer = [c"__asan_init", c"__tsan_init", c"__msan_init", c"__lsan_init"]
                .iter()
                .any(|name| !libc::dlsym(handle, name.as_ptr()).is_null());
            libc::dlclose(handle);
            is_sanitizer || (image.is_some() && !known.contains(&image))
        }
    })
}

/// The address that a name stands for; null where there is no such symbol.
fn symbol(handle: *mut c_void, name: &CStr) -> *const c_void {
    // SAFETY: M11; the handle is one of dlopen, and the name ends with a NUL.
    unsafe { libc::dlsym(handle, name.as_ptr()) }
}

/// Tells the image that an address lies in.
fn image_finder() -> impl Fn(*const c_void) -> Option<usize> {
    let images = Images::default();
    move |address| images.find(Address::new(address.expose_provenance())?)
}
