//! Waiting for a word that another process changes.
#![expect(unsafe_code, reason = "calls the kernel")]

use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Wakes all threads that sleep on a word.
pub fn wake(word: &AtomicU32) {
    // SAFETY: the word is alive; the kernel only looks for sleepers.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX, 0, 0, 0) };
}

/// Sleeps until [`wake`] is called for the word, at most for `longest`. Returns at once if the word is not `expected`.
pub fn sleep(word: &AtomicU32, expected: u32, longest: Duration) {
    let time = libc::timespec { tv_sec: longest.as_secs() as _, tv_nsec: longest.subsec_nanos().into() };
    // SAFETY: the word and the time outlive the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, &raw const time, 0, 0) };
}
