//! Signal handlers for crashes of C. They print the last calls and pass the signal to the handler that was installed
//! before.
//!
//! Everything below `on_signal` may run at any moment on any thread: it allocates nothing, takes no lock, touches no
//! thread-local variable, and calls only what POSIX lists as async-signal-safe (signal-safety(7)).
#![expect(unsafe_code, reason = "installs signal handlers")]

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Once, OnceLock};

use super::ring::{RING, Slot, State};
use super::text::Line;
use super::thread::{self, Who};
use crate::errno::Errno;

const SIGNALS: [(c_int, &str); 5] = [
    (libc::SIGSEGV, "SIGSEGV"),
    (libc::SIGBUS, "SIGBUS"),
    (libc::SIGABRT, "SIGABRT"),
    (libc::SIGFPE, "SIGFPE"),
    (libc::SIGILL, "SIGILL"),
];

/// The earlier handler of each of [`SIGNALS`].
static PREVIOUS: [OnceLock<libc::sigaction>; SIGNALS.len()] = [const { OnceLock::new() }; SIGNALS.len()];
/// V8's function that handles traps of WebAssembly, or 0.
static RESOLVE: AtomicUsize = AtomicUsize::new(0);
/// The thread that prints and passes a signal on; 0 for none.
static BUSY: AtomicU64 = AtomicU64::new(0);

type Resolve = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) -> bool;
type Detailed = unsafe extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
type Simple = unsafe extern "C" fn(c_int);

/// Installs the handlers, once for the process.
///
/// # Safety
/// M11: this code is never unmapped; `resolve` is V8's `TryHandleWebAssemblyTrapPosix` in the running executable.
pub unsafe fn install(resolve: Option<usize>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        RESOLVE.store(resolve.unwrap_or(0), Ordering::Relaxed);
        for ((signal, _), previous) in SIGNALS.iter().zip(&PREVIOUS) {
            // SAFETY: M17; the structures are locals, and a zeroed one is a valid sigaction.
            unsafe {
                let (mut before, mut ours) = (std::mem::zeroed(), std::mem::zeroed::<libc::sigaction>());
                if libc::sigaction(*signal, std::ptr::null(), &mut before) != 0 {
                    continue;
                }
                let _ = previous.set(before);
                ours.sa_sigaction = on_signal as Detailed as usize;
                ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigemptyset(&mut ours.sa_mask);
                libc::sigaction(*signal, &ours, null_mut());
            }
        }
    });
}

// ---- The handler ----------------------------------------------------------------------------------------------------

unsafe extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let resolve = RESOLVE.load(Ordering::Relaxed);
    if resolve != 0 && (signal == libc::SIGSEGV || signal == libc::SIGBUS) {
        // SAFETY: M17; Node's own handler asks in the same way.
        let is_resolved = unsafe { std::mem::transmute::<usize, Resolve>(resolve)(signal, info, context) };
        if is_resolved {
            return;
        }
    }
    let errno = Errno::here();
    let before = errno.get();
    let here = thread::number();
    let mut claimed = claim(here);
    // Another thread is printing, and its message should not be cut off by the end of the process.
    for _ in 0..100 {
        if claimed != Claim::Taken {
            break;
        }
        // SAFETY: M17; waits, and looks at no descriptor.
        unsafe { libc::poll(null_mut(), 0, 10) };
        claimed = claim(here);
    }
    if claimed == Claim::Ours {
        // SAFETY: M17; the kernel has given the information.
        unsafe { print(signal, info, here) };
    }
    // SAFETY: M17; the three are what the kernel has passed.
    unsafe { pass_on(signal, info, context) };
    if claimed == Claim::Ours {
        BUSY.store(0, Ordering::Release);
    }
    errno.set(before);
}

#[derive(PartialEq, Eq)]
enum Claim {
    Ours,
    /// A handler that ours has called has raised a signal, mostly SIGABRT: the calls were printed already.
    Nested,
    Taken,
}

fn claim(here: u64) -> Claim {
    match BUSY.compare_exchange(0, here, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Claim::Ours,
        Err(other) if other == here => Claim::Nested,
        Err(_) => Claim::Taken,
    }
}

/// SI_USER of <signal.h>: a process has sent the signal.
const SI_USER: c_int = if cfg!(target_vendor = "apple") { 0x1_0001 } else { 0 };

/// Whether an instruction of this thread has caused the signal, which returns when the instruction runs again.
fn is_fault(code: c_int) -> bool {
    code > 0 && (SI_USER == 0 || code < SI_USER)
}

/// # Safety
/// M17: `info` and `context` are those that the kernel gave to the handler.
unsafe fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let index = SIGNALS.iter().position(|(known, _)| *known == signal);
    let Some(previous) = index.and_then(|index| PREVIOUS[index].get()) else { return };
    // SAFETY: M17; the earlier handler is called with the flags and arguments that it was installed for.
    unsafe {
        let is_fault = is_fault((*info).si_code);
        match previous.sa_sigaction {
            libc::SIG_IGN if !is_fault => {}
            libc::SIG_DFL | libc::SIG_IGN => {
                // The instruction runs again, or the signal is sent again, and meets the earlier handler.
                libc::sigaction(signal, previous, null_mut());
                if !is_fault {
                    libc::raise(signal);
                }
            }
            handler => {
                let mut mask = std::mem::zeroed();
                libc::pthread_sigmask(libc::SIG_BLOCK, &previous.sa_mask, &mut mask);
                if previous.sa_flags & libc::SA_NODEFER != 0 {
                    let mut own = std::mem::zeroed();
                    libc::sigemptyset(&mut own);
                    libc::sigaddset(&mut own, signal);
                    libc::pthread_sigmask(libc::SIG_UNBLOCK, &own, null_mut());
                }
                if previous.sa_flags & libc::SA_RESETHAND != 0 {
                    let default = std::mem::zeroed::<libc::sigaction>();
                    libc::sigaction(signal, &default, null_mut());
                }
                if previous.sa_flags & libc::SA_SIGINFO != 0 {
                    std::mem::transmute::<usize, Detailed>(handler)(signal, info, context);
                } else {
                    std::mem::transmute::<usize, Simple>(handler)(signal);
                }
                libc::pthread_sigmask(libc::SIG_SETMASK, &mask, null_mut());
            }
        }
    }
}

// ---- What is printed ------------------------------------------------------------------------------------------------

/// The innermost call of a thread.
fn inside(thread: u64) -> Option<(u64, &'static Slot)> {
    let of_thread = |slot: &Slot| slot.thread.load(Ordering::Relaxed) == thread && slot.is_inside();
    let numbered = RING.slots.iter().map(|slot| (slot.ticket.load(Ordering::Acquire), slot));
    numbered.filter(|(ticket, slot)| *ticket != 0 && of_thread(slot)).max_by_key(|(ticket, _)| *ticket)
}

/// # Safety
/// M17: `info` is what the kernel gave to the handler.
unsafe fn print(signal: c_int, info: *mut libc::siginfo_t, here: u64) {
    let culprit = inside(here);
    let mut line = Line::<1024>::new();
    let name = SIGNALS.iter().find(|(known, _)| *known == signal).map_or("a signal", |(_, name)| *name);
    line.text("pinned-ffi: ").text(name);
    // SAFETY: M17; a fault has caused the signal, and for these two the kernel gives the address.
    unsafe {
        if is_fault((*info).si_code) && (signal == libc::SIGSEGV || signal == libc::SIGBUS) {
            line.text(" at address 0x").number((*info).si_addr() as u64, 16);
        }
    }
    line.text(" on thread ").number(here, 10);
    match culprit {
        Some((_, slot)) => line.text(", inside ").add(slot.symbol.bytes()),
        None => line.text(", which is inside no recorded call"),
    };
    match RING.next_after(0) {
        Some(_) => line.text(". The last calls, newest last:\n"),
        None => line.text(". No call was recorded.\n"),
    };
    write(line.as_bytes());
    let mut last = 0;
    while let Some((ticket, slot)) = RING.next_after(last) {
        last = ticket;
        print_call(slot, culprit.is_some_and(|(number, _)| number == ticket));
    }
}

fn print_call(slot: &Slot, is_culprit: bool) {
    let mut line = Line::<1024>::new();
    line.text(if is_culprit { "> " } else { "  " });
    line.add(slot.symbol.bytes()).text("(");
    for byte in slot.arguments.bytes() {
        if byte == b'\n' {
            line.text(", ")
        } else {
            line.add([byte])
        };
    }
    line.text(") of ").add(slot.library_name.bytes());
    line.text(" at ")
        .add(slot.site.bytes())
        .text(", thread ")
        .number(slot.thread.load(Ordering::Relaxed), 10)
        .text(" (");
    Who::describe(slot.who.load(Ordering::Relaxed), &mut line);
    line.text(if slot.is_async.load(Ordering::Relaxed) { ", asynchronous): " } else { "): " });
    line.text(State::name(slot.state.load(Ordering::Relaxed))).text("\n");
    write(line.as_bytes());
}

/// Writes to stderr; stops if the pipe has no reader.
fn write(mut bytes: &[u8]) {
    let mut patience = 50;
    while !bytes.is_empty() && patience > 0 {
        // SAFETY: M17; the bytes are a slice.
        let written = unsafe { libc::write(libc::STDERR_FILENO, bytes.as_ptr().cast(), bytes.len()) };
        if let Ok(written) = usize::try_from(written) {
            bytes = bytes.get(written..).unwrap_or_default();
            continue;
        }
        patience -= 1;
        match Errno::here().get() {
            libc::EINTR => {}
            libc::EAGAIN => {
                let mut ready = libc::pollfd { fd: libc::STDERR_FILENO, events: libc::POLLOUT, revents: 0 };
                // SAFETY: M17; the structure is a local.
                unsafe { libc::poll(&mut ready, 1, 20) };
            }
            _ => return,
        }
    }
}
