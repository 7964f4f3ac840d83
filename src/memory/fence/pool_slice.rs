//! The bytes around a slice of Node's Buffer pool, as they were before native code ran.
#![expect(unsafe_code, reason = "compares and restores the bytes around views")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw reads and writes")]

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use smallvec::SmallVec;

use super::block::{self, Widths};
use crate::error::{Overflow, Side};
use crate::memory::address::Span;

/// Addresses that others may write.
pub type Ranges = SmallVec<[Range<usize>; 4]>;

/// The addresses of a span.
pub fn range(span: Span) -> Range<usize> {
    span.start.get()..span.start.get() + span.length
}

/// Whether a range has bytes of a span. An unbounded one is an address of unknown extent: it does not
/// reach from one allocation into another.
pub fn meets(span: Span, other: &Range<usize>) -> bool {
    let own = range(span);
    match other.end {
        usize::MAX => own.contains(&other.start),
        end => other.start < own.end && end > own.start,
    }
}

/// A slab, and its slices that native code was passed so far: it may have kept their addresses.
#[derive(Clone, Debug)]
pub struct PoolSlab {
    /// All of it.
    pub span: Span,
    /// The slices.
    pub passed: Rc<PassedSlices>,
}

/// Slices of one slab, in the order of their addresses.
#[derive(Debug, Default)]
pub struct PassedSlices(RefCell<Vec<Range<usize>>>);

impl PassedSlices {
    /// Slices that may begin before an address and contain it, as views of one another.
    const MOST_NESTED: usize = 8;

    /// Records a slice. New ones mostly lie behind the others.
    pub fn record(&self, slice: Span) {
        let slice = range(slice);
        let mut slices = self.0.borrow_mut();
        let at = match slices.last() {
            Some(last) if last.start < slice.start => slices.len(),
            _ => slices.partition_point(|each| each.start < slice.start),
        };
        match slices.get_mut(at) {
            Some(known) if known.start == slice.start => known.end = known.end.max(slice.end),
            _ => slices.insert(at, slice),
        }
    }

    /// The slices that an address is in, or at whose end.
    fn around(&self, address: usize) -> Ranges {
        let slices = self.0.borrow();
        let end = slices.partition_point(|each| each.start <= address);
        let nearest = slices[..end].iter().rev().take(Self::MOST_NESTED);
        nearest.filter(|each| address <= each.end).cloned().collect()
    }
}

/// A slice, and the bytes around it.
#[derive(Debug)]
pub struct PoolSlice {
    argument: usize,
    view: Span,
    slab: PoolSlab,
    before: Window,
    after: Window,
    /// The bytes that others may write meanwhile.
    exempt: Ranges,
    /// The slices that words of the arguments lead to.
    led_to: Ranges,
}

#[derive(Debug)]
struct Window {
    start: usize,
    bytes: SmallVec<[u8; 128]>,
}

impl PoolSlice {
    /// Copies the bytes around a slice, up to the width of fences, inside its slab.
    pub fn new(argument: usize, view: Span, slab: PoolSlab, exempt: Ranges) -> Self {
        let width = block::widths();
        let (whole, inside) = (range(slab.span), range(view));
        let window = |start: usize, end: usize| Window { start, bytes: SmallVec::from_elem(0, end - start) };
        let before = window(inside.start.saturating_sub(width.before).max(whole.start), inside.start);
        let after = window(inside.end, inside.end.saturating_add(width.after).min(whole.end));
        let mut slice = Self { argument, view, slab, before, after, exempt, led_to: Ranges::new() };
        slice.remember();
        slice
    }

    /// Which argument it is.
    pub fn argument(&self) -> usize {
        self.argument
    }

    /// The bytes between the slice and the end of its slab on a side.
    pub fn distance_to_end(&self, side: Side) -> usize {
        let (slab, view) = (range(self.slab.span), range(self.view));
        match side {
            Side::Before => view.start - slab.start,
            Side::After => slab.end - view.end,
        }
    }

    /// The slab.
    pub fn slab(&self) -> Span {
        self.slab.span
    }

    /// Copies the bytes around the slice again, and records what others may write from now on.
    pub fn renew(&mut self, exempt: Ranges) {
        self.exempt = exempt;
        self.remember();
    }

    fn remember(&mut self) {
        self.before.remember();
        self.after.remember();
    }

    /// The bytes that native code has written around the slice; they are restored. `granted` has the memory that it was
    /// passed.
    pub fn overflow(&self, granted: &[Range<usize>], width: Widths) -> Option<Overflow> {
        if !self.after.differs() && !self.before.differs() {
            return None;
        }
        let (own, slab) = (range(self.view), range(self.slab.span));
        let mut exempt = self.exempt.clone();
        exempt.extend(self.led_to.iter().cloned());
        exempt.extend(granted.iter().flat_map(|memory| self.slices_by_addresses_in(memory, granted)));
        // The bytes beyond another argument belong to that one's check.
        let others =
            || granted.iter().filter(|other| **other != own && !other.is_empty() && slab.contains(&other.start));
        // A number in the slab of which nothing is known may mean any part of it.
        if others().chain(&exempt).any(|other| other.end == usize::MAX) {
            return None;
        }
        let end = others().map(|other| other.start).filter(|start| *start >= own.end).min().unwrap_or(usize::MAX);
        let start = others().map(|other| other.end).filter(|end| *end <= own.start).max().unwrap_or(0);
        let counts = |at: &usize| (start..end).contains(at) && !others().chain(&exempt).any(|other| other.contains(at));
        let hit_after = self.after.restore(counts);
        let hit_before = self.before.restore(counts);
        let overflow = |side, first: usize, bytes_past| Overflow {
            argument: self.argument,
            side,
            byte_length: self.view.length,
            first_bad_offset: first as isize - own.start as isize,
            bytes_past,
            contained: bytes_past < width.of(side),
        };
        match (hit_after, hit_before) {
            (Some((first, last)), _) => Some(overflow(Side::After, first, last + 1 - own.end)),
            (None, Some((first, last))) => Some(overflow(Side::Before, last, own.start - first)),
            (None, None) => None,
        }
    }

    /// A word of the arguments may be the address of another slice, which native code may write.
    pub fn follow(&mut self, word: usize, granted: &[Range<usize>]) {
        let slices = self.slices_at(word, granted);
        self.led_to.extend(slices);
    }

    /// The slices that an address leads to, which native code has got by an earlier call. One in an argument
    /// (`granted`) leads to no other.
    fn slices_at(&self, word: usize, granted: &[Range<usize>]) -> Ranges {
        let slab = range(self.slab.span);
        let is_in = |known: &Range<usize>| known.end != usize::MAX && known.contains(&word);
        if !(slab.start..=slab.end).contains(&word) || granted.iter().any(is_in) {
            return Ranges::new();
        }
        self.slab.passed.around(word)
    }

    /// The slices that addresses in the memory of an argument lead to, such as the state of `strtok_r`.
    fn slices_by_addresses_in(&self, memory: &Range<usize>, granted: &[Range<usize>]) -> Ranges {
        const WORD: usize = size_of::<usize>();
        if memory.end == usize::MAX || memory.end - memory.start < WORD {
            return Ranges::new();
        }
        let last = (memory.end - WORD).min(memory.start.saturating_add(MOST_SEARCHED));
        let slices = (memory.start..=last).flat_map(|at| {
            // SAFETY: M3; the word is inside an argument of the call, which keeps its memory alive.
            let word = unsafe { std::ptr::with_exposed_provenance::<usize>(at).read_unaligned() };
            self.slices_at(word, granted)
        });
        slices.collect()
    }
}

/// The bytes of an argument that are searched for addresses.
const MOST_SEARCHED: usize = 65536;

impl Window {
    /// Whether any byte has changed.
    fn differs(&self) -> bool {
        let now = std::ptr::with_exposed_provenance::<u8>(self.start);
        // SAFETY: M3; the window is clamped to the slab, which the argument keeps alive.
        unsafe { std::slice::from_raw_parts(now, self.bytes.len()) != self.bytes.as_slice() }
    }

    fn remember(&mut self) {
        let source = std::ptr::with_exposed_provenance::<u8>(self.start);
        // SAFETY: M3; the window is clamped to the slab, which the argument keeps alive.
        unsafe { source.copy_to_nonoverlapping(self.bytes.as_mut_ptr(), self.bytes.len()) };
    }

    /// Puts the bytes back that differ and that `counts` says that only C may write; the addresses of the first and
    /// last.
    fn restore(&self, counts: impl Fn(&usize) -> bool) -> Option<(usize, usize)> {
        let now = std::ptr::with_exposed_provenance_mut::<u8>(self.start);
        let mut hit = None;
        for (at, byte) in self.bytes.iter().enumerate() {
            let address = self.start + at;
            // SAFETY: M3; the window is clamped to the slab, which the argument keeps alive.
            unsafe {
                if now.add(at).read() != *byte && counts(&address) {
                    now.add(at).write(*byte);
                    hit = Some((hit.map_or(address, |(first, _)| first), address));
                }
            }
        }
        hit
    }
}
