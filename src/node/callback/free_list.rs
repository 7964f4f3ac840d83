//! The free list of callback slots whose environment has ended. Their code is never unmapped, because C may keep its
//! address (M7). Other environments reuse the slots, so that they do not pile up; a live environment does the same with
//! its closed callbacks (lib/callback/closure.js). The oldest slot of a signature is reused first, and only after many
//! others have been freed.
#![expect(unsafe_code, reason = "hands callbacks from one thread to another")]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use crate::abi::signature::Signature;
use crate::node::env::CallbackSlot;

/// So many slots of a signature are kept unused: a call through an old address of theirs gets zero.
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

/// Takes the closed slots of an environment that has ended.
pub fn release(slots: Vec<&'static CallbackSlot>) {
    let mut free = free_slots();
    for slot in slots {
        free.entry(Arc::clone(&slot.signature)).or_default().push_back(FreeSlot(slot));
    }
}

/// Returns a slot of the signature that was freed long ago.
pub fn reuse(signature: &Arc<Signature>) -> Option<&'static CallbackSlot> {
    let mut free = free_slots();
    let row = free.get_mut(signature).filter(|row| row.len() > KEPT)?;
    row.pop_front().map(|slot| slot.0)
}
