//! Finds definitions of a library that the executable would interpose: on ELF systems a symbol that the executable
//! exports takes precedence, so a library with its own copy of zlib calls the executable's, and one that comes with
//! OpenSSL calls some functions of that and some of the executable's. The files are read before they are loaded.
#![cfg(glibc)]
#![expect(unsafe_code, reason = "reads the symbol table of the running program")]

use std::collections::BTreeSet;
use std::ffi::{CStr, CString, OsStr, OsString, c_void};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use object::read::ReadCache;
use object::read::elf::{FileHeader, Sym};
use object::{Endianness, elf};

use crate::loader::dynamic::Dynamic;
use crate::loader::exports::Exports;
use crate::loader::library::Images;
use crate::memory::address::Address;

/// A symbol that one of some files defines and the executable would interpose: those of a library and of the
/// dependencies that the loader is going to load with it. `None` if there is none, or if the files use variables of the
/// process.
pub fn first(files: &[PathBuf]) -> Option<String> {
    let program = program()?;
    let found: Vec<Findings> = files.iter().filter_map(|file| read(file, |file| findings(program, file))).collect();
    let rival = found.iter().find_map(|found| found.rival.as_deref())?;
    // Variables of other libraries that the program uses (`environ`, `tzname`, `std::cout`) live in the program, which
    // has copies of them. Bound locally, the files would use the originals, which the rest of the process does not use.
    let is_defined = |name: &[u8]| files.iter().any(|file| read(file, |file| Some(file.defines(name))) == Some(true));
    let shares_variable = found.iter().flat_map(|found| &found.variables).any(|name| !is_defined(name));
    if shares_variable {
        return None;
    }
    let names = files.iter().filter_map(|file| file.file_name().map(OsStr::to_owned));
    BOUND_LOCALLY.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
    Some(String::from_utf8_lossy(rival).into_owned())
}

/// The names of the files for which [`first`] has found a symbol. Libraries that need one of them are bound locally as
/// well, so that both use the same functions.
static BOUND_LOCALLY: Mutex<BTreeSet<OsString>> = Mutex::new(BTreeSet::new());

/// Whether a library of this name was loaded so that it uses its own functions.
pub fn is_bound_locally(name: &OsStr) -> bool {
    BOUND_LOCALLY.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
}

/// The names of the libraries that a file needs, and the directories in which it wants them to be looked for. `None` if
/// it is no library.
pub fn needs(file: &Path) -> Option<(Vec<String>, Vec<String>)> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    read(file, |file| {
        let needed = file.dynamic.strings(elf::DT_NEEDED).map(text).collect();
        let paths = file.dynamic.strings(elf::DT_RUNPATH).chain(file.dynamic.strings(elf::DT_RPATH)).map(text);
        Some((needed, paths.flat_map(|path| path.split(':').map(String::from).collect::<Vec<_>>()).collect()))
    })
}

/// The symbols of a file.
struct Symbols<'data> {
    dynamic: Dynamic<'data, elf::FileHeader64<Endianness>, &'data ReadCache<File>>,
    endian: Endianness,
}

impl Symbols<'_> {
    fn defines(&self, name: &[u8]) -> bool {
        let is_it = |symbol: &elf::Sym64<Endianness>| {
            symbol.st_shndx(self.endian) != elf::SHN_UNDEF && self.dynamic.name_of(symbol) == Some(name)
        };
        self.dynamic.symbols().iter().any(is_it)
    }
}

/// Reads the symbols of a file. `None` if it is no library.
fn read<T>(path: &Path, look: impl FnOnce(&Symbols<'_>) -> Option<T>) -> Option<T> {
    // Opening a FIFO would block until another process writes to it.
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let cache = ReadCache::new(File::open(path).ok()?);
    let header = elf::FileHeader64::<Endianness>::parse(&cache).ok()?;
    let endian = header.endian().ok()?;
    look(&Symbols { dynamic: Dynamic::of(header, endian, &cache)?, endian })
}

/// What a file has in common with the program.
struct Findings {
    /// A symbol that both define.
    rival: Option<Vec<u8>>,
    /// Variables of the program that the file uses.
    variables: Vec<Vec<u8>>,
}

fn findings(program: &Exports, file: &Symbols<'_>) -> Option<Findings> {
    let mut found = Findings { rival: None, variables: Vec::new() };
    let symbols = file.dynamic.symbols();
    // By the hashes that the file has of the names that it defines, most of which need not be read then.
    let (first, hashes) = file.dynamic.hashes(symbols.len()).unwrap_or((symbols.len(), &[]));
    let may_be_common = |index: usize| {
        let hash = index.checked_sub(first).and_then(|at| hashes.get(at));
        hash.is_none_or(|hash| program.may_have(hash.get(file.endian)))
    };
    for (index, symbol) in symbols.iter().enumerate() {
        if !may_be_common(index) {
            continue;
        }
        let is_wanted = symbol.st_shndx(file.endian) == elf::SHN_UNDEF && symbol.st_bind() != elf::STB_LOCAL;
        if !is_wanted && (found.rival.is_some() || !is_own(symbol, file.endian)) {
            continue;
        }
        let Some(name) = file.dynamic.name_of(symbol) else { continue };
        match program.find(name) {
            Some(_) if !is_wanted => found.rival = Some(name.to_vec()),
            Some(common) if common.st_type() == elf::STT_OBJECT && !COPIES.contains(&name) => {
                found.variables.push(name.to_vec());
            }
            _ => {}
        }
    }
    Some(found)
}

/// Variables of libc whose original and copy are as good: pointers to the same streams, and constants.
const COPIES: [&[u8]; 5] = [b"stdin", b"stdout", b"stderr", b"in6addr_any", b"in6addr_loopback"];

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
    // The executable may have another address for a function of libc, so the other images are asked one by one.
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
