#![expect(unsafe_code, reason = "forks")]

use std::hint::black_box;

use super::exports::{daemon, fork, fork_without_handlers};
use super::*;
use crate::host::heap::ALIGN;
use crate::host::stack::ArenaStack;
use crate::host::test_process::{self, End, own_arena, shared, wait};

const ARENA: usize = 64 << 20;
const BEFORE_HEAP: usize = 8 << 20;

/// Runs a function in a process that has an arena, on a stack in it. The address of a Buffer is passed.
fn in_host(run: impl FnOnce(*mut u32) -> i32) -> End {
    test_process::in_child(|| {
        let arena = own_arena(ARENA, BEFORE_HEAP);
        // SAFETY: the child is a process for this test.
        unsafe { install(arena, ARENA) };
        let buffer = std::ptr::with_exposed_provenance_mut(arena.base + 4096);
        ArenaStack::new(1 << 20).unwrap().run(|| run(buffer))
    })
}

type Kind = unsafe extern "C" fn() -> libc::pid_t;

fn kinds() -> Vec<Kind> {
    // SAFETY: the name is a C string. `_Fork` came with glibc 2.34.
    let has_plain_fork = !unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"_Fork".as_ptr()) }.is_null();
    if has_plain_fork { vec![fork, fork_without_handlers] } else { vec![fork] }
}

#[test]
fn the_child_has_copies_and_the_parent_keeps_its_memory() {
    for kind in kinds() {
        let end = in_host(|buffer| {
            let heap = HEAP.allocate(5_000_000, ALIGN, false).cast::<u32>();
            let mut local = black_box(1);
            let at = &raw mut local;
            // SAFETY: the memory is this test's, in both processes.
            unsafe {
                (*heap, *buffer, *heap.add(1_000_000)) = (2, 3, 4);
                let pid = kind();
                if pid == 0 {
                    let is_same = (at.read_volatile(), *heap, *buffer, *heap.add(1_000_000)) == (1, 2, 3, 4);
                    at.write_volatile(11);
                    (*heap, *buffer, *heap.add(1_000_000)) = (12, 13, 14);
                    // The heap goes on, from memory that is zeroed.
                    let other = HEAP.allocate(2_000_000, ALIGN, true);
                    let is_zero = (0..2_000_000).step_by(1000).all(|index| *other.add(index) == 0);
                    libc::_exit(i32::from(!is_same || !is_zero || !is_forked()));
                }
                let end = wait(pid);
                let is_kept = (at.read_volatile(), *heap, *buffer, *heap.add(1_000_000)) == (1, 2, 3, 4);
                if end != End::Exited(0) { 2 } else { i32::from(!is_kept || is_forked()) }
            }
        });
        assert_eq!(end, End::Exited(0));
    }
}

#[test]
fn the_child_does_not_see_what_the_parent_does_afterwards() {
    let end = in_host(|_| {
        let heap = HEAP.allocate(64, ALIGN, true).cast::<u32>();
        let mut local = black_box([5u32; 256]);
        let at = &raw mut local;
        let go = shared(AtomicBool::new(false));
        // SAFETY: the memory is this test's, in both processes.
        unsafe {
            let pid = fork();
            if pid == 0 {
                while !(*go).load(Ordering::Acquire) {
                    libc::usleep(100);
                }
                let here = black_box(at.read_volatile());
                libc::_exit(i32::from(*heap != 0 || here.iter().any(|value| *value != 5)));
            }
            *heap = 9;
            at.write_volatile([6; 256]);
            // Runs over the stack below this function, too.
            black_box([7u8; 50_000]);
            let later = HEAP.allocate(1_000_000, ALIGN, false);
            later.write_bytes(1, 1_000_000);
            (*go).store(true, Ordering::Release);
            match wait(pid) {
                End::Exited(status) => status,
                End::Killed(_) => 3,
            }
        }
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn a_child_forks_again() {
    let end = in_host(|_| {
        let heap = HEAP.allocate(64, ALIGN, true).cast::<u32>();
        // SAFETY: the memory is this test's, in each process.
        unsafe {
            let status_of = |pid| match wait(pid) {
                End::Exited(status) => status,
                End::Killed(_) => 9,
            };
            let first = fork();
            if first == 0 {
                *heap += 1;
                let second = fork();
                if second == 0 {
                    *heap += 1;
                    libc::_exit(i32::from(*heap != 2));
                }
                libc::_exit(status_of(second) + 2 * i32::from(*heap != 1));
            }
            status_of(first) + 4 * i32::from(*heap != 0)
        }
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn a_child_is_forked_while_threads_use_the_heap() {
    let end = in_host(|_| {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    while !stop.load(Ordering::Relaxed) {
                        let block = HEAP.allocate(300, ALIGN, false);
                        // SAFETY: the block is this thread's.
                        unsafe { HEAP.free(block) };
                    }
                });
            }
            let mut failures = 0;
            for _ in 0..30 {
                // SAFETY: the child uses the heap alone.
                unsafe {
                    let pid = fork();
                    if pid == 0 {
                        for _ in 0..200 {
                            HEAP.free(HEAP.allocate(300, ALIGN, false));
                        }
                        libc::_exit(0);
                    }
                    failures += i32::from(wait(pid) != End::Exited(0));
                }
            }
            stop.store(true, Ordering::Relaxed);
            failures
        })
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn a_child_of_a_deep_stack_returns_through_all_of_it() {
    fn descend(level: u32) -> i32 {
        let here = black_box([level; 32]);
        if level == 0 {
            // SAFETY: the child returns as the parent does.
            return unsafe { fork() };
        }
        let pid = descend(level - 1);
        if here.iter().all(|value| *value == level) { pid } else { -2 }
    }
    let end = in_host(|_| match descend(500) {
        0 => 40,
        pid if pid > 0 => match wait(pid) {
            End::Exited(40) => 0,
            _ => 1,
        },
        _ => 2,
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn the_stack_of_a_child_has_its_guard() {
    #[expect(unconditional_recursion, reason = "overflows the stack")]
    fn deeper(level: u64) -> u64 {
        let here = black_box([level; 64]);
        deeper(level + 1) + here[(level % 64) as usize]
    }
    let end = in_host(|_| {
        // SAFETY: the child is this test's.
        unsafe {
            let pid = fork();
            if pid == 0 {
                // The harness has a handler that would print, and the stack for it.
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
                libc::_exit(deeper(0) as i32);
            }
            i32::from(wait(pid) != End::Killed(libc::SIGSEGV))
        }
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn programs_are_started_on_the_arenas_stack() {
    let end = in_host(|_| {
        // SAFETY: the texts are C strings.
        unsafe {
            if libc::WEXITSTATUS(libc::system(c"exit 7".as_ptr())) != 7 {
                return 1;
            }
            let stream = libc::popen(c"echo out; exit 5".as_ptr(), c"r".as_ptr());
            let mut line = [0 as libc::c_char; 16];
            libc::fgets(line.as_mut_ptr(), 16, stream);
            if libc::WEXITSTATUS(libc::pclose(stream)) != 5 || line[..4] != [111, 117, 116, 10] {
                return 2;
            }
            0
        }
    });
    assert_eq!(end, End::Exited(0));
}

#[test]
fn a_daemon_goes_on_without_its_parent() {
    let seen = shared(AtomicI32::new(0));
    let end = in_host(|_| {
        let heap = HEAP.allocate(64, ALIGN, true).cast::<i32>();
        // SAFETY: the memory is this test's; this process ends in daemon().
        unsafe {
            *heap = 42;
            if daemon(0, 0) == 0 {
                (*seen).store(*heap, Ordering::Release);
                libc::_exit(0);
            }
        }
        1
    });
    assert_eq!(end, End::Exited(0));
    for _ in 0..2000 {
        // SAFETY: the mapping is never given back.
        if unsafe { (*seen).load(Ordering::Acquire) } == 42 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    panic!("the daemon was not seen");
}
