//! `fork` and the functions of libc that call it, exported. They run on the calling thread's ordinary stack.
//!
//! As with `malloc` (`heap/exports.rs`), libraries of a host are bound to these, and nothing in Node is.
#![expect(unsafe_code, reason = "calls functions of libc, and defines functions that C calls")]

#[cfg(not(test))]
use std::arch::naked_asm;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::stack::on_ordinary_stack;
use crate::errno::Errno;

/// libc's functions: `fork`, and `_Fork`, which runs no handlers of `pthread_atfork` (glibc 2.34).
static FORK: AtomicUsize = AtomicUsize::new(0);
static PLAIN_FORK: AtomicUsize = AtomicUsize::new(0);

type Fork = unsafe extern "C" fn() -> libc::pid_t;

/// Finds libc's functions now: the loader's lock may be taken when they are called.
pub fn find_functions() {
    next(&FORK, c"fork");
    next(&PLAIN_FORK, c"_Fork");
}

/// The definition that comes after ours.
fn next(found: &AtomicUsize, name: &CStr) -> Option<Fork> {
    let mut address = found.load(Ordering::Relaxed);
    if address == 0 {
        // SAFETY: the name is a C string.
        address = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }.addr();
        found.store(address, Ordering::Relaxed);
    }
    // SAFETY: libc's functions of these names have this type.
    (address != 0).then(|| unsafe { std::mem::transmute::<usize, Fork>(address) })
}

fn fail(errno: c_int) -> c_int {
    Errno::here().set(errno);
    -1
}

/// `fork`.
pub unsafe extern "C" fn fork() -> libc::pid_t {
    // SAFETY: as fork(), which runs the handlers of this module.
    on_ordinary_stack(|| next(&FORK, c"fork").map_or_else(|| fail(libc::ENOSYS), |fork| unsafe { fork() }))
}

/// `_Fork`.
pub unsafe extern "C" fn fork_without_handlers() -> libc::pid_t {
    on_ordinary_stack(|| {
        let Some(fork) = next(&PLAIN_FORK, c"_Fork") else { return fail(libc::ENOSYS) };
        // SAFETY: as _Fork(); the handlers are called as libc calls them around fork().
        unsafe {
            super::before();
            let pid = fork();
            if pid == 0 {
                super::in_child()
            } else {
                super::in_parent()
            }
            pid
        }
    })
}

/// `daemon`.
pub unsafe extern "C" fn daemon(stays: c_int, keeps_files: c_int) -> c_int {
    // SAFETY: by the contract of daemon(): the parent ends here.
    unsafe {
        match fork() {
            -1 => return -1,
            0 => {}
            _ => libc::_exit(0),
        }
        if libc::setsid() < 0 {
            return -1;
        }
        if stays == 0 {
            libc::chdir(c"/".as_ptr());
        }
        if keeps_files == 0 {
            let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
            if null < 0 {
                return -1;
            }
            for fd in 0..=2 {
                libc::dup2(null, fd);
            }
            if null > 2 {
                libc::close(null);
            }
        }
    }
    0
}

/// `forkpty`. `openpty` and `login_tty` are part of libutil before glibc 2.34.
unsafe extern "C" fn fork_terminal(
    terminal: *mut c_int,
    name: *mut c_char,
    settings: *const libc::termios,
    size: *const libc::winsize,
) -> libc::pid_t {
    type Open =
        unsafe extern "C" fn(*mut c_int, *mut c_int, *mut c_char, *const libc::termios, *const libc::winsize) -> c_int;
    type LogIn = unsafe extern "C" fn(c_int) -> c_int;
    // SAFETY: the functions have these types; the rest by the contract of forkpty().
    unsafe {
        let (open, log_in) = (find(c"openpty"), find(c"login_tty"));
        if open.is_null() || log_in.is_null() {
            return fail(libc::ENOSYS);
        }
        let open = std::mem::transmute::<*mut c_void, Open>(open);
        let log_in = std::mem::transmute::<*mut c_void, LogIn>(log_in);
        let (mut master, mut slave) = (-1, -1);
        if open(&mut master, &mut slave, name, settings, size) < 0 {
            return -1;
        }
        match fork() {
            -1 => {
                libc::close(master);
                libc::close(slave);
                -1
            }
            0 => {
                libc::close(master);
                if log_in(slave) != 0 {
                    libc::_exit(1);
                }
                0
            }
            pid => {
                *terminal = master;
                libc::close(slave);
                pid
            }
        }
    }
}

/// A function of libc or libutil.
fn find(name: &CStr) -> *mut c_void {
    // SAFETY: the names are C strings.
    unsafe {
        let found = libc::dlsym(libc::RTLD_NEXT, name.as_ptr());
        if !found.is_null() {
            return found;
        }
        let library = libc::dlopen(c"libutil.so.1".as_ptr(), libc::RTLD_NOW);
        if library.is_null() { library } else { libc::dlsym(library, name.as_ptr()) }
    }
}

#[cfg(not(test))]
macro_rules! export {
    ($($name:ident => $function:ident;)*) => {
        /// The exported names. Naked, as the functions in `heap/exports.rs` are.
        mod names {
            use super::*;
            $(
                #[unsafe(naked)]
                #[unsafe(no_mangle)]
                unsafe extern "C" fn $name() {
                    naked_asm!("jmp {}", sym super::$function)
                }
            )*
        }
    };
}

#[cfg(not(test))]
export! {
    fork => fork;
    _Fork => fork_without_handlers;
    daemon => daemon;
    forkpty => fork_terminal;
}
