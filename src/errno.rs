//! errno of a thread; on Windows, the last error of a thread.
#![expect(unsafe_code, reason = "std reads errno, but cannot set it")]

#[cfg(not(windows))]
use std::ptr::NonNull;

/// errno of the thread that made this value, for C: Rust's own calls use `std::io::Error`. The address is looked up
/// once. Signal handlers may use it: nothing is allocated, and no lock is taken.
#[cfg(not(windows))]
pub struct Errno(NonNull<i32>);

#[cfg(not(windows))]
impl Errno {
    /// That of the current thread.
    #[inline]
    pub fn here() -> Self {
        #[cfg(target_os = "linux")]
        use libc::__errno_location as location;
        #[cfg(not(target_os = "linux"))]
        use libc::__error as location;
        // SAFETY: the function has no preconditions, and a thread's errno always has an address.
        Self(unsafe { NonNull::new_unchecked(location()) })
    }

    /// Its value.
    #[inline]
    pub fn get(&self) -> i32 {
        // SAFETY: the thread that made this value still runs, because the pointer makes it neither Send nor Sync; and
        // no other thread writes this one's errno.
        unsafe { self.0.read() }
    }

    /// Sets it.
    #[inline]
    pub fn set(&self, value: i32) {
        // SAFETY: as in `get`.
        unsafe { self.0.write(value) };
    }
}

/// The last error of the current thread.
#[cfg(windows)]
pub struct Errno;

#[cfg(windows)]
impl Errno {
    /// That of the current thread.
    pub fn here() -> Self {
        Self
    }

    /// Its value.
    pub fn get(&self) -> i32 {
        // SAFETY: the function has no preconditions.
        unsafe { GetLastError() as i32 }
    }

    /// Sets it.
    pub fn set(&self, value: i32) {
        // SAFETY: the function has no preconditions.
        unsafe { SetLastError(value as u32) };
    }
}

#[cfg(windows)]
unsafe extern "system" {
    fn GetLastError() -> u32;
    fn SetLastError(error: u32);
}

/// Runs `run`, which may set errno, and sets it back.
#[cfg(all(sysv64, glibc))]
pub fn kept<Output>(run: impl FnOnce() -> Output) -> Output {
    let errno = Errno::here();
    let before = errno.get();
    let output = run();
    errno.set(before);
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_read() {
        let errno = Errno::here();
        errno.set(7);
        assert_eq!((errno.get(), Errno::here().get()), (7, 7));
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(7));
    }

    #[test]
    #[cfg(all(sysv64, glibc))]
    fn errno_is_kept() {
        Errno::here().set(7);
        let inside = kept(|| {
            Errno::here().set(8);
            Errno::here().get()
        });
        assert_eq!((inside, Errno::here().get()), (8, 7));
    }
}
