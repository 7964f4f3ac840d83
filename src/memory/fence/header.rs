//! The header of a fenced block: how long the block is, who uses it, and a seal that shows whether it was overwritten.
//!
//! Its fields are atomic, because the engine frees blocks on separate threads, and `checkFences()` reads the
//! blocks of every thread.

use std::mem::offset_of;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::canary::Canary;

/// The length of a block whose header was destroyed before its length was known.
const UNKNOWN: usize = usize::MAX;
/// The receiver of the address of a block whose header was rewritten.
const SOMEBODY: u32 = u32::MAX;
/// The offset of a block whose header was rewritten.
const LOST: usize = 0;
/// The pins of a block whose count was destroyed. It may be in use, so its memory is never freed.
const PINNED_FOR_GOOD: u32 = u32::MAX / 2;

/// The start of a block.
#[derive(Debug)]
#[repr(C)]
pub struct Header {
    /// The function that received the address last, as a number of `report::intern`; 0 for none.
    exposed_to: AtomicU32,
    /// Calls under way that were passed the block.
    pins: AtomicU32,
    length: AtomicUsize,
    /// From `raw` to the data.
    offset: AtomicUsize,
    /// The other fields mixed with the canary. Nearest to the data, so that a write that comes from there destroys it
    /// first.
    seal: AtomicUsize,
}

/// A copy of the last fields of a valid header, and the canary of the block. Comparing with this copy is faster than
/// computing the seal and the canary again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Sealed {
    length: usize,
    offset: usize,
    seal: usize,
    canary: Canary,
}

/// The bytes that a [`Sealed`] has of a header, and where they begin in one.
pub const COPIED: usize = offset_of!(Sealed, seal) + size_of::<usize>();
pub const COPIED_FROM: usize = offset_of!(Header, length);
/// Where the length is in a [`Sealed`].
pub const LENGTH_AT: usize = offset_of!(Sealed, length);
const _: () = assert!(COPIED_FROM + COPIED == size_of::<Header>());

impl Sealed {
    /// The copy for no block.
    pub const NONE: Self = Self { length: UNKNOWN, offset: LOST, seal: 0, canary: Canary::NONE };

    fn new(canary: Canary, length: usize, offset: usize) -> Self {
        const KEY: usize = 0x9d5f_3b71_c6a8_e24d_u64 as usize;
        // Not linear: a write that inverts every bit must not make a header that fits again.
        let mixed = (canary.word() as usize ^ length).wrapping_mul(KEY).rotate_left(23);
        let seal = (mixed ^ offset).wrapping_mul(KEY).rotate_left(31);
        Self { length, offset, seal, canary }
    }

    /// The length of the data.
    #[inline]
    pub fn length(self) -> usize {
        self.length
    }

    /// The distance from the start of the block's memory to its data; `None` where the header was destroyed.
    pub fn offset(self) -> Option<usize> {
        (self.offset != LOST).then_some(self.offset)
    }

    /// The canary of the block.
    #[inline]
    pub fn canary(&self) -> &Canary {
        &self.canary
    }

    fn bytes(self) -> [u8; COPIED] {
        let mut bytes = [0; COPIED];
        for (bytes, word) in bytes.chunks_exact_mut(size_of::<usize>()).zip([self.length, self.offset, self.seal]) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }
}

impl Header {
    /// The header of a new block.
    pub fn new(canary: Canary, length: usize, offset: usize) -> Self {
        let Sealed { length, offset, seal, .. } = Sealed::new(canary, length, offset);
        Self {
            exposed_to: AtomicU32::new(0),
            pins: AtomicU32::new(0),
            length: AtomicUsize::new(length),
            offset: AtomicUsize::new(offset),
            seal: AtomicUsize::new(seal),
        }
    }

    /// The fields, valid or not.
    fn found(&self, canary: Canary) -> Sealed {
        Sealed {
            length: self.length.load(Ordering::Relaxed),
            offset: self.offset.load(Ordering::Relaxed),
            seal: self.seal.load(Ordering::Relaxed),
            canary,
        }
    }

    fn valid(&self, canary: Canary) -> Option<Sealed> {
        let found = self.found(canary);
        (found == Sealed::new(canary, found.length, found.offset)).then_some(found)
    }

    /// The contents of the header, if its seal is valid.
    pub fn sealed(&self, canary: Canary) -> Option<Sealed> {
        self.valid(canary).filter(|found| found.length != UNKNOWN)
    }

    /// Whether it was destroyed and [`Header::abandon`] has recorded that.
    pub fn is_abandoned(&self, canary: Canary) -> bool {
        self.valid(canary).is_some_and(|found| found.length == UNKNOWN)
    }

    /// The length, whether the header is valid or not.
    pub fn unverified_length(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    /// The number of overwritten bytes, counted from the data; 0 where the header is that of a block with this length
    /// whose data begins at the usual offset, or was rewritten earlier.
    pub fn damage(&self, canary: Canary, length: usize, offset: usize) -> usize {
        let found = self.found(canary).bytes();
        let beyond = |offset: usize| {
            let expected = Sealed::new(canary, length, offset).bytes();
            let first = expected.iter().zip(found).position(|(expected, found)| *expected != found);
            first.map_or(0, |first| COPIED - first)
        };
        beyond(offset).min(beyond(LOST))
    }

    /// Writes a header anew that was destroyed.
    pub fn rewrite(&self, canary: Canary, length: usize) {
        // A write from the data's side reaches the length before it reaches the pins.
        if self.unverified_length() != length {
            self.pins.store(PINNED_FOR_GOOD, Ordering::Relaxed);
        }
        let Sealed { length, offset, seal, .. } = Sealed::new(canary, length, LOST);
        self.exposed_to.store(SOMEBODY, Ordering::Relaxed);
        self.length.store(length, Ordering::Relaxed);
        self.offset.store(offset, Ordering::Relaxed);
        self.seal.store(seal, Ordering::Relaxed);
    }

    /// Records that it was destroyed while the length was unknown, so that this is not reported again.
    pub fn abandon(&self, canary: Canary) {
        self.rewrite(canary, UNKNOWN);
    }

    /// Records the function that received the address.
    #[inline]
    pub fn expose_to(&self, symbol: u32) {
        self.exposed_to.store(symbol, Ordering::Relaxed);
    }

    /// The function that received the address last, as a number of `report::intern`; 0 for none.
    #[inline]
    pub fn exposed_to(&self) -> u32 {
        self.exposed_to.load(Ordering::Relaxed)
    }

    /// Counts a call that uses the block.
    pub fn pin(&self) {
        self.pins.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one [`Header::pin`] back.
    pub fn unpin(&self) {
        // A write over the header may have cleared the count.
        let _ = self.pins.fetch_update(Ordering::Release, Ordering::Relaxed, |pins| pins.checked_sub(1));
    }

    /// Whether calls use the block.
    pub fn is_pinned(&self) -> bool {
        self.pins.load(Ordering::Acquire) > 0
    }

    /// Whether the count of calls was destroyed.
    pub fn is_pinned_for_good(&self) -> bool {
        self.pins.load(Ordering::Acquire) > PINNED_FOR_GOOD / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::address::Address;

    fn canary() -> Canary {
        Canary::of(Address::new(0x7f00_0000_0060).unwrap())
    }

    #[test]
    fn pins_outlive_a_repair_where_they_were_not_hit() {
        let header = Header::new(canary(), 100, 96);
        header.pin();
        header.seal.store(1, Ordering::Relaxed);
        assert_eq!(header.sealed(canary()), None);
        header.rewrite(canary(), 100);
        assert_eq!(header.sealed(canary()).map(Sealed::length), Some(100));
        assert!(header.is_pinned() && !header.is_pinned_for_good());
        header.unpin();
        assert!(!header.is_pinned());
    }

    #[test]
    fn damage_is_counted_again_after_a_repair() {
        let header = Header::new(canary(), 100, 96);
        for _ in 0..2 {
            assert_eq!(header.damage(canary(), 100, 96), 0);
            header.seal.fetch_xor(0xff << 40, Ordering::Relaxed);
            assert_eq!(header.damage(canary(), 100, 96), 3);
            header.rewrite(canary(), 100);
        }
    }

    #[test]
    fn a_block_whose_pins_may_be_wrong_is_never_given_back() {
        let header = Header::new(canary(), 100, 96);
        header.length.store(5, Ordering::Relaxed);
        header.rewrite(canary(), 100);
        header.unpin();
        assert!(header.is_pinned() && header.is_pinned_for_good());
    }
}
