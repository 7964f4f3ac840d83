//! Which of a library's own definitions the program would put its own in the place of: on ELF systems what the
//! executable exports comes before what a library defines, so that a library which brings a copy of zlib calls the
//! executable's. Read out of the file before it is loaded. Knows no JavaScript.
#![cfg(glibc)]
#![expect(unsafe_code, reason = "reads the symbol table of the running program")]
#![expect(clippy::disallowed_methods, reason = "the loader never changes its tables")]

use std::ffi::{CStr, CString, c_void};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use object::read::ReadCache;
use object::read::SectionIndex;
use object::read::elf::{FileHeader, SectionHeader, Sym};
use object::{Endianness, elf};

/// A symbol that the library defines and the program would take the place of; `None` where there is none, and where the
/// library is loaded already, so that nothing can be done about it.
pub fn first(path: &Path) -> Option<String> {
    let program = program()?;
    // Opening a FIFO would block until another process writes to it.
    if !std::fs::metadata(path).ok()?.is_file() || is_loaded(path) {
        return None;
    }
    let cache = ReadCache::new(File::open(path).ok()?);
    let header = elf::FileHeader64::<Endianness>::parse(&cache).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, &cache).ok()?;
    let table = sections.iter().find(|section| section.sh_type(endian) == elf::SHT_DYNSYM)?;
    let names = sections.section(SectionIndex(table.sh_link(endian) as usize)).ok()?.data(endian, &cache).ok()?;
    let symbols = table.data_as_array::<elf::Sym64<Endianness>, _>(endian, &cache).ok()?;
    let name_of = |symbol: &elf::Sym64<Endianness>| {
        CStr::from_bytes_until_nul(names.get(symbol.st_name(endian) as usize..)?).ok()
    };
    let is_rival = |symbol: &&elf::Sym64<Endianness>| {
        is_own(symbol, endian) && name_of(symbol).is_some_and(|name| program.find(name).is_some())
    };
    let rival = symbols.iter().find(is_rival)?;
    // Variables of other libraries that the program uses (`environ`, `tzname`, `std::cout`) live in the program, which
    // has copies of them. Bound locally, the library would use the originals, which the rest of the process does not
    // use.
    let shares_variable = symbols.iter().any(|symbol| {
        let is_wanted = symbol.st_shndx(endian) == elf::SHN_UNDEF && symbol.st_bind() != elf::STB_LOCAL;
        let is_variable = |found: &elf::Sym64<Endianness>| found.st_type() == elf::STT_OBJECT;
        let name = name_of(symbol).filter(|name| is_wanted && !STREAMS.contains(name));
        name.and_then(|name| program.find(name)).is_some_and(is_variable)
    });
    if shares_variable { None } else { name_of(rival).map(|name| name.to_string_lossy().into_owned()) }
}

/// Variables whose originals and copies point to the same streams.
const STREAMS: [&CStr; 3] = [c"stdin", c"stdout", c"stderr"];

/// Whether the library means its own: code or data with a strong definition. Weak ones, inline functions of C++ among
/// them, are meant to be one in the whole process.
fn is_own(symbol: &elf::Sym64<Endianness>, endian: Endianness) -> bool {
    let is_defined = !matches!(symbol.st_shndx(endian), elf::SHN_UNDEF | elf::SHN_ABS);
    let is_of_value = matches!(symbol.st_type(), elf::STT_FUNC | elf::STT_OBJECT | elf::STT_GNU_IFUNC);
    is_defined && is_of_value && symbol.st_bind() == elf::STB_GLOBAL && symbol.st_visibility() == elf::STV_DEFAULT
}

fn is_loaded(path: &Path) -> bool {
    let Ok(name) = CString::new(path.as_os_str().as_bytes()) else { return true };
    // SAFETY: M11; nothing is loaded, and a handle that is returned is closed.
    unsafe {
        let handle = libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        !handle.is_null() && libc::dlclose(handle) == 0
    }
}

/// Tags of the dynamic section, from elf.h.
const DT_NULL: u64 = 0;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_GNU_HASH: u64 = 0x6fff_fef5;

/// The symbols that the image with Node's functions exports, by its GNU hash table.
struct Exports {
    symbols: *const elf::Sym64<Endianness>,
    names: *const u8,
    bloom: &'static [u64],
    shift: u32,
    buckets: &'static [u32],
    first: u32,
    chain: *const u32,
}

// SAFETY: M11; the tables are in memory that the loader never changes nor unmaps.
unsafe impl Send for Exports {}
// SAFETY: as above.
unsafe impl Sync for Exports {}

/// `None` where binding locally would break the process, or there is no such table.
fn program() -> Option<&'static Exports> {
    static PROGRAM: OnceLock<Option<Exports>> = OnceLock::new();
    PROGRAM.get_or_init(|| if allocator_is_replaced() { None } else { Exports::of_program() }).as_ref()
}

/// Whether something has put itself in the place of malloc (LD_PRELOAD, a sanitizer): a library must not pass that by.
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
    let libc_image = image_of(libc::RTLD_DEFAULT, c"gnu_get_libc_version");
    // The program itself may have its own address for a function of libc: the others are asked, one by one.
    names.iter().any(|name| {
        // SAFETY: M11; nothing is loaded, and the handle is freed.
        unsafe {
            let handle = libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
            if handle.is_null() {
                return false;
            }
            let image = image_of(handle, c"malloc");
            let is_sanitizer = [c"__asan_init", c"__tsan_init", c"__msan_init", c"__lsan_init"]
                .iter()
                .any(|name| !libc::dlsym(handle, name.as_ptr()).is_null());
            libc::dlclose(handle);
            is_sanitizer || (image.is_some() && image != libc_image && image != loader_image())
        }
    })
}

/// The image of the loader, which has its own malloc for the time before libc is loaded.
fn loader_image() -> Option<usize> {
    image_of(libc::RTLD_DEFAULT, c"__tls_get_addr")
}

/// Where the image begins that a symbol lies in.
fn image_of(handle: *mut c_void, name: &CStr) -> Option<usize> {
    let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: M11; dladdr fills the structure where it returns non-zero.
    unsafe {
        let address = libc::dlsym(handle, name.as_ptr());
        let is_known = !address.is_null() && libc::dladdr(address, found.as_mut_ptr()) != 0;
        is_known.then(|| found.assume_init().dli_fbase.addr())
    }
}

impl Exports {
    fn of_program() -> Option<Self> {
        struct Search {
            address: usize,
            found: Option<Exports>,
        }

        unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, search: *mut c_void) -> libc::c_int {
            // SAFETY: M11; the loader hands a whole structure, and `search` is what `find` gave.
            let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
            // SAFETY: M11; there are so many headers.
            let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
            let base = info.dlpi_addr as usize;
            let is_here = headers.iter().any(|header| {
                let start = base.wrapping_add(header.p_vaddr as usize);
                header.p_type == libc::PT_LOAD && search.address.wrapping_sub(start) < header.p_memsz as usize
            });
            if !is_here {
                return 0;
            }
            let dynamic = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC);
            // SAFETY: M11; the loader has mapped what the header of a loaded image says.
            search.found = dynamic.and_then(|header| unsafe { Exports::of(base, header.p_vaddr as usize) });
            1
        }

        // SAFETY: M11; only the address is taken.
        let address = unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"napi_create_function".as_ptr()) };
        let mut search = Search { address: address.addr(), found: None };
        // SAFETY: M11; `look` is of the type, and its argument outlives the walk.
        unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
        search.found
    }

    /// # Safety
    /// M11: an image that is loaded at `base` has its dynamic section at `dynamic`.
    unsafe fn of(base: usize, dynamic: usize) -> Option<Self> {
        let (mut hash, mut symbols, mut names) = (0, 0, 0);
        let mut at = std::ptr::with_exposed_provenance::<[u64; 2]>(base.wrapping_add(dynamic));
        loop {
            // SAFETY: M11 by the contract of this function; the section ends with DT_NULL.
            let [tag, value] = unsafe { at.read() };
            match tag {
                DT_NULL => break,
                DT_GNU_HASH => hash = value as usize,
                DT_SYMTAB => symbols = value as usize,
                DT_STRTAB => names = value as usize,
                _ => {}
            }
            at = at.wrapping_add(1);
        }
        if hash == 0 || symbols == 0 || names == 0 {
            return None;
        }
        // glibc writes addresses there; others leave offsets.
        let place = |value: usize| if value < base { base + value } else { value };
        let words = std::ptr::with_exposed_provenance::<u32>(place(hash));
        // SAFETY: M11; the layout of DT_GNU_HASH: four words, the filter, the buckets, the chains.
        unsafe {
            let [buckets, first, bloom, shift] = words.cast::<[u32; 4]>().read();
            let filter = words.add(4).cast::<u64>();
            let start = filter.add(bloom as usize).cast::<u32>();
            Some(Self {
                symbols: std::ptr::with_exposed_provenance(place(symbols)),
                names: std::ptr::with_exposed_provenance(place(names)),
                bloom: std::slice::from_raw_parts(filter, bloom as usize),
                shift,
                buckets: std::slice::from_raw_parts(start, buckets as usize),
                first,
                chain: start.add(buckets as usize),
            })
        }
    }

    /// The program's definition of a name.
    fn find(&self, name: &CStr) -> Option<&elf::Sym64<Endianness>> {
        if self.bloom.is_empty() || self.buckets.is_empty() {
            return None;
        }
        let hash =
            name.to_bytes().iter().fold(5381u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(*byte)));
        let word = self.bloom[(hash / u64::BITS) as usize % self.bloom.len()];
        if word >> (hash % u64::BITS) & word >> ((hash >> self.shift) % u64::BITS) & 1 == 0 {
            return None;
        }
        let mut index = self.buckets[hash as usize % self.buckets.len()];
        if index < self.first {
            return None;
        }
        loop {
            // SAFETY: M11; a chain lies in the table, and its last word is odd.
            let (entry, symbol) =
                unsafe { (*self.chain.add((index - self.first) as usize), &*self.symbols.add(index as usize)) };
            if entry | 1 == hash | 1 {
                // SAFETY: M11; the name of a symbol ends with a NUL.
                let known =
                    unsafe { CStr::from_ptr(self.names.add(symbol.st_name(Endianness::Little) as usize).cast()) };
                if known == name && symbol.st_shndx(Endianness::Little) != elf::SHN_UNDEF {
                    return Some(symbol);
                }
            }
            if entry & 1 == 1 {
                return None;
            }
            index += 1;
        }
    }
}
