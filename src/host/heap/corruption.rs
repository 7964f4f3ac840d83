//! Ends the process when the heap is damaged: one line on stderr, then SIGABRT, as glibc's heap does.
#![expect(unsafe_code, reason = "writes to a descriptor and ends the process")]

type Line = crate::trace::text::Line<256>;

/// Ends the process: `function` has found bytes overwritten behind the block of `size` bytes at an address.
#[cold]
pub fn overflow(function: &str, address: usize, size: usize) -> ! {
    let mut line = Line::new();
    line.text("pinned-ffi: ").text(function).text("(0x").number(address as u64, 16);
    line.text("): heap overflow: bytes behind the block of ").number(size as u64, 10).text(" bytes were overwritten\n");
    abort(&line)
}

/// Ends the process: `function` has got a pointer that it cannot accept, or has found a block damaged.
#[cold]
pub fn fatal(function: &str, address: usize, problem: &str) -> ! {
    let mut line = Line::new();
    line.text("pinned-ffi: ").text(function).text("(0x").number(address as u64, 16);
    line.text("): invalid pointer or damaged heap: ").text(problem).text("\n");
    abort(&line)
}

fn abort(line: &Line) -> ! {
    let bytes = line.as_bytes();
    // SAFETY: the bytes are a slice. The standard library's abort() is libc's.
    unsafe {
        libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len());
        libc::abort()
    }
}
