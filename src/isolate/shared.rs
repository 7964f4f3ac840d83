//! The arena that this process shares with its hosts: made when it is first asked for.

use std::io::{Error, ErrorKind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use super::arena::Arena;
use crate::memory::block_source;

const MOST: usize = usize::MAX;

static ARENA: OnceLock<Result<Arc<Arena>, (ErrorKind, String)>> = OnceLock::new();

/// The arena; every block of the package comes from it from now on.
///
/// # Errors
/// What the system says where it shares no memory.
pub fn arena() -> Result<Arc<Arena>, Error> {
    let made = ARENA.get_or_init(|| {
        let arena = Arena::new(MOST).map(Arc::new).map_err(|error| (error.kind(), error.to_string()))?;
        block_source::share(arena.clone());
        Ok(arena)
    });
    made.clone().map_err(|(kind, text)| Error::new(kind, text))
}

/// The arenas of processes that share nothing else; this process has their memory as well.
static APART: Mutex<Vec<Weak<Arena>>> = Mutex::new(Vec::new());

/// Notes an arena of its own.
pub fn add_apart(arena: &Arc<Arena>) {
    let mut all = APART.lock().unwrap_or_else(PoisonError::into_inner);
    all.retain(|arena| arena.strong_count() > 0);
    all.push(Arc::downgrade(arena));
}

/// Whether an address lies in any arena.
pub fn holds(address: usize) -> bool {
    let has = |arena: &Arc<Arena>| arena.holds(address, 1);
    existing().is_some_and(has) || {
        let all = APART.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).any(|arena| has(&arena))
    }
}

/// The arena, where there is one already.
pub fn existing() -> Option<&'static Arc<Arena>> {
    ARENA.get()?.as_ref().ok()
}
