//! The free list of callback slots whose environment has ended. Their code stays until the process ends, because C may
//! keep its address (M7). So that it does not pile up, other environments reuse it, as those that live reuse that of
//! closed ones (lib/callback/closure.js): the oldest first, and not before many others of its signature have been left
//! after it.
#![expect(unsafe_code, reason = "hands callbacks from one thread to another")]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use crate::abi::signature::Signature;
use crate::node::env::CallbackSlot;

/// As many of a signature are never used again: until then a call through an old address gives zero.
const KEPT: usize = 1024;

struct FreeSlot(&'static CallbackSlot);

// SAFETY: M6; only the thread of a slot's environment uses what is not atomic of it. That one has ended, and the lock
// hands it to the thread of the next.
unsafe impl Send for FreeSlot {}

type FreeSlots = HashMap<Arc<Signature>, VecDeque<FreeSlot>>;

fn free_slots() -> MutexGuard<'static, FreeSlots> {
    static GRAVES: LazyLock<Mutex<FreeSlots>> = LazyLock::new(Mutex::default);
    GRAVES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes slots over whose environment is gone; they are shut.
pub fn release(slots: Vec<&'static CallbackSlot>) {
    let mut free = free_slots();
    for slot in slots {
        free.entry(Arc::clone(&slot.signature)).or_default().push_back(FreeSlot(slot));
    }
}

/// A slot of the signature that was left long ago.
pub fn reuse(signature: &Arc<Signature>) -> Option<&'static CallbackSlot> {
    let mut free = free_slots();
    let row = free.get_mut(signature).filter(|row| row.len() > KEPT)?;
    row.pop_front().map(|slot| slot.0)
}
