//! Fenced blocks: canaries before and after the data, so that a native write past the end hits nothing else and is
//! found.
//!
//! The layout of a block; other code only sees `data`:
//!
//! ```text
//! raw   [ header 32 | fence before | data ... | fence after ]
//! ```
//!
//! The bytes of the fences are the block's [`Canary`].
#![expect(unsafe_code, reason = "writes and compares the bytes around a block")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::canary::{CHUNK, Canary};
use super::header::{COPIED, COPIED_FROM, Header, Sealed};
use crate::error::Side;
use crate::memory::address::{Address, Span};
use crate::memory::probe::{self, Access};
use crate::memory::simd16::Simd16;
#[cfg(target_arch = "x86_64")]
use crate::memory::simd16::Simd32;

/// The widths of the fences in bytes; multiples of 16.
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
/// The bytes of each fence that a call checks; the rest is checked when the block is freed and by `checkFences()`. No
/// fence is narrower.
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

const HEADER: usize = size_of::<Header>();

/// The bytes that a block needs in addition to its data.
pub fn overhead() -> usize {
    let widths = widths();
    HEADER + widths.before + widths.after
}

/// The distance from the start of a block to its data.
#[inline]
pub fn lead() -> usize {
    LEAD.load(Ordering::Relaxed)
}

/// [`lead`] by the widths in force, so that a header is found by one load.
static LEAD: AtomicUsize = AtomicUsize::new(HEADER + DEFAULT.before);

/// The offset of the last sixteen bytes of a header that a [`Sealed`] compares.
const LAST: usize = COPIED - CHUNK;
const _: () = assert!(LAST <= CHUNK && HEADER.is_multiple_of(CHUNK));

/// A block with fences. Its memory is allocated as long as the value is used: its maker guarantees that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fenced(Address);

/// An overflow into a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The side.
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
            let canary = block.canary();
            block.header_address().write(Header::new(canary, length, offset));
            block.mend(length, canary);
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

    fn canary(self) -> Canary {
        Canary::of(self.0)
    }

    fn header_address(self) -> *mut Header {
        // The header lies directly in front of the fence, so that it is found from the data alone.
        std::ptr::with_exposed_provenance_mut(self.0.get() - lead())
    }

    #[inline]
    fn header(&self) -> &Header {
        // SAFETY: M8; the header is inside the block, which stays allocated while `self` is used. It is aligned,
        // because the data and the lead are multiples of 16. Its fields are atomic.
        unsafe { &*self.header_address() }
    }

    /// The length of the data; `None` where a write before the block has destroyed the header.
    pub fn length(self) -> Option<usize> {
        self.sealed().map(Sealed::length)
    }

    /// The header, if its seal is valid.
    #[inline]
    pub fn sealed(self) -> Option<Sealed> {
        self.header().sealed(self.canary())
    }

    /// The length, where a write from the data's side has destroyed the seal and perhaps the offset but not the length:
    /// there, a whole fence follows the data.
    pub fn guess_length(self) -> Option<usize> {
        let length = self.header().unverified_length();
        let fence = Address::new(self.0.get().checked_add(length)?)?;
        let fence = Span::new(fence, widths().after).ok()?;
        (probe::is_mapped(fence, Access::Read) && self.intact(length, 0, fence.length)).then_some(length)
    }

    /// Whether the header was destroyed and [`Fenced::abandon`] has recorded it.
    pub fn is_abandoned(self) -> bool {
        self.header().is_abandoned(self.canary())
    }

    /// Records that a write before the block has destroyed its header, so that it is not reported again.
    pub fn abandon(self) {
        let canary = self.canary();
        self.header().abandon(canary);
        // SAFETY: M8; the fence and the header before the data are inside the block.
        unsafe { self.mend_before(canary) };
    }

    /// Whether the engine allocated it: memory of the package's heap has its capacity in front.
    pub fn is_of_engine(self) -> bool {
        self.sealed().and_then(Sealed::offset) == Some(lead())
    }

    /// The start of the memory the block was made of; `None` where the header was destroyed, now or before a repair.
    pub fn raw(self) -> Option<Address> {
        Address::new(self.0.get() - self.sealed()?.offset()?)
    }

    /// Records the function that received the address.
    #[inline]
    pub fn expose_to(self, symbol: u32) {
        self.header().expose_to(symbol);
    }

    /// The function that received the address last, as a number of `report::intern`; 0 for none.
    pub fn exposed_to(self) -> u32 {
        self.header().exposed_to()
    }

    /// Records that a call is using the block: its memory is not freed before [`Fenced::unpin`].
    pub fn pin(self) {
        self.header().pin();
    }

    /// Records that the call is over.
    pub fn unpin(self) {
        self.header().unpin();
    }

    /// Whether calls under way use the block.
    pub fn is_pinned(self) -> bool {
        self.header().is_pinned()
    }

    /// Whether its memory can never be freed, because a write has destroyed the count of the calls that use it.
    pub fn is_pinned_for_good(self) -> bool {
        self.header().is_pinned_for_good()
    }

    /// Whether the parts of the fences that a call checks are as they were: a few loads.
    #[inline(always)]
    pub fn is_whole_near(self, length: usize) -> bool {
        self.differs_near(length, &self.canary()).is_zero()
    }

    /// The same, and whether the header is as it was.
    #[inline(always)]
    pub fn is_whole_as(self, sealed: &Sealed) -> bool {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has the feature.
            return unsafe { self.is_whole_by_pairs(sealed) };
        }
        let [first, last] = self.differs_from(sealed);
        self.differs_near(sealed.length(), sealed.canary()).or(first).or(last).is_zero()
    }

    /// As [`Fenced::is_whole_as`], thirty-two bytes at a time.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    #[target_feature(enable = "avx2")]
    pub fn is_whole_by_pairs(self, sealed: &Sealed) -> bool {
        let [first, last] = self.differs_from(sealed);
        let (data, canary) = (self.0.as_ptr(), sealed.canary());
        let (start, end) = (data, data.wrapping_add(sealed.length()));
        // SAFETY: M8; both widths are inside the block.
        let fences =
            unsafe { canary.difference_by_pairs::<{ NEAR.after / CHUNK }, { NEAR.before / CHUNK }>(start, end) };
        fences.or(Simd32::both(first, last)).is_zero()
    }

    /// The bits that differ between the header and a copy of it.
    #[inline(always)]
    fn differs_from(self, sealed: &Sealed) -> [Simd16; 2] {
        // SAFETY: M8; the last fields of the header are inside the block.
        unsafe {
            let (here, wanted) = (self.header_address().cast::<u8>().add(COPIED_FROM), (&raw const *sealed).cast());
            [different(here, wanted), different(here.add(LAST), wanted.add(LAST))]
        }
    }

    #[inline(always)]
    fn differs_near(self, length: usize, canary: &Canary) -> Simd16 {
        let data = self.0.as_ptr();
        // SAFETY: M8; both widths are inside the block.
        unsafe { canary.difference::<{ NEAR.after / CHUNK }, { NEAR.before / CHUNK }>(data, data.add(length)) }
    }

    /// Whether the whole fences are as they were.
    pub fn is_whole(self, length: usize) -> bool {
        let (widths, canary) = (widths(), self.canary());
        self.header().sealed(canary).map(Sealed::length) == Some(length)
            && self.differs_near(length, &canary).is_zero()
            && (widths == NEAR || self.intact(length, widths.before, widths.after))
    }

    #[inline]
    fn intact(self, length: usize, before: usize, after: usize) -> bool {
        let (data, canary) = (self.0.as_ptr(), self.canary());
        // SAFETY: M8; both widths are inside the block.
        unsafe {
            canary.is_at(data.add(length), 0..(after / CHUNK) as isize)
                && canary.is_at(data, -((before / CHUNK) as isize)..0)
        }
    }

    /// The bytes that were overwritten. The side past the end is checked first.
    pub fn breach(self, length: usize) -> Option<Breach> {
        // Nearly every block is whole, and the search below goes byte by byte.
        if self.is_whole(length) {
            return None;
        }
        let widths = widths();
        let (data, canary) = (self.0.as_ptr(), self.canary());
        let differs_after = |at: &usize| {
            // SAFETY: M8; `at` is inside the fence after.
            unsafe { data.add(length + at).read() != canary.byte(*at as isize) }
        };
        let differs_before = |at: &usize| {
            // SAFETY: M8; `at` is inside the fence before.
            unsafe { data.sub(at + 1).read() != canary.byte(-(*at as isize) - 1) }
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
        let untouched = self.length() == Some(length) || self.is_abandoned();
        (!untouched).then(|| Breach {
            side: Side::Before,
            first: -(widths.before as isize) - 1,
            past: widths.before + self.header_damage(length).max(1),
        })
    }

    /// The number of overwritten bytes of the header, counted from the data, if the old value is known.
    fn header_damage(self, length: usize) -> usize {
        if self.length() == Some(length) || self.is_abandoned() {
            return 0;
        }
        self.header().damage(self.canary(), length, lead())
    }

    /// Writes the canaries again, and the header where it was destroyed; `length` is then the caller's.
    pub fn repair(self, length: usize) {
        let canary = self.canary();
        if self.length() != Some(length) {
            self.header().rewrite(canary, length);
        }
        // SAFETY: M8; the caller passes the length of the data, behind which the fence is.
        unsafe { self.mend(length, canary) };
    }

    /// # Safety
    /// M8: the fences of `length` bytes of data are inside the block.
    #[inline]
    unsafe fn mend(self, length: usize, canary: Canary) {
        let after = self.0.as_ptr().wrapping_add(length);
        // SAFETY: M8 by the contract of this function.
        unsafe {
            canary.put_near(after, 0..NEAR_AFTER);
            canary.put(after, NEAR_AFTER..(widths().after / CHUNK) as isize);
            self.mend_before(canary);
        }
    }

    /// # Safety
    /// M8.
    #[inline]
    unsafe fn mend_before(self, canary: Canary) {
        let data = self.0.as_ptr();
        // SAFETY: M8 by the contract of this function.
        unsafe {
            canary.put_near(data, -NEAR_BEFORE..0);
            canary.put(data, -((widths().before / CHUNK) as isize)..-NEAR_BEFORE);
        }
    }
}

/// The chunks that every fence has: their number is known when the package is compiled.
const NEAR_AFTER: isize = (DEFAULT.after / CHUNK) as isize;
const NEAR_BEFORE: isize = (DEFAULT.before / CHUNK) as isize;

/// The bits that differ between two chunks.
///
/// # Safety
/// Both may be read.
#[inline(always)]
unsafe fn different(one: *const u8, other: *const u8) -> Simd16 {
    // SAFETY: by the contract of this function.
    unsafe { Simd16::read(one).xor(Simd16::read(other)) }
}

#[cfg(test)]
mod tests;
