//! The parts of an arena that hosts have as their heaps. A heap is used again only after all others, so that a stale
//! pointer of a host that has ended is recognized for as long as possible.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

const MIB: usize = 1 << 20;
/// The bytes of a heap where there is room for many.
const LARGE: usize = 8 << 30;
/// The bytes of those that are used when all others are.
const SMALL: usize = 256 << 20;
/// The heaps of an arena that has less room.
const FEW: usize = 24;

/// No host has ever had the heap; one has it; one has had it.
const NEW: u8 = 0;
const USED: u8 = 1;
const FREED: u8 = 2;

/// The heaps of an arena.
#[derive(Debug)]
pub struct Heaps {
    start: usize,
    /// The number of heaps of either size, and the sizes in bytes.
    parts: [(usize, usize); 2],
    /// By number: whether a host has it, or has had it.
    states: Box<[AtomicU8]>,
    free: Mutex<[VecDeque<usize>; 2]>,
}

impl Heaps {
    /// The heaps of a part of an arena.
    pub fn new(start: usize, bytes: usize) -> Self {
        // Three quarters of a large part are for large heaps.
        let large = bytes / 4 * 3 / LARGE;
        let parts = if large >= FEW {
            [(large, LARGE), ((bytes - large * LARGE) / SMALL, SMALL)]
        } else {
            let size = (bytes / FEW) & !(MIB - 1);
            [(if size == 0 { 0 } else { FEW }, size), (0, SMALL)]
        };
        let (first, count) = (parts[0].0, parts[0].0 + parts[1].0);
        let free = [(0..first).collect(), (first..count).collect()];
        let states = (0..count).map(|_| AtomicU8::new(NEW)).collect();
        Self { start, parts, states, free: Mutex::new(free) }
    }

    fn free(&self) -> MutexGuard<'_, [VecDeque<usize>; 2]> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a heap: its number, its start and its bytes.
    pub fn take(&self) -> Option<(usize, usize, usize)> {
        let number = self.free().iter_mut().find_map(VecDeque::pop_front)?;
        self.states[number].store(USED, Ordering::Relaxed);
        let [(count, size), (_, small)] = self.parts;
        let (start, size) = match number.checked_sub(count) {
            None => (self.start + number * size, size),
            Some(after) => (self.start + count * size + after * small, small),
        };
        Some((number, start, size))
    }

    /// Gives a heap back.
    pub fn give(&self, number: usize) {
        self.states[number].store(FREED, Ordering::Relaxed);
        self.free()[usize::from(number >= self.parts[0].0)].push_back(number);
    }

    /// The heap that an address lies in.
    pub fn number_of(&self, address: usize) -> Option<usize> {
        let offset = address.checked_sub(self.start)?;
        let [(count, size), (_, small)] = self.parts;
        let number = match offset.checked_sub(count * size) {
            None => offset / size,
            Some(after) => count + after / small,
        };
        (number < self.states.len()).then_some(number)
    }

    /// Whether an address lies in the heap of a host that has ended, and of no other since. A number that happens to
    /// lie where no heap has been is not a stale pointer.
    pub fn is_free_at(&self, address: usize) -> bool {
        self.number_of(address).is_some_and(|number| self.states[number].load(Ordering::Relaxed) == FREED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: usize, least: usize) {
        let heaps = Heaps::new(0x1000_0000, bytes);
        assert!(!heaps.is_free_at(0x1000_0000), "no host has had it");
        let all: Vec<_> = std::iter::from_fn(|| heaps.take()).collect();
        assert!(all.len() >= least, "{}", all.len());
        for (at, (number, start, size)) in all.iter().enumerate() {
            assert_eq!(at, *number);
            assert_eq!(heaps.number_of(*start), Some(at));
            assert_eq!(heaps.number_of(start + size - 1), Some(at));
            assert!(start + size <= all.get(at + 1).map_or(0x1000_0000 + bytes, |next| next.1));
            assert!(!heaps.is_free_at(*start));
        }
        assert_eq!((heaps.number_of(0x1000_0000 - 1), heaps.number_of(usize::MAX)), (None, None));
        heaps.give(3);
        heaps.give(1);
        assert!(heaps.is_free_at(all[3].1) && !heaps.is_free_at(all[2].1));
        assert_eq!((heaps.take(), heaps.take(), heaps.take()), (Some(all[3]), Some(all[1]), None));
    }

    #[test]
    fn heaps_do_not_overlap_and_are_found_by_their_addresses() {
        check(768 << 30, 800);
        check(192 << 30, 24);
        check(48 << 20, 24);
        assert_eq!(Heaps::new(0x1000, 0).take(), None);
        assert_eq!(Heaps::new(0x1000, 0).number_of(0x1000), None);
    }
}
