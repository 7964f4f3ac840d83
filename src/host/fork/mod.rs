//! `fork` in a library: shared memory is not copied by it, so the child gets copies here.
//!
//! The memory that a child of `fork` must find unchanged: the heap, globals that lie in the arena, and the stack. The
//! child copies them into private memory while its parent waits in `fork`. The rest of the arena, Buffers of
//! JavaScript, becomes a private mapping: what the child writes there is its own, and what it has not written it sees
//! as it is, not as it was.
//!
//! Both processes would run on the same bytes if the calling thread stayed on its stack in the arena. So `fork` and
//! what calls it inside of libc (`daemon`, `forkpty`) are exported, and run on the thread's ordinary stack.
//! `posix_spawn`, `system`, `popen` and `vfork` need none of this: they suspend the parent until the child has executed
//! a program. Not covered: `clone` and the system call `fork`, called directly.
#![expect(unsafe_code, reason = "maps memory over memory, and calls fork()")]

mod exports;

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

use super::heap::HEAP;
use super::segments::{self, ArenaFile};
use super::stack;
use crate::errno::{self, Errno};

/// The arena: descriptor, first address, bytes. No bytes: [`install`] was not called.
static ARENA_FD: AtomicI32 = AtomicI32::new(-1);
static ARENA_BASE: AtomicUsize = AtomicUsize::new(0);
static ARENA_BYTES: AtomicUsize = AtomicUsize::new(0);
/// Whether this process is a child of `fork`: its memory is private.
static IS_FORKED: AtomicBool = AtomicBool::new(false);
/// The pipe whose end tells the parent that the child has its copies. libc runs one `fork` at a time.
static READ_END: AtomicI32 = AtomicI32::new(-1);
static WRITE_END: AtomicI32 = AtomicI32::new(-1);

/// Gives children of `fork` copies from now on. Call it once, before a library is loaded: handlers of libraries
/// (`pthread_atfork`) then find in the child what they expect.
///
/// # Safety
/// H1. The arena is mapped at `arena.base`, `bytes` long, and the heap is in it.
pub unsafe fn install(arena: ArenaFile, bytes: usize) {
    ARENA_FD.store(arena.fd, Ordering::Relaxed);
    ARENA_BASE.store(arena.base, Ordering::Relaxed);
    ARENA_BYTES.store(bytes, Ordering::Relaxed);
    exports::find_functions();
    // SAFETY: the functions are never unmapped.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
}

/// Whether this process is a child of `fork`. It has the library's code and a copy of its memory, but its
/// messages are not answered: a call that returns to the host, or a callback, has to end it.
pub fn is_forked() -> bool {
    IS_FORKED.load(Ordering::Relaxed)
}

fn is_needed() -> bool {
    ARENA_BYTES.load(Ordering::Relaxed) != 0 && !is_forked()
}

unsafe extern "C" fn before() {
    segments::lock();
    HEAP.lock();
    let mut ends = [-1; 2];
    if is_needed() {
        // SAFETY: there is room for two descriptors.
        unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) };
    }
    READ_END.store(ends[0], Ordering::Relaxed);
    WRITE_END.store(ends[1], Ordering::Relaxed);
}

fn close(end: &AtomicI32) {
    let fd = end.swap(-1, Ordering::Relaxed);
    if fd >= 0 {
        // SAFETY: the descriptor is that of before().
        unsafe { libc::close(fd) };
    }
}

unsafe extern "C" fn in_parent() {
    close(&WRITE_END);
    let fd = READ_END.load(Ordering::Relaxed);
    if fd >= 0 {
        // Nothing is written: the end of the pipe comes when the child closes it, or ends.
        let mut byte = 0u8;
        // fork() keeps errno.
        errno::kept(|| {
            // SAFETY: there is room for a byte.
            while unsafe { libc::read(fd, (&raw mut byte).cast(), 1) } < 0 && Errno::here().get() == libc::EINTR {}
        });
        close(&READ_END);
    }
    HEAP.unlock();
    segments::unlock();
}

unsafe extern "C" fn in_child() {
    // SAFETY: before() has taken the locks, and the parent waits.
    unsafe {
        if is_needed() {
            close(&READ_END);
            if !make_private() {
                let text = b"pinned-ffi: no memory for a copy of the library's heap in a child of fork()\n";
                libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len());
                libc::_exit(127);
            }
            IS_FORKED.store(true, Ordering::Relaxed);
            close(&WRITE_END);
        }
    }
    HEAP.unlock_in_child();
    segments::unlock_in_child();
}

/// Puts private memory in the place of all that is shared. False if there is no memory for it.
///
/// # Safety
/// H3. The calling thread runs on private memory, it is the only one, and the parent changes nothing meanwhile. The
/// locks are taken.
unsafe fn make_private() -> bool {
    let fd = ARENA_FD.load(Ordering::Relaxed);
    let base = ARENA_BASE.load(Ordering::Relaxed);
    let end = base + ARENA_BYTES.load(Ordering::Relaxed);
    // SAFETY: by the contract of this function; all ranges are parts of the arena, or of libraries' data.
    unsafe {
        let (heap, used, heap_end) = HEAP.extent_locked();
        let mut is_done = copy(fd, heap, used - heap, heap - base)
            && map(used, heap_end, -1, 0)
            && map(base, heap, fd, 0)
            && map(heap_end, end, fd, heap_end - base);
        segments::for_each_locked(|segment| {
            is_done = is_done && copy(fd, segment.address, segment.bytes, segment.home - base);
        });
        if let Some((guard, bytes)) = stack::guard_of_thread() {
            is_done = is_done && libc::mprotect(pointer(guard), bytes, libc::PROT_NONE) == 0;
        }
        is_done
    }
}

fn pointer(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

const ACCESS: c_int = libc::PROT_READ | libc::PROT_WRITE;

/// Maps private memory over a range: that of a file, or zeroed memory for the descriptor -1.
///
/// # Safety
/// H3.
unsafe fn map(start: usize, end: usize, fd: c_int, offset: usize) -> bool {
    let anonymous = if fd < 0 { libc::MAP_ANONYMOUS } else { 0 };
    let flags = libc::MAP_PRIVATE | libc::MAP_NORESERVE | libc::MAP_FIXED | anonymous;
    // SAFETY: by the contract of this function.
    start == end
        || unsafe { libc::mmap(pointer(start), end - start, ACCESS, flags, fd, offset as i64) } != libc::MAP_FAILED
}

/// Puts a private copy of `bytes` of the arena's file in the place of a range. Only pages that were touched are copied;
/// what is protected against access, such as a guard, is read as well.
///
/// # Safety
/// H3.
unsafe fn copy(fd: c_int, address: usize, bytes: usize, offset: usize) -> bool {
    if bytes == 0 {
        return true;
    }
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    let (mut at, end) = (offset as i64, (offset + bytes) as i64);
    // SAFETY: the copy is a new mapping, which takes the place of the range when it is complete.
    unsafe {
        let copy = libc::mmap(null_mut(), bytes, ACCESS, flags, -1, 0);
        if copy == libc::MAP_FAILED {
            return false;
        }
        while at < end {
            let data = libc::lseek(fd, at, libc::SEEK_DATA);
            if data < 0 || data >= end {
                break;
            }
            let hole = libc::lseek(fd, data, libc::SEEK_HOLE).min(end);
            if hole <= data {
                return false;
            }
            at = data;
            while at < hole {
                let to = copy.byte_add((at - offset as i64) as usize);
                let count = libc::pread(fd, to, (hole - at) as usize, at);
                if count <= 0 {
                    return false;
                }
                at += count as i64;
            }
        }
        let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
        libc::mremap(copy, bytes, bytes, flags, pointer(address)) != libc::MAP_FAILED
    }
}

#[cfg(test)]
mod tests;
