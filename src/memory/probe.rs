//! Whether an address is mapped: the guard probes it before the package itself reads or writes through it.
//!
//! Linux: the kernel copies a byte a page through a pipe, which fails with EFAULT where this process would have a
//! SIGSEGV; `/proc/self/maps` for very long spans, and if no pipe can be made. Elsewhere nothing is known,
//! and every address counts as mapped (docs/platforms.md).
#![allow(unsafe_code, reason = "asks the kernel to read this process (not on every system: no `expect`)")]

#[cfg(target_os = "linux")]
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
#[cfg(target_os = "linux")]
use std::sync::{Mutex, PoisonError};

use super::address::{Address, Span};

/// A kind of access.
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
    if span.length > LARGE {
        return listed(span, access);
    }
    probed(span, access).unwrap_or_else(|| listed(span, access))
}

/// Whether the whole span may be accessed: not known here.
#[cfg(not(target_os = "linux"))]
pub fn is_mapped(_: Span, _: Access) -> bool {
    true
}

/// Copies memory that may not be mapped; false where it is not.
///
/// # Safety
/// If a sandbox forbids the system call, the memory is read directly: the caller has reason to believe that it is
/// mapped.
#[cfg(target_os = "linux")]
pub unsafe fn read(from: Address, to: &mut [u8]) -> bool {
    copy(from, to).unwrap_or_else(|| {
        // SAFETY: by the contract of this function.
        unsafe { from.as_ptr().copy_to_nonoverlapping(to.as_mut_ptr(), to.len()) };
        true
    })
}

/// Has the kernel copy memory that may not be mapped; false where it is not, `None` if a sandbox forbids the system
/// call.
#[cfg(target_os = "linux")]
pub fn copy(from: Address, to: &mut [u8]) -> Option<bool> {
    let local = libc::iovec { iov_base: to.as_mut_ptr().cast(), iov_len: to.len() };
    let remote = libc::iovec { iov_base: from.as_ptr().cast(), iov_len: to.len() };
    // SAFETY: M4; the kernel answers for what it reads, and writes into the slice.
    let copied = unsafe { libc::process_vm_readv(libc::getpid(), &local, 1, &remote, 1, 0) };
    let is_refused = copied < 0 && std::io::Error::last_os_error().raw_os_error() != Some(libc::EFAULT);
    (!is_refused).then_some(copied == to.len() as isize)
}

/// Copies no memory: V8's is not read on other systems.
///
/// # Safety
/// None is needed.
#[cfg(not(target_os = "linux"))]
pub unsafe fn read(_: Address, _: &mut [u8]) -> bool {
    false
}

/// Copies no memory: V8's is not read on other systems.
#[cfg(not(target_os = "linux"))]
pub fn copy(_: Address, _: &mut [u8]) -> Option<bool> {
    None
}

/// The bytes of a page, or of a part of one: no mapping begins or ends inside.
pub const PAGE: usize = 4096;
/// Pages that are probed at once.
#[cfg(target_os = "linux")]
const MOST_PAGES: usize = 64;
/// Longer spans are looked up in `/proc/self/maps`, not probed page by page.
#[cfg(target_os = "linux")]
const LARGE: usize = 64 << 20;

/// A pipe: writing a byte into it has the kernel read that byte as this process would, and reading it back write it.
#[cfg(target_os = "linux")]
struct Pipe {
    into: OwnedFd,
    out: OwnedFd,
}

#[cfg(target_os = "linux")]
static PIPE: Mutex<Option<Pipe>> = Mutex::new(None);

#[cfg(target_os = "linux")]
impl Pipe {
    fn new() -> Option<Self> {
        let mut ends = [0; 2];
        // SAFETY: M4; the out-parameter is a local, and the descriptors are new.
        unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) != 0 {
                return None;
            }
            Some(Self { out: OwnedFd::from_raw_fd(ends[0]), into: OwnedFd::from_raw_fd(ends[1]) })
        }
    }

    /// Has the kernel read a byte of each page.
    fn read_pages(&self, first: usize, last: usize) -> bool {
        let mut probes = [libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 1 }; MOST_PAGES + 1];
        let mut count = 0;
        for page in first / PAGE..=last / PAGE {
            probes[count].iov_base = std::ptr::with_exposed_provenance_mut((page * PAGE).max(first));
            count += 1;
        }
        // SAFETY: M4; the kernel answers for what it reads.
        let moved = unsafe { libc::writev(self.into.as_raw_fd(), probes.as_ptr(), count as i32) };
        self.drain();
        moved == count as isize
    }

    /// Has the kernel write the byte that is there already.
    fn write_back(&self, address: usize) -> bool {
        let byte = std::ptr::with_exposed_provenance_mut::<libc::c_void>(address);
        // SAFETY: M4; the kernel answers for what it reads and writes. The caller is about to write this byte itself.
        let written = unsafe {
            libc::write(self.into.as_raw_fd(), byte, 1) == 1 && libc::read(self.out.as_raw_fd(), byte, 1) == 1
        };
        self.drain();
        written
    }

    fn drain(&self) {
        let mut bytes = [0u8; MOST_PAGES + 1];
        // SAFETY: M4; at most as many bytes are written as there are.
        unsafe { libc::read(self.out.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
    }
}

/// Asks the kernel; `None` if no pipe can be made.
#[cfg(target_os = "linux")]
fn probed(span: Span, access: Access) -> Option<bool> {
    let mut slot = PIPE.lock().unwrap_or_else(PoisonError::into_inner);
    if slot.is_none() {
        *slot = Pipe::new();
    }
    let pipe = slot.as_ref()?;
    let (mut first, last) = (span.start.get(), span.start.get() + span.length - 1);
    while first <= last {
        let end = last.min((first / PAGE + MOST_PAGES) * PAGE - 1);
        if !pipe.read_pages(first, end) {
            return Some(false);
        }
        if access == Access::Write && !(first / PAGE..=end / PAGE).all(|page| pipe.write_back((page * PAGE).max(first)))
        {
            return Some(false);
        }
        first = end + 1;
    }
    Some(true)
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
    #[cfg_attr(miri, ignore = "asks the kernel")]
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
