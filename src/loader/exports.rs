//! The exports of the image with Node's functions, by its table of symbols in memory: the executable, or a shared
//! libnode. Knows no JavaScript.
#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![expect(unsafe_code, reason = "reads the symbol table of the running program")]
#![expect(clippy::disallowed_methods, reason = "the loader never changes its tables")]

use std::ffi::{CStr, c_void};

use object::read::elf::Sym;
use object::{Endianness, elf};

/// Tags of the dynamic section, from elf.h.
const DT_NULL: u64 = 0;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_GNU_HASH: u64 = 0x6fff_fef5;

/// The symbols of the image, by its GNU hash table.
pub struct Exports {
    /// Where the image is loaded
    base: usize,
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

impl Exports {
    /// The exports of the image with Node's functions; `None` where it has no GNU hash table.
    pub fn of_program() -> Option<Self> {
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
        // SAFETY: M11; `look` is of the type, and what it is given outlives the walk.
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
                base,
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

    /// The bytes of the object at an address that a name stands for; `None` where the image has another or none.
    pub fn size_of(&self, name: &str, address: usize) -> Option<usize> {
        let symbol = self.find(name.as_bytes())?;
        let is_here = self.base.wrapping_add(symbol.st_value(Endianness::Little) as usize) == address;
        is_here.then_some(symbol.st_size(Endianness::Little) as usize)
    }

    /// Whether the image may export a name with this hash, whose lowest bit may be wrong: chains end with an odd word.
    pub fn may_have(&self, hash: u32) -> bool {
        if self.bloom.is_empty() {
            return false;
        }
        let word = self.bloom[(hash / u64::BITS) as usize % self.bloom.len()];
        let either = (word >> ((hash & !1) % u64::BITS)) & 3;
        either != 0 && (self.shift == 0 || (word >> ((hash >> self.shift) % u64::BITS)) & 1 == 1)
    }

    /// The program's definition of a name.
    pub fn find(&self, name: &[u8]) -> Option<&elf::Sym64<Endianness>> {
        if self.bloom.is_empty() || self.buckets.is_empty() {
            return None;
        }
        let hash = name.iter().fold(5381u32, |hash, byte| hash.wrapping_mul(33).wrapping_add(u32::from(*byte)));
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
                if known.to_bytes() == name && symbol.st_shndx(Endianness::Little) != elf::SHN_UNDEF {
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
