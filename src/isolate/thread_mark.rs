//! Whether a thread of a host has ended without its process: by the system call `exit`, or because the process executes
//! another program. The thread holds a robust mutex in shared memory, which the kernel marks when the thread ends.
#![expect(unsafe_code, reason = "uses a mutex in memory that another process shares")]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, Ordering};

/// The bit that the kernel sets in the first word of a robust mutex whose owner has ended: `FUTEX_OWNER_DIED`.
const OWNER_DIED: u32 = 0x4000_0000;

/// The mark of a thread. Zeroes are one that no thread holds.
#[repr(C)]
pub struct ThreadMark(UnsafeCell<libc::pthread_mutex_t>);

// SAFETY: the thread that holds it uses the mutex, and others read its first word as an atomic.
unsafe impl Sync for ThreadMark {}

impl ThreadMark {
    /// Marks the calling thread as alive, until it ends or calls [`ThreadMark::release`]. No other thread may hold the
    /// mark then.
    pub fn hold(&self) {
        // SAFETY: the mutex is not in use, as this function says, and the memory stays mapped until the process ends.
        unsafe {
            let mut attributes = std::mem::zeroed();
            libc::pthread_mutexattr_init(&mut attributes);
            libc::pthread_mutexattr_setpshared(&mut attributes, libc::PTHREAD_PROCESS_SHARED);
            libc::pthread_mutexattr_setrobust(&mut attributes, libc::PTHREAD_MUTEX_ROBUST);
            libc::pthread_mutex_init(self.0.get(), &attributes);
            libc::pthread_mutexattr_destroy(&mut attributes);
            libc::pthread_mutex_lock(self.0.get());
        }
    }

    /// Gives the mark of the calling thread back, which may end now.
    pub fn release(&self) {
        // SAFETY: this thread has locked it by `hold`.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }

    /// Whether a thread has ended that held it. The host can write the word: a hint.
    pub fn is_abandoned(&self) -> bool {
        // SAFETY: the word is aligned, and lives as long as `self`. Both processes access it by atomics: glibc's locks
        // begin with it on every system.
        let word = unsafe { AtomicU32::from_ptr(self.0.get().cast()) };
        word.load(Ordering::Relaxed) & OWNER_DIED != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark() -> &'static ThreadMark {
        // SAFETY: zeroes are a mark.
        Box::leak(unsafe { Box::<ThreadMark>::new_zeroed().assume_init() })
    }

    #[test]
    #[cfg_attr(miri, ignore = "ends a thread by a system call")]
    fn the_kernel_marks_a_thread_that_ends_with_it() {
        let mark = mark();
        extern "C" fn run(mark: *mut libc::c_void) -> *mut libc::c_void {
            // SAFETY: the pointer is that of the test's mark.
            unsafe { &*mark.cast::<ThreadMark>() }.hold();
            // SAFETY: nothing of this thread needs to be dropped.
            unsafe { libc::syscall(libc::SYS_exit, 0) };
            std::ptr::null_mut()
        }
        assert!(!mark.is_abandoned());
        // SAFETY: as pthread_create() and pthread_join(). The mark lives for ever.
        unsafe {
            let mut thread = 0;
            let argument = std::ptr::from_ref(mark).cast_mut().cast();
            assert_eq!(libc::pthread_create(&mut thread, std::ptr::null(), run, argument), 0);
            libc::pthread_join(thread, std::ptr::null_mut());
        }
        assert!(mark.is_abandoned());
    }

    #[test]
    #[cfg_attr(miri, ignore = "locks a mutex of libc")]
    fn a_thread_that_has_released_it_may_end_and_another_may_hold_it() {
        let mark = mark();
        for _ in 0..2 {
            std::thread::spawn(|| {
                mark.hold();
                mark.release();
            })
            .join()
            .unwrap();
            assert!(!mark.is_abandoned());
        }
    }
}
