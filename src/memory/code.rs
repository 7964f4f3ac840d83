//! Memory for generated code: mapped for it alone, written first, then made executable, and never both at once.
#![expect(unsafe_code, reason = "maps memory and copies code into it")]

use std::ptr::null_mut;

use super::address::Address;

/// What is mapped at once: room for some hundred functions.
const CHUNK: usize = 32 * 1024;
const ALIGN: usize = 16;

#[derive(Debug)]
struct Chunk {
    start: Address,
    used: usize,
}

/// The generated code of an environment. It is never given back: functions may be called as long as the process lives.
#[derive(Debug, Default)]
pub struct Code {
    /// What is being written.
    open: Option<Chunk>,
}

impl Code {
    /// Puts code where it will be run once [`Code::seal`] was called. `None` where there is no memory for it.
    pub fn put(&mut self, code: &[u8]) -> Option<Address> {
        if code.is_empty() || code.len() > CHUNK {
            return None;
        }
        if self.open.as_ref().is_some_and(|chunk| chunk.used + code.len() > CHUNK) && !self.seal() {
            return None;
        }
        if self.open.is_none() {
            self.open = Some(Chunk { start: map()?, used: 0 });
        }
        let chunk = self.open.as_mut()?;
        let at = Address::new(chunk.start.get() + chunk.used)?;
        // SAFETY: M15; the chunk is mapped for writing, nobody runs it yet, and `used` leaves room for as much.
        unsafe { at.as_ptr().copy_from_nonoverlapping(code.as_ptr(), code.len()) };
        chunk.used = (chunk.used + code.len()).next_multiple_of(ALIGN);
        Some(at)
    }

    /// Makes what was put executable, and no longer writable. False where the system refuses.
    pub fn seal(&mut self) -> bool {
        match self.open.take() {
            // SAFETY: M15; the chunk was mapped by `map`, and is not written any more.
            Some(chunk) => unsafe {
                libc::mprotect(chunk.start.as_ptr().cast(), CHUNK, libc::PROT_READ | libc::PROT_EXEC) == 0
            },
            None => true,
        }
    }
}

fn map() -> Option<Address> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: M15; a new mapping.
    let mapped = unsafe { libc::mmap(null_mut(), CHUNK, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED { None } else { Address::new(mapped.expose_provenance()) }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "runs machine code")]
    fn what_was_put_runs_after_the_seal() {
        // mov eax, edi; inc eax; ret
        let add_one = [0x89, 0xf8, 0xff, 0xc0, 0xc3];
        let mut code = Code::default();
        let (first, second) = (code.put(&add_one).unwrap(), code.put(&add_one).unwrap());
        assert!(second.get() - first.get() == ALIGN && code.seal());
        // SAFETY: M15; the code above has this signature.
        let function = unsafe { std::mem::transmute::<*mut u8, extern "C" fn(i32) -> i32>(second.as_ptr()) };
        assert_eq!(function(41), 42);
        let next = code.put(&add_one).unwrap();
        assert!(next.get().abs_diff(first.get()) >= CHUNK);
    }
}
