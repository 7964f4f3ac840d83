//! The thread that notices what happens to hosts: it reads what they write to stderr, and takes their status when they
//! end. It starts with the first host and stays.
#![expect(unsafe_code, reason = "waits for file descriptors and processes")]

use std::collections::{HashMap, VecDeque};
use std::io::Error;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::arena;
use super::control::ControlMemory;

/// The bytes of stderr that are kept.
const MOST_STDERR: usize = 4096;
/// The most bytes of stderr that are read for one host before the others have their turn.
const AT_ONCE: usize = 64 * 1024;

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Exited(i32),
    Killed(i32),
    /// Somebody else has taken its status.
    Unknown,
}

/// The destination of a host's output on stderr, which is kept in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stderr {
    /// It goes to the stderr of this process as well.
    Inherit,
    Ignore,
}

/// A function that the watcher's thread calls when a host has ended.
pub struct OnEnd {
    memory: Arc<ControlMemory>,
    heap: Option<(usize, usize)>,
}

impl OnEnd {
    /// Wakes all threads that wait for a message in the memory. `heap` is the part of the arena that the host has used.
    pub fn new(memory: &Arc<ControlMemory>, heap: Option<(usize, usize)>) -> Self {
        Self { memory: Arc::clone(memory), heap }
    }
}

/// The end of one host, as it is noticed.
pub struct Exit {
    has_ended: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
    /// Whether this process has ended it.
    is_killed_here: AtomicBool,
    on_end: OnEnd,
}

#[derive(Default)]
struct State {
    status: Option<Status>,
    stderr: VecDeque<u8>,
}

impl std::fmt::Debug for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exit({:?})", self.locked().status)
    }
}

impl Exit {
    /// The end of a host that still runs.
    pub fn new(on_end: OnEnd) -> Arc<Self> {
        let (has_ended, is_killed_here) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { has_ended, state: Mutex::default(), changed: Condvar::new(), is_killed_here, on_end })
    }

    /// Notes that this process is about to end the host.
    pub fn expect_kill(&self) {
        self.is_killed_here.store(true, Ordering::Release);
    }

    /// Whether the host has ended and its status is known.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Waits for the status of a host that is about to end.
    pub fn wait(&self, longest: Duration) -> Option<Status> {
        let deadline = Instant::now() + longest;
        let mut state = self.locked();
        while state.status.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.status
    }

    /// The last bytes that it has written to stderr.
    pub fn stderr(&self) -> Vec<u8> {
        self.locked().stderr.iter().copied().collect()
    }

    fn keep(&self, bytes: &[u8]) {
        let mut state = self.locked();
        state.stderr.extend(bytes);
        let surplus = state.stderr.len().saturating_sub(MOST_STDERR);
        state.stderr.drain(..surplus);
    }

    fn end(&self, status: Status) {
        if status == Status::Killed(libc::SIGKILL) && !self.is_killed_here.load(Ordering::Acquire) {
            // The system, to have memory: it must find some before it takes it from this process.
            if let Some(heap) = self.on_end.heap {
                arena::give_back(heap);
            }
        }
        self.locked().status = Some(status);
        self.has_ended.store(true, Ordering::Release);
        self.changed.notify_all();
        self.on_end.memory.end();
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A host that is watched.
struct Watched {
    pidfd: OwnedFd,
    stderr: Option<OwnedFd>,
    kind: Stderr,
    exit: Arc<Exit>,
}

struct Watcher {
    epoll: OwnedFd,
    hosts: Mutex<HashMap<u64, Watched>>,
}

/// The lowest bit of what the kernel says an event is of: whether it is of stderr.
const OF_STDERR: u64 = 1;

/// Watches a host from now on.
///
/// # Errors
/// The error for a system without descriptors or threads left.
pub fn watch(pidfd: OwnedFd, stderr: OwnedFd, kind: Stderr, exit: Arc<Exit>) -> Result<(), Error> {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
    let watcher = watcher()?;
    let key = NEXT.fetch_add(2, Ordering::Relaxed);
    let descriptors = [(pidfd.as_raw_fd(), key), (stderr.as_raw_fd(), key | OF_STDERR)];
    let host = Watched { pidfd, stderr: Some(stderr), kind, exit };
    watcher.locked().insert(key, host);
    for (fd, key) in descriptors {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: key };
        // SAFETY: the descriptors are open, and the event is a local.
        if unsafe { libc::epoll_ctl(watcher.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) } != 0 {
            let error = Error::last_os_error();
            watcher.locked().remove(&(key & !OF_STDERR));
            return Err(error);
        }
    }
    Ok(())
}

fn watcher() -> Result<&'static Watcher, Error> {
    static WATCHER: OnceLock<Watcher> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(watcher) = WATCHER.get() {
        return Ok(watcher);
    }
    // SAFETY: the descriptor is new.
    let epoll = unsafe {
        match libc::epoll_create1(libc::EPOLL_CLOEXEC) {
            -1 => return Err(Error::last_os_error()),
            fd => OwnedFd::from_raw_fd(fd),
        }
    };
    let watcher = WATCHER.get_or_init(|| Watcher { epoll, hosts: Mutex::default() });
    std::thread::Builder::new().name("pinned-ffi-hosts".into()).stack_size(128 * 1024).spawn(|| watcher.run())?;
    Ok(watcher)
}

impl Watcher {
    fn locked(&self) -> MutexGuard<'_, HashMap<u64, Watched>> {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        block_signals();
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; 32];
        loop {
            // SAFETY: there is room for as many events.
            let count =
                unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), events.as_mut_ptr(), events.len() as i32, -1) };
            for event in &events[..count.max(0) as usize] {
                let key = event.u64;
                if key & OF_STDERR == 0 { self.take_status(key) } else { self.take_stderr(key & !OF_STDERR) }
            }
        }
    }

    fn take_stderr(&self, key: u64) {
        let mut hosts = self.locked();
        let Some(host) = hosts.get_mut(&key) else { return };
        if host.pass_on(AT_ONCE) {
            host.stderr = None;
        }
    }

    fn take_status(&self, key: u64) {
        let Some(mut host) = self.locked().remove(&key) else { return };
        let status = status_of(host.pidfd.as_raw_fd());
        // Others hold the same file under another descriptor, so that closing this one has no effect.
        // SAFETY: the descriptors are open; the kernel needs no event to remove one.
        unsafe {
            let (epoll, fd) = (self.epoll.as_raw_fd(), host.pidfd.as_raw_fd());
            libc::epoll_ctl(epoll, libc::EPOLL_CTL_DEL, fd, std::ptr::null_mut());
        }
        // Its last output is in the pipe. Its children may hold the pipe open: their output is not waited for.
        host.pass_on(AT_ONCE);
        // First, so that a thread which sees the end finds no descriptor of the host.
        let exit = Arc::clone(&host.exit);
        drop(host);
        exit.end(status);
    }
}

impl Watched {
    /// Reads the output that the host has written. Returns whether the pipe has no writer left.
    fn pass_on(&mut self, most: usize) -> bool {
        let Some(stderr) = &self.stderr else { return true };
        let mut bytes = [0; 4096];
        let mut total = 0;
        while total < most {
            // SAFETY: there is room for as many bytes.
            let count = unsafe { libc::read(stderr.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
            if count <= 0 {
                return count == 0;
            }
            let read = &bytes[..count as usize];
            self.exit.keep(read);
            if self.kind == Stderr::Inherit {
                write_all(libc::STDERR_FILENO, read);
            }
            total += read.len();
        }
        false
    }
}

fn write_all(fd: RawFd, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the slice is that long.
        let count = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        if count <= 0 {
            return;
        }
        bytes = &bytes[count as usize..];
    }
}

fn status_of(pidfd: RawFd) -> Status {
    // SAFETY: all zeroes are valid bytes of the structure, which waitid fills where it returns 0.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        if libc::waitid(libc::P_PIDFD, pidfd as libc::id_t, &mut info, libc::WEXITED) != 0 {
            return Status::Unknown;
        }
        match info.si_code {
            libc::CLD_EXITED => Status::Exited(info.si_status()),
            libc::CLD_KILLED | libc::CLD_DUMPED => Status::Killed(info.si_status()),
            _ => Status::Unknown,
        }
    }
}

/// Signals of the process are for the threads that Node has.
fn block_signals() {
    // SAFETY: the set is a local.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, std::ptr::null_mut());
    }
}
