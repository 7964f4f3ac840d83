//! The arena that this process shares with its hosts: made when it is first used.

use std::io::{Error, ErrorKind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::arena::Arena;
use super::limits;
use crate::memory::block_source;

const MOST: usize = usize::MAX;

static ARENA: OnceLock<Result<Arc<Arena>, (ErrorKind, String)>> = OnceLock::new();

/// The arena; every block of the package comes from it from now on.
///
/// # Errors
/// The error of a system that shares no memory.
pub fn arena() -> Result<Arc<Arena>, Error> {
    let made = ARENA.get_or_init(|| {
        let refused = |error: Error| (error.kind(), error.to_string());
        if let Some(reason) = limits::reason() {
            return Err((ErrorKind::OutOfMemory, reason.into()));
        }
        let arena = Arena::new(MOST).map(Arc::new).map_err(refused)?;
        block_source::share(arena.clone());
        Ok(arena)
    });
    made.clone().map_err(|(kind, text)| Error::new(kind, text))
}

/// The arenas of processes that share nothing else; this process has their memory as well.
static APART: Mutex<Vec<Weak<Arena>>> = Mutex::new(Vec::new());
/// Whether there was ever one.
static ANY_APART: AtomicBool = AtomicBool::new(false);

/// Records a separate arena.
pub fn add_apart(arena: &Arc<Arena>) {
    let mut all = APART.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|arena| arena.strong_count() > 0);
    all.push(Arc::downgrade(arena));
    ANY_APART.store(true, Ordering::Relaxed);
}

/// Whether an address lies in any arena.
pub fn holds(address: usize) -> bool {
    with_arena_of(address, |_| ()).is_some()
}

/// Whether bytes begin in an arena and run on beyond it.
pub fn is_cut(address: usize, length: usize) -> bool {
    with_arena_of(address, |arena| !arena.holds(address, length)).unwrap_or(false)
}

/// Whether an address of an arena is that of a heap which hosts have no more.
pub fn is_stale(address: usize) -> bool {
    with_arena_of(address, |arena| arena.is_in_free_heap(address)).unwrap_or(false)
}

/// Whether an address of an arena is where hosts have their heaps.
pub fn is_in_heap(address: usize) -> bool {
    with_arena_of(address, |arena| arena.is_in_heap(address)).unwrap_or(false)
}

#[inline]
fn with_arena_of<T>(address: usize, tell: impl Fn(&Arena) -> T) -> Option<T> {
    if let Some(arena) = existing()
        && arena.holds(address, 1)
    {
        return Some(tell(arena));
    }
    if !ANY_APART.load(Ordering::Relaxed) {
        return None;
    }
    let all = APART.lock().unwrap_or_else(PoisonError::into_inner);
    all.iter().filter_map(Weak::upgrade).find(|arena| arena.holds(address, 1)).map(|arena| tell(&arena))
}

/// The arena, where there is one already.
pub fn existing() -> Option<&'static Arc<Arena>> {
    ARENA.get()?.as_ref().ok()
}
