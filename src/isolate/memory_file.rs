//! Memory files: memory without a name that processes share by a descriptor.
#![expect(unsafe_code, reason = "makes and maps memory files")]

use std::ffi::CStr;
use std::io::Error;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::null_mut;

use crate::memory::address::{Address, Span};

/// A memory file of a size that nobody can change.
pub fn sealed_file(name: &CStr, size: usize) -> Result<OwnedFd, Error> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the out-parameter is a local; the descriptor is new.
    unsafe {
        // The kernel takes it for a limit on memory files as well, and would send SIGXFSZ.
        if libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) == 0 && limit.rlim_cur < size as u64 {
            let limit = limit.rlim_cur;
            return Err(Error::other(format!("the limit on the size of files (ulimit -f) is {limit} bytes")));
        }
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        let mut fd = libc::memfd_create(name.as_ptr(), flags | libc::MFD_NOEXEC_SEAL);
        if fd < 0 {
            // Kernels before 6.3 do not know the flag.
            fd = libc::memfd_create(name.as_ptr(), flags);
        }
        if fd < 0 {
            return Err(Error::last_os_error());
        }
        let fd = OwnedFd::from_raw_fd(fd);
        let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        if libc::ftruncate(fd.as_raw_fd(), size as i64) != 0
            || libc::fcntl(fd.as_raw_fd(), libc::F_ADD_SEALS, seals) != 0
        {
            return Err(Error::last_os_error());
        }
        Ok(fd)
    }
}

/// Maps a memory file anywhere; for the memory of messages.
pub fn map_file(fd: i32, size: usize) -> Option<Span> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_NORESERVE);
    // SAFETY: a new mapping.
    let mapped = unsafe { libc::mmap(null_mut(), size, protection, flags, fd, 0) };
    if mapped == libc::MAP_FAILED {
        return None;
    }
    Span::new(Address::new(mapped.expose_provenance())?, size).ok()
}

/// Gives a mapping of [`map_file`] back.
///
/// # Safety
/// Nobody uses it any more.
pub unsafe fn unmap(span: Span) {
    // SAFETY: by the contract of this function.
    unsafe { libc::munmap(span.start.as_ptr().cast(), span.length) };
}
