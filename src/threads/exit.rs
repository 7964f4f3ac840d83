//! C's `exit()` on a thread that runs no JavaScript. It would run the exit handlers of Node, V8 and libuv while the
//! JavaScript thread still uses them; libuv would wait for the threads of its pool, this one included, and abort. So
//! the process ends with C's status before these handlers.
#![allow(unsafe_code, reason = "registers a function of C, on Linux with glibc")]

use std::cell::Cell;

thread_local! {
    static IS_OTHER: Cell<bool> = const { Cell::new(false) };
}

/// Runs a call on a thread that runs no JavaScript.
pub fn on_other_thread<Output>(call: impl FnOnce() -> Output) -> Output {
    IS_OTHER.set(true);
    let output = call();
    IS_OTHER.set(false);
    output
}

/// Handles `exit()` from now on. Exit handlers that are registered later, such as the destructors of libraries, run
/// before this one.
#[cfg(glibc)]
pub fn watch() {
    use std::ffi::{c_int, c_void};

    unsafe extern "C" {
        fn on_exit(function: unsafe extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
    }

    unsafe extern "C" fn end(status: c_int, _: *mut c_void) {
        if IS_OTHER.try_with(Cell::get) == Ok(true) {
            // SAFETY: U1; both may be called at the end of the process.
            unsafe {
                libc::fflush(std::ptr::null_mut());
                libc::_exit(status);
            }
        }
    }

    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        if crate::loader::library::keep_loaded() {
            // SAFETY: U1; the function stays loaded until the process ends.
            unsafe { on_exit(end, std::ptr::null_mut()) };
        }
    });
}

/// Does nothing: on other systems no problem is known.
#[cfg(not(glibc))]
pub fn watch() {}
