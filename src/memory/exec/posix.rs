//! Pages for code, by mmap() and mprotect().
#![expect(unsafe_code, reason = "maps memory and copies code into it")]

use std::ptr::null_mut;

use super::CHUNK;
use crate::memory::address::{Address, Span};

/// The bytes of a page. Those of x86-64 have one size.
pub fn page() -> usize {
    if cfg!(target_arch = "x86_64") {
        return 4096;
    }
    // SAFETY: it has no preconditions.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).map_or(CHUNK, |page| page.clamp(4096, CHUNK))
}

/// Apple's arm64 has no pages that are first written and then executable, but such that a thread sees as either
/// (`pthread_jit_write_protect_np`).
const IS_JIT: bool = cfg!(all(target_vendor = "apple", target_arch = "aarch64"));

/// Maps a chunk for writing.
pub fn map() -> Option<Address> {
    let (mut protection, mut flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    if IS_JIT {
        protection |= libc::PROT_EXEC;
        flags |= MAP_JIT;
    }
    // SAFETY: M15; a new mapping.
    let mapped = unsafe { libc::mmap(null_mut(), CHUNK, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED { None } else { Address::new(mapped.expose_provenance()) }
}

/// Unmaps a chunk.
///
/// # Safety
/// M15: [`map`] mapped it, and its code is no longer called.
pub unsafe fn unmap(chunk: Address) {
    // SAFETY: M15, by the contract of this function.
    unsafe { libc::munmap(chunk.as_ptr().cast(), CHUNK) };
}

/// Writes code into whole pages, from an offset on, and makes them executable: whether the system allows it.
///
/// # Safety
/// M15: the pages were mapped by [`map`], and no thread runs them. The code ends inside them.
pub unsafe fn write(pages: Span, offset: usize, code: &[u8]) -> bool {
    let at = pages.start.as_ptr().wrapping_add(offset);
    // SAFETY: M15, by the contract of this function.
    unsafe {
        write_protect(false);
        at.copy_from_nonoverlapping(code.as_ptr(), code.len());
        write_protect(true);
        let is_done =
            IS_JIT || libc::mprotect(pages.start.as_ptr().cast(), pages.length, libc::PROT_READ | libc::PROT_EXEC) == 0;
        clear_cache(at, code.len());
        is_done
    }
}

#[cfg(target_vendor = "apple")]
const MAP_JIT: libc::c_int = libc::MAP_JIT;
#[cfg(not(target_vendor = "apple"))]
const MAP_JIT: libc::c_int = 0;

/// Whether this thread may run the pages of `MAP_JIT`, or write them.
fn write_protect(_runs: bool) {
    #[cfg(all(target_vendor = "apple", target_arch = "aarch64"))]
    // SAFETY: it changes what this thread may do with pages of `MAP_JIT`; `write` runs none between its two calls.
    unsafe {
        libc::pthread_jit_write_protect_np(_runs.into());
    }
}

/// Lets processors see new code as code: those of arm64 have it in another cache than data.
///
/// # Safety
/// The bytes are readable.
unsafe fn clear_cache(_at: *mut u8, _length: usize) {
    #[cfg(all(target_arch = "aarch64", not(target_vendor = "apple")))]
    // SAFETY: libgcc's function reads nothing; the bytes are mapped.
    unsafe {
        unsafe extern "C" {
            fn __clear_cache(start: *mut u8, end: *mut u8);
        }
        __clear_cache(_at, _at.add(_length));
    }
    #[cfg(all(target_arch = "aarch64", target_vendor = "apple"))]
    // SAFETY: as above.
    unsafe {
        unsafe extern "C" {
            fn sys_icache_invalidate(start: *mut u8, length: usize);
        }
        sys_icache_invalidate(_at, _length);
    }
}
