//! Fences: canaries before and after a block, so that a native write past its end hits nothing else and is seen.
//!
//! A block lies in memory like this; `data` is what everybody else knows of it:
//!
//! ```text
//! raw   [ header 32 | fence before | data ... | fence after ]
//! ```
//!
//! The canary is a fixed text of 16 bytes, anchored at both ends of the data: a byte that happens to be written as it
//! stood cannot be seen by anybody, so none of its bytes is one that programs fill memory with.
#![expect(unsafe_code, reason = "writes and compares the bytes around a block")]

use std::mem;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use super::address::{Address, Span};
use super::mapped::{self, Access};
use super::wide::Wide;
use crate::error::Side;

/// The canary, read away from the data on the side after it.
const AFTER: [u8; 16] =
    [0xF5, 0x9B, 0xD3, 0x8E, 0xF1, 0xB6, 0x97, 0xE9, 0xC7, 0x8B, 0xF3, 0xA6, 0x93, 0xDB, 0xB9, 0xE5];
const AFTER_WORD: u128 = u128::from_ne_bytes(AFTER);
/// The same canary on the side before it, mirrored: the byte next to the data is the first one again.
const BEFORE_WORD: u128 = u128::from_ne_bytes(mirrored(AFTER));
const CHUNK: usize = 16;

const fn mirrored(bytes: [u8; 16]) -> [u8; 16] {
    let mut mirror = [0; 16];
    let mut i = 0;
    while i < 16 {
        mirror[i] = bytes[15 - i];
        i += 1;
    }
    mirror
}

/// How wide the fences are, in bytes; multiples of 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Before the data.
    pub before: usize,
    /// After the data.
    pub after: usize,
}

impl Widths {
    /// The width on a side.
    pub fn of(self, side: Side) -> usize {
        match side {
            Side::Before => self.before,
            Side::After => self.after,
        }
    }
}

/// The default: a write past the end is the common mistake and may be a whole struct long (XEvent: 96 bytes past 96).
/// `docs/memory.md` has the measurements.
pub const DEFAULT: Widths = Widths { before: 64, after: 128 };
/// What a call checks of each side; the rest is checked when the block is freed and by `checkFences()`. No fence is
/// narrower.
const NEAR: Widths = DEFAULT;
/// The narrowest and the widest that the setting allows.
const NARROWEST: usize = DEFAULT.before;
const WIDEST: usize = 1 << 20;

static WIDTHS: OnceLock<Widths> = OnceLock::new();

/// The widths in force: those of the first [`configure`], else the default.
pub fn widths() -> Widths {
    *WIDTHS.get_or_init(|| DEFAULT)
}

/// Sets the widths for the process, from a number of bytes for each side. The first setting counts, because blocks of
/// one process share one layout. False for a number that is out of range.
pub fn configure(bytes: usize) -> bool {
    if !(NARROWEST..=WIDEST).contains(&bytes) {
        return false;
    }
    let bytes = bytes.next_multiple_of(CHUNK);
    if WIDTHS.set(Widths { before: bytes, after: bytes.max(DEFAULT.after) }).is_ok() {
        LEAD.store(HEADER + bytes, Ordering::Relaxed);
    }
    true
}

/// What stands at the start of a block.
#[repr(C)]
struct Header {
    /// Who was given the address: 0 nobody, else a symbol of `report`.
    giver: u32,
    /// Calls under way that were handed the block.
    pins: u32,
    length: usize,
    /// From `raw` to the data.
    offset: usize,
    /// The length, the address and the offset mixed: whether the header is still as it was. Nearest to the data, so that a
    /// write that comes from there destroys it first.
    seal: usize,
}

/// The length of a block whose header was destroyed while nobody knew its length.
const UNKNOWN: usize = usize::MAX;
/// The giver of a block whose header had to be written anew.
const SOMEBODY: u32 = u32::MAX;
/// The offset of a block whose header had to be written anew.
const LOST: usize = 0;
const HEADER: usize = size_of::<Header>();
const KEY: usize = 0x9d5f_3b71_c6a8_e24d_u64 as usize;

const fn seal(data: usize, length: usize, offset: usize) -> usize {
    // Not linear: a write that inverts every bit must not make a header that fits again.
    let mixed = (data ^ KEY).wrapping_mul(KEY).wrapping_add(length).rotate_left(23).wrapping_mul(KEY);
    mixed.wrapping_add(offset.wrapping_mul(KEY)).rotate_left(31).wrapping_mul(KEY)
}

/// The bytes a block needs beside its data.
pub fn overhead() -> usize {
    let widths = widths();
    HEADER + widths.before + widths.after
}

/// The distance from the start of a block to its data.
#[inline]
pub fn lead() -> usize {
    LEAD.load(Ordering::Relaxed)
}

/// [`lead`] by the widths in force, so that every look at a header is one load.
static LEAD: AtomicUsize = AtomicUsize::new(HEADER + DEFAULT.before);

/// What a header says that fits: a copy to compare it with, which is quicker than to look whether it fits. Its last fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Sealed {
    length: usize,
    offset: usize,
    seal: usize,
}

/// Where its last sixteen bytes begin.
const LAST: usize = size_of::<Sealed>() - CHUNK;
const _: () = assert!(mem::offset_of!(Header, length) + size_of::<Sealed>() == HEADER && LAST <= CHUNK);

impl Sealed {
    /// That of no block.
    pub const NONE: Self = Self { length: UNKNOWN, offset: LOST, seal: 0 };

    /// The length of the data.
    #[inline]
    pub fn length(self) -> usize {
        self.length
    }
}

/// A block with fences. Its memory is allocated as long as the value is used: whoever makes one answers for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fenced(Address);

/// What was found in a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Where.
    pub side: Side,
    /// The offset of the byte nearest to the data that was overwritten, from the data's start.
    pub first: isize,
    /// From the end of the data that was left to the last byte that was overwritten.
    pub past: usize,
}

impl Fenced {
    /// Makes a block out of allocated memory: the data begins `offset` bytes into it.
    ///
    /// # Safety
    /// M8: `raw` is allocated for `offset + length +` the fence after, and `offset` is at least [`lead`].
    pub unsafe fn build(raw: Address, offset: usize, length: usize) -> Option<Self> {
        let data = Address::new(raw.get().checked_add(offset)?)?;
        let block = Self(data);
        // SAFETY: M8 by the contract of this function.
        unsafe {
            let header = Header { giver: 0, pins: 0, length, offset, seal: seal(data.get(), length, offset) };
            block.header().write_unaligned(header);
            block.mend(length);
        }
        Some(block)
    }

    /// The block whose data is at an address that the registry knows.
    ///
    /// # Safety
    /// M8: the address is the data of a block that stays allocated while the value is used.
    pub unsafe fn at(data: Address) -> Self {
        Self(data)
    }

    /// The first byte of the data.
    pub fn data(self) -> Address {
        self.0
    }

    fn header(self) -> *mut Header {
        // The header lies directly in front of the fence, so that it is found from the data alone.
        std::ptr::with_exposed_provenance_mut(self.0.get() - lead())
    }

    /// The length of the data; `None` where a write before the block has destroyed the header.
    pub fn length(self) -> Option<usize> {
        self.sealed().map(Sealed::length)
    }

    /// What the header says, where it fits and tells the length.
    pub fn sealed(self) -> Option<Sealed> {
        // SAFETY: M8; the header is inside the block.
        let header = unsafe { self.header().read_unaligned() };
        let Header { length, offset, seal, .. } = header;
        (length != UNKNOWN && self.is_sealed(&header)).then_some(Sealed { length, offset, seal })
    }

    fn is_sealed(self, header: &Header) -> bool {
        header.seal == seal(self.0.get(), header.length, header.offset)
    }

    /// The length, where a write from the data's side has destroyed the seal and perhaps the offset but not the length:
    /// there, a whole fence follows the data.
    pub fn guess_length(self) -> Option<usize> {
        // SAFETY: M8; the header is inside the block.
        let length = unsafe { self.header().read_unaligned() }.length;
        let fence = Address::new(self.0.get().checked_add(length)?)?;
        let fence = Span::new(fence, widths().after).ok()?;
        (mapped::is_mapped(fence, Access::Read) && self.intact(length, 0, fence.length)).then_some(length)
    }

    /// Whether the header was destroyed and [`Fenced::give_up`] has noted it.
    pub fn is_given_up(self) -> bool {
        // SAFETY: M8; the header is inside the block.
        let header = unsafe { self.header().read_unaligned() };
        header.length == UNKNOWN && self.is_sealed(&header)
    }

    /// Notes that a write before the block has destroyed its header, so that it is not reported again.
    pub fn give_up(self) {
        let seal = seal(self.0.get(), UNKNOWN, LOST);
        let header = Header { giver: SOMEBODY, pins: 0, length: UNKNOWN, offset: LOST, seal };
        // SAFETY: M8; the header is inside the block.
        unsafe {
            self.header().write_unaligned(header);
            self.mend_before();
        }
    }

    /// Whether the engine allocated it: memory of our own has its capacity in front.
    pub fn is_of_engine(self) -> bool {
        // SAFETY: M8; the header is inside the block.
        self.length().is_some() && unsafe { self.header().read_unaligned() }.offset == lead()
    }

    /// The start of the memory the block was made of; `None` where the header was destroyed, now or before a repair.
    pub fn raw(self) -> Option<Address> {
        self.length()?;
        // SAFETY: M8; the header is inside the block.
        let offset = unsafe { self.header().read_unaligned() }.offset;
        if offset == LOST { None } else { Address::new(self.0.get() - offset) }
    }

    /// Notes to whom the address was given.
    #[inline]
    pub fn give(self, symbol: u32) {
        // SAFETY: M8; the field is inside the block. Two threads may note at once; either note is true.
        unsafe { (&raw mut (*self.header()).giver).write_unaligned(symbol) };
    }

    /// To whom the address was last given; 0 nobody.
    pub fn giver(self) -> u32 {
        // SAFETY: M8; the field is inside the block.
        unsafe { (&raw const (*self.header()).giver).read_unaligned() }
    }

    fn pins(self) -> &'static AtomicU32 {
        // SAFETY: M8; the field is inside the block and aligned, as blocks begin at multiples of 16. The reference does
        // not leave this module.
        unsafe { AtomicU32::from_ptr(&raw mut (*self.header()).pins) }
    }

    /// Notes that a call is using the block: its memory is not given back before [`Fenced::unpin`].
    pub fn pin(self) {
        self.pins().fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that the call is over.
    pub fn unpin(self) {
        // Whoever wrote over the header may have written over the count.
        let _ = self.pins().fetch_update(Ordering::Release, Ordering::Relaxed, |pins| pins.checked_sub(1));
    }

    /// Whether calls under way use the block.
    pub fn is_pinned(self) -> bool {
        self.length().is_some() && self.pins().load(Ordering::Acquire) > 0
    }

    /// Whether the parts of the fences that a call checks are as they were: a few loads.
    #[inline(always)]
    pub fn is_whole_near(self, length: usize) -> bool {
        self.differs_near(length).is_zero()
    }

    /// The same, and whether the header is as it was.
    #[inline(always)]
    pub fn is_whole_as(self, sealed: &Sealed) -> bool {
        // SAFETY: M8; the last fields of the header are inside the block.
        let header = unsafe {
            let (here, wanted) = ((&raw const (*self.header()).length).cast(), (&raw const *sealed).cast());
            different(here, wanted).or(different(here.add(LAST), wanted.add(LAST)))
        };
        self.differs_near(sealed.length).or(header).is_zero()
    }

    #[inline(always)]
    fn differs_near(self, length: usize) -> Wide {
        let data = self.0.as_ptr();
        // SAFETY: M8; both widths are inside the block.
        unsafe {
            let after = difference::<{ NEAR.after / CHUNK }>(data.add(length), &AFTER_WORD);
            after.or(difference::<{ NEAR.before / CHUNK }>(data.sub(NEAR.before), &BEFORE_WORD))
        }
    }

    /// Whether the whole fences are as they were.
    pub fn is_whole(self, length: usize) -> bool {
        let widths = widths();
        self.length() == Some(length) && self.intact(length, widths.before, widths.after)
    }

    #[inline]
    fn intact(self, length: usize, before: usize, after: usize) -> bool {
        let data = self.0.as_ptr();
        let mut difference = 0;
        // SAFETY: M8; both widths are inside the block.
        unsafe {
            for at in (0..after).step_by(CHUNK) {
                difference |= data.add(length + at).cast::<u128>().read_unaligned() ^ AFTER_WORD;
            }
            for at in (CHUNK..=before).step_by(CHUNK) {
                difference |= data.sub(at).cast::<u128>().read_unaligned() ^ BEFORE_WORD;
            }
        }
        difference == 0
    }

    /// What was overwritten: the side past the end is looked at first.
    pub fn breach(self, length: usize) -> Option<Breach> {
        let widths = widths();
        let data = self.0.as_ptr();
        let differs_after = |at: &usize| {
            // SAFETY: M8; `at` is inside the fence after.
            unsafe { data.add(length + at).read() != AFTER[at % CHUNK] }
        };
        let differs_before = |at: &usize| {
            // SAFETY: M8; `at` is inside the fence before.
            unsafe { data.sub(at + 1).read() != AFTER[at % CHUNK] }
        };
        if let Some(first) = (0..widths.after).find(differs_after) {
            let last = (0..widths.after).rev().find(differs_after).unwrap_or(first);
            return Some(Breach { side: Side::After, first: (length + first) as isize, past: last + 1 });
        }
        if let Some(first) = (0..widths.before).find(differs_before) {
            let last = (0..widths.before).rev().find(differs_before).unwrap_or(first);
            let past = match self.header_damage(length) {
                0 => last + 1,
                damage => widths.before + damage,
            };
            return Some(Breach { side: Side::Before, first: -(first as isize) - 1, past });
        }
        let untouched = self.length() == Some(length) || self.is_given_up();
        (!untouched).then(|| Breach {
            side: Side::Before,
            first: -(widths.before as isize) - 1,
            past: widths.before + self.header_damage(length).max(1),
        })
    }

    /// How many bytes of the header were overwritten, from the data's side: as far as what stood there is known.
    fn header_damage(self, length: usize) -> usize {
        if self.length() == Some(length) || self.is_given_up() {
            return 0;
        }
        // SAFETY: M8; the header is inside the block.
        let found = unsafe { self.header().read_unaligned() };
        let words = |length, offset, seal| {
            let mut bytes = [0; 3 * size_of::<usize>()];
            for (word, chunk) in [length, offset, seal].iter().zip(bytes.chunks_exact_mut(size_of::<usize>())) {
                chunk.copy_from_slice(&usize::to_ne_bytes(*word));
            }
            bytes
        };
        let offset = lead();
        let expected = words(length, offset, seal(self.0.get(), length, offset));
        let found = words(found.length, found.offset, found.seal);
        let first = expected.iter().zip(found).position(|(expected, found)| *expected != found);
        first.map_or(0, |first| expected.len() - first)
    }

    /// Writes the canaries again, and the header where it was destroyed; `length` is then the caller's.
    pub fn repair(self, length: usize) {
        if self.length() != Some(length) {
            let seal = seal(self.0.get(), length, LOST);
            let header = Header { giver: SOMEBODY, pins: 0, length, offset: LOST, seal };
            // SAFETY: M8; the header is inside the block.
            unsafe { self.header().write_unaligned(header) };
        }
        // SAFETY: M8.
        unsafe { self.mend(length) };
    }

    /// # Safety
    /// M8: the fences of `length` bytes of data are inside the block.
    #[inline]
    unsafe fn mend(self, length: usize) {
        let after = self.0.as_ptr().wrapping_add(length);
        // SAFETY: M8 by the contract of this function.
        unsafe {
            put_canary::<{ DEFAULT.after / CHUNK }>(after, AFTER_WORD);
            for at in (DEFAULT.after..widths().after).step_by(CHUNK) {
                after.add(at).cast::<u128>().write_unaligned(AFTER_WORD);
            }
            self.mend_before();
        }
    }

    /// # Safety
    /// M8.
    #[inline]
    unsafe fn mend_before(self) {
        let data = self.0.as_ptr();
        // SAFETY: M8 by the contract of this function.
        unsafe {
            put_canary::<{ DEFAULT.before / CHUNK }>(data.sub(DEFAULT.before), BEFORE_WORD);
            for at in (DEFAULT.before + CHUNK..=widths().before).step_by(CHUNK) {
                data.sub(at).cast::<u128>().write_unaligned(BEFORE_WORD);
            }
        }
    }
}

/// What differs from the canary in so many chunks. The number is fixed so that the compiler compares without a loop.
///
/// # Safety
/// M8: the chunks are inside a block.
#[inline(always)]
unsafe fn difference<const CHUNKS: usize>(start: *const u8, canary: &u128) -> Wide {
    let canary = (&raw const *canary).cast();
    // SAFETY: M8 by the contract of this function.
    let here = |at: usize| unsafe { different(start.add(at * CHUNK), canary) };
    (1..CHUNKS).fold(here(0), |found, at| found.or(here(at)))
}

/// What differs between two chunks.
///
/// # Safety
/// Both may be read.
#[inline(always)]
unsafe fn different(one: *const u8, other: *const u8) -> Wide {
    // SAFETY: by the contract of this function.
    unsafe { Wide::read(one).xor(Wide::read(other)) }
}

/// Writes the canary into so many chunks.
///
/// # Safety
/// M8: the chunks are inside a block.
#[inline]
unsafe fn put_canary<const CHUNKS: usize>(start: *mut u8, canary: u128) {
    for at in 0..CHUNKS {
        // SAFETY: M8 by the contract of this function.
        unsafe { start.cast::<[u64; 2]>().add(at).write_unaligned(halves(canary)) };
    }
}

const fn halves(canary: u128) -> [u64; 2] {
    // SAFETY: M8; sixteen bytes either way.
    unsafe { mem::transmute(canary) }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Owned(Vec<u128>, Fenced, usize);

    fn block(length: usize) -> Owned {
        let mut memory = vec![0u128; (length + overhead()).div_ceil(16)];
        let raw = Address::new(memory.as_mut_ptr().expose_provenance()).unwrap();
        // SAFETY: M8; the vector is that large and moves nowhere.
        let fenced = unsafe { Fenced::build(raw, lead(), length) }.unwrap();
        Owned(memory, fenced, length)
    }

    impl Owned {
        fn write(&self, at: isize, byte: u8, count: usize) {
            // SAFETY: M8; the tests stay inside the block.
            unsafe { self.1.data().as_ptr().offset(at).write_bytes(byte, count) };
        }
    }

    #[test]
    fn a_new_block_is_whole() {
        for length in [0, 1, 7, 64, 96, 1000] {
            let Owned(_memory, fenced, _) = &block(length);
            assert!(
                fenced.is_whole_as(&fenced.sealed().unwrap())
                    && fenced.is_whole(length)
                    && fenced.breach(length).is_none()
            );
            assert_eq!(fenced.length(), Some(length));
        }
    }

    #[test]
    fn a_write_past_the_end_is_seen_where_it_begins_and_ends() {
        for (length, count) in [(96, 96), (96, 1), (40, 128), (7, 3), (1, 16)] {
            let owned = block(length);
            let sealed = owned.1.sealed().unwrap();
            owned.write(length as isize, 0x41, count);
            assert!(!owned.1.is_whole_as(&sealed));
            let found = owned.1.breach(length).unwrap();
            assert_eq!((found.side, found.first, found.past), (Side::After, length as isize, count));
            owned.1.repair(length);
            assert!(owned.1.is_whole(owned.2));
        }
    }

    #[test]
    fn a_write_before_the_start_is_seen_even_in_the_header() {
        for count in [1, 16, 64, 70, 80, 64 + 32] {
            let owned = block(100);
            let sealed = owned.1.sealed().unwrap();
            owned.write(-(count as isize), 0x41, count);
            assert!(!owned.1.is_whole(100) && !owned.1.is_whole_as(&sealed));
            let found = owned.1.breach(100).unwrap();
            assert_eq!((found.side, found.first, found.past), (Side::Before, -1, count.min(64 + 24)));
            owned.1.repair(100);
            assert!(owned.1.is_whole(100));
            assert_eq!(owned.1.raw().is_some(), count <= 64);
        }
    }

    #[test]
    fn a_header_alone_that_was_overwritten_is_seen() {
        for at in 65..=64 + 24 {
            let owned = block(64);
            let sealed = owned.1.sealed().unwrap();
            // SAFETY: M8; the byte is one of the header.
            let byte = unsafe { owned.1.data().as_ptr().offset(-at).read() };
            owned.write(-at, !byte, 1);
            assert!(!owned.1.is_whole_as(&sealed));
        }
    }

    #[test]
    fn a_single_byte_of_any_other_value_is_seen() {
        let owned = block(64);
        let sealed = owned.1.sealed().unwrap();
        for byte in 0..=255u8 {
            owned.write(64, byte, 1);
            assert_eq!(owned.1.is_whole_as(&sealed), byte == AFTER[0]);
            owned.1.repair(64);
        }
    }
}
