//! The process of isolated libraries over time: a host, and those that take its place when it has ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::arena::Arena;
use super::child::{Child, Plan};
use super::deadline::Deadline;
use super::range::Range;
use super::spawn::Start;
use super::watcher::Stderr;
use super::wire::{BUILD_BYTES, Settings};
use super::{address_space, limits, memory_file, shared, stubs};
use crate::error::{FfiError, Result};
use crate::memory::other_memory;

/// The behaviour of a call after the host has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// It fails until somebody restarts the process.
    Manual,
    /// It starts the process again.
    Lazy,
}

/// So many restarts by calls are made within so many seconds.
pub const MOST_RESTARTS: usize = 5;
pub const RESTART_SECONDS: u64 = 10;

/// The longest time that a host may take for its destructors.
const QUIT: Duration = Duration::from_secs(1);

/// The settings of a process: its start and its permissions.
#[derive(Debug)]
pub struct Options {
    pub start: Start,
    pub stderr: Stderr,
    pub restart: Restart,
    pub spins: bool,
    /// Whether the library keeps the malloc that it has, for a sanitizer or valgrind: they make nothing of memory that
    /// lies in an arena, and take very long to look at one.
    pub keeps_malloc: bool,
    /// Whether it has a separate arena, and sees no other Buffers.
    pub is_apart: bool,
    /// The timeout of calls whose declaration has none, in milliseconds.
    pub timeout: Option<u64>,
    /// The sandbox, as text for the host; none where it is empty.
    pub sandbox: String,
}

/// A process of isolated libraries.
#[derive(Debug)]
pub struct Process {
    pub options: Options,
    arena: Arc<Arena>,
    /// Whether the arena is that of all Buffers.
    pub shares_buffers: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    child: Option<Arc<Child>>,
    /// The first host, until it answers: meanwhile JavaScript prepares for it.
    first: Option<Beginning>,
    generation: u32,
    /// When calls have restarted it.
    restarts: VecDeque<Instant>,
    is_closed: bool,
}

impl State {
    /// Takes the host of now.
    fn take(&mut self) -> Option<Arc<Child>> {
        self.child.take().or(self.first.take().map(|first| first.child))
    }
}

/// A host that does not answer yet.
#[derive(Debug)]
struct Beginning {
    child: Arc<Child>,
    /// Where its mappings are to lie, which nothing of this process does.
    window: Option<Range>,
}

/// So many hosts are started for one whose addresses have no memory here.
const MOST_TRIES: u32 = 4;

/// The build of the addon, as hosts compare it.
pub fn build() -> [u8; BUILD_BYTES] {
    let name = env!("PINNED_FFI_BUILD").as_bytes();
    let mut build = [0; BUILD_BYTES];
    let length = name.len().min(BUILD_BYTES);
    build[..length].copy_from_slice(&name[name.len() - length..]);
    build
}

/// The arena of a process that shares nothing else.
const APART_BYTES: usize = 16 << 30;

/// The addresses of a window.
const WINDOW_BYTES: usize = 64 << 30;

impl Process {
    /// Starts a process, and does not wait until it answers.
    ///
    /// # Errors
    /// Where the system shares no memory, or the process does not start.
    pub fn new(options: Options) -> Result<Arc<Self>> {
        stubs::begin();
        other_memory::watch(Box::new(address_space::Hosts));
        if options.is_apart && !memory_file::is_sealed() {
            return Err(FfiError::IsolateUnavailable {
                reason: "the system refuses memory files (memfd_create), and the library could cut other files short; \
                         `isolate: true`, which is against mistakes alone, works"
                    .into(),
            });
        }
        let is_limited = options.keeps_malloc || limits::reason().is_some();
        let apart = || if is_limited { Arena::for_copies() } else { Arena::new(APART_BYTES) };
        let shared = if options.is_apart || options.keeps_malloc { None } else { shared::arena().ok() };
        let shares_buffers = shared.is_some();
        let arena = match shared {
            Some(arena) => arena,
            None => apart().map(Arc::new).inspect(shared::add_apart).map_err(|error| FfiError::IsolateUnavailable {
                reason: format!("no memory can be shared: {error}"),
            })?,
        };
        let process = Arc::new(Self { options, arena, shares_buffers, state: Mutex::default() });
        let mut state = process.locked();
        state.first = Some(process.spawn(&mut state)?);
        drop(state);
        Ok(process)
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, state: &mut State) -> Result<Arc<Child>> {
        let begun = self.spawn(state)?;
        self.greet(state, begun)
    }

    /// Waits until a host answers. The addresses of what its loader has mapped are random. They are reserved here, so
    /// that each address is of one process. Where this process has memory at some of them, another host is started.
    fn greet(&self, state: &mut State, mut begun: Beginning) -> Result<Arc<Child>> {
        let mut tries = 1;
        let child = loop {
            let Beginning { child, window } = begun;
            let spans = child.greet(&build())?;
            let reserved = address_space::reserve(&spans);
            // A host without `/proc` does not know its spans, and uses no window.
            if reserved.is_some() || window.is_none() || spans.is_empty() || tries == MOST_TRIES {
                address_space::add(&child, window, reserved.filter(|_| !spans.is_empty()));
                break child;
            }
            tries += 1;
            child.kill();
            drop(child);
            state.generation -= 1;
            begun = self.spawn(state)?;
        };
        state.child = Some(Arc::clone(&child));
        Ok(child)
    }

    fn spawn(&self, state: &mut State) -> Result<Beginning> {
        let (arena, arena_size) = self.arena.span();
        let heap = self.arena.take_heap();
        // Tools take very long to look at what it reserves for that.
        let has_window = self.options.start.command.is_empty() && limits::reason().is_none();
        let window = if has_window { Range::reserve(WINDOW_BYTES, 1 << 30) } else { None };
        let (heap_start, heap_size) = heap.as_ref().map_or((0, 0), |heap| (heap.start, heap.size));
        state.generation += 1;
        let settings = Settings {
            build: build(),
            arena: arena as u64,
            arena_size: arena_size as u64,
            heap: heap_start as u64,
            heap_size: heap_size as u64,
            stubs: stubs::begin().unwrap_or(0) as u64,
            window: window.as_ref().map_or(0, |window| window.base as u64),
            window_size: WINDOW_BYTES as u64,
            spins: self.options.spins.into(),
            keeps_malloc: self.options.keeps_malloc.into(),
        };
        let plan = Plan {
            start: &self.options.start,
            settings,
            arena: Arc::clone(&self.arena),
            heap,
            stderr: self.options.stderr,
            generation: state.generation,
        };
        Ok(Beginning { child: Child::start(plan)?, window })
    }

    /// The host that answers calls now. One that has ended is replaced where the options say so.
    ///
    /// # Errors
    /// Where the host has ended and is not restarted, or was restarted too often.
    pub fn child(&self) -> Result<Arc<Child>> {
        let mut state = self.locked();
        match &state.child {
            Some(child) if child.is_alive() => return Ok(Arc::clone(child)),
            Some(child) if self.options.restart == Restart::Manual => return Err(child.died()),
            _ if state.is_closed => {
                return Err(FfiError::IsolateUnavailable { reason: "the process of the library was closed".into() });
            }
            _ => {}
        }
        if let Some(first) = state.first.take() {
            return self.greet(&mut state, first);
        }
        let now = Instant::now();
        state.restarts.retain(|then| now.duration_since(*then) < Duration::from_secs(RESTART_SECONDS));
        if state.restarts.len() >= MOST_RESTARTS {
            return Err(FfiError::LibraryUnstable {
                symbol: String::new(),
                restarts: MOST_RESTARTS,
                seconds: RESTART_SECONDS,
            });
        }
        state.restarts.push_back(now);
        self.start(&mut state)
    }

    /// The host of now, alive or not.
    pub fn last(&self) -> Option<Arc<Child>> {
        let state = self.locked();
        state.child.as_ref().or(state.first.as_ref().map(|first| &first.child)).cloned()
    }

    /// Ends the host, if it runs, and starts another one.
    ///
    /// # Errors
    /// Where the system shares no memory, or the process does not start.
    pub fn restart(&self) -> Result<()> {
        let mut state = self.locked();
        if let Some(child) = state.take() {
            child.quit(QUIT);
        }
        state.restarts.clear();
        self.start(&mut state).map(|_| ())
    }

    /// Ends the host at once.
    pub fn kill(&self) {
        if let Some(child) = self.last() {
            child.kill();
            child.wait(QUIT);
        }
    }

    /// Lets the host run its destructors and end. Calls fail from now on.
    pub fn close(&self) {
        let child = {
            let mut state = self.locked();
            state.is_closed = true;
            state.take()
        };
        if let Some(child) = child {
            child.quit(QUIT);
        }
        // The arena itself stays until its last block is collected, which may be long after.
        if !self.shares_buffers {
            self.arena.close_file();
        }
    }

    /// The memory that it shares.
    pub fn arena(&self) -> &Arc<Arena> {
        &self.arena
    }

    /// The deadline of a call that begins now.
    pub fn deadline(&self, timeout: Option<u64>) -> Option<Deadline> {
        Deadline::after(timeout.or(self.options.timeout)?)
    }

    /// The number of hosts so far.
    pub fn generation(&self) -> u32 {
        self.locked().generation
    }

    /// Whether an address lies in the heap of a host that has ended.
    pub fn is_stale(&self, address: usize) -> bool {
        address_space::is_stale(address) || self.is_of_dead_host(address)
    }

    /// Whether the host has ended, and its heap is not given back yet.
    fn is_of_dead_host(&self, address: usize) -> bool {
        let child = self.last().filter(|child| !child.is_alive());
        child.is_some_and(|child| child.has_in_heap(address))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
