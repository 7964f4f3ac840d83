//! Pages for code, by VirtualAlloc() and VirtualProtect().
#![expect(unsafe_code, reason = "maps memory and copies code into it")]

use std::ffi::c_void;
use std::ptr::null;

use super::CHUNK;
use crate::memory::address::{Address, Span};

const MEM_COMMIT_AND_RESERVE: u32 = 0x3000;
const MEM_RELEASE: u32 = 0x8000;
const PAGE_READWRITE: u32 = 0x04;
const PAGE_EXECUTE_READ: u32 = 0x20;

// In kernel32, which every program has.
unsafe extern "system" {
    fn VirtualAlloc(address: *const c_void, size: usize, kind: u32, protection: u32) -> *mut c_void;
    fn VirtualProtect(address: *const c_void, size: usize, protection: u32, before: *mut u32) -> i32;
    fn VirtualFree(address: *mut c_void, size: usize, kind: u32) -> i32;
    fn GetCurrentProcess() -> *mut c_void;
    fn FlushInstructionCache(process: *mut c_void, start: *const c_void, size: usize) -> i32;
}

/// The bytes of a page, on x64 and on arm64.
pub fn page() -> usize {
    4096
}

/// Maps a chunk for writing.
pub fn map() -> Option<Address> {
    // SAFETY: M15; a new mapping.
    let mapped = unsafe { VirtualAlloc(null(), CHUNK, MEM_COMMIT_AND_RESERVE, PAGE_READWRITE) };
    if mapped.is_null() { None } else { Address::new(mapped.expose_provenance()) }
}

/// Unmaps a chunk.
///
/// # Safety
/// M15: [`map`] mapped it, and its code is no longer called.
pub unsafe fn unmap(chunk: Address) {
    // SAFETY: M15, by the contract of this function. A whole mapping is released by its start.
    unsafe { VirtualFree(chunk.as_ptr().cast(), 0, MEM_RELEASE) };
}

/// Writes code into whole pages, from an offset on, and makes them executable: whether the system allows it. Functions
/// there may be called through the checks of Control Flow Guard: VirtualProtect() marks all of them as valid targets.
///
/// # Safety
/// M15: the pages were mapped by [`map`], and no thread runs them. The code ends inside them.
pub unsafe fn write(pages: Span, offset: usize, code: &[u8]) -> bool {
    let at = pages.start.as_ptr().wrapping_add(offset);
    let mut before = 0;
    // SAFETY: M15, by the contract of this function.
    unsafe {
        at.copy_from_nonoverlapping(code.as_ptr(), code.len());
        let is_done =
            VirtualProtect(pages.start.as_ptr().cast(), pages.length, PAGE_EXECUTE_READ, &raw mut before) != 0;
        FlushInstructionCache(GetCurrentProcess(), at.cast(), code.len());
        is_done
    }
}
