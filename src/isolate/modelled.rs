//! The payload and the futex in the models of the channel ([`super::models`]). A payload is a cell of loom's, which
//! notices that one side has it while the other does. A sleep has no end: a lost wake-up is a deadlock.
#![expect(unsafe_code, reason = "opens cells of loom's")]

pub mod payload {
    use loom::cell::UnsafeCell;

    /// Nothing is so long here.
    pub const PAYLOAD: usize = 100;

    /// See `payload.rs`.
    #[derive(Default)]
    pub struct Payload(UnsafeCell<Vec<u8>>);

    impl Payload {
        /// Replaces the bytes from `at` on.
        pub fn write(&self, at: usize, bytes: &[u8]) -> bool {
            // SAFETY: the cell is borrowed for this alone, or loom panics.
            self.0.with_mut(|all| unsafe {
                (*all).truncate(at);
                (*all).extend_from_slice(bytes);
            });
            true
        }

        /// Copies the first `length` bytes.
        pub fn read(&self, length: usize, to: &mut Vec<u8>) -> bool {
            // SAFETY: as above.
            self.0.with(|all| unsafe {
                to.clear();
                to.extend_from_slice(&(&(*all))[..length]);
            });
            true
        }
    }
}

pub mod futex {
    use std::time::Duration;

    use loom::sync::atomic::AtomicU32;
    use loom::sync::atomic::Ordering::SeqCst;
    use loom::sync::{Condvar, Mutex};

    loom::lazy_static! {
        /// The kernel's queue of sleepers, one for all words: a wake-up for another word changes nothing.
        static ref SLEEPERS: (Mutex<()>, Condvar) = (Mutex::new(()), Condvar::new());
    }

    /// Wakes every sleeper.
    pub fn wake(_: &AtomicU32) {
        let _queue = SLEEPERS.0.lock().unwrap();
        SLEEPERS.1.notify_all();
    }

    /// Sleeps while the word has the expected value.
    pub fn sleep(word: &AtomicU32, expected: u32, _: Duration) {
        let queue = SLEEPERS.0.lock().unwrap();
        if word.load(SeqCst) == expected {
            drop(SLEEPERS.1.wait(queue).unwrap());
        }
    }
}
