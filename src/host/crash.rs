//! The last act of a host: signal handlers, and a handler for `exit`, that write a death report for the parent.
//!
//! Afterwards the signal is raised again with its default action, so that the parent sees the true signal, and a core
//! file is written where that is configured.
#![expect(unsafe_code, reason = "installs signal handlers, and writes to memory that is shared with the parent")]

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

use super::unwind::{self, Registers, Start};
use crate::isolate::death_report::{DeathReport, KIND_EXIT, KIND_SIGNAL, STATE_COMPLETE, STATE_EMPTY, STATE_STARTED};
use crate::trace::alternate_stack;

const SIGNALS: [c_int; 7] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT, libc::SIGTRAP, libc::SIGSYS];
/// The signals that Node ignores: a library finds them ignored in process, and should find the same here.
const IGNORED: [c_int; 2] = [libc::SIGPIPE, libc::SIGXFSZ];
/// Seconds after which a handler that hangs (a lock of the loader is held) is ended.
const PATIENCE: u32 = 2;

/// Where the report goes.
static REPORT: AtomicPtr<DeathReport> = AtomicPtr::new(null_mut());
/// The process that reports. A fork of it has another id, and does not.
static PROCESS: AtomicI32 = AtomicI32::new(0);
/// The thread that writes the report; 0 for none.
static WRITER: AtomicI32 = AtomicI32::new(0);
/// The signal that the process dies of.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// pc, sp and fp of the signal.
static REGISTERS: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];
/// Whether the writer has had a fault itself.
static IS_FINISHING: AtomicBool = AtomicBool::new(false);
/// Whether the host itself ends the process.
static IS_EXIT_EXPECTED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    fn on_exit(function: unsafe extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
}

/// Installs the handlers, once for the process, and prepares the calling thread ([`prepare_thread`]). Call it before
/// any library is loaded: what a library registers with `atexit` then runs before the report of an exit is written.
///
/// # Safety
/// H1. `report` points to a [`DeathReport`] that is writable until the process ends.
pub unsafe fn install(report: *mut DeathReport) {
    REPORT.store(report, Ordering::Release);
    // SAFETY: H1, H4; a zeroed sigaction is valid. The handlers are never unmapped.
    unsafe {
        PROCESS.store(libc::getpid(), Ordering::Release);
        for signal in SIGNALS {
            set_handler(signal, on_signal as *const () as usize);
        }
        for signal in IGNORED {
            libc::signal(signal, libc::SIG_IGN);
        }
        on_exit(report_exit, null_mut());
    }
    prepare_thread();
}

/// Gives the calling thread an alternate signal stack. Without one, a stack overflow of the thread is not reported: the
/// parent learns of the signal only.
pub fn prepare_thread() {
    alternate_stack::prepare_thread(alternate_stack::STACK);
}

/// Makes an `exit` of this process an ordinary end, which is not reported. The host calls it before it ends itself.
pub fn expect_exit() {
    IS_EXIT_EXPECTED.store(true, Ordering::Release);
}

unsafe fn set_handler(signal: c_int, handler: usize) {
    // SAFETY: H4; the handler is a function of this file, or a constant of signal.h.
    unsafe {
        let mut action = std::mem::zeroed::<libc::sigaction>();
        action.sa_sigaction = handler;
        // A fault inside the handler has to reach the handler: it ends the report.
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(signal, &action, null_mut());
    }
}

unsafe extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: H2; the kernel has passed the information and the context.
    unsafe {
        if unwind::recover(&mut *context.cast()) {
            return;
        }
        if !is_reporting_process() {
            die(signal, info);
        }
        let thread = libc::gettid();
        match WRITER.compare_exchange(0, thread, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => {
                SIGNAL.store(signal, Ordering::Release);
                set_handler(libc::SIGALRM, give_up as *const () as usize);
                libc::alarm(PATIENCE);
                report_signal(REPORT.load(Ordering::Acquire), signal, info, context);
                die(signal, info);
            }
            // A fault while the report was being written.
            Err(writer) if writer == thread => {
                finish_report();
                die(SIGNAL.load(Ordering::Acquire), null_mut())
            }
            // The process ends as soon as the other thread has written its report.
            Err(_) => loop {
                libc::pause();
            },
        }
    }
}

/// Finishes the report after the first fault of its writer, which the unwinder had on a stack that was overwritten.
///
/// # Safety
/// H2; this thread is the writer.
unsafe fn finish_report() {
    if IS_FINISHING.swap(true, Ordering::AcqRel) {
        return;
    }
    let report = REPORT.load(Ordering::Acquire);
    let [pc, sp, fp] = REGISTERS.each_ref().map(|register| register.load(Ordering::Relaxed));
    // SAFETY: by the contract of this function.
    unsafe {
        unwind::fill_by_frame_pointers(report, Registers { pc, sp, fp });
        set_state(report, STATE_COMPLETE);
    }
}

/// Ends a process whose handler hangs.
unsafe extern "C" fn give_up(_: c_int, _: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: H2; the handler was installed for the signal that ends the process, and what `die` calls is
    // async-signal-safe.
    unsafe { die(SIGNAL.load(Ordering::Acquire), null_mut()) }
}

fn is_reporting_process() -> bool {
    // SAFETY: getpid() has no preconditions.
    unsafe { libc::getpid() == PROCESS.load(Ordering::Acquire) }
}

/// Raises a signal with its default action. `info`, where it is not null, is passed on.
///
/// # Safety
/// H2.
unsafe fn die(signal: c_int, info: *mut libc::siginfo_t) -> ! {
    // SAFETY: H2, by the contract of this function: the process is ending, so nothing relies on the action that is
    // replaced. The set is a local.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, null_mut());
        if !info.is_null() {
            // Keeps si_code and si_addr for core files.
            libc::syscall(libc::SYS_rt_tgsigqueueinfo, libc::getpid(), libc::gettid(), signal, info);
        }
        libc::syscall(libc::SYS_tgkill, libc::getpid(), libc::gettid(), signal);
        // A sandbox has refused both.
        libc::_exit(128 + signal)
    }
}

unsafe fn set_state(report: *mut DeathReport, state: u32) {
    // SAFETY: the report is writable, and the field aligned.
    unsafe { AtomicU32::from_ptr(&raw mut (*report).state).store(state, Ordering::Release) };
}

/// # Safety
/// H2; `report` is null or writable.
unsafe fn report_signal(report: *mut DeathReport, signal: c_int, info: *const libc::siginfo_t, context: *const c_void) {
    if report.is_null() {
        return;
    }
    // SAFETY: by the contract of this function; the fields of the union that are read are plain integers.
    unsafe {
        let registers = &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        let register = |index: c_int| registers[index as usize] as usize;
        let start = Registers { pc: register(libc::REG_RIP), sp: register(libc::REG_RSP), fp: register(libc::REG_RBP) };
        for (saved, value) in REGISTERS.iter().zip([start.pc, start.sp, start.fp]) {
            saved.store(value, Ordering::Relaxed);
        }
        set_state(report, STATE_EMPTY);
        (*report).kind = KIND_SIGNAL;
        (*report).number = signal;
        (*report).code = (*info).si_code;
        (*report).thread = libc::gettid();
        (*report).sender = if (*info).si_code <= 0 { (*info).si_pid() } else { 0 };
        (*report).syscall = if signal == libc::SIGSYS { syscall_of(info) } else { -1 };
        (*report).address = (*info).si_addr().addr() as u64;
        (*report).pc = start.pc as u64;
        (*report).sp = start.sp as u64;
        (*report).frame_count = 0;
        set_state(report, STATE_STARTED);
        unwind::fill_frames(report, Start::At(start));
        set_state(report, STATE_COMPLETE);
    }
}

/// `si_syscall`: libc has no accessor. It follows the address of the call, which is the first field of its part.
///
/// # Safety
/// `info` is that of a SIGSYS.
unsafe fn syscall_of(info: *const libc::siginfo_t) -> i32 {
    const OFFSET: usize = 16 + 8;
    // SAFETY: siginfo_t has 128 bytes; signal, errno, code and padding take 16 of them on 64-bit systems.
    unsafe { info.cast::<u8>().add(OFFSET).cast::<i32>().read_unaligned() }
}

unsafe extern "C" fn report_exit(status: c_int, _: *mut c_void) {
    let report = REPORT.load(Ordering::Acquire);
    if report.is_null() || IS_EXIT_EXPECTED.load(Ordering::Acquire) || !is_reporting_process() {
        return;
    }
    // SAFETY: the report is writable until the process ends. A crash that is being reported has the report for itself.
    unsafe {
        let thread = libc::gettid();
        if WRITER.compare_exchange(0, thread, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return;
        }
        SIGNAL.store(libc::SIGABRT, Ordering::Release);
        (*report).kind = KIND_EXIT;
        (*report).number = status;
        (*report).thread = thread;
        set_state(report, STATE_STARTED);
        unwind::fill_frames(report, Start::In(libc::exit as *const () as usize));
        set_state(report, STATE_COMPLETE);
        // Destructors of libraries are still to run. What crashes there is the more telling report.
        WRITER.store(0, Ordering::Release);
    }
}

#[cfg(test)]
mod tests;
