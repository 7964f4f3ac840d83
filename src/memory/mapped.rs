//! Whether memory is mapped: asked by the guard before the package itself reads or writes through a raw address.
//!
//! Linux: `process_vm_readv` on this process, a byte a page, which fails where a read would be a SIGSEGV; and
//! `/proc/self/maps` for the permission to write, and where the call is forbidden. Elsewhere nothing is known, and every
//! address counts as mapped (docs/platforms.md).
#![allow(unsafe_code, reason = "asks the kernel to read this process (not on every system: no `expect`)")]

use super::address::Span;

/// What is going to be done with memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read it.
    Read,
    /// Write it.
    Write,
}

/// Whether the whole span may be accessed.
#[cfg(target_os = "linux")]
pub fn is_mapped(span: Span, access: Access) -> bool {
    if span.length == 0 {
        return true;
    }
    match access {
        Access::Read if span.length <= MOST_PAGES * PAGE => readable(span).unwrap_or_else(|| listed(span, access)),
        _ => listed(span, access),
    }
}

/// Whether the whole span may be accessed: not known here.
#[cfg(not(target_os = "linux"))]
pub fn is_mapped(_: Span, _: Access) -> bool {
    true
}

/// The bytes of a page, or of a part of one: no mapping begins or ends inside.
pub const PAGE: usize = 4096;
#[cfg(target_os = "linux")]
const MOST_PAGES: usize = 64;

/// `None` where the kernel does not say.
#[cfg(target_os = "linux")]
fn readable(span: Span) -> Option<bool> {
    let (first, last) = (span.start.get(), span.start.get() + span.length - 1);
    let pages = last / PAGE - first / PAGE + 1;
    let mut bytes = [0u8; MOST_PAGES + 1];
    let mut probes = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 1 }; MOST_PAGES + 1];
    for (i, probe) in probes.iter_mut().take(pages).enumerate() {
        let address = if i == 0 { first } else { (first / PAGE + i) * PAGE };
        probe.iov_base = std::ptr::with_exposed_provenance_mut(address);
    }
    let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: pages };
    // SAFETY: M4; the kernel writes at most `pages` bytes into `bytes`, and answers for what it reads.
    let read = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, probes.as_ptr(), pages as _, 0) };
    match read {
        -1 if std::io::Error::last_os_error().raw_os_error() == Some(libc::EFAULT) => Some(false),
        -1 => None,
        read => Some(read as usize == pages),
    }
}

/// Whether `/proc/self/maps` lists the whole span with the permission.
#[cfg(target_os = "linux")]
fn listed(span: Span, access: Access) -> bool {
    let Ok(maps) = std::fs::read_to_string("/proc/self/maps") else { return false };
    let permission = if access == Access::Write { 'w' } else { 'r' };
    let mut reached = span.start.get();
    let end = reached + span.length;
    for line in maps.lines() {
        let mut fields = line.split_ascii_whitespace();
        let (Some(range), Some(permissions)) = (fields.next(), fields.next()) else { continue };
        let Some((from, to)) = range.split_once('-') else { continue };
        let (Ok(from), Ok(to)) = (usize::from_str_radix(from, 16), usize::from_str_radix(to, 16)) else { continue };
        if from <= reached && reached < to && permissions.contains(permission) {
            reached = to;
        }
        if reached >= end {
            return true;
        }
    }
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::memory::address::Address;

    fn span(start: usize, length: usize) -> Span {
        Span::new(Address::new(start).unwrap(), length).unwrap()
    }

    #[test]
    fn what_is_not_mapped_is_told() {
        let mut here = vec![0u8; 3 * PAGE];
        let start = here.as_mut_ptr().expose_provenance();
        let constant = c"constant".as_ptr().expose_provenance();
        for (span, read, write) in [
            (span(start, 3 * PAGE), true, true),
            (span(start, 1), true, true),
            (span(constant, 8), true, false),
            (span(64, 1), false, false),
            (span(4095, 1), false, false),
            (span(0x10_0000_0000, 8), false, false),
            (span(start, 1 << 44), false, false),
        ] {
            assert_eq!(is_mapped(span, Access::Read), read, "{span:?}");
            assert_eq!(is_mapped(span, Access::Write), write, "{span:?}");
        }
    }
}
