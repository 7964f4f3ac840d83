//! Memory for generated code: mapped for code alone, written first, then made executable, and never both at once.
#![expect(unsafe_code, reason = "unmaps code")]

#[cfg(unix)]
use self::posix::{map, page, unmap, write};
#[cfg(windows)]
use self::windows::{map, page, unmap, write};
use super::address::{Address, Span};

/// The bytes of a mapping: a multiple of the page of every supported system. On arm64 that may be 64 KiB.
const CHUNK: usize = 64 * 1024;
/// Where a piece of code begins.
const ALIGNMENT: usize = 16;
/// Where code begins in its page. The branches of a trampoline, three at its start, then lie in two lines of the cache:
/// an AMD EPYC predicts three of one line a cycle later (`i32 f(i32, i32)` took 4.38 ns from the start of a line, 4.10
/// from here).
const LEAD: usize = 32;

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
        let length = (LEAD + code.len()).next_multiple_of(page());
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
        let pages = Span::new(free.start, length).ok()?;
        let start = Address::new(pages.start.get() + LEAD)?;
        // SAFETY: M15; the pages are mapped for writing, no thread runs them yet, and they are not written any more.
        unsafe { write(pages, LEAD, code) }.then_some(start)
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        for chunk in &self.chunks {
            // SAFETY: M15; `map` mapped the chunk, and its code is no longer called.
            unsafe { unmap(*chunk) };
        }
    }
}

#[cfg(unix)]
mod posix;
#[cfg(windows)]
mod windows;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "runs machine code")]
    fn what_was_put_runs() {
        // mov eax, edi (ecx on Windows); inc eax; ret
        #[cfg(target_arch = "x86_64")]
        let add_one = [0x89, if cfg!(windows) { 0xc8 } else { 0xf8 }, 0xff, 0xc0, 0xc3];
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
