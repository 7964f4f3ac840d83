//! The allocator behind this one, for a host whose library keeps the malloc that it has: that of a sanitizer, where one
//! was preloaded. Otherwise the exported functions call libc's, because they come before the sanitizer's.
#![expect(unsafe_code, reason = "calls functions by their addresses")]

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};

unsafe extern "C" {
    fn __libc_malloc(size: usize) -> *mut c_void;
    fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
    fn __libc_realloc(block: *mut c_void, size: usize) -> *mut c_void;
    fn __libc_free(block: *mut c_void);
    fn __libc_memalign(align: usize, size: usize) -> *mut c_void;
}

/// The definition of a function that comes after this file's in the order of the loader.
fn next_definition(name: &CStr) -> *mut c_void {
    // SAFETY: the name is a text; only the address is taken.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

/// A function of the other allocator; 0 where there is none but libc's.
struct Function(AtomicUsize);

impl Function {
    const fn none() -> Self {
        Self(AtomicUsize::new(0))
    }

    fn find(&self, name: &CStr) {
        self.0.store(next_definition(name).expose_provenance(), Ordering::Relaxed);
    }

    /// The function as a pointer of type `F`.
    ///
    /// # Safety
    /// `F` is the type of the function's pointer.
    #[inline]
    unsafe fn get<F: Copy>(&self) -> Option<F> {
        let address = self.0.load(Ordering::Relaxed);
        // SAFETY: by the contract of this function.
        (address != 0).then(|| unsafe { std::mem::transmute_copy(&address) })
    }
}

static MALLOC: Function = Function::none();
static CALLOC: Function = Function::none();
static REALLOC: Function = Function::none();
static FREE: Function = Function::none();
static MEMALIGN: Function = Function::none();
/// The range of libc's blocks that were allocated before [`find`]: libc frees them.
static EARLY_START: AtomicUsize = AtomicUsize::new(0);
static EARLY_END: AtomicUsize = AtomicUsize::new(0);

/// Uses the other allocator from now on, if there is one. Call it once, before a library is loaded.
pub fn find() {
    let malloc = next_definition(c"malloc");
    if malloc.is_null() || malloc == next_definition(c"__libc_malloc") {
        return;
    }
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return };
    if let Some(heap) = maps.lines().find(|line| line.ends_with("[heap]"))
        && let Some((start, _)) = heap.split_once('-')
    {
        EARLY_START.store(usize::from_str_radix(start, 16).unwrap_or(0), Ordering::Relaxed);
        // SAFETY: asks for an address.
        EARLY_END.store(unsafe { libc::sbrk(0) }.addr(), Ordering::Relaxed);
    }
    FREE.find(c"free");
    REALLOC.find(c"realloc");
    CALLOC.find(c"calloc");
    MEMALIGN.find(c"memalign");
    MALLOC.find(c"malloc");
}

fn is_early(block: *mut c_void) -> bool {
    (EARLY_START.load(Ordering::Relaxed)..EARLY_END.load(Ordering::Relaxed)).contains(&block.addr())
}

/// `malloc`.
pub fn allocate(size: usize) -> *mut c_void {
    // SAFETY: the types are those of the functions.
    unsafe { MALLOC.get::<unsafe extern "C" fn(usize) -> *mut c_void>().unwrap_or(__libc_malloc)(size) }
}

/// `calloc`.
pub fn allocate_zeroed(count: usize, size: usize) -> *mut c_void {
    // SAFETY: as above.
    unsafe { CALLOC.get::<unsafe extern "C" fn(usize, usize) -> *mut c_void>().unwrap_or(__libc_calloc)(count, size) }
}

/// `memalign`.
pub fn allocate_aligned(align: usize, size: usize) -> *mut c_void {
    // SAFETY: as above.
    unsafe {
        MEMALIGN.get::<unsafe extern "C" fn(usize, usize) -> *mut c_void>().unwrap_or(__libc_memalign)(align, size)
    }
}

/// `realloc` of a block that is not null.
///
/// # Safety
/// The block is one of these functions, or of libc.
pub unsafe fn reallocate(block: *mut c_void, size: usize) -> *mut c_void {
    type Realloc = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
    // SAFETY: the type is that of the function; the rest by the contract of this function.
    unsafe {
        let Some(function) = REALLOC.get::<Realloc>() else { return __libc_realloc(block, size) };
        if !is_early(block) {
            return function(block, size);
        }
        let moved = if size == 0 { null_mut() } else { allocate(size) };
        if !moved.is_null() {
            // The size of a block of glibc is in front of it, with flags, and counts that word.
            let length = (block.cast::<usize>().sub(1).read() & !7).saturating_sub(size_of::<usize>());
            block.cast::<u8>().copy_to_nonoverlapping(moved.cast(), length.min(size));
        }
        if !moved.is_null() || size == 0 {
            __libc_free(block);
        }
        moved
    }
}

/// `free` of a block that is not null.
///
/// # Safety
/// As for [`reallocate`].
pub unsafe fn release(block: *mut c_void) {
    // SAFETY: the type is that of the function; the rest by the contract of this function.
    unsafe {
        match FREE.get::<unsafe extern "C" fn(*mut c_void)>() {
            Some(function) if !is_early(block) => function(block),
            _ => __libc_free(block),
        }
    }
}
