#![expect(unsafe_code, reason = "calls the kernel")]

use std::ffi::{CStr, c_int};
use std::ptr::null_mut;

use super::*;
use crate::errno::Errno;
use crate::host::test_process::{End, in_child, start_child, wait};

/// Runs a function in a process with a sandbox, which knows what was applied. 50: the sandbox was refused.
fn inside(sandbox: &Sandbox, run: impl FnOnce(&Applied) -> i32) -> End {
    in_child(|| match apply(sandbox) {
        Ok(applied) => run(&applied),
        Err(_) => 50,
    })
}

/// 0, or the errno, of an attempt to open a file. A file that does not exist is made where it is opened for writing.
fn open(path: &CStr, flags: c_int) -> c_int {
    // SAFETY: the path is a C string.
    unsafe {
        let flags = flags | if flags == libc::O_RDONLY { 0 } else { libc::O_CREAT };
        let fd = libc::open(path.as_ptr(), flags, 0o600);
        if fd < 0 {
            return Errno::here().get();
        }
        libc::close(fd);
        0
    }
}

/// Whether the kernel applied a part. One that the kernel lacks cannot be tested.
fn has(applied: &Applied, part: Part) -> bool {
    applied.state(part) == State::Applied
}

#[test]
fn files_outside_of_the_lists_are_refused() {
    let folder = std::env::temp_dir().join(format!("pinned-ffi-sandbox-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let write = CString::new(folder.to_str().unwrap()).unwrap();
    let new = CString::new(folder.join("new").to_str().unwrap()).unwrap();
    let sandbox =
        Sandbox { read: vec![c"/etc/hostname".into(), c"/usr".into()], write: vec![write], ..Sandbox::default() };
    let end = inside(&sandbox, |applied| {
        if !has(applied, Part::Files) {
            return 0;
        }
        let results = [
            open(c"/etc/passwd", libc::O_RDONLY) == libc::EACCES,
            open(c"/proc/self/mem", libc::O_RDONLY) == libc::EACCES,
            open(c"/usr", libc::O_RDONLY) == 0,
            open(c"/usr/new", libc::O_RDWR) == libc::EACCES,
            open(c"/etc/hostname", libc::O_WRONLY) == libc::EACCES,
            open(&new, libc::O_RDWR) == 0,
            // SAFETY: the path is a C string.
            unsafe { libc::unlink(new.as_ptr()) } == 0,
        ];
        results.iter().position(|is_right| !is_right).map_or(0, |index| index as i32 + 1)
    });
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(end, End::Exited(0));
}

#[test]
fn a_path_that_does_not_exist_is_named_and_nothing_is_applied() {
    let end = in_child(|| {
        let sandbox = Sandbox { read: vec![c"/does/not/exist".into()], cpu: Some(1), ..Sandbox::default() };
        let refusal = Refusal::Path { path: c"/does/not/exist".into(), errno: libc::ENOENT };
        i32::from(apply(&sandbox) != Err(refusal) || open(c"/etc/passwd", libc::O_RDONLY) != 0)
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn system_calls_are_refused_and_the_rest_goes_on() {
    let end = inside(&Sandbox::default(), |applied| {
        if !has(applied, Part::Syscalls) {
            return 0;
        }
        // SAFETY: the calls are refused, or do nothing.
        let results = unsafe {
            let parent = libc::getppid();
            let is_refused = |result: i64| result == -1 && Errno::here().get() == libc::EPERM;
            let call = |number, argument: i32| is_refused(libc::syscall(number, argument, 0, 0, 0, 0, 0));
            let mut seed = [0u8; 8];
            [
                is_refused(libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0).into()),
                is_refused(libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0).into()),
                call(libc::SYS_ptrace, 16),
                call(libc::SYS_process_vm_readv, parent),
                call(libc::SYS_pidfd_open, parent),
                call(libc::SYS_io_uring_setup, 1),
                call(libc::SYS_bpf, 0),
                call(libc::SYS_unshare, libc::CLONE_NEWUSER),
                is_refused(libc::kill(parent, 0).into()),
                is_refused(libc::kill(-1, 0).into()),
                is_refused(libc::fcntl(0, libc::F_SETOWN, parent).into()),
                is_refused(libc::ioctl(0, libc::TIOCSTI, c"x".as_ptr()).into()),
                is_refused(libc::setpriority(libc::PRIO_PROCESS, parent as u32, 19).into()),
                is_refused(libc::fork().into()),
                libc::kill(libc::getpid(), 0) == 0,
                libc::getrandom(seed.as_mut_ptr().cast(), 8, 0) == 8,
                std::thread::spawn(|| 3).join().unwrap_or(0) == 3,
                libc::WEXITSTATUS(libc::system(c"exit 3".as_ptr())) != 3,
                !libc::mmap(null_mut(), 4096, 0, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1, 0).is_null(),
            ]
        };
        results.iter().position(|is_right| !is_right).map_or(0, |index| index as i32 + 1)
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn an_abort_inside_is_still_an_abort() {
    assert_eq!(inside(&Sandbox::default(), |_| std::process::abort()), End::Killed(libc::SIGABRT));
}

#[test]
fn net_and_exec_open_what_they_name() {
    let sandbox = Sandbox { net: true, exec: true, read: vec![c"/".into()], ..Sandbox::default() };
    let end = inside(&sandbox, |applied| {
        // SAFETY: makes a socket and a process.
        let results = unsafe {
            [
                libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) >= 0,
                libc::WEXITSTATUS(libc::system(c"exit 3".as_ptr())) == 3,
                libc::setsid() == -1 || !has(applied, Part::Syscalls),
                applied.state(Part::Network) != State::Applied,
            ]
        };
        results.iter().position(|is_right| !is_right).map_or(0, |index| index as i32 + 1)
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn signals_do_not_leave_a_sandbox_that_may_start_processes() {
    let victim = start_child(|| {
        std::thread::sleep(std::time::Duration::from_secs(15));
        0
    });
    let sandbox = Sandbox { exec: true, read: vec![c"/".into()], ..Sandbox::default() };
    let end = inside(&sandbox, |applied| {
        if !has(applied, Part::Signals) {
            return 0;
        }
        // SAFETY: the victim is a process of this test.
        i32::from(unsafe { libc::kill(victim, libc::SIGKILL) } == 0)
    });
    // SAFETY: as above.
    unsafe { libc::kill(victim, libc::SIGTERM) };
    assert_eq!((end, wait(victim)), (End::Exited(0), End::Killed(libc::SIGTERM)));
}

#[test]
fn threads_that_run_already_are_inside() {
    use std::sync::Barrier;
    let end = in_child(|| {
        let barrier = Barrier::new(5);
        std::thread::scope(|scope| {
            let attempt = || {
                barrier.wait();
                barrier.wait();
                // SAFETY: makes a socket.
                let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, 0) };
                (open(c"/etc/passwd", libc::O_RDONLY), socket)
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(attempt)).collect();
            barrier.wait();
            let Ok(applied) = apply(&Sandbox::default()) else { return 50 };
            barrier.wait();
            let file = if has(&applied, Part::Files) { libc::EACCES } else { 0 };
            let is_right = |(opened, socket)| opened == file && (socket == -1 || !has(&applied, Part::Network));
            i32::from(!threads.into_iter().all(|thread| thread.join().is_ok_and(is_right)))
        })
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn memory_is_limited() {
    // A fork of the harness has the harness's memory.
    let sandbox = Sandbox { memory: Some(4 << 30), ..Sandbox::default() };
    let end = inside(&sandbox, |applied| {
        let map = |bytes, kind| {
            let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, kind | libc::MAP_ANONYMOUS);
            // SAFETY: a new mapping.
            unsafe { libc::mmap(null_mut(), bytes, access, kind, -1, 0) != libc::MAP_FAILED }
        };
        let is_filtered = has(applied, Part::Syscalls);
        let results = [
            has(applied, Part::Memory),
            !map(5 << 30, libc::MAP_PRIVATE),
            map(1 << 20, libc::MAP_PRIVATE),
            !(is_filtered && map(4096, libc::MAP_SHARED)),
            // SAFETY: makes a descriptor.
            !(is_filtered && unsafe { libc::memfd_create(c"x".as_ptr(), 0) } >= 0),
        ];
        results.iter().position(|is_right| !is_right).map_or(0, |index| index as i32 + 1)
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn processor_time_is_limited() {
    let sandbox = Sandbox { cpu: Some(1), ..Sandbox::default() };
    let end = inside(&sandbox, |_| {
        let mut value = 1u64;
        loop {
            value = std::hint::black_box(value.wrapping_mul(3));
        }
    });
    assert_eq!(end, End::Killed(libc::SIGXCPU));
}

#[test]
fn a_sandbox_is_applied_twice() {
    let end = in_child(|| {
        let first = Sandbox { read: vec![c"/etc".into(), c"/usr".into()], net: true, ..Sandbox::default() };
        let second = Sandbox { read: vec![c"/usr".into()], ..Sandbox::default() };
        let (Ok(applied), opened) = (apply(&first), open(c"/etc/passwd", libc::O_RDONLY)) else { return 50 };
        let Ok(_) = apply(&second) else { return 51 };
        let is_closed = !has(&applied, Part::Files) || open(c"/etc/passwd", libc::O_RDONLY) == libc::EACCES;
        i32::from(opened != 0 || !is_closed || open(c"/usr", libc::O_RDONLY) != 0)
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn what_is_required_and_refused_is_an_error() {
    let end = in_child(|| {
        let refuse = [(libc::SYS_seccomp, seccomp::When::Always(libc::EPERM))];
        // SAFETY: takes rights from this process, a child.
        unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
        if seccomp::install(&refuse).is_err() {
            return 0;
        }
        let sandbox = |require| Sandbox { require, ..Sandbox::default() };
        let refusal = Refusal::Required { part: Part::Syscalls, errno: libc::EPERM };
        i32::from(apply(&sandbox(vec![Part::Syscalls])) != Err(refusal) || apply(&sandbox(vec![])).is_err())
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn a_library_is_loaded_inside_with_the_loaders_paths() {
    let sandbox = Sandbox { read: loader_paths(), ..Sandbox::default() };
    let end = inside(&sandbox, |_| {
        // SAFETY: part of libc's package.
        i32::from(unsafe { libc::dlopen(c"libresolv.so.2".as_ptr(), libc::RTLD_NOW) }.is_null())
    });
    assert_eq!(end, End::Exited(0));
}
