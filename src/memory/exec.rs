//! Memory for generated code: mapped for code alone, written first, then made executable, and never both at once.
#![expect(unsafe_code, reason = "maps memory and copies code into it")]

use std::ptr::null_mut;

use super::address::{Address, Span};

/// The bytes of a mapping: a multiple of the page of every supported system. On arm64 that may be 64 KiB.
const CHUNK: usize = 64 * 1024;
/// Where a piece of code begins.
const ALIGNMENT: usize = 16;

/// The generated code of an environment. It is unmapped when this is dropped, after all JavaScript of the environment.
#[derive(Debug, Default)]
pub struct Code {
    /// Where the chunks are.
    chunks: Vec<Address>,
    /// The pages that were not written yet.
    free: Option<Span>,
}

impl Code {
    /// Puts several pieces of code into one page or more, as [`Code::put`] does: where each begins.
    pub fn put_all(&mut self, pieces: impl IntoIterator<Item = Vec<u8>>) -> Option<Vec<Address>> {
        let (mut code, mut starts) = (Vec::new(), Vec::new());
        for piece in pieces {
            starts.push(code.len());
            code.extend(piece);
            code.resize(code.len().next_multiple_of(ALIGNMENT), 0);
        }
        let first = self.put(&code)?;
        starts.into_iter().map(|start| Address::new(first.get() + start)).collect()
    }

    /// Puts code into separate pages, which are executable from now on, and no longer writable. `None` where there is
    /// no memory for it, or the system refuses.
    pub fn put(&mut self, code: &[u8]) -> Option<Address> {
        // Several codes are made executable at once.
        let length = code.len().next_multiple_of(page());
        if code.is_empty() || length > CHUNK {
            return None;
        }
        let free = match self.free.filter(|free| free.length >= length) {
            Some(free) => free,
            None => {
                let chunk = map()?;
                self.chunks.push(chunk);
                Span::new(chunk, CHUNK).ok()?
            }
        };
        self.free = Span::new(Address::new(free.start.get() + length)?, free.length - length).ok();
        let at = free.start;
        // SAFETY: M15; the pages are mapped for writing, no thread runs them yet, and they are not written any more.
        unsafe { write(at, code, length) }.then_some(at)
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        for chunk in &self.chunks {
            // SAFETY: M15; `map` mapped the chunk, and its code is no longer called.
            unsafe { libc::munmap(chunk.as_ptr().cast(), CHUNK) };
        }
    }
}

/// The bytes of a page. Those of x86-64 have one size.
fn page() -> usize {
    if cfg!(target_arch = "x86_64") {
        return 4096;
    }
    // SAFETY: it has no preconditions.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).map_or(CHUNK, |page| page.clamp(4096, CHUNK))
}

/// Apple's arm64 has no pages that are first written and then executable, but such that a thread sees as either
/// (`pthread_jit_write_protect_np`).
const IS_JIT: bool = cfg!(all(target_vendor = "apple", target_arch = "aarch64"));

fn map() -> Option<Address> {
    let (mut protection, mut flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    if IS_JIT {
        protection |= libc::PROT_EXEC;
        flags |= MAP_JIT;
    }
    // SAFETY: M15; a new mapping.
    let mapped = unsafe { libc::mmap(null_mut(), CHUNK, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED { None } else { Address::new(mapped.expose_provenance()) }
}

/// Writes code to whole pages of `length` bytes, and makes them executable: whether the system allows it.
///
/// # Safety
/// M15: the pages were mapped by [`map`], and no thread runs them.
unsafe fn write(at: Address, code: &[u8], length: usize) -> bool {
    // SAFETY: M15, by the contract of this function.
    unsafe {
        write_protect(false);
        at.as_ptr().copy_from_nonoverlapping(code.as_ptr(), code.len());
        write_protect(true);
        let is_done = IS_JIT || libc::mprotect(at.as_ptr().cast(), length, libc::PROT_READ | libc::PROT_EXEC) == 0;
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
unsafe fn clear_cache(_at: Address, _length: usize) {
    #[cfg(all(target_arch = "aarch64", not(target_vendor = "apple")))]
    // SAFETY: libgcc's function reads nothing; the bytes are mapped.
    unsafe {
        unsafe extern "C" {
            fn __clear_cache(start: *mut u8, end: *mut u8);
        }
        __clear_cache(_at.as_ptr(), _at.as_ptr().add(_length));
    }
    #[cfg(all(target_arch = "aarch64", target_vendor = "apple"))]
    // SAFETY: as above.
    unsafe {
        unsafe extern "C" {
            fn sys_icache_invalidate(start: *mut u8, length: usize);
        }
        sys_icache_invalidate(_at.as_ptr(), _length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "runs machine code")]
    fn what_was_put_runs() {
        // mov eax, edi; inc eax; ret
        #[cfg(target_arch = "x86_64")]
        let add_one = [0x89, 0xf8, 0xff, 0xc0, 0xc3];
        // add w0, w0, #1; ret
        #[cfg(target_arch = "aarch64")]
        let add_one = [0x00, 0x04, 0x00, 0x11, 0xc0, 0x03, 0x5f, 0xd6];
        let mut code = Code::default();
        for _ in 0..2 * CHUNK / page() {
            let at = code.put(&add_one).unwrap();
            // SAFETY: M15; the code above has this signature.
            let function = unsafe { std::mem::transmute::<*mut u8, extern "C" fn(i32) -> i32>(at.as_ptr()) };
            assert_eq!(function(41), 42);
        }
        let all = code.put_all([add_one.to_vec(), add_one.to_vec()]).unwrap();
        assert_eq!(all.len(), 2);
        for at in all {
            // SAFETY: as above.
            let function = unsafe { std::mem::transmute::<*mut u8, extern "C" fn(i32) -> i32>(at.as_ptr()) };
            assert_eq!(function(1), 2);
        }
        assert!(code.put(&[]).is_none() && code.put(&[0; CHUNK + 1]).is_none());
    }
}
