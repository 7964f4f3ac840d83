//! One host: a process, the channels to it, and the requests over them. When it ends, another one may take its place
//! ([`super::process`]); handles of this one stay valid and refer to the process that has ended.
#![expect(unsafe_code, reason = "keeps a line for one thread")]

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Error, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::arena::{Arena, HostHeap};
use super::channel::{Head, Missed};
use super::control::{ControlMemory, Line};
use super::deadline::Deadline;
use super::life::Life;
use super::lines::Lines;
use super::shared_globals::SharedGlobals;
use super::spawn::{self, Start, Started};
use super::stubs;
use super::watcher::{self, Exit, OnEnd, Stderr};
use super::wire::{Kind, MAIN, WORDS};
use super::{interrupt, listener, remote_memory, signature_code};
use crate::abi::signature::Signature;
use crate::error::{Death, FfiError, Result};

/// The answer of a host to a request.
#[derive(Debug)]
pub struct Reply {
    pub words: [u64; WORDS],
    pub status: u32,
    pub payload: Vec<u8>,
}

/// The longest time between the report of a host that it ends and its end.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(3);
/// The longest time that a host may take to start.
pub(super) const STARTING: Duration = Duration::from_secs(20);

/// A host.
pub struct Child {
    pub pid: i32,
    pub generation: u32,
    pub(super) memory: Arc<ControlMemory>,
    pub(super) arena: Arc<Arena>,
    /// The memory of the library's allocations. It stays readable until another host gets it.
    heap: Option<HostHeap>,
    /// Whether a callback that no call has led to has returned memory which the host does not share: the next call says
    /// so.
    pub(super) has_refused: AtomicBool,
    /// Whether it was ended because a thread of it had ended alone.
    pub(super) is_thread_lost: AtomicBool,
    pub(super) life: Arc<Life>,
    /// Tells the host which channels to serve; while it is open the host lives.
    parent: File,
    /// The channel of the thread that started the host.
    pub(super) main: MainLine,
    lines: Lines,
    signatures: Mutex<HashMap<usize, (u32, Arc<Signature>)>>,
    next_signature: AtomicU32,
    /// The calls that are under way: of the thread that started the host, and of others.
    inside: AtomicU32,
    busy: AtomicU32,
    listens: Mutex<bool>,
    /// The parts of the sandbox that are applied, as text.
    pub(super) sandbox: Mutex<Option<String>>,
    /// The globals of libraries that it shares.
    pub globals: SharedGlobals,
    may_spin: bool,
}

/// A line that only one thread uses.
pub(super) struct MainLine {
    pub(super) owner: ThreadId,
    pub(super) line: Line,
}

// SAFETY: `Child::with_line` compares the thread with the owner before it uses the line.
unsafe impl Sync for MainLine {}

impl std::fmt::Debug for Child {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Child({:?})", self.life)
    }
}

/// Locks a mutex, also where a thread panicked with it.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The settings with which a host is started.
#[derive(Debug)]
pub struct Plan<'a> {
    pub start: &'a Start,
    pub settings: super::wire::Settings,
    pub arena: Arc<Arena>,
    pub heap: Option<HostHeap>,
    pub stderr: Stderr,
    pub generation: u32,
}

impl Child {
    /// Starts a host, which does not answer yet: see [`Child::greet`].
    ///
    /// # Errors
    /// Where the system shares no memory, or the process does not start.
    pub fn start(plan: Plan<'_>) -> Result<Arc<Self>> {
        let unavailable =
            |what: &str, error: Error| FfiError::IsolateUnavailable { reason: format!("{what}: {error}") };
        let may_spin = plan.settings.spins != 0;
        let (memory, file) =
            ControlMemory::new(plan.settings).map_err(|error| unavailable("no memory can be shared", error))?;
        memory.set_stub_pages(stubs::pages());
        let arena =
            plan.arena.file().ok_or_else(|| unavailable("no memory can be shared", Error::other("it was closed")))?;
        let started = spawn::start(plan.start, file.as_raw_fd(), arena.as_raw_fd());
        let Started { pid, pidfd, life, stderr } =
            started.map_err(|error| unavailable("its process does not start", error))?;
        let exit = Exit::new(OnEnd::new(&memory, plan.heap.as_ref().map(HostHeap::span)));
        let watched = pidfd.try_clone().and_then(|fd| watcher::watch(fd, stderr, plan.stderr, Arc::clone(&exit)));
        let child = Arc::new(Self {
            pid,
            generation: plan.generation,
            main: MainLine { owner: thread::current().id(), line: memory.line(MAIN, may_spin) },
            memory,
            arena: plan.arena,
            heap: plan.heap,
            has_refused: AtomicBool::new(false),
            is_thread_lost: AtomicBool::new(false),
            life: Arc::new(Life::new(pid, exit, pidfd)),
            parent: life.into(),
            lines: Lines::default(),
            signatures: Mutex::default(),
            next_signature: AtomicU32::new(0),
            inside: AtomicU32::new(0),
            busy: AtomicU32::new(0),
            listens: Mutex::default(),
            sandbox: Mutex::default(),
            globals: SharedGlobals::default(),
            may_spin,
        });
        if let Err(error) = watched {
            child.kill();
            return Err(unavailable("its process cannot be watched", error));
        }
        Ok(child)
    }

    /// Whether it has not ended.
    pub fn is_alive(&self) -> bool {
        self.life.is_alive()
    }

    /// Ends it, with the processes that it has started.
    pub fn kill(&self) {
        self.life.kill();
    }

    /// Waits until it has ended. False where it did not.
    pub fn wait(&self, longest: Duration) -> bool {
        self.life.wait(longest).is_some()
    }

    /// The reason why it has ended.
    pub fn death(&self) -> Death {
        let status = self.life.wait(LAST_WORDS);
        let mut death = super::death::describe(status, self.memory.report());
        (death.pid, death.generation) = (self.pid, self.generation);
        death.is_thread_lost = self.is_thread_lost.load(Ordering::Relaxed);
        death.stderr = String::from_utf8_lossy(&self.life.exit.stderr()).into_owned();
        death
    }

    /// Asks the host, on a channel of this thread, and serves the callbacks that it calls meanwhile.
    ///
    /// # Errors
    /// Where the host ends or the deadline passes first, or the host refuses the request.
    pub fn ask(self: &Arc<Self>, head: Head, parts: &[&[u8]], deadline: Option<Deadline>) -> Result<Reply> {
        self.listen();
        if thread::current().id() == self.main.owner {
            // Only this thread writes it.
            let outer = self.inside.load(Ordering::Relaxed);
            self.inside.store(outer + 1, Ordering::Relaxed);
            let outcome = self.converse(&self.main.line, head, parts, deadline);
            self.inside.store(outer, Ordering::Relaxed);
            return outcome;
        }
        self.ask_on_spare(head, parts, deadline)
    }

    #[inline(never)] // The JavaScript thread's calls may nest.
    fn ask_on_spare(self: &Arc<Self>, head: Head, parts: &[&[u8]], deadline: Option<Deadline>) -> Result<Reply> {
        self.busy.fetch_add(1, Ordering::Relaxed);
        let outcome = self.ask_elsewhere(head, parts, deadline);
        self.busy.fetch_sub(1, Ordering::Relaxed);
        outcome
    }

    /// Whether other threads than this one wait for it.
    pub fn is_busy(&self) -> bool {
        let is_owner = thread::current().id() == self.main.owner;
        self.busy.load(Ordering::Relaxed) > 0 || (!is_owner && self.inside.load(Ordering::Relaxed) > 0)
    }

    fn ask_elsewhere(self: &Arc<Self>, head: Head, parts: &[&[u8]], deadline: Option<Deadline>) -> Result<Reply> {
        let line = match self.lines.take_own(self.pid) {
            Some(line) => line,
            None => self.lines.take(&self.memory, self.may_spin, |number| {
                // A host that has ended does not read it.
                let _ = (&self.parent).write_all(&[number]);
            })?,
        };
        let outcome = self.converse(&line, head, parts, deadline);
        if self.is_alive() {
            let child = Arc::downgrade(self);
            self.lines.give(self.pid, line, move |line| {
                if let Some(child) = child.upgrade() {
                    child.leave(line);
                }
            });
        }
        outcome
    }

    /// Ends the thread of the host that serves a line, and takes the channel back.
    fn leave(&self, line: Line) {
        let deadline = Deadline::after(LAST_WORDS.as_millis() as u64);
        if self.is_alive() && self.converse(&line, Head::new(Kind::Leave, [0; WORDS]), &[], deadline).is_ok() {
            self.memory.reset(line.number);
            self.lines.give_number(line.number);
        }
    }

    fn converse(&self, line: &Line, head: Head, parts: &[&[u8]], deadline: Option<Deadline>) -> Result<Reply> {
        self.memory.set_stub_pages(stubs::pages());
        if !self.is_alive() {
            return Err(self.died());
        }
        if !line.end.post(head, parts) {
            return Err(FfiError::OutOfRange { reason: "the arguments are too long for an isolated call".into() });
        }
        let at = deadline.map(|deadline| deadline.at);
        let mut payload = Vec::new();
        let mut is_refused = false;
        let has_slept = Cell::new(false);
        let has_ended = || {
            if has_slept.replace(true) && (interrupt::is_interrupted() || self.has_lost_thread(line.number)) {
                self.kill();
            }
            self.life.exit.has_ended()
        };
        loop {
            let head = match line.end.receive(&mut payload, at, has_ended) {
                Ok(head) => head,
                Err(Missed::Ended) => return Err(self.died()),
                Err(Missed::Late) => return Err(self.too_late(deadline)),
                Err(Missed::Garbled) => return Err(self.nonsense("a message without an end")),
            };
            match Kind::of(head.kind) {
                Some(Kind::Return) if is_refused || self.take_refused() => {
                    return Err(FfiError::ResultNotShared { symbol: String::new() });
                }
                Some(Kind::Return) => {
                    return Ok(Reply { words: head.words, status: head.status, payload });
                }
                Some(Kind::Refused) => {
                    let reason = String::from_utf8_lossy(&payload).into_owned();
                    return Err(FfiError::LibraryInvalid { reason });
                }
                Some(Kind::Callback) => {
                    // One that calls back without end would never come to a deadline.
                    if at.is_some_and(|at| Instant::now() >= at) {
                        return Err(self.too_late(deadline));
                    }
                    is_refused |= !self.answer(line, &head, &payload)?;
                }
                Some(Kind::Dying) => {
                    self.life.wait(LAST_WORDS);
                    self.kill();
                    return Err(self.died());
                }
                _ => return Err(self.nonsense("a message of no known kind")),
            }
        }
    }

    fn take_refused(&self) -> bool {
        self.has_refused.load(Ordering::Relaxed) && self.has_refused.swap(false, Ordering::Relaxed)
    }

    /// Runs a callback and sends its result; zeroes, and false, where that is a pointer which the host must not have.
    #[inline(never)] // Calls may nest.
    fn answer(&self, line: &Line, head: &Head, arguments: &[u8]) -> Result<bool> {
        let Some((result, is_shared)) = self.answer_of(head, arguments) else {
            return Err(self.nonsense("a call of a callback that there is not"));
        };
        result.post(&line.end);
        Ok(is_shared)
    }

    /// Starts the thread that answers the host's own threads, once there may be callbacks.
    #[inline(never)]
    fn listen(self: &Arc<Self>) {
        if stubs::pages() == 0 {
            return;
        }
        let mut listens = locked(&self.listens);
        if !*listens {
            let child = Arc::downgrade(self);
            let answer = move |head: &Head, payload: &[u8]| child.upgrade()?.answer_late(head, payload);
            *listens = listener::start(&self.memory, &self.life, Box::new(answer));
        }
    }

    /// The number by which the host knows a signature.
    ///
    /// # Errors
    /// Where the host ends or the deadline passes first, or the host refuses the request.
    pub fn signature(self: &Arc<Self>, signature: &Arc<Signature>, deadline: Option<Deadline>) -> Result<u32> {
        let key = Arc::as_ptr(signature).addr();
        if let Some((number, _)) = locked(&self.signatures).get(&key) {
            return Ok(*number);
        }
        let number = self.next_signature.fetch_add(1, Ordering::Relaxed);
        let head = Head::new(Kind::Define, [number.into(), 0, 0]);
        let deadline = deadline.or_else(|| Deadline::after(STARTING.as_millis() as u64));
        self.ask(head, &[&signature_code::encode(signature)], deadline)?;
        locked(&self.signatures).insert(key, (number, Arc::clone(signature)));
        Ok(number)
    }

    /// Whether an address lies in its heap.
    pub fn has_in_heap(&self, address: usize) -> bool {
        self.heap.as_ref().is_some_and(|heap| address.wrapping_sub(heap.start) < heap.size)
    }

    /// The text at an address in the host, up to its NUL.
    pub fn text(&self, address: usize) -> Option<Vec<u8>> {
        remote_memory::text(self.pid, address)
    }

    /// The error of its end.
    #[cold]
    #[inline(never)] // Calls may nest.
    pub fn died(&self) -> FfiError {
        FfiError::LibraryDied { symbol: String::new(), death: Box::new(self.death()) }
    }

    #[cold]
    #[inline(never)] // Calls may nest.
    fn too_late(&self, deadline: Option<Deadline>) -> FfiError {
        self.kill();
        let milliseconds = deadline.map_or(0, |deadline| deadline.milliseconds);
        FfiError::TimedOut { symbol: String::new(), milliseconds, death: Box::new(self.death()) }
    }

    #[cold]
    #[inline(never)] // Calls may nest.
    fn nonsense(&self, what: &str) -> FfiError {
        self.kill();
        FfiError::IsolateProtocol { symbol: String::new(), reason: what.into(), death: Box::new(self.death()) }
    }

    /// Asks it to end, and ends it where it does not.
    pub fn quit(self: &Arc<Self>, longest: Duration) {
        if thread::current().id() == self.main.owner && self.is_alive() {
            self.main.line.end.post(Head::new(Kind::Quit, [0; WORDS]), &[]);
            if self.wait(longest) {
                return;
            }
        }
        self.kill();
        self.wait(LAST_WORDS);
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
        // Its heap is somebody else's afterwards.
        self.life.wait(LAST_WORDS);
    }
}
