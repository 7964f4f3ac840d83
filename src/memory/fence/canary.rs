//! Canaries: the bytes that fences are made of, and that quarantined blocks are filled with.
//!
//! The canary of a block depends on the address of its data and on a random key of the process, and no sixteen bytes of
//! it are like the next. A fence that was copied from another block, or to another position in its block, is therefore
//! seen as the overflow that it is: `memcpy` with a length that is too large for both blocks copies just that.
//!
//! Every byte has its highest bit set, and none of the sixteen behind the data is 0xFF. Text, NULs, small numbers and
//! -1, which are what programs write by mistake, are never taken for a canary there, and offsets that are reported are
//! exact for them. Of other bytes one in 128 is missed at a given place, two in a row once in 16,384, and so on.
//! Neighbouring blocks differ in the bytes next to their data.
#![expect(unsafe_code, reason = "compares and writes the bytes around a block")]

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::memory::address::Address;
use crate::memory::simd16::Simd16;
#[cfg(target_arch = "x86_64")]
use crate::memory::simd16::Simd32;

/// The bytes that are compared and written at once.
pub const CHUNK: usize = 16;
/// The chunks of a poisoned block are numbered from here, far from those of fences.
const POISON: isize = 1 << 40;

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// The difference between two chunks that follow each other, for each half. Chosen so that the twelve chunks of the
/// default fences (-4 to 7) differ from each other in every byte; a test holds that.
const STEPS: [u64; 2] = [0xdda1_494c_73cf_256d, 0xc7fd_e805_ec99_108d];
/// Multiples of the golden ratio and of the square root of two lie as far apart as can be, so neighbouring addresses
/// get different bytes. Half of each, because the highest bit of a byte is set whatever the product is.
const SPREAD: [u64; 2] = [0x9e37_79b9_7f4a_7c15 >> 1 | 1, 0x6a09_e667_f3bc_c909 >> 1 | 1];

/// The random key of the process; 0 before it was drawn.
static KEY: [AtomicU64; 2] = [const { AtomicU64::new(0) }; 2];

#[inline(always)]
fn key(half: usize) -> u64 {
    match KEY[half].load(Ordering::Relaxed) {
        0 => draw(half),
        key => key,
    }
}

#[cold]
fn draw(half: usize) -> u64 {
    // The standard library seeds its hashers with random bytes of the system.
    let drawn = RandomState::new().build_hasher().finish() | 1;
    // The first one counts: blocks are made on several threads.
    KEY[half].compare_exchange(0, drawn, Ordering::Relaxed, Ordering::Relaxed).map_or_else(|first| first, |_| drawn)
}

/// The canary of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub struct Canary([u64; 2]);

impl Canary {
    /// The canary of no block.
    pub const NONE: Self = Self([0; 2]);

    /// The canary of the block whose data begins at an address.
    #[inline]
    pub fn of(data: Address) -> Self {
        // Blocks begin at multiples of sixteen.
        let number = (data.get() >> 4) as u64;
        let half = |at: usize| {
            let spread = number.wrapping_mul(SPREAD[at]) ^ key(at);
            (spread ^ spread >> 32) | HIGH_BITS
        };
        // The upper bytes of a product are spread best; they lie next to the data, on either side.
        Self([without_ones(half(0).swap_bytes()), without_ones(half(1))])
    }

    /// Eight bytes of it, which depend on all of the address.
    #[inline]
    pub const fn word(self) -> u64 {
        self.0[1]
    }

    /// The bytes of the chunk with a number: 0 and up after the data, -1 and down before it.
    #[inline(always)]
    fn chunk(self, number: isize) -> [u64; 2] {
        let [first, second] = step(number);
        [self.0[0] ^ first, self.0[1] ^ second]
    }

    /// The byte at an offset from the end of the data (0 and up) or from its start (-1 and down).
    pub fn byte(self, offset: isize) -> u8 {
        let word = self.chunk(offset.div_euclid(CHUNK as isize))[offset.rem_euclid(CHUNK as isize) as usize / 8];
        word.to_ne_bytes()[offset.rem_euclid(8) as usize]
    }

    /// The bits that differ from the canary in so many chunks at `edge`: after it, or before it. The number is fixed so
    /// that the compiler compares without a loop.
    ///
    /// # Safety
    /// The chunks may be read.
    #[inline(always)]
    pub unsafe fn difference<const AFTER: usize, const BEFORE: usize>(
        &self,
        start: *const u8,
        end: *const u8,
    ) -> Simd16 {
        let canary = Simd16::new(self.0);
        let differs = |edge: *const u8, number: isize| {
            // SAFETY: by the contract of this function.
            let found = unsafe { Simd16::read(edge.offset(number * CHUNK as isize)) };
            found.xor(canary).xor(Simd16::new(step(number)))
        };
        let after = (1..AFTER as isize).fold(differs(end, 0), |found, number| found.or(differs(end, number)));
        (1..=BEFORE as isize).fold(after, |found, number| found.or(differs(start, -number)))
    }

    /// The same for two chunks at once, where the processor has AVX2.
    ///
    /// # Safety
    /// The chunks may be read.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2")]
    pub unsafe fn difference_by_pairs<const AFTER: usize, const BEFORE: usize>(
        &self,
        start: *const u8,
        end: *const u8,
    ) -> Simd32 {
        const {
            assert!(
                AFTER <= NEAR.len() - FIRST && AFTER.is_multiple_of(2) && BEFORE <= FIRST && BEFORE.is_multiple_of(2)
            )
        };
        let canary = Simd32::twice(Simd16::new(self.0));
        let differs = |edge: *const u8, number: isize| {
            // SAFETY: by the contract of this function for the chunks; the assertion above for the table.
            unsafe {
                let steps = NEAR.as_ptr().offset(FIRST as isize + number);
                Simd32::read(edge.offset(number * CHUNK as isize)).xor(canary).xor(Simd32::read(steps.cast()))
            }
        };
        let pairs = |count: usize| 1..(count / 2) as isize;
        let mut found = differs(end, 0).or(differs(start, -2));
        for pair in pairs(AFTER) {
            found = found.or(differs(end, pair * 2));
        }
        for pair in pairs(BEFORE) {
            found = found.or(differs(start, -2 - pair * 2));
        }
        found
    }

    /// Whether the chunks with these numbers, counted from `edge`, are as they were written.
    ///
    /// # Safety
    /// They may be read.
    #[inline]
    pub unsafe fn is_at(self, edge: *const u8, mut numbers: std::ops::Range<isize>) -> bool {
        // SAFETY: by the contract of this function.
        numbers.all(|number| unsafe {
            edge.offset(number * CHUNK as isize).cast::<[u64; 2]>().read_unaligned() == self.chunk(number)
        })
    }

    /// Writes the chunks with these numbers, counted from `edge`; constants, so that the compiler makes no loop of it.
    ///
    /// # Safety
    /// They may be written.
    #[inline(always)]
    pub unsafe fn put_near(self, edge: *mut u8, numbers: std::ops::Range<isize>) {
        let canary = Simd16::new(self.0);
        for number in numbers {
            // SAFETY: by the contract of this function.
            unsafe { canary.xor(Simd16::new(step(number))).write(edge.offset(number * CHUNK as isize)) };
        }
    }

    /// Writes the chunks with these numbers, counted from `edge`.
    ///
    /// # Safety
    /// They may be written.
    #[inline(always)]
    pub unsafe fn put(self, edge: *mut u8, numbers: std::ops::Range<isize>) {
        for number in numbers {
            // SAFETY: by the contract of this function.
            unsafe { edge.offset(number * CHUNK as isize).cast::<[u64; 2]>().write_unaligned(self.chunk(number)) };
        }
    }

    /// Fills memory without an owner.
    pub fn poison(self, memory: &mut [u8]) {
        let (chunks, rest) = memory.as_chunks_mut();
        let last = POISON + chunks.len() as isize;
        for (chunk, number) in chunks.iter_mut().zip(POISON..) {
            *chunk = bytes(self.chunk(number));
        }
        rest.copy_from_slice(&bytes(self.chunk(last))[..rest.len()]);
    }

    /// The first and last byte of poisoned memory that is not as [`Canary::poison`] left it.
    pub fn find_written(self, memory: &[u8]) -> Option<(usize, usize)> {
        let mut written: Option<(usize, usize)> = None;
        for (index, (chunk, number)) in memory.chunks(CHUNK).zip(POISON..).enumerate() {
            let expected = bytes(self.chunk(number));
            // Whole chunks are compared as two words, not by a call of memcmp.
            let is_same = match <&[u8; CHUNK]>::try_from(chunk) {
                Ok(whole) => *whole == expected,
                Err(_) => *chunk == expected[..chunk.len()],
            };
            if is_same {
                continue;
            }
            let differing =
                || chunk.iter().zip(expected).enumerate().filter(|(_, (found, expected))| *found != expected);
            for at in differing().map(|(at, _)| index * CHUNK + at) {
                written = Some((written.map_or(at, |(first, _)| first), at));
            }
        }
        written
    }
}

/// Half a canary with no byte of 0xFF.
#[inline(always)]
const fn without_ones(half: u64) -> u64 {
    // The highest bit of a byte is always set: the sum has it again where all others are set, too.
    half ^ ((((half & !HIGH_BITS) + (HIGH_BITS >> 7)) & HIGH_BITS) >> 7)
}

/// The difference between the chunk with a number and the canary.
#[inline(always)]
const fn step(number: isize) -> [u64; 2] {
    [(number as u64).wrapping_mul(STEPS[0]) & !HIGH_BITS, (number as u64).wrapping_mul(STEPS[1]) & !HIGH_BITS]
}

/// The steps of the chunks near the data, one after the other, so that two can be read at once.
#[cfg(target_arch = "x86_64")]
static NEAR: [[u64; 2]; 12] = {
    let mut steps = [[0; 2]; 12];
    let mut at = 0;
    while at < steps.len() {
        steps[at] = step(at as isize - FIRST as isize);
        at += 1;
    }
    steps
};
/// Where the step of chunk 0 stands among them.
#[cfg(target_arch = "x86_64")]
const FIRST: usize = 4;

fn bytes(chunk: [u64; 2]) -> [u8; CHUNK] {
    let mut bytes = [0; CHUNK];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(chunk) {
        bytes.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canary(number: usize) -> Canary {
        Canary::of(Address::new(0x7f00_0000_0000 + number * 16).unwrap())
    }

    #[test]
    fn the_chunks_of_a_default_fence_differ_in_every_byte() {
        let canary = canary(1);
        for one in -4..8 {
            for other in -4..one {
                let pairs = bytes(canary.chunk(one)).into_iter().zip(bytes(canary.chunk(other)));
                assert!(pairs.into_iter().all(|(one, other)| one != other), "chunks {one} and {other}");
            }
        }
    }

    #[test]
    fn no_byte_is_text_or_nul() {
        for number in 0..1000 {
            assert!((-1024..1024).all(|offset| canary(number).byte(offset) >= 0x80));
        }
    }

    #[test]
    fn no_byte_behind_the_data_is_all_ones() {
        for number in 0..20_000 {
            let canary = canary(number * 31);
            assert!((0..16).all(|offset| canary.byte(offset) >= 0x80 && canary.byte(offset) != 0xff), "block {number}");
        }
        assert_eq!(without_ones(0xff80_ff81_ffff_fffe), 0xfe80_fe81_fefe_fefe);
    }

    #[test]
    fn the_bytes_next_to_the_data_differ_between_neighbouring_blocks() {
        for distance in 1..50 {
            let (one, other) = (canary(0), canary(distance));
            assert!(one.byte(0) != other.byte(0) && one.byte(-1) != other.byte(-1), "distance {distance}");
        }
    }

    #[test]
    fn a_byte_of_another_block_is_seldom_the_same() {
        let blocks = 4000;
        for offset in [0, 5, 11, -1, -9] {
            let same = (0..blocks)
                .filter(|number| canary(*number).byte(offset) == canary(number * 7919 + 100_000).byte(offset));
            assert!(same.count() < blocks / 80, "offset {offset}");
        }
    }

    #[test]
    fn eight_bytes_are_never_the_same_at_another_place() {
        let (one, other) = (canary(3), canary(260));
        let window = |canary: Canary, from: isize| (from..from + 8).map(|at| canary.byte(at)).collect::<Vec<_>>();
        for from in -64..120 {
            for to in -64..120 {
                assert!(from == to || window(one, from) != window(one, to), "{from} and {to}");
                assert!(window(one, from) != window(other, to), "{from} and {to} of another block");
            }
        }
    }

    #[test]
    fn what_was_written_into_poison_is_found_to_the_byte() {
        let (canary, mut memory) = (canary(9), vec![0; 1003]);
        canary.poison(&mut memory);
        assert_eq!(canary.find_written(&memory), None);
        memory[17..21].fill(0);
        memory[1002] = 0;
        assert_eq!(canary.find_written(&memory), Some((17, 1002)));
    }
}
