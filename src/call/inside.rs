//! The function that a thread is inside. Threads that wait for the thread name it in a warning, and a callback looks
//! whether it is a leaf function, which has declared that it calls none.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The function is a leaf: callbacks that it calls do not run JavaScript.
const LEAF: usize = 1 << (usize::BITS - 1);
/// It was called by a fast call, which does not return through the package.
const FAST: usize = 1 << (usize::BITS - 2);

thread_local! {
    static HERE: Inside = Inside(Arc::default());
    /// The leaf function that has called a callback, and that callback: numbers of `report`.
    static CALLED_BACK: Cell<Option<CalledBack>> = const { Cell::new(None) };
}

/// A leaf function that has called a callback, by their numbers in `report`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CalledBack {
    pub function: u32,
    pub callback: u32,
}

/// The word of a thread that says which function it is inside. It outlives the thread, because other threads read it.
#[derive(Clone, Debug)]
pub struct Inside(Arc<AtomicUsize>);

/// The value of the word for a function, by its number in `report`.
pub fn word_of(function: u32, is_leaf: bool) -> usize {
    function as usize | if is_leaf { LEAF } else { 0 }
}

/// The same for a leaf function that generated code calls.
pub fn fast_word_of(function: u32) -> usize {
    word_of(function, true) | FAST
}

impl Inside {
    /// The word of this thread, which all its environments share. `None` in the destructors of a thread that ends.
    pub fn here() -> Option<Self> {
        HERE.try_with(Self::clone).ok()
    }

    /// Enters or leaves a function. Only the thread itself does this.
    #[inline]
    pub fn replace(&self, word: usize) -> usize {
        // A swap would lock the bus.
        let outer = self.0.load(Ordering::Relaxed);
        self.0.store(word, Ordering::Relaxed);
        outer
    }

    /// The number of the function; 0 for none.
    pub fn function(&self) -> u32 {
        (self.0.load(Ordering::Relaxed) & !(LEAF | FAST)) as u32
    }

    /// Whether the thread is inside a leaf function.
    #[inline]
    pub fn is_leaf(&self) -> bool {
        self.0.load(Ordering::Relaxed) & LEAF != 0
    }

    /// Whether that was called by a fast call.
    pub fn is_fast(&self) -> bool {
        self.0.load(Ordering::Relaxed) & FAST != 0
    }

    /// The leaf function that this thread is inside has called a callback, which does not run.
    #[cold]
    pub fn record_called_back(&self, callback: u32) {
        let called_back = CalledBack { function: self.function(), callback };
        let _ = CALLED_BACK.try_with(|first| first.set(first.get().or(Some(called_back))));
    }

    /// The address of the word, for generated code of this thread.
    pub fn address(&self) -> usize {
        self.0.as_ptr().expose_provenance()
    }
}

/// Takes the first callback that was called by the leaf function that has just returned on this thread.
pub fn take_called_back() -> Option<CalledBack> {
    CALLED_BACK.take()
}

/// Runs a leaf function on a thread that runs no JavaScript; returns its result and the callback that it has called, if
/// any.
pub fn run_leaf<T>(function: u32, run: impl FnOnce() -> T) -> (T, Option<CalledBack>) {
    let Some(here) = Inside::here() else { return (run(), None) };
    let outer = here.replace(word_of(function, true));
    let result = run();
    here.replace(outer);
    (result, take_called_back())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_function_is_seen_until_it_returns() {
        let here = Inside::here().unwrap();
        let (seen, called_back) = run_leaf(7, || {
            here.record_called_back(8);
            here.record_called_back(9);
            (here.is_leaf(), here.is_fast(), here.function())
        });
        assert_eq!(seen, (true, false, 7));
        assert_eq!(called_back, Some(CalledBack { function: 7, callback: 8 }));
        assert_eq!((here.is_leaf(), here.function(), take_called_back()), (false, 0, None));
    }

    #[test]
    fn each_thread_has_another_word() {
        let here = Inside::here().unwrap();
        let outer = here.replace(fast_word_of(3));
        std::thread::spawn(|| assert!(!Inside::here().unwrap().is_leaf())).join().unwrap();
        assert!(here.is_leaf() && here.is_fast());
        here.replace(outer);
    }
}
