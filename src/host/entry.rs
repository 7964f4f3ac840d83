//! The entry point of a host: the dynamic loader has loaded the addon as a program, in place of Node.
#![expect(unsafe_code, reason = "is the start of a program")]

use super::heap::next;
use super::memory::HostMemory;
use super::{crash, fork, segments, serve, threads, window};
use crate::isolate::wire::{CHANNELS, CONTROL_FD, FOREIGN, LIFE_FD, MAIN};
use std::ffi::{c_char, c_int};

/// The first instructions, as those of any program: `__libc_start_main(main, argc, argv, init, fini, rtld_fini,
/// stack)`.
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn pinned_ffi_host() {
    core::arch::naked_asm!(
        "xor ebp, ebp",
        "mov r9, rdx",
        "pop rsi",
        "mov rdx, rsp",
        "and rsp, -16",
        "push rax",
        "push rsp",
        "xor r8d, r8d",
        "xor ecx, ecx",
        "lea rdi, [rip + {main}]",
        "call [rip + __libc_start_main@GOTPCREL]",
        "hlt",
        main = sym main,
    )
}

/// The exit status of a host that was not started as one.
const NOT_A_HOST: c_int = 97;

extern "C" fn main(_: c_int, _: *const *const c_char) -> c_int {
    let Some(memory) = HostMemory::map() else {
        eprintln!("pinned-ffi: this file is an addon of Node.js, not a program");
        return NOT_A_HOST;
    };
    // SAFETY: the name is a text of less than 16 bytes. A process that was stopped does not notice the end of its
    // parent: this signal makes it go on then, and changes nothing when another thread of the parent has ended.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, c"pinned-ffi-host".as_ptr());
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGCONT);
    }
    close_on_exec();
    end_before_parent();
    // SAFETY: H1; the report is mapped until the process ends.
    unsafe { crash::install(memory.report()) };
    threads::prepare_new_threads();
    memory.thread(FOREIGN).hold();
    prepare(memory);
    if serve::start(memory, MAIN).is_err() {
        return NOT_A_HOST;
    }
    watch_parent(memory)
}

/// Makes allocations, forks and mappings of the library lie where the parent expects them.
fn prepare(memory: &HostMemory) {
    segments::remember_own_files();
    let settings = memory.settings();
    // SAFETY: H1 and H3; the arena is mapped there, and the heap is in it.
    unsafe {
        if settings.heap_size != 0 {
            fork::install(memory.arena(), settings.arena_size as usize);
        }
        if settings.keeps_malloc != 0 {
            next::find();
        }
        if settings.window != 0 {
            let spans = window::take_addresses_from((settings.window + settings.window_size) as usize);
            let _ = memory.early_spans.set(spans.unwrap_or_default());
        }
    }
}

/// Where the memory runs out, the system ends this process before its parent, which has shared more of it.
fn end_before_parent() {
    // Without /proc the system chooses.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Programs that the library executes do not get the host's descriptors.
fn close_on_exec() {
    for fd in 3..=CONTROL_FD {
        // SAFETY: the descriptors are this process's own.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// Waits for the numbers of channels that are to be served. When the pipe has no writer, the parent has ended.
fn watch_parent(memory: &'static HostMemory) -> c_int {
    loop {
        let mut number = 0u8;
        // SAFETY: there is room for a byte.
        let count = unsafe { libc::read(LIFE_FD, (&raw mut number).cast(), 1) };
        if count == 1 {
            if usize::from(number) < CHANNELS {
                let _ = serve::start(memory, number.into());
            }
        } else if count == 0 || std::io::Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
            // SAFETY: both have no preconditions. Processes that the library has started end as well.
            unsafe {
                libc::kill(0, libc::SIGKILL);
                libc::_exit(0);
            }
        }
    }
}
