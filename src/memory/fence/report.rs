//! Overflows that are found late (when a block is freed or leaves the quarantine, on any thread): kept until the
//! JavaScript thread collects them for a process warning. Also the names of functions that received an address.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use super::block::{Breach, Fenced};
use crate::sync::wakers::Wakers;

/// When a breach was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// When the engine freed the block.
    Freed,
    /// When the block left the quarantine: native code wrote into it after it was collected.
    Quarantine,
    /// By `checkFences()`.
    Checked,
}

/// A breach that no call can throw any more.
#[derive(Clone, Debug)]
pub struct Report {
    /// When it was found.
    pub found: Found,
    /// The length of the block.
    pub length: usize,
    /// The bytes that were overwritten; in the quarantine the data itself.
    pub breach: Breach,
    /// The function that received the address last.
    pub exposed_to: Option<String>,
}

/// Reports beyond this many are dropped: the first ones tell the cause.
const MOST: usize = 100;

static PENDING: Mutex<Vec<Report>> = Mutex::new(Vec::new());

#[derive(Default)]
struct Names {
    list: Vec<Arc<str>>,
    ids: std::collections::HashMap<Arc<str>, u32>,
}
static NAMES: OnceLock<Mutex<Names>> = OnceLock::new();

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// As many names are kept, so that a program which makes names without end does not fill the memory; the others share
/// one. Those of callbacks leave space for those of symbols.
const MOST_NAMES: usize = 1 << 18;
const MOST_WITH_CALLBACKS: usize = 1 << 14;
/// The most bytes of a name that are kept.
const MOST_BYTES: usize = 256;

/// The number of a symbol's name, from 1; equal names share one.
pub fn intern(symbol: &str) -> u32 {
    intern_up_to(symbol, MOST_NAMES)
}

/// The same for the name of a callback.
pub fn intern_callback(name: &str) -> u32 {
    intern_up_to(name, MOST_WITH_CALLBACKS)
}

fn intern_up_to(name: &str, most: usize) -> u32 {
    let name = &name[..name.floor_char_boundary(MOST_BYTES)];
    let mut names = locked(NAMES.get_or_init(Mutex::default));
    if let Some(id) = names.ids.get(name) {
        return *id;
    }
    if names.list.len() < most {
        return names.add(name);
    }
    let other = "a function";
    names.ids.get(other).copied().unwrap_or_else(|| names.add(other))
}

impl Names {
    fn add(&mut self, name: &str) -> u32 {
        let name: Arc<str> = name.into();
        self.list.push(Arc::clone(&name));
        let id = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.ids.insert(name, id);
        id
    }
}

/// The number of the name `ptr()`.
pub fn intern_ptr() -> u32 {
    static NUMBER: OnceLock<u32> = OnceLock::new();
    *NUMBER.get_or_init(|| intern("ptr"))
}

/// The name of a number that [`intern`] gave.
pub fn name(id: u32) -> Option<String> {
    locked(NAMES.get_or_init(Mutex::default)).list.get(id.checked_sub(1)? as usize).map(|name| name.to_string())
}

/// Keeps a breach of a block for the JavaScript thread.
pub fn push(found: Found, block: Fenced, length: usize, breach: Breach) {
    let mut pending = locked(&PENDING);
    if pending.len() < MOST {
        pending.push(Report { found, length, breach, exposed_to: name(block.exposed_to()) });
    }
    drop(pending);
    // The first one is enough: reports are of the process.
    WAKERS.wake_first(|wake| wake());
}

/// Wakes the reader of reports when a breach was recorded; runs on any thread.
pub type Wake = Box<dyn Fn() + Send>;
static WAKERS: Wakers<Wake> = Wakers::new();

/// Adds a waker, under a number.
pub fn add_waker(id: usize, wake: Wake) {
    WAKERS.add(id, wake);
}

/// Removes a waker; it is not called any more once this returns.
pub fn remove_waker(id: usize) {
    WAKERS.remove(id);
}

/// The breaches since the last time.
pub fn take() -> Vec<Report> {
    std::mem::take(&mut locked(&PENDING))
}
