//! Files that lie in memory, which a host maps as well.
#![expect(unsafe_code, reason = "makes descriptors")]

use std::ffi::{CStr, CString};
use std::io::Error;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

/// A new file of a size. The size is sealed where [`is_sealed`]: no process can change it.
///
/// # Errors
/// Where the system refuses the file or its seals.
pub fn create(name: &CStr, size: usize) -> Result<OwnedFd, Error> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the out-parameter is a local.
    let is_known = unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) } == 0;
    // The kernel takes it for a limit on memory files as well, and would send SIGXFSZ.
    if is_known && limit.rlim_cur < size as u64 {
        let limit = limit.rlim_cur;
        return Err(Error::other(format!("the limit on the size of files (ulimit -f) is {limit} bytes")));
    }
    if is_sealed() { sealed(name, size) } else { unlinked(size) }
}

/// Whether the system makes files whose size can be sealed. A filter of system calls may refuse `memfd_create`.
pub fn is_sealed() -> bool {
    static IS_SEALED: OnceLock<bool> = OnceLock::new();
    let refuses = |error: &Error| matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM | libc::EACCES));
    // For other reasons, such as too many descriptors, the next one may be made.
    *IS_SEALED.get_or_init(|| !sealed(c"pinned-ffi", 4096).is_err_and(|error| refuses(&error)))
}

fn sealed(name: &CStr, size: usize) -> Result<OwnedFd, Error> {
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: the name ends in zero; the descriptor is new.
    unsafe {
        let mut fd = libc::memfd_create(name.as_ptr(), flags | libc::MFD_NOEXEC_SEAL);
        if fd < 0 {
            // Kernels before 6.3 do not know the flag.
            fd = libc::memfd_create(name.as_ptr(), flags);
        }
        if fd < 0 {
            return Err(Error::last_os_error());
        }
        let fd = OwnedFd::from_raw_fd(fd);
        if libc::ftruncate(fd.as_raw_fd(), size as i64) != 0
            || libc::fcntl(fd.as_raw_fd(), libc::F_ADD_SEALS, seals) != 0
        {
            return Err(Error::last_os_error());
        }
        Ok(fd)
    }
}

/// A file without a name in a folder for temporary ones, in memory if there is one. A host could cut it short, but not
/// by mistake.
fn unlinked(size: usize) -> Result<OwnedFd, Error> {
    let temporary = CString::new(std::env::temp_dir().as_os_str().as_bytes()).unwrap_or_default();
    let mut refused = Error::from_raw_os_error(libc::ENOENT);
    for folder in [c"/dev/shm", &temporary] {
        let flags = libc::O_TMPFILE | libc::O_RDWR | libc::O_CLOEXEC;
        // SAFETY: the path ends in zero; the descriptor is new.
        unsafe {
            let fd = libc::open(folder.as_ptr(), flags, 0o600);
            if fd >= 0 {
                let fd = OwnedFd::from_raw_fd(fd);
                if libc::ftruncate(fd.as_raw_fd(), size as i64) == 0 {
                    return Ok(fd);
                }
            }
        }
        refused = Error::last_os_error();
    }
    Err(refused)
}

/// Has the system set memory aside for bytes of a file: elsewhere it may end the process when a page is touched that it
/// has no memory for.
pub fn set_aside(file: &OwnedFd, offset: usize, bytes: usize) -> bool {
    // SAFETY: the descriptor is open; what lies there stays.
    unsafe { libc::fallocate(file.as_raw_fd(), 0, offset as i64, bytes as i64) == 0 }
}
