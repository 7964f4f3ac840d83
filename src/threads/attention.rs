//! Whether a JavaScript thread stays attentive after it has answered a callback of another thread. A thread that calls
//! back in a loop comes again within a microsecond, and then neither of the two has to be woken by the kernel.

use std::cell::Cell;
use std::hint::spin_loop;
use std::time::{Duration, Instant};

/// The time that the JavaScript thread waits for the next call.
const SHORT: Duration = Duration::from_micros(5);
/// The same where none has come lately: the other thread may have to be woken first.
const LONG: Duration = Duration::from_micros(50);
/// The time that a thread waits for the answer of a JavaScript thread that is attentive, which may be at a turn of its
/// event loop.
pub const FOR_ANSWER: Duration = Duration::from_micros(30);
/// The number of times in vain after which it does not wait any more.
const MOST_IN_VAIN: u32 = 4;
/// Of the calls after that, one in so many is waited for again.
const PASSED_OVER: u32 = 32;
/// After so many calls without a pause the event loop has a turn: timers and sockets wait as well.
const MOST_IN_A_ROW: u32 = 16;

/// The looks between two at the clock.
const BETWEEN_LOOKS: u32 = 16;

/// The record that a JavaScript thread keeps of the calls that it has waited for.
#[derive(Debug)]
pub struct Attention {
    /// Whether another thread can run meanwhile.
    has_processors: bool,
    /// The times in vain that are left.
    left: Cell<u32>,
    passed_over: Cell<u32>,
    in_a_row: Cell<u32>,
}

impl Attention {
    /// With so many processors.
    pub fn new(processors: usize) -> Self {
        let [left, passed_over, in_a_row] = [1, 0, 0].map(Cell::new);
        Self { has_processors: processors > 1, left, passed_over, in_a_row }
    }

    /// The time to wait for the next call; `None` where it is not worth it.
    pub fn time(&self) -> Option<Duration> {
        if !self.has_processors {
            return None;
        }
        if self.in_a_row.get() == MOST_IN_A_ROW {
            self.in_a_row.set(0);
            return None;
        }
        if self.left.get() > 1 {
            return Some(SHORT);
        }
        if self.left.get() == 1 {
            return Some(LONG);
        }
        self.passed_over.set(self.passed_over.get() + 1);
        if self.passed_over.get() < PASSED_OVER {
            return None;
        }
        self.passed_over.set(0);
        Some(LONG)
    }

    /// Whether the next call has come in that time.
    pub fn record(&self, has_come: bool) {
        if has_come {
            self.left.set(MOST_IN_VAIN);
            self.in_a_row.set(self.in_a_row.get() + 1);
        } else {
            self.left.set(self.left.get().saturating_sub(1));
            self.in_a_row.set(0);
        }
    }
}

/// Waits without sleeping, no longer than `time`. Returns whether `is_over` held. It does not yield: on a busy machine
/// the thread would lose its processor for milliseconds.
pub fn spin(time: Duration, is_over: impl Fn() -> bool) -> bool {
    let start = Instant::now();
    loop {
        for _ in 0..BETWEEN_LOOKS {
            if is_over() {
                return true;
            }
            spin_loop();
        }
        if start.elapsed() >= time {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_in_vain_is_tried_rarely() {
        let attention = Attention::new(2);
        assert_eq!(attention.time(), Some(LONG));
        attention.record(false);
        let tries = (0..10 * PASSED_OVER).filter(|_| attention.time().inspect(|_| attention.record(false)).is_some());
        assert_eq!(tries.count(), 10);
    }

    #[test]
    fn the_event_loop_has_a_turn() {
        let attention = Attention::new(2);
        let row = |attention: &Attention| {
            (0..).take_while(|_| attention.time().inspect(|_| attention.record(true)).is_some()).count()
        };
        assert_eq!((row(&attention), row(&attention)), (16, 16));
        assert_eq!(attention.time(), Some(SHORT));
    }

    #[test]
    fn one_processor_is_left_to_the_other_thread() {
        assert_eq!(Attention::new(1).time(), None);
    }

    #[test]
    fn a_wait_ends_by_what_is_waited_for_or_by_time() {
        assert!(spin(Duration::MAX, || true));
        assert!(!spin(Duration::ZERO, || false));
    }
}
