//! Memory of another process, which the kernel copies: a bad address is an error, and crashes neither process.
#![expect(unsafe_code, reason = "has the kernel copy memory")]

/// The bytes that are looked for a NUL at once: no mapping begins or ends inside of them.
const PAGE: usize = 4096;
/// The longest text that is looked for.
const MOST_TEXT: usize = 1 << 30;

fn vector(start: *const u8, length: usize) -> libc::iovec {
    libc::iovec { iov_base: start.cast_mut().cast(), iov_len: length }
}

fn there(address: usize, length: usize) -> libc::iovec {
    vector(std::ptr::with_exposed_provenance(address), length)
}

/// Copies as many bytes as fit from an address of a process. False where not all of them can be read.
pub fn read(pid: i32, address: usize, to: &mut [u8]) -> bool {
    let (here, there) = (vector(to.as_ptr(), to.len()), there(address, to.len()));
    // SAFETY: the slice is writable and that long; the kernel answers for the other process.
    unsafe { libc::process_vm_readv(pid, &here, 1, &there, 1, 0) == to.len() as isize }
}

/// Copies bytes to an address of a process. False where not all of them can be written.
pub fn write(pid: i32, address: usize, from: &[u8]) -> bool {
    let (here, there) = (vector(from.as_ptr(), from.len()), there(address, from.len()));
    // SAFETY: the slice is readable and that long; the kernel answers for the other process.
    unsafe { libc::process_vm_writev(pid, &here, 1, &there, 1, 0) == from.len() as isize }
}

/// The bytes up to a NUL of `unit` bytes at an address of a process; `None` where they cannot be read.
pub fn text_of_units(pid: i32, address: usize, unit: usize) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    while text.len() < MOST_TEXT {
        let here = address.checked_add(text.len())?;
        let from = text.len();
        // Whole units, up to the end of the page; one that lies across it is read by itself.
        let rest = ((PAGE - here % PAGE) / unit * unit).max(unit);
        text.resize(from + rest, 0);
        if !read(pid, here, &mut text[from..]) {
            return None;
        }
        let is_nul = |chunk: &[u8]| chunk.iter().all(|byte| *byte == 0);
        if let Some(found) = text[from..].chunks_exact(unit).position(is_nul) {
            text.truncate(from + found * unit);
            return Some(text);
        }
    }
    None
}

/// The bytes up to a NUL at an address of a process.
pub fn text(pid: i32, address: usize) -> Option<Vec<u8>> {
    text_of_units(pid, address, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "calls the kernel")]
    fn memory_is_copied_or_refused() {
        let pid = std::process::id() as i32;
        let mut text = vec![b'x'; 10_000];
        text.extend([0, b'y']);
        let address = text.as_ptr().expose_provenance();
        assert_eq!(super::text(pid, address).unwrap(), text[..10_000]);
        let wide: Vec<u16> = "a wide text\0b".encode_utf16().collect();
        assert_eq!(text_of_units(pid, wide.as_ptr().expose_provenance(), 2).unwrap().len(), 22);
        let mut word = [0; 4];
        assert!(read(pid, address, &mut word) && word == *b"xxxx");
        assert!(write(pid, address, b"abcd") && text.starts_with(b"abcdx"));
        assert!(!read(pid, 64, &mut word) && !write(pid, 64, &word) && super::text(pid, 64).is_none());
    }
}
