//! Restricts every thread: the kernel takes privileges and files from the calling thread only, and a library's threads,
//! and the host's own, share the memory of the one that is restricted.
//!
//! Threads are made to run a signal handler, as `setuid` of glibc makes them, and by the same signal: libc lets no
//! thread block it.
#![expect(unsafe_code, reason = "installs a signal handler, and calls the kernel")]

use std::arch::naked_asm;
use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::landlock::restrict_thread;
use crate::errno::{self, Errno};

/// SIGSETXID of glibc.
const SIGNAL: c_int = 33;
/// The time that a thread has to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// The number of times that threads are listed, because earlier ones may have started others. Threads inherit what
/// their starter has, so that one round more than there are generations is enough. Landlock allows 16 layers.
const ROUNDS: usize = 8;

/// The kernel's answer for all threads: an errno.
#[derive(Clone, Copy, Debug)]
pub struct Restricted {
    pub privileges: Result<(), c_int>,
    pub landlock: Result<(), c_int>,
}

/// The set of rules; -1 without one.
static RULESET: AtomicI32 = AtomicI32::new(-1);
/// The thread that has answered.
static ANSWERED: AtomicI32 = AtomicI32::new(0);
/// The first errno of a thread, or 0.
static PRIVILEGES: AtomicI32 = AtomicI32::new(0);
static LANDLOCK: AtomicI32 = AtomicI32::new(0);

/// Takes capabilities, the gain of privileges, and files from all threads.
pub fn restrict(ruleset: Option<c_int>) -> Restricted {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    RULESET.store(ruleset.unwrap_or(-1), Ordering::Release);
    PRIVILEGES.store(0, Ordering::Relaxed);
    LANDLOCK.store(0, Ordering::Relaxed);
    // The process may not be able to list its threads afterwards.
    let tasks = std::fs::File::open("/proc/self/task");
    restrict_self();
    let all = tasks.map_err(|_| libc::ENOSYS).and_then(|tasks| restrict_others(&tasks));
    let result = |errno: &AtomicI32| match (errno.load(Ordering::Acquire), all) {
        (0, others) => others,
        (errno, _) => Err(errno),
    };
    Restricted { privileges: result(&PRIVILEGES), landlock: result(&LANDLOCK) }
}

fn restrict_self() {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: c_int,
    }
    /// Of capset(2): two words for each set.
    const VERSION_3: u32 = 0x2008_0522;
    let header = Header { version: VERSION_3, pid: 0 };
    let none = [0u32; 6];
    // SAFETY: H4; async-signal-safe.
    unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
            || libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr()) != 0
        {
            PRIVILEGES.store(Errno::here().get(), Ordering::Release);
        }
        let ruleset = RULESET.load(Ordering::Acquire);
        if ruleset >= 0 && restrict_thread(ruleset) != 0 {
            LANDLOCK.store(Errno::here().get(), Ordering::Release);
        }
    }
}

unsafe extern "C" fn on_signal(_: c_int, _: *mut libc::siginfo_t, _: *mut std::ffi::c_void) {
    errno::kept(|| {
        restrict_self();
        // SAFETY: H2, but for the end of the process.
        ANSWERED.store(unsafe { libc::gettid() }, Ordering::Release);
    });
}

/// Returns from a signal handler: rt_sigreturn(2).
#[unsafe(naked)]
unsafe extern "C" fn return_from_signal() {
    naked_asm!("mov eax, 15", "syscall")
}

/// `struct sigaction` of the kernel: libc's functions refuse this signal.
#[repr(C)]
#[derive(Clone, Copy)]
struct Action {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

fn set_action(new: Action) -> Result<Action, c_int> {
    const RESTORER: u64 = 0x0400_0000;
    let new = Action { flags: new.flags | RESTORER, ..new };
    let mut old = Action { handler: 0, flags: 0, restorer: 0, mask: 0 };
    // SAFETY: H4; the handlers are ours, or were installed before.
    let result = unsafe { libc::syscall(libc::SYS_rt_sigaction, SIGNAL, &raw const new, &raw mut old, 8usize) };
    if result == 0 { Ok(old) } else { Err(Errno::here().get()) }
}

fn restrict_others(tasks: &std::fs::File) -> Result<(), c_int> {
    let flags = (libc::SA_SIGINFO | libc::SA_RESTART | libc::SA_ONSTACK) as u64;
    let old = set_action(Action {
        handler: on_signal as *const () as usize,
        flags,
        restorer: return_from_signal as *const () as usize,
        mask: u64::MAX,
    })?;
    let mut known = vec![own_id()];
    let mut result = Err(libc::EAGAIN);
    for _ in 0..ROUNDS {
        let new: Vec<c_int> = list(tasks)?.into_iter().filter(|id| !known.contains(id)).collect();
        if new.is_empty() {
            result = Ok(());
            break;
        }
        if let Some(errno) = new.iter().find_map(|id| ask(*id).err()) {
            result = Err(errno);
            break;
        }
        known.extend(new);
    }
    if old.restorer != 0 || old.handler <= 1 {
        set_action(old)?;
    }
    result
}

fn own_id() -> c_int {
    // SAFETY: the function has no preconditions.
    unsafe { libc::gettid() }
}

/// Makes a thread run the handler. A thread that has ended is no failure.
fn ask(id: c_int) -> Result<(), c_int> {
    ANSWERED.store(0, Ordering::Release);
    let send = |signal: c_int| {
        // SAFETY: the thread is one of this process, which has the handler.
        let result = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), id, signal) };
        result == 0
    };
    if !send(SIGNAL) {
        return if Errno::here().get() == libc::ESRCH { Ok(()) } else { Err(Errno::here().get()) };
    }
    let start = Instant::now();
    while ANSWERED.load(Ordering::Acquire) != id {
        if !send(0) {
            return Ok(());
        }
        if start.elapsed() > PATIENCE {
            return Err(libc::ETIMEDOUT);
        }
        std::thread::sleep(Duration::from_micros(20));
    }
    Ok(())
}

/// The ids of the threads of this process, by its folder in `/proc`, which was opened before.
fn list(tasks: &std::fs::File) -> Result<Vec<c_int>, c_int> {
    use std::os::fd::AsRawFd;
    let mut buffer = [0u64; 512];
    let mut ids = Vec::new();
    // SAFETY: the descriptor is open; getdents64 fills the buffer with entries, each with its length.
    unsafe {
        if libc::lseek(tasks.as_raw_fd(), 0, libc::SEEK_SET) < 0 {
            return Err(Errno::here().get());
        }
        loop {
            let bytes =
                libc::syscall(libc::SYS_getdents64, tasks.as_raw_fd(), buffer.as_mut_ptr(), size_of_val(&buffer));
            if bytes < 0 {
                return Err(Errno::here().get());
            }
            if bytes == 0 {
                return Ok(ids);
            }
            let mut at = 0;
            while at < bytes as usize {
                let entry = buffer.as_ptr().byte_add(at).cast::<libc::dirent64>();
                let name = std::ffi::CStr::from_ptr((&raw const (*entry).d_name).cast());
                if let Some(id) = name.to_str().ok().and_then(|name| name.parse().ok()) {
                    ids.push(id);
                }
                at += usize::from((*entry).d_reclen);
            }
        }
    }
}
