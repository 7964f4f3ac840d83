//! Memory for generated code: mapped for code alone, written first, then made executable, and never both at once.
#![expect(unsafe_code, reason = "maps memory and copies code into it")]

use std::ptr::null_mut;

use super::address::{Address, Span};

/// The bytes of a mapping.
const CHUNK: usize = 64 * 1024;
/// The bytes that are made executable at once: a page of x86-64.
const PAGE: usize = 4096;
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
        let length = code.len().next_multiple_of(PAGE);
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
        unsafe {
            at.as_ptr().copy_from_nonoverlapping(code.as_ptr(), code.len());
            let protection = libc::PROT_READ | libc::PROT_EXEC;
            (libc::mprotect(at.as_ptr().cast(), length, protection) == 0).then_some(at)
        }
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

fn map() -> Option<Address> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: M15; a new mapping.
    let mapped = unsafe { libc::mmap(null_mut(), CHUNK, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED { None } else { Address::new(mapped.expose_provenance()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "runs machine code")]
    fn what_was_put_runs() {
        // mov eax, edi; inc eax; ret
        let add_one = [0x89, 0xf8, 0xff, 0xc0, 0xc3];
        let mut code = Code::default();
        for _ in 0..2 * CHUNK / PAGE {
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
