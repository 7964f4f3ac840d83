//! One end of a channel between a process and its host: posts messages, and waits for them by spinning and on a futex.
//!
//! Two rules bound the cost of spinning. A thread does not spin for a peer that last ran on the same processor, because
//! the peer cannot run meanwhile. And after k fruitless spins in a row the next 2^k - 1 are left out.
#![expect(unsafe_code, reason = "hands an end to another thread, and asks for the processor")]

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::futex;
use super::wire::{Direction, ENDED, Kind, WORDS};
use crate::sync::locks::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use crate::sync::locks::atomic::fence;

/// How often a spin reads the sequence number.
const SPINS: u32 = 2000;
/// The most ticks of the processor's clock that a spin takes: PAUSE takes from 10 to 140 of them.
const SPIN_TICKS: u64 = 150_000;
/// The most spins that are left out, as a power of two.
const MOST_SKIPPED: u32 = 10;
/// The longest sleep. After it the thread checks again whether the peer has ended.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// A message without its payload.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    pub kind: u32,
    pub status: u32,
    pub words: [u64; WORDS],
}

impl Head {
    /// A head with the status 0.
    pub fn new(kind: Kind, words: [u64; WORDS]) -> Self {
        Self { kind: kind as u32, status: 0, words }
    }
}

/// The reason why no message was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// The peer has ended.
    Ended,
    /// The deadline has passed.
    Late,
    /// The message claims to be longer than any message.
    Garbled,
}

/// One end of a channel. Used by one thread at a time.
#[derive(Debug)]
pub struct End<'a> {
    out: &'a Direction,
    incoming: &'a Direction,
    /// The messages that were sent and received. Counted here, because the peer can overwrite the counts in shared
    /// memory.
    sent: Cell<u32>,
    seen: Cell<u32>,
    skipped: Cell<u32>,
    failed: Cell<u32>,
    may_spin: bool,
}

// SAFETY: an end moves from one thread to another as a whole. The directions are shared memory, which is accessed by
// atomics; the peer may change the bytes of payloads at any time, so they are only copied.
unsafe impl Send for End<'_> {}

impl std::fmt::Debug for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Direction({})", self.sequence.load(Relaxed))
    }
}

impl<'a> End<'a> {
    /// An end of a new channel.
    pub fn new(out: &'a Direction, incoming: &'a Direction, may_spin: bool) -> Self {
        let zero = || Cell::new(0);
        Self { out, incoming, sent: zero(), seen: zero(), skipped: zero(), failed: zero(), may_spin }
    }

    /// Sends a message. Returns false, without sending, if it is too long.
    pub fn post(&self, head: Head, parts: &[&[u8]]) -> bool {
        let to = self.out;
        let mut length = 0;
        for part in parts {
            if !to.payload.write(length, part) {
                return false;
            }
            length += part.len();
        }
        to.kind.store(head.kind, Relaxed);
        to.status.store(head.status, Relaxed);
        to.length.store(length as u32, Relaxed);
        for (word, value) in to.words.iter().zip(head.words) {
            word.store(value, Relaxed);
        }
        to.processor.store(processor(), Relaxed);
        let sequence = next(self.sent.get());
        self.sent.set(sequence);
        to.sequence.store(sequence, SeqCst);
        order_for_loom();
        if to.sleeping.load(SeqCst) != 0 {
            futex::wake(&to.sequence);
        }
        true
    }

    /// Waits for the next message and copies it. `payload` is replaced by the payload of the message. `has_ended`
    /// returns whether the peer has ended.
    ///
    /// # Errors
    /// Where the peer ends or the deadline passes first, or the message is invalid.
    pub fn receive(
        &self,
        payload: &mut Vec<u8>,
        deadline: Option<Instant>,
        has_ended: impl Fn() -> bool,
    ) -> Result<Head, Missed> {
        self.wait(deadline, has_ended)?;
        self.seen.set(next(self.seen.get()));
        fence(Acquire);
        let from = self.incoming;
        let head = Head {
            kind: from.kind.load(Relaxed),
            status: from.status.load(Relaxed),
            words: std::array::from_fn(|at| from.words[at].load(Relaxed)),
        };
        let length = from.length.load(Relaxed) as usize;
        if from.payload.read(length, payload) { Ok(head) } else { Err(Missed::Garbled) }
    }

    fn has_come(&self) -> bool {
        self.incoming.sequence.load(Acquire) & !ENDED != self.seen.get()
    }

    fn wait(&self, deadline: Option<Instant>, has_ended: impl Fn() -> bool) -> Result<(), Missed> {
        let from = self.incoming;
        let is_over = || deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if self.has_come() || self.spin() {
            return Ok(());
        }
        loop {
            from.sleeping.store(1, SeqCst);
            order_for_loom();
            let outcome = if self.has_come() {
                Some(Ok(()))
            } else if has_ended() {
                Some(Err(Missed::Ended))
            } else if is_over() {
                Some(Err(Missed::Late))
            } else {
                None
            };
            if let Some(outcome) = outcome {
                from.sleeping.store(0, Relaxed);
                return outcome;
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            futex::sleep(&from.sequence, self.seen.get(), left.map_or(LONGEST_SLEEP, |left| left.min(LONGEST_SLEEP)));
            from.sleeping.store(0, Relaxed);
        }
    }

    /// Spins for the message. Returns whether it arrived.
    fn spin(&self) -> bool {
        if !self.may_spin {
            return false;
        }
        if self.skipped.get() > 0 {
            self.skipped.set(self.skipped.get() - 1);
            return false;
        }
        if self.incoming.processor.load(Relaxed) == processor() {
            return false;
        }
        let start = ticks();
        for turn in 0..SPINS {
            if self.has_come() {
                self.failed.set(0);
                return true;
            }
            std::hint::spin_loop();
            if turn % 64 == 63 && ticks().wrapping_sub(start) > SPIN_TICKS {
                break;
            }
        }
        self.failed.set((self.failed.get() + 1).min(MOST_SKIPPED));
        self.skipped.set((1 << self.failed.get()) - 1);
        false
    }
}

fn next(sequence: u32) -> u32 {
    (sequence + 1) & !ENDED
}

/// Marks a direction as ended and wakes the thread that waits for it. A sleep that is about to begin sees the mark and
/// ends at once.
pub fn end(direction: &Direction) {
    direction.sequence.fetch_or(ENDED, SeqCst);
    futex::wake(&direction.sequence);
}

fn processor() -> u32 {
    // SAFETY: the function has no preconditions.
    unsafe { libc::sched_getcpu() as u32 }
}

#[cfg(target_arch = "x86_64")]
fn ticks() -> u64 {
    // SAFETY: every x86-64 processor has the instruction, which touches no memory.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn ticks() -> u64 {
    0
}

/// A fence between a sequentially consistent store and load, which loom models as weaker ones. It models fences fully.
fn order_for_loom() {
    #[cfg(all(test, loom))]
    fence(SeqCst);
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::isolate::wire::{Channel, PAYLOAD};

    fn channel() -> &'static Channel {
        // SAFETY: a channel of zeroes is a new one.
        Box::leak(unsafe { Box::<Channel>::new_zeroed().assume_init() })
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls the kernel")]
    fn messages_go_to_and_fro() {
        let channel = channel();
        let peer = std::thread::spawn(|| {
            let end = End::new(&channel.up, &channel.down, true);
            let mut payload = Vec::new();
            for _ in 0..1000 {
                let mut head = end.receive(&mut payload, None, || false).unwrap();
                head.words[0] += 1;
                assert!(end.post(head, &[&payload, b"!"]));
            }
        });
        let end = End::new(&channel.down, &channel.up, true);
        let mut payload = Vec::new();
        for number in 0..1000 {
            assert!(end.post(Head::new(Kind::Call, [number, 0, 0]), &[b"a", b"b"]));
            let head = end.receive(&mut payload, None, || false).unwrap();
            assert_eq!((head.words[0], payload.as_slice()), (number + 1, &b"ab!"[..]));
        }
        peer.join().unwrap();
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls the kernel")]
    fn a_wait_ends_with_the_peer_the_deadline_or_nonsense() {
        let channel = channel();
        let end = End::new(&channel.down, &channel.up, false);
        let mut payload = Vec::new();
        let soon = Some(Instant::now() + Duration::from_millis(5));
        assert_eq!(end.receive(&mut payload, soon, || false).unwrap_err(), Missed::Late);
        super::end(&channel.up);
        assert_eq!(end.receive(&mut payload, None, || true).unwrap_err(), Missed::Ended);
        channel.up.length.store(u32::MAX, Relaxed);
        channel.up.sequence.store(1, SeqCst);
        assert_eq!(end.receive(&mut payload, None, || false).unwrap_err(), Missed::Garbled);
        assert!(!end.post(Head::new(Kind::Call, [0; WORDS]), &[&[0; PAYLOAD], b"x"]));
    }
}
