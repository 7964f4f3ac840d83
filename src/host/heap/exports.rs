//! `malloc` and its family, exported.
//!
//! The dynamic loader binds the calls of every library to the first definition in the global scope. In a host that is
//! this file: the addon is the main program. In Node the addon comes after libc, so that nothing is bound to these
//! definitions, not even calls of the addon; if something were (`RTLD_DEEPBIND`), it would get libc's functions,
//! because there the heap has no region.
//!
//! The exported functions are naked, that is, a jump. The compiler cannot see through them: it would otherwise be free
//! to inline `malloc` into the addon, and with it a choice that the loader has to make.
#![expect(unsafe_code, reason = "defines functions that C calls")]

use std::arch::naked_asm;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use super::{ALIGN, HEAP, Owner, next};
use crate::errno::{self, Errno};

macro_rules! export {
    ($($name:ident => $function:ident;)*) => {$(
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        unsafe extern "C" fn $name() {
            naked_asm!("jmp {}", sym $function)
        }
    )*};
}

export! {
    malloc => allocate;
    calloc => allocate_zeroed;
    realloc => reallocate;
    reallocarray => reallocate_array;
    free => release;
    memalign => allocate_aligned;
    aligned_alloc => allocate_aligned;
    posix_memalign => allocate_posix;
    valloc => allocate_page_aligned;
    pvalloc => allocate_pages;
    malloc_usable_size => usable_size;
}

const PAGE: usize = 4096;

/// Null becomes ENOMEM.
fn checked(block: *mut u8) -> *mut c_void {
    if block.is_null() {
        Errno::here().set(libc::ENOMEM);
    }
    block.cast()
}

fn is_libc(block: *mut c_void) -> bool {
    !HEAP.is_attached() || HEAP.owner_of(block.addr()) == Owner::Libc
}

unsafe extern "C" fn allocate(size: usize) -> *mut c_void {
    if !HEAP.is_attached() {
        return next::allocate(size);
    }
    checked(HEAP.allocate(size, ALIGN, false))
}

unsafe extern "C" fn allocate_zeroed(count: usize, size: usize) -> *mut c_void {
    if !HEAP.is_attached() {
        return next::allocate_zeroed(count, size);
    }
    checked(count.checked_mul(size).map_or(null_mut(), |bytes| HEAP.allocate(bytes, ALIGN, true)))
}

unsafe extern "C" fn reallocate(block: *mut c_void, size: usize) -> *mut c_void {
    // SAFETY: by the contract of realloc(): the block is one of the heap that is asked, or null.
    unsafe {
        if block.is_null() {
            return allocate(size);
        }
        if is_libc(block) {
            return next::reallocate(block, size);
        }
        if size == 0 {
            // As glibc does.
            release(block);
            return null_mut();
        }
        checked(HEAP.reallocate(block.cast(), size))
    }
}

unsafe extern "C" fn reallocate_array(block: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: by the contract of reallocarray().
        Some(bytes) => unsafe { reallocate(block, bytes) },
        None => checked(null_mut()),
    }
}

unsafe extern "C" fn release(block: *mut c_void) {
    if block.is_null() {
        return;
    }
    // SAFETY: by the contract of free().
    unsafe {
        if is_libc(block) {
            return next::release(block);
        }
        errno::kept(|| HEAP.free(block.cast()));
    }
}

/// `memalign` and `aligned_alloc`: an alignment that is no power of two is rounded up to one, as glibc does.
unsafe extern "C" fn allocate_aligned(align: usize, size: usize) -> *mut c_void {
    if !HEAP.is_attached() {
        return next::allocate_aligned(align, size);
    }
    match align.checked_next_power_of_two() {
        Some(align) => checked(HEAP.allocate(size, align, false)),
        None => {
            Errno::here().set(libc::EINVAL);
            null_mut()
        }
    }
}

unsafe extern "C" fn allocate_posix(result: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<usize>()) {
        return libc::EINVAL;
    }
    // SAFETY: by the contract of posix_memalign() the result is writable; it keeps errno.
    unsafe {
        let block = errno::kept(|| allocate_aligned(align, size));
        if block.is_null() {
            return libc::ENOMEM;
        }
        *result = block;
    }
    0
}

unsafe extern "C" fn allocate_page_aligned(size: usize) -> *mut c_void {
    // SAFETY: the function has no preconditions.
    unsafe { allocate_aligned(PAGE, size) }
}

unsafe extern "C" fn allocate_pages(size: usize) -> *mut c_void {
    match size.checked_next_multiple_of(PAGE) {
        // SAFETY: the function has no preconditions.
        Some(size) => unsafe { allocate_aligned(PAGE, size.max(PAGE)) },
        None => checked(null_mut()),
    }
}

unsafe extern "C" fn usable_size(block: *mut c_void) -> usize {
    if block.is_null() {
        return 0;
    }
    // SAFETY: by the contract of malloc_usable_size(). libc has one of its own, which comes after ours.
    unsafe {
        if !is_libc(block) {
            return HEAP.usable_size(block.cast());
        }
        let function = libc::dlsym(libc::RTLD_NEXT, c"malloc_usable_size".as_ptr());
        if function.is_null() {
            return 0;
        }
        std::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void) -> usize>(function)(block)
    }
}
