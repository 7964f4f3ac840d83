#![expect(unsafe_code, reason = "crashes on purpose")]

use std::hint::black_box;

use super::*;
use crate::host::test_process::{End, in_child, shared};
use crate::isolate::death_report::{Cause, Death};

/// The end of a child that has the handlers, and its report.
fn death_of(run: impl FnOnce() -> i32) -> (End, Option<Death>) {
    let report = shared(DeathReport::EMPTY);
    let end = in_child(|| {
        // SAFETY: the child is a process for this test; the report is never unmapped.
        unsafe { install(report) };
        run()
    });
    // SAFETY: the report is mapped.
    (end, unsafe { Death::read(report) })
}

fn symbols(death: &Death) -> String {
    death.frames.iter().map(|frame| format!("{frame}\n")).collect()
}

#[test]
fn a_fault_is_reported_with_its_address_and_frames() {
    let (end, death) = death_of(|| {
        // SAFETY: it is not: the address is not mapped.
        unsafe { *black_box(std::ptr::without_provenance_mut::<u8>(0x1230)) = 1 };
        0
    });
    let death = death.unwrap();
    assert_eq!(end, End::Killed(libc::SIGSEGV));
    let Cause::Signal { signal, address, .. } = death.cause else { panic!("{death:?}") };
    assert_eq!((signal, address), (libc::SIGSEGV, Some(0x1230)));
    assert!(death.is_complete && death.frames.len() > 3, "{death:?}");
    assert_eq!(death.frames[0].address, death.pc);
    assert!(death.frames[0].object.is_some());
}

#[test]
fn abort_is_reported_with_the_frames_that_lead_to_it() {
    let (end, death) = death_of(|| std::process::abort());
    assert_eq!(end, End::Killed(libc::SIGABRT));
    let death = death.unwrap();
    assert!(symbols(&death).contains("abort+"), "{}", symbols(&death));
    assert!(!death.site().unwrap().to_string().contains("libc.so"), "{}", symbols(&death));
}

#[test]
fn a_call_of_a_null_pointer_has_its_caller() {
    #[inline(never)]
    fn call(function: usize) {
        // SAFETY: it is not: there is no function.
        unsafe { std::mem::transmute::<usize, extern "C" fn()>(black_box(function + 1))() };
        black_box(());
    }
    let (end, death) = death_of(|| {
        call(0xfff);
        0
    });
    assert_eq!(end, End::Killed(libc::SIGSEGV));
    let death = death.unwrap();
    assert_eq!(death.pc, 0x1000);
    assert!(death.frames.len() >= 2 && death.frames[1].object.is_some(), "{death:?}");
}

#[test]
fn a_stack_that_was_overwritten_still_makes_a_report() {
    let (end, death) = death_of(|| {
        // SAFETY: it is not: the return address is one that is not mapped.
        unsafe {
            std::arch::asm!(
                "push 0x1000",
                "push 0x2000",
                "mov rbp, rsp",
                "mov dword ptr [0x3000], 0",
                options(noreturn)
            )
        }
    });
    assert_eq!(end, End::Killed(libc::SIGSEGV));
    let death = death.unwrap();
    assert!(death.is_complete && !death.frames.is_empty(), "{death:?}");
    assert_eq!(death.frames[0].address, death.pc);
}

#[test]
#[expect(unconditional_recursion, reason = "overflows the stack")]
fn a_stack_overflow_is_reported() {
    #[inline(never)]
    fn deeper(level: u64) -> u64 {
        let here = black_box([level; 64]);
        deeper(level + 1) + here[(level % 64) as usize]
    }
    let (end, death) = death_of(|| {
        // The main thread of a fork is a thread of the harness: its stack is as small as any.
        deeper(0) as i32
    });
    assert_eq!(end, End::Killed(libc::SIGSEGV));
    assert_eq!(death.unwrap().frames.len(), crate::isolate::death_report::MAX_FRAMES);
}

#[test]
fn each_signal_ends_the_process_and_is_reported() {
    for signal in SIGNALS {
        let (end, death) = death_of(|| {
            // SAFETY: raise() has no preconditions.
            unsafe { libc::raise(signal) };
            0
        });
        assert_eq!(end, End::Killed(signal));
        let Some(Death { cause: Cause::Signal { signal: reported, sender, .. }, .. }) = death else { panic!() };
        assert_eq!(reported, signal);
        assert!(sender.is_some());
    }
}

#[test]
fn a_division_by_zero_is_sigfpe() {
    let (end, death) = death_of(|| {
        // SAFETY: it is not: the processor divides by zero.
        unsafe {
            std::arch::asm!("xor ecx, ecx", "mov eax, 1", "cdq", "idiv ecx", out("eax") _, out("ecx") _, out("edx") _)
        };
        0
    });
    assert_eq!(end, End::Killed(libc::SIGFPE));
    assert!(matches!(death.unwrap().cause, Cause::Signal { address: Some(_), .. }));
}

#[test]
fn exit_is_reported_with_its_status_and_caller() {
    let (end, death) = death_of(|| {
        // SAFETY: the process is a fork for this test.
        unsafe { libc::exit(7) }
    });
    assert_eq!(end, End::Exited(7));
    let death = death.unwrap();
    assert_eq!(death.cause, Cause::Exit(7));
    assert!(!death.site().unwrap().to_string().contains("libc.so"), "{}", symbols(&death));
}

#[test]
fn an_expected_exit_is_not_reported() {
    let (end, death) = death_of(|| {
        expect_exit();
        // SAFETY: as above.
        unsafe { libc::exit(0) }
    });
    assert_eq!((end, death), (End::Exited(0), None));
}

#[test]
fn a_fork_of_the_host_reports_nothing() {
    let (end, death) = death_of(|| match in_child(|| std::process::abort()) {
        End::Killed(libc::SIGABRT) => 3,
        _ => 4,
    });
    assert_eq!((end, death), (End::Exited(3), None));
}

#[test]
fn threads_that_crash_at_once_make_one_report() {
    let (end, death) = death_of(|| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                std::thread::spawn(|| {
                    prepare_thread();
                    // SAFETY: it is not: the address is not mapped.
                    unsafe { *black_box(std::ptr::without_provenance_mut::<u8>(0x2000)) = 1 };
                })
            })
            .collect();
        for thread in threads {
            let _ = thread.join();
        }
        0
    });
    assert_eq!(end, End::Killed(libc::SIGSEGV));
    assert!(death.unwrap().is_complete);
}

#[test]
fn a_fault_while_the_report_is_written_ends_the_process_with_the_first_signal() {
    let (end, _) = death_of(|| {
        // The report itself is not writable.
        REPORT.store(std::ptr::without_provenance_mut(0x3000), Ordering::Release);
        std::process::abort()
    });
    assert_eq!(end, End::Killed(libc::SIGABRT));
}
