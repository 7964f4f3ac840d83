//! The quarantine: a freed block whose address native code has is poisoned and held back, first in, first out,
//! bounded by bytes and count. A late native write hits unused memory, and is reported on the way out.
#![expect(unsafe_code, reason = "poisons blocks that the engine has freed")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw reads and writes")]

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::block::{Breach, Fenced};
use super::canary::Canary;
use super::report::{self, Found};
use crate::error::Side;
use crate::memory::address::Address;

/// Longer blocks are poisoned in their first part only, so that freeing one costs no more than this.
const MOST_POISON: usize = 64 * 1024;

/// The default bounds. `docs/memory.md` has their cost.
const DEFAULT_BYTES: usize = 16 << 20;
const DEFAULT_COUNT: usize = 4096;

static MOST_BYTES: AtomicUsize = AtomicUsize::new(DEFAULT_BYTES);
static MOST_COUNT: AtomicUsize = AtomicUsize::new(DEFAULT_COUNT);

/// Frees a block's memory, by the allocator that it came from.
pub type Release = unsafe fn(block: Fenced, length: usize, origin: usize);

struct Held {
    block: Fenced,
    length: usize,
    /// The allocator object of the engine it came from; 0 for memory of our own.
    origin: usize,
    release: Release,
    /// Not where a call was using the block when it was freed.
    is_poisoned: bool,
}

// SAFETY: M10; a held block belongs to the quarantine alone, whichever thread gives it back.
unsafe impl Send for Held {}

#[derive(Default)]
struct Queue {
    held: VecDeque<Held>,
    bytes: usize,
}

static QUEUE: Mutex<Queue> = Mutex::new(Queue { held: VecDeque::new(), bytes: 0 });

/// Sets the bounds; 0 bytes ends the quarantine.
pub fn configure(bytes: usize, count: usize) {
    MOST_BYTES.store(bytes, Ordering::Relaxed);
    MOST_COUNT.store(count, Ordering::Relaxed);
}

/// The bounds: bytes and count.
pub fn bounds() -> (usize, usize) {
    (MOST_BYTES.load(Ordering::Relaxed), MOST_COUNT.load(Ordering::Relaxed))
}

/// The number of blocks that are held, and their bytes.
pub fn held() -> (usize, usize) {
    let queue = locked();
    (queue.held.len(), queue.bytes)
}

fn locked() -> std::sync::MutexGuard<'static, Queue> {
    QUEUE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Holds a block back. Blocks that are pushed out are checked and released.
/// The memory of a block whose users are unknown is never freed.
///
/// # Safety
/// M10: the block is used by nothing but native code that has its address; `release` frees it once.
pub unsafe fn hold(block: Fenced, length: usize, origin: usize, release: Release) {
    if block.is_pinned_for_good() {
        return;
    }
    // A buffer that a callback has transferred away and dropped: the call that was passed it still reads it.
    let is_poisoned = !block.is_pinned();
    if is_poisoned {
        // SAFETY: M10 by the contract of this function.
        unsafe { poison(block.data(), length) };
    }
    let mut queue = locked();
    queue.held.push_back(Held { block, length, origin, release, is_poisoned });
    queue.bytes += length;
    let (most_bytes, most_count) = bounds();
    // One that a call still uses stays, however full the quarantine is.
    let mut passed = 0;
    while passed < queue.held.len() && (queue.bytes > most_bytes || queue.held.len() > most_count) {
        let Some(oldest) = queue.held.pop_front() else { break };
        if oldest.block.is_pinned() {
            queue.held.push_back(oldest);
            passed += 1;
            continue;
        }
        queue.bytes -= oldest.length;
        oldest.let_go();
    }
}

/// Releases everything that came from an allocator that is about to end.
pub fn flush(origin: usize) {
    let mut queue = locked();
    let (gone, kept): (VecDeque<_>, VecDeque<_>) = queue.held.drain(..).partition(|held| held.origin == origin);
    queue.held = kept;
    for held in gone {
        queue.bytes -= held.length;
        // A call on another thread outlives its environment: its memory is leaked rather than freed.
        if !held.block.is_pinned() {
            held.let_go();
        }
    }
}

/// Checks the blocks that are held, reports late writes, and poisons the blocks again.
pub fn check() -> usize {
    let queue = locked();
    let mut found = 0;
    for held in &queue.held {
        if let Some(breach) = held.breach() {
            report::push(Found::Quarantine, held.block, held.length, breach);
            held.block.repair(held.length);
            if held.is_poisoned {
                // SAFETY: M10; the block is held.
                unsafe { poison(held.block.data(), held.length) };
            }
            found += 1;
        }
    }
    found
}

impl Held {
    /// A write into the poisoned data, else into the fences.
    fn breach(&self) -> Option<Breach> {
        if !self.is_poisoned {
            return self.block.breach(self.length);
        }
        // SAFETY: M10; the block is held, so its data is still allocated.
        let data = unsafe { std::slice::from_raw_parts(self.block.data().as_ptr(), self.length.min(MOST_POISON)) };
        match Canary::of(self.block.data()).find_written(data) {
            Some((first, last)) => Some(Breach { side: Side::After, first: first as isize, past: last + 1 - first }),
            None => self.block.breach(self.length),
        }
    }

    fn let_go(self) {
        if let Some(breach) = self.breach() {
            report::push(Found::Quarantine, self.block, self.length, breach);
            self.block.repair(self.length);
        }
        // SAFETY: M10; the block was held once and is released once.
        unsafe { (self.release)(self.block, self.length, self.origin) };
    }
}

/// # Safety
/// M10: the block's data is unused.
unsafe fn poison(data: Address, length: usize) {
    // SAFETY: M10 by the contract of this function: the first `length` bytes are allocated, and not read.
    let memory = unsafe { std::slice::from_raw_parts_mut(data.as_ptr(), length.min(MOST_POISON)) };
    Canary::of(data).poison(memory);
}
