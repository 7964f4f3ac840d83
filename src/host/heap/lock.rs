//! A lock for the heap: it allocates nothing, can be taken across a `fork`, and can be reset in the child.
#![expect(unsafe_code, reason = "shares what it guards, and sleeps on a futex")]

use std::cell::UnsafeCell;
use std::hint::spin_loop;
use std::ops::{Deref, DerefMut};
use std::ptr::null;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::errno;

const FREE: u32 = 0;
const TAKEN: u32 = 1;
/// Taken, and a thread may sleep until it is free.
const WAITED_FOR: u32 = 2;

/// How often a thread reads a lock before it sleeps. Most critical sections take less than a microsecond.
const SPINS: u32 = 100;

/// A value that one thread at a time may use.
#[derive(Debug)]
pub struct Locked<T> {
    state: AtomicU32,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached through a guard, and there is one guard at a time.
unsafe impl<T: Send> Sync for Locked<T> {}

impl<T> Locked<T> {
    /// A value whose lock is free.
    pub const fn new(value: T) -> Self {
        Self { state: AtomicU32::new(FREE), value: UnsafeCell::new(value) }
    }

    /// The value, if the lock is free.
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let taken = self.state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed);
        // `then` makes the guard only on success: dropping another one would release a lock that this thread does not
        // hold.
        taken.is_ok().then(|| Guard { lock: self })
    }

    /// The value, as soon as the lock is free.
    pub fn lock(&self) -> Guard<'_, T> {
        self.acquire();
        Guard { lock: self }
    }

    /// Takes the lock until [`Self::release`]; for a `fork`, which has no scope.
    pub fn acquire(&self) {
        for _ in 0..SPINS {
            if self.state.load(Ordering::Relaxed) == FREE
                && self.state.compare_exchange(FREE, TAKEN, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return;
            }
            spin_loop();
        }
        while self.state.swap(WAITED_FOR, Ordering::Acquire) != FREE {
            // Waiting may set errno, which malloc() does not where it succeeds.
            errno::kept(|| {
                let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
                // SAFETY: the word is this lock's, and lives as long. The process's own futex: no other process waits.
                unsafe { libc::syscall(libc::SYS_futex, self.state.as_ptr(), operation, WAITED_FOR, null::<u8>()) };
            });
        }
    }

    /// Gives the lock back after [`Self::acquire`].
    pub fn release(&self) {
        if self.state.swap(FREE, Ordering::Release) == WAITED_FOR {
            // SAFETY: as above.
            unsafe {
                libc::syscall(libc::SYS_futex, self.state.as_ptr(), libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1);
            }
        }
    }

    /// The value, for a thread that holds the lock by [`Self::acquire`].
    ///
    /// # Safety
    /// The calling thread has the lock.
    pub unsafe fn peek(&self) -> &T {
        // SAFETY: by the contract of this function.
        unsafe { &*self.value.get() }
    }

    /// Frees the lock in the child of a `fork` whose thread has acquired it: those who waited for it are not there.
    pub fn reset(&self) {
        self.state.store(FREE, Ordering::Release);
    }
}

/// The use of a locked value.
#[derive(Debug)]
pub struct Guard<'a, T> {
    lock: &'a Locked<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this guard is the only one.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: this guard is the only one.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        self.lock.release();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_take_turns() {
        let counter = Locked::new(0u64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        let mut value = counter.try_lock().unwrap_or_else(|| counter.lock());
                        *value += 1;
                    }
                });
            }
        });
        assert_eq!(*counter.lock(), 80_000);
        let guard = counter.lock();
        assert!(counter.try_lock().is_none());
        assert!(counter.try_lock().is_none(), "an attempt releases nothing");
        drop(guard);
        assert!(counter.try_lock().is_some());
    }
}
