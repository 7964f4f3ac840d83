//! Child processes of the unit tests: forks of the test process, which share memory with it.
#![expect(unsafe_code, reason = "forks the test process")]

use std::ptr::null_mut;

use super::heap::{HEAP, HeapRegion};
use super::segments::ArenaFile;

/// The end of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Exited(i32),
    Killed(i32),
}

/// Runs a function in a fork of this process. It exits with the status that the function returns, or 101 after a panic.
/// A child that does not end within 20 seconds is killed by SIGALRM.
pub fn in_child(run: impl FnOnce() -> i32) -> End {
    let pid = start_child(run);
    wait(pid)
}

/// As [`in_child`], without waiting. The child's process id.
pub fn start_child(run: impl FnOnce() -> i32) -> i32 {
    // SAFETY: the child uses what fork() leaves usable, and never returns from here.
    unsafe {
        let pid = libc::fork();
        assert!(pid >= 0, "fork failed");
        if pid == 0 {
            let limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            libc::setrlimit(libc::RLIMIT_CORE, &limit);
            libc::alarm(20);
            let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or(101);
            libc::_exit(status);
        }
        pid
    }
}

/// Waits for a child.
pub fn wait(pid: i32) -> End {
    let mut status = 0;
    // SAFETY: the process is a child of this one, and only this function waits for it.
    while unsafe { libc::waitpid(pid, &mut status, 0) } != pid {}
    if libc::WIFSIGNALED(status) { End::Killed(libc::WTERMSIG(status)) } else { End::Exited(libc::WEXITSTATUS(status)) }
}

/// A value in memory that forks share. It is never given back.
pub fn shared<T>(value: T) -> *mut T {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
    // SAFETY: the mapping is new, page-aligned and long enough.
    unsafe {
        let memory = libc::mmap(null_mut(), size_of::<T>(), access, kind, -1, 0);
        assert!(memory != libc::MAP_FAILED, "mmap failed");
        memory.cast::<T>().write(value);
        memory.cast()
    }
}

/// Makes an arena for this process, a child of [`in_child`], whose heap begins `before` bytes behind the arena's start.
pub fn own_arena(bytes: usize, before: usize) -> ArenaFile {
    // SAFETY: the mapping is new, and is never given back.
    unsafe {
        let fd = libc::memfd_create(c"arena".as_ptr(), libc::MFD_CLOEXEC);
        assert_eq!(libc::ftruncate(fd, bytes as i64), 0);
        let access = libc::PROT_READ | libc::PROT_WRITE;
        let base = libc::mmap(null_mut(), bytes, access, libc::MAP_SHARED, fd, 0).expose_provenance();
        assert!(HEAP.attach(HeapRegion { base: base + before, len: bytes - before, arena: (base, bytes) }));
        ArenaFile { fd, base }
    }
}
