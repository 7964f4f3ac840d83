//! Landlock: which files may be used, and that signals and abstract sockets stay inside (landlock(7)).
#![expect(unsafe_code, reason = "calls the kernel")]

use std::ffi::{CStr, CString, c_int, c_long};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use super::Sandbox;
use crate::errno::Errno;

/// The version from which on signals and abstract sockets can be kept inside.
pub const WITH_SCOPES: c_int = 6;

const EXECUTE: u64 = 1 << 0;
const WRITE_FILE: u64 = 1 << 1;
const READ_FILE: u64 = 1 << 2;
const READ_DIR: u64 = 1 << 3;
const TRUNCATE: u64 = 1 << 14;
const IOCTL_DEV: u64 = 1 << 15;
/// Rights that a file has which is no folder.
const OF_FILES: u64 = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV;
/// LANDLOCK_ACCESS_NET_BIND_TCP and _CONNECT_TCP.
const TCP: u64 = 3;
/// LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET and _SIGNAL.
const SCOPES: u64 = 3;

const CREATE_RULESET_VERSION: u32 = 1;
const RULE_PATH_BENEATH: c_int = 1;

#[repr(C)]
struct RulesetAttributes {
    files: u64,
    network: u64,
    scopes: u64,
}

#[repr(C, packed)]
struct PathBeneath {
    allowed: u64,
    parent: c_int,
}

/// Why there is no ruleset.
#[derive(Debug)]
pub enum Error {
    /// The path cannot be opened.
    Path { path: CString, errno: c_int },
    /// The kernel has no Landlock, or it is turned off.
    Kernel(c_int),
}

/// A set of rules, to be applied to threads.
#[derive(Debug)]
pub struct Ruleset(OwnedFd);

/// The version that the kernel has; negative without one.
pub fn version() -> c_int {
    // SAFETY: asks for a number.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, 0usize, 0usize, CREATE_RULESET_VERSION) };
    version as c_int
}

/// The rights over files that a version knows.
fn rights_of(version: c_int) -> u64 {
    let count = match version {
        ..=1 => 13,
        2 => 14,
        3 | 4 => 15,
        _ => 16,
    };
    (1 << count) - 1
}

impl Ruleset {
    /// The rules of a sandbox.
    ///
    /// # Errors
    /// Where a path cannot be opened, or the kernel refuses the rules.
    pub fn new(sandbox: &Sandbox, version: c_int) -> Result<Self, Error> {
        let rights = rights_of(version);
        let execute = if sandbox.exec { EXECUTE } else { 0 };
        let reading = READ_FILE | READ_DIR | execute;
        let writing = rights & !EXECUTE | execute;
        let read = sandbox.read.iter().map(|path| (path, reading));
        let mut paths = Vec::new();
        for (path, allowed) in read.chain(sandbox.write.iter().map(|path| (path, writing))) {
            paths.push((open(path)?, allowed));
        }
        let attributes =
            RulesetAttributes { files: rights, network: if sandbox.net { 0 } else { TCP }, scopes: SCOPES };
        let size = match version {
            ..=3 => 8,
            4 | 5 => 16,
            _ => size_of::<RulesetAttributes>(),
        };
        // SAFETY: the structure is a local; an older kernel reads less of it. The descriptor is new.
        let ruleset = unsafe {
            let fd = libc::syscall(libc::SYS_landlock_create_ruleset, &raw const attributes, size, 0u32);
            if fd < 0 {
                return Err(Error::Kernel(Errno::here().get()));
            }
            Self(OwnedFd::from_raw_fd(fd as c_int))
        };
        for ((fd, is_folder), allowed) in &paths {
            let allowed = if *is_folder { *allowed } else { allowed & OF_FILES };
            ruleset.allow(fd, allowed & rights)?;
        }
        Ok(ruleset)
    }

    fn allow(&self, path: &OwnedFd, allowed: u64) -> Result<(), Error> {
        let rule = PathBeneath { allowed, parent: path.as_raw_fd() };
        // SAFETY: the structure is a local.
        let result =
            unsafe { libc::syscall(libc::SYS_landlock_add_rule, self.fd(), RULE_PATH_BENEATH, &raw const rule, 0u32) };
        if result == 0 { Ok(()) } else { Err(Error::Kernel(Errno::here().get())) }
    }

    /// Its descriptor, for [`restrict_thread`].
    pub fn fd(&self) -> c_int {
        self.0.as_raw_fd()
    }
}

/// Opens a path without reading it; whether it is a folder.
fn open(path: &CStr) -> Result<(OwnedFd, bool), Error> {
    // SAFETY: H4; the descriptor is new.
    unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_PATH | libc::O_CLOEXEC);
        if fd < 0 {
            return Err(Error::Path { path: path.into(), errno: Errno::here().get() });
        }
        let fd = OwnedFd::from_raw_fd(fd);
        let mut status = std::mem::zeroed::<libc::stat>();
        libc::fstat(fd.as_raw_fd(), &mut status);
        Ok((fd, status.st_mode & libc::S_IFMT == libc::S_IFDIR))
    }
}

/// Applies a set of rules to the calling thread, which has no_new_privs. The kernel's result: 0, or -1 and errno.
/// Async- signal-safe.
pub fn restrict_thread(ruleset: c_int) -> c_long {
    // SAFETY: changes the rights of the thread.
    unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0u32) }
}
