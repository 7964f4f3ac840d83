//! Ranges of addresses that are set aside.
#![expect(unsafe_code, reason = "reserves addresses")]

use std::io::Error;

/// Where arenas, windows and stubs lie: nothing else does, under the kernel's layouts, AddressSanitizer's and
/// valgrind's.
const LOWEST: usize = 0x2000_0000_0000;
pub const HIGHEST: usize = 0x4f00_0000_0000;
const TRIES: usize = 64;

/// A reserved range of addresses: nothing is mapped there, except by its user.
#[derive(Debug)]
pub struct Range {
    pub base: usize,
    pub size: usize,
}

impl Range {
    /// Reserves addresses at a random place; `align` is a power of two. `None` where none is found.
    pub fn reserve(size: usize, align: usize) -> Option<Self> {
        for _ in 0..TRIES {
            let mut random = [0u8; 8];
            // SAFETY: there is room for as many bytes.
            if unsafe { libc::getrandom(random.as_mut_ptr().cast(), random.len(), 0) } != random.len() as isize {
                return None;
            }
            let room = HIGHEST - LOWEST - size;
            let base = (LOWEST + u64::from_le_bytes(random) as usize % room) & !(align - 1);
            let range = Self::at(base, size);
            if range.is_some() || Error::last_os_error().raw_os_error() == Some(libc::ENOMEM) {
                return range;
            }
        }
        None
    }

    /// Reserves addresses at a place. `None` where one of them is in use.
    pub fn at(base: usize, size: usize) -> Option<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
        // SAFETY: a new mapping, which takes no other's place.
        let mapped = unsafe { libc::mmap(pointer(base), size, libc::PROT_NONE, flags, -1, 0) };
        if mapped == libc::MAP_FAILED {
            return None;
        }
        if mapped.expose_provenance() == base {
            return Some(Self { base, size });
        }
        // An older kernel takes the address for a hint.
        // SAFETY: the mapping was made above.
        unsafe { libc::munmap(mapped, size) };
        None
    }

    /// Whether a span lies in it.
    pub fn contains(&self, start: usize, length: usize) -> bool {
        contains((self.base, self.size), start, length)
    }
}

/// Whether a span lies in a range, which is its first address and its bytes.
#[inline]
pub fn contains((base, size): (usize, usize), start: usize, length: usize) -> bool {
    start >= base && start <= base + size && length <= base + size - start
}

impl Drop for Range {
    fn drop(&mut self) {
        // SAFETY: the range was reserved by this value, and its user is done with the mappings there.
        unsafe { libc::munmap(pointer(self.base), self.size) };
    }
}

/// An address as a pointer for the functions of libc.
pub(super) fn pointer(address: usize) -> *mut libc::c_void {
    std::ptr::with_exposed_provenance_mut(address)
}
