//! The bytes around a slice of Node's Buffer pool, as they were before native code ran.
#![expect(unsafe_code, reason = "compares and restores the bytes around views")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw reads and writes")]

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use smallvec::SmallVec;

use super::block::{self, Fenced, Widths};
use super::block_cache::BlockCache;
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

/// A slab.
#[derive(Clone, Debug)]
pub struct PoolSlab {
    /// All of it.
    pub span: Span,
    /// What is known of it.
    pub state: Rc<SlabState>,
}

impl PoolSlab {
    /// Its block, where it has fences that are known. The caller holds a view of it, or its buffer is alive.
    pub fn fenced(&self) -> Option<Fenced> {
        // SAFETY: M8; the buffer is alive, and so is its block.
        (!self.state.fence.is_empty()).then(|| unsafe { Fenced::at(self.span.start) })
    }
}

/// What is known of a slab.
#[derive(Debug, Default)]
pub struct SlabState {
    /// The slices that native code was passed so far: it may have kept their addresses.
    pub passed: PassedSlices,
    /// Its own fences, where it has some.
    pub fence: BlockCache,
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
    led_to: Vec<Range<usize>>,
}

#[derive(Debug)]
struct Window {
    start: usize,
    bytes: SmallVec<[u8; 128]>,
}

impl PoolSlice {
    /// Copies the bytes around a slice, up to the width of fences, inside its slab.
    pub fn new(argument: usize, view: Span, slab: PoolSlab, exempt: Ranges) -> Self {
        let (before, after) = windows(view, slab.span);
        let (before, after) = (Window::new(before), Window::new(after));
        Self { argument, view, slab, before, after, exempt, led_to: Vec::new() }
    }

    /// Turns it into another slice, as [`PoolSlice::new`] makes one. Until the call has returned nobody else writes, so
    /// that what others may write is told afterwards, by [`PoolSlice::exempt`].
    fn become_another(&mut self, argument: usize, view: Span, slab: PoolSlab) {
        let (before, after) = windows(view, slab.span);
        self.before.begin(before);
        self.after.begin(after);
        self.led_to.clear();
        self.exempt.clear();
        (self.argument, self.view, self.slab) = (argument, view, slab);
    }

    /// Records what others may write.
    pub fn exempt(&mut self, exempt: Ranges) {
        self.exempt = exempt;
    }

    /// Whether any byte around the slice has changed.
    fn differs(&self) -> bool {
        self.after.differs() || self.before.differs()
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

    /// The block of the slab, where it has fences.
    pub fn slab_block(&self) -> Option<Fenced> {
        self.slab.fenced()
    }

    /// Copies the bytes around the slice again, and records what others may write from now on.
    pub fn renew(&mut self, exempt: Ranges) {
        self.exempt = exempt;
        self.before.remember();
        self.after.remember();
    }

    /// The bytes that native code has written around the slice; they are restored. `granted` has the memory that it was
    /// passed.
    pub fn overflow(&self, granted: &[Range<usize>], width: Widths) -> Option<Overflow> {
        if !self.differs() {
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
        self.slab.state.passed.around(word)
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

/// The bytes before and after a slice that are compared: as many as fences have, inside its slab.
fn windows(view: Span, slab: Span) -> (Range<usize>, Range<usize>) {
    let width = block::widths();
    let (whole, inside) = (range(slab), range(view));
    let before = inside.start.saturating_sub(width.before).max(whole.start)..inside.start;
    (before, inside.end..inside.end.saturating_add(width.after).min(whole.end))
}

/// The slices of a call during which no callback runs. Their memory is used again by the next call.
#[derive(Debug, Default)]
pub struct WatchedSlices {
    slices: Vec<PoolSlice>,
    /// Those of the call under way; the others are spare.
    used: usize,
}

impl WatchedSlices {
    /// Begins a call.
    pub fn clear(&mut self) {
        self.used = 0;
    }

    /// Copies the bytes around a slice.
    pub fn watch(&mut self, argument: usize, view: Span, slab: PoolSlab) {
        match self.slices.get_mut(self.used) {
            Some(spare) => spare.become_another(argument, view, slab),
            None => self.slices.push(PoolSlice::new(argument, view, slab, Ranges::new())),
        }
        self.used += 1;
    }

    /// Whether no byte around a slice has changed, nor one of the fences of their slabs.
    pub fn are_whole(&self) -> bool {
        self.slices[..self.used].iter().all(|slice| {
            let PoolSlab { span, state } = &slice.slab;
            // SAFETY: M3; a view that the call holds, or whose buffer is alive, is in the slab.
            !slice.differs() && (state.fence.is_empty() || unsafe { state.fence.is_whole_at(span.start) })
        })
    }

    /// Ends the call, and gives away its slices.
    pub fn take(&mut self) -> Vec<PoolSlice> {
        self.slices.truncate(std::mem::take(&mut self.used));
        std::mem::take(&mut self.slices)
    }
}

/// The bytes of an argument that are searched for addresses.
const MOST_SEARCHED: usize = 65536;

impl Window {
    /// The bytes at a range of addresses, as they are now.
    fn new(range: Range<usize>) -> Self {
        let now = std::ptr::with_exposed_provenance::<u8>(range.start);
        // SAFETY: M3; the window is clamped to the slab, which the argument keeps alive.
        let bytes = SmallVec::from_slice(unsafe { std::slice::from_raw_parts(now, range.len()) });
        Self { start: range.start, bytes }
    }

    /// The same for another range.
    fn begin(&mut self, range: Range<usize>) {
        self.start = range.start;
        self.bytes.resize(range.len(), 0);
        self.remember();
    }

    /// The bytes as they are now.
    fn now(&self) -> &[u8] {
        let now = std::ptr::with_exposed_provenance::<u8>(self.start);
        // SAFETY: M3; the window is clamped to the slab, which the argument keeps alive.
        unsafe { std::slice::from_raw_parts(now, self.bytes.len()) }
    }

    /// Whether any byte has changed.
    fn differs(&self) -> bool {
        self.now() != self.bytes.as_slice()
    }

    fn remember(&mut self) {
        let now = std::ptr::with_exposed_provenance::<u8>(self.start);
        // SAFETY: M3; the window is clamped to the slab, which the argument keeps alive.
        unsafe { now.copy_to_nonoverlapping(self.bytes.as_mut_ptr(), self.bytes.len()) };
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
