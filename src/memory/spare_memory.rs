//! Memory of freed blocks that is kept for the next ones.
//!
//! V8 frees Buffers on a second thread while JavaScript makes others. The C library guards its free memory by a lock,
//! for blocks of more than 160 bytes: for 4 million small Buffers the two threads waited 30,000 times for each other.
//! Here a thread that frees pushes onto a stack without a lock, and one that allocates takes the whole stack at once.
#![expect(unsafe_code, reason = "links pieces of unused memory")]

use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::address::Address;

/// Pieces of unused memory, by class. Any thread uses it.
#[derive(Debug)]
pub struct SpareMemory<const CLASSES: usize> {
    /// The bytes of a piece of a class.
    bytes_of: fn(usize) -> usize,
    /// Gives a piece of so many bytes back to where it came from.
    release: unsafe fn(Address, usize),
    /// The bytes of all that is kept, at most.
    most: usize,
    /// The bytes that are kept now, and those of up to [`BATCH`] pieces of each class that were taken.
    kept: AtomicUsize,
    /// The class that gives way next.
    victim: AtomicUsize,
    classes: [Class; CLASSES],
}

/// Pieces that are counted, or released, at once.
const BATCH: usize = 64;

/// The pieces of a class. Each begins with the address of the next one, 0 in the last.
#[derive(Debug)]
#[repr(align(64))] // Each on a line of the processor's cache.
struct Class {
    /// What was given since the last time that all of it was taken, the last first.
    given: AtomicUsize,
    taken: Mutex<Taken>,
}

/// What had been given then: pieces are taken from here.
#[derive(Debug)]
struct Taken {
    first: usize,
    /// The number of pieces that were taken and are still counted as kept.
    counted: usize,
}

impl Class {
    const fn empty() -> Self {
        Self { given: AtomicUsize::new(0), taken: Mutex::new(Taken { first: 0, counted: 0 }) }
    }
}

impl<const CLASSES: usize> SpareMemory<CLASSES> {
    /// Keeps up to `most` bytes. `release` frees a piece, whose bytes are those of its class, by `bytes_of`.
    pub const fn new(most: usize, bytes_of: fn(usize) -> usize, release: unsafe fn(Address, usize)) -> Self {
        let (kept, victim) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { bytes_of, release, most, kept, victim, classes: [const { Class::empty() }; CLASSES] }
    }

    /// A piece of a class; `None` where none is at hand.
    #[inline]
    pub fn take(&self, class: usize) -> Option<Address> {
        // Another thread that allocates the same does not wait.
        let mut taken = self.classes[class].taken.try_lock().ok()?;
        self.pop(class, &mut taken)
    }

    #[inline]
    fn pop(&self, class: usize, taken: &mut Taken) -> Option<Address> {
        if taken.first == 0 {
            // Acquire: the links were written before.
            taken.first = self.classes[class].given.swap(0, Ordering::Acquire);
        }
        let piece = Address::new(taken.first);
        if let Some(piece) = piece {
            // SAFETY: the first word of a piece that was given is its link. Nothing else uses the piece.
            taken.first = unsafe { with_exposed_provenance::<usize>(piece.get()).read() };
            taken.counted += 1;
        }
        if taken.counted == BATCH || (taken.first == 0 && taken.counted > 0) {
            self.kept.fetch_sub(taken.counted * (self.bytes_of)(class), Ordering::Relaxed);
            taken.counted = 0;
        }
        piece
    }

    /// Keeps a piece of a class, or releases it where enough is kept.
    ///
    /// # Safety
    /// It is unused memory of the class's bytes that `release` takes, aligned to 8.
    #[inline]
    pub unsafe fn give(&self, class: usize, piece: Address) {
        let bytes = (self.bytes_of)(class);
        if self.kept.load(Ordering::Relaxed) + bytes > self.most && !self.makes_room(class) {
            // SAFETY: by the contract of this function.
            return unsafe { (self.release)(piece, bytes) };
        }
        self.kept.fetch_add(bytes, Ordering::Relaxed);
        let given = &self.classes[class].given;
        let mut next = given.load(Ordering::Relaxed);
        loop {
            // SAFETY: by the contract of this function; no other thread knows the piece yet.
            unsafe { with_exposed_provenance_mut::<usize>(piece.get()).write(next) };
            // Release: who takes it sees the link.
            match given.compare_exchange_weak(next, piece.get(), Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => next = other,
            }
        }
    }

    /// Releases all that is kept: memory has run out. Whether there was any.
    #[cold]
    pub fn clear(&self) -> bool {
        let mut any = false;
        for (class, own) in self.classes.iter().enumerate() {
            let mut taken = own.taken.lock().unwrap_or_else(PoisonError::into_inner);
            while let Some(piece) = self.pop(class, &mut taken) {
                any = true;
                // SAFETY: `give` was given it, and nothing uses it.
                unsafe { (self.release)(piece, (self.bytes_of)(class)) };
            }
        }
        any
    }

    /// Releases pieces of some other class, which may not be in use any more. Whether there is room then.
    #[cold]
    fn makes_room(&self, class: usize) -> bool {
        let victim = self.victim.fetch_add(1, Ordering::Relaxed) % CLASSES;
        if victim == class {
            return false;
        }
        let Ok(mut taken) = self.classes[victim].taken.try_lock() else { return false };
        for _ in 0..BATCH {
            let Some(piece) = self.pop(victim, &mut taken) else { break };
            // SAFETY: `give` was given it, and nothing uses it.
            unsafe { (self.release)(piece, (self.bytes_of)(victim)) };
        }
        self.kept.load(Ordering::Relaxed) < self.most
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::{Layout, alloc, dealloc};
    use std::collections::HashSet;

    use super::*;

    static RELEASED: AtomicUsize = AtomicUsize::new(0);

    fn bytes_of(class: usize) -> usize {
        64 << class
    }

    fn layout(bytes: usize) -> Layout {
        Layout::from_size_align(bytes, 16).unwrap()
    }

    unsafe fn release(piece: Address, bytes: usize) {
        RELEASED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: `piece` below allocated it.
        unsafe { dealloc(piece.as_ptr(), layout(bytes)) };
    }

    fn piece(class: usize) -> Address {
        // SAFETY: the size is not 0.
        Address::new(unsafe { alloc(layout(bytes_of(class))) }.expose_provenance()).unwrap()
    }

    fn give<const CLASSES: usize>(memory: &SpareMemory<CLASSES>, class: usize, count: usize) {
        // SAFETY: the pieces are new, and of the class.
        (0..count).for_each(|_| unsafe { memory.give(class, piece(class)) });
    }

    fn take_all<const CLASSES: usize>(memory: &SpareMemory<CLASSES>, class: usize) -> usize {
        let taken: Vec<_> = std::iter::from_fn(|| memory.take(class)).collect();
        // SAFETY: `piece` allocated them, and each comes once: memory that is freed twice ends the test.
        taken.iter().for_each(|piece| unsafe { dealloc(piece.as_ptr(), layout(bytes_of(class))) });
        taken.len()
    }

    #[test]
    fn a_class_gets_what_it_was_given_and_no_more_than_the_most_is_kept() {
        let memory = SpareMemory::<3>::new(64 * 10, bytes_of, release);
        assert_eq!(memory.take(0), None);
        give(&memory, 0, 4);
        give(&memory, 1, 3);
        assert_eq!((take_all(&memory, 0), take_all(&memory, 1), take_all(&memory, 2)), (4, 3, 0));
        // None is left of them, so that the whole is there again.
        give(&memory, 0, 40);
        assert_eq!(take_all(&memory, 0), 10);
    }

    #[test]
    fn classes_that_are_not_in_use_give_way() {
        let memory = SpareMemory::<3>::new(64 * 100, bytes_of, release);
        give(&memory, 0, 100);
        give(&memory, 1, 400);
        assert!(take_all(&memory, 1) >= 40);
        give(&memory, 2, 3);
        let before = RELEASED.load(Ordering::Relaxed);
        assert!(memory.clear() && RELEASED.load(Ordering::Relaxed) >= before + 3);
        assert!(!memory.clear() && memory.take(0).is_none());
    }

    #[test]
    fn threads_that_give_and_take_never_get_the_same_piece() {
        let memory = SpareMemory::<2>::new(1 << 20, bytes_of, release);
        let rounds = if cfg!(miri) { 50 } else { 50_000 };
        std::thread::scope(|scope| {
            for class in [0, 0, 1] {
                let memory = &memory;
                scope.spawn(move || {
                    let mut own = HashSet::new();
                    for round in 0..rounds {
                        let next = memory.take(class).unwrap_or_else(|| piece(class));
                        // SAFETY: the piece is this thread's until it is given back.
                        unsafe { next.as_ptr().cast::<usize>().write(round) };
                        assert!(own.insert(next));
                        if round % 3 > 0 {
                            let back = *own.iter().next().unwrap();
                            own.remove(&back);
                            // SAFETY: as above.
                            unsafe { memory.give(class, back) };
                        }
                    }
                    // SAFETY: as above.
                    own.into_iter().for_each(|piece| unsafe { memory.give(class, piece) });
                });
            }
        });
        let kept = take_all(&memory, 0) + take_all(&memory, 1);
        assert!(kept > 0 && kept <= (1 << 20) / 64, "{kept}");
    }
}
