//! Texts and spans at the edge of what is mapped: found or refused, and never read beyond.
#![no_main]

use arbitrary::Arbitrary;
use core_of_pinned_ffi::memory::probe::{Access, PAGE};
use core_of_pinned_ffi::memory::raw::{self, PointerCheck};
use libfuzzer_sys::fuzz_target;

/// Two pages that can be read, of which the second cannot be written, and one after them that cannot be touched.
const PAGES: usize = 2 * PAGE;

#[derive(Arbitrary, Debug)]
struct Input {
    bytes: Vec<u8>,
    from_end: u16,
    start: i16,
    length: Option<u32>,
    anywhere: u64,
    is_wide: bool,
}

fn memory() -> *mut u8 {
    static MEMORY: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let address = *MEMORY.get_or_init(|| {
        let write = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of three pages, whose protection changes page by page.
        unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
            let base = libc::mmap(std::ptr::null_mut(), PAGES + PAGE, write, flags, -1, 0);
            assert_ne!(base, libc::MAP_FAILED);
            assert_eq!(libc::mprotect(base.byte_add(PAGES), PAGE, libc::PROT_NONE), 0);
            base.expose_provenance()
        }
    });
    std::ptr::with_exposed_provenance_mut(address)
}

fn protect(second: i32) {
    // SAFETY: the page is of the mapping above.
    assert_eq!(unsafe { libc::mprotect(memory().add(PAGE).cast(), PAGE, second) }, 0);
}

fuzz_target!(|input: Input| {
    protect(libc::PROT_READ | libc::PROT_WRITE);
    // SAFETY: both pages can be written.
    let pages = unsafe { std::slice::from_raw_parts_mut(memory(), PAGES) };
    pages.fill(1);
    let count = input.bytes.len().min(PAGES);
    let end = PAGES - usize::from(input.from_end) % (PAGES - count + 1);
    pages[end - count..end].copy_from_slice(&input.bytes[..count]);
    protect(libc::PROT_READ);
    let pages = &*pages;

    let start = (isize::from(input.start).unsigned_abs()) % PAGES;
    let address = memory().expose_provenance() + start;
    let rest = &pages[start..];
    if input.is_wide {
        for unit in [2, 4] {
            let expected = rest.chunks_exact(unit).position(|chunk| chunk.iter().all(|byte| *byte == 0));
            // SAFETY: U2; memory that is not mapped is refused.
            let found = unsafe { raw::wide_text(address, unit, PointerCheck::Mapped) };
            assert_eq!(found.as_deref(), expected.map(|units| &rest[..units * unit]));
        }
    } else {
        let length = input.length.map(|length| length as usize % (2 * PAGES));
        let expected = match length {
            Some(length) => rest.get(..length),
            None => rest.iter().position(|byte| *byte == 0).map(|length| &rest[..length]),
        };
        // SAFETY: U2; memory that is not mapped is refused.
        assert_eq!(unsafe { raw::text(address, length, PointerCheck::Mapped) }, expected);
    }
    let length = input.length.unwrap_or(1) as usize;
    for (access, limit) in [(Access::Read, PAGES), (Access::Write, PAGE)] {
        let fits = length == 0 || start + length <= limit;
        assert_eq!(raw::checked(address, length, access, PointerCheck::Mapped).is_some(), fits, "{start} {length} {access:?}");
    }
    // Any number at all: nothing is read but what is mapped. AddressSanitizer itself looks at its shadow of what a call
    // of the kernel is given, which it has above 2^44 only.
    let _ = raw::checked(input.anywhere as usize, length, Access::Read, PointerCheck::LowPage);
    let anywhere = (1 << 45) + input.anywhere as usize % (1 << 46);
    let _ = raw::checked(anywhere, length, Access::Read, PointerCheck::Mapped);
});
