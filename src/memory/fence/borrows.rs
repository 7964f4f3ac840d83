//! The memory that a call has borrowed: fenced blocks, slices of Node's Buffer pool, shadow copies of the guard. They
//! are checked when the call returns, and around every callback, so that what JavaScript writes is not blamed on C.
#![expect(unsafe_code, reason = "compares and restores the bytes around views")]

use std::ops::Range;
use std::sync::Arc;

use smallvec::SmallVec;

use super::block::{self, Breach, Fenced};
use super::pool_slice::{PoolSlab, PoolSlice, Ranges, meets, range};
use super::shadow::{Flow, ShadowCopy};
use super::{block_map, exposed};
use crate::error::Overflow;
use crate::memory::address::{Address, Span};
use crate::memory::block_source::BlockSource;

#[derive(Debug)]
enum Borrow {
    /// A view of a fenced block; whether it is the whole block for certain, whatever the header says.
    Block { argument: usize, view: Span, block: Fenced, is_whole: bool },
    /// A number that may lie in a block whose address was exposed.
    Number { argument: usize, address: Address },
    /// A view of a slab that other Buffers share. Boxed: the others are small, and calls may nest deeply.
    Slice(Box<PoolSlice>),
    /// Views that native code sees as one fenced copy. Boxed, as above.
    Copy { argument: usize, copy: Box<ShadowCopy> },
}

/// An argument that the guard may have to replace by the address of a copy.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    argument: usize,
    /// Its address.
    at: Address,
    /// The memory that is copied; of no bytes if it is unknown.
    memory: Span,
    /// Whether it has no fence.
    wants: bool,
    /// Which way its bytes go.
    flow: Flow,
}

/// The borrows of one call.
#[derive(Debug, Default)]
pub struct Borrows {
    items: SmallVec<[Borrow; 4]>,
    /// The memory that native code may write: all arguments of the call.
    granted: Ranges,
    /// The arguments of the guard.
    candidates: Vec<Candidate>,
    found: Option<Overflow>,
    pauses: bool,
}

/// The storage of an argument.
#[derive(Clone, Copy, Debug)]
pub struct Storage {
    /// The view.
    pub view: Span,
    /// Where it begins in its buffer.
    pub offset: usize,
}

impl Storage {
    /// The fenced block that the view is in. The view may be the block (memory of our own inside an ordinary
    /// ArrayBuffer), or the view's buffer is.
    pub fn block(&self) -> Option<Fenced> {
        let base =
            || Address::new(self.view.start.get().wrapping_sub(self.offset)).filter(|data| block_map::contains(*data));
        let known = if block_map::contains(self.view.start) {
            self.view.start
        } else if exposed::any_inside() {
            // A part of a block of our own inside an ordinary ArrayBuffer, which may have fences itself.
            exposed::with(self.view.start, |data, _| data).or_else(base)?
        } else {
            base()?
        };
        // SAFETY: M3 and M8; the view is rooted, so its block is allocated.
        Some(unsafe { Fenced::at(known) })
    }
}

impl Borrows {
    /// Whether callbacks of this call have to pause it.
    pub fn pauses(&self) -> bool {
        self.pauses
    }

    /// Borrows the block of a view. `symbol` is recorded as the last one that received its address.
    pub fn block(&mut self, argument: usize, view: Span, block: Fenced, symbol: u32) {
        self.borrow(argument, view, block, symbol, false);
    }

    /// The same for a view that is the whole block. The header is not read: another process may write it.
    pub fn whole_block(&mut self, argument: usize, view: Span, block: Fenced, symbol: u32) {
        self.borrow(argument, view, block, symbol, true);
    }

    fn borrow(&mut self, argument: usize, view: Span, block: Fenced, symbol: u32, is_whole: bool) {
        block.expose_to(symbol);
        block.pin();
        self.granted.push(range(view));
        self.items.push(Borrow::Block { argument, view, block, is_whole });
    }

    /// Borrows a number: the block it lies in, if its address was exposed. `extent` is what it may mean, where that
    /// is known.
    pub fn number(&mut self, argument: usize, address: Address, extent: Option<Span>) {
        self.granted.push(extent.map_or(address.get()..usize::MAX, range));
        if exposed::any() {
            self.items.push(Borrow::Number { argument, address });
        }
    }

    /// Records a view that needs no check.
    pub fn grant(&mut self, view: Span) {
        self.granted.push(range(view));
    }

    /// Borrows a slice of a slab: the bytes around it are checked, except those that others may write. If it is
    /// unknown which these are, nothing is checked.
    pub fn slice(&mut self, argument: usize, view: Span, slab: PoolSlab, exempt: Option<Ranges>) {
        self.watched(view, exempt.map(|exempt| PoolSlice::new(argument, view, slab, exempt)));
    }

    /// The same for a slice the bytes around which were copied before.
    pub fn watched(&mut self, view: Span, slice: Option<PoolSlice>) {
        // Nested calls have to know the memory that this call was passed, in any case.
        self.pauses = true;
        self.granted.push(range(view));
        self.items.extend(slice.map(|slice| Borrow::Slice(Box::new(slice))));
    }

    /// All arguments were borrowed: `words` are what else was passed, in structs by value and for integers. Where one
    /// is an address of a slice, native code may write that slice.
    pub fn follow(&mut self, words: impl Iterator<Item = usize> + Clone) {
        for item in &mut self.items {
            if let Borrow::Slice(slice) = item {
                words.clone().for_each(|word| slice.follow(word, &self.granted));
            }
        }
    }

    /// The arguments of the call that touch a slab.
    pub fn granted_in(&self, slab: Span) -> impl Iterator<Item = Range<usize>> {
        self.granted.iter().filter(move |range| meets(slab, range)).cloned()
    }

    /// Requests a fenced copy of a view, which native code gets instead; see [`Borrows::copies`].
    pub fn want_copy(&mut self, argument: usize, view: Span, flow: Flow) {
        self.candidates.push(Candidate { argument, at: view.start, memory: view, wants: true, flow });
    }

    /// The same for a number inside exposed memory, or with `None` in unknown memory: that
    /// goes along where another argument is copied.
    pub fn want_step(&mut self, argument: usize, at: Address, memory: Option<Span>) {
        let nothing = Span { start: at, length: 0 };
        let (memory, wants) = (memory.unwrap_or(nothing), memory.is_some());
        self.candidates.push(Candidate { argument, at, memory, wants, flow: Flow::Both });
    }

    /// Makes the copies, in the memory of a source if there is one: overlapping views share one, so that all see the
    /// same bytes, and those with a fence join them. Calls `set` with the address of each argument's copy; false where
    /// there is no memory.
    pub fn copies(&mut self, source: Option<&Arc<dyn BlockSource>>, mut set: impl FnMut(usize, Address)) -> bool {
        let mut candidates = std::mem::take(&mut self.candidates);
        if !candidates.iter().any(|candidate| candidate.wants) {
            return true;
        }
        candidates.extend(self.items.iter().filter_map(|item| match *item {
            Borrow::Block { argument, view, .. } => {
                Some(Candidate { argument, at: view.start, memory: view, wants: false, flow: Flow::Both })
            }
            _ => None,
        }));
        candidates.sort_by_key(|candidate| candidate.memory.start);
        let (memory, numbers): (Group, Group) =
            candidates.into_iter().partition(|candidate| candidate.memory.length > 0);
        let mut rest = memory.as_slice();
        while let [first, ..] = rest {
            let start = first.memory.start.get();
            let (mut end, mut count) = (start, 0);
            while let Some(next) = rest.get(count).filter(|next| count == 0 || next.memory.start.get() < end) {
                end = end.max(range(next.memory).end);
                count += 1;
            }
            let (group, others) = rest.split_at(count);
            rest = others;
            let Some(argument) = group.iter().find(|candidate| candidate.wants).map(|candidate| candidate.argument)
            else {
                continue;
            };
            let whole = Span { start: first.memory.start, length: end - start };
            let flow = group.iter().map(|candidate| candidate.flow).reduce(Flow::joined).unwrap_or_default();
            // SAFETY: M3; the call holds all views of the group until it has returned.
            let Some(copy) = (unsafe { ShadowCopy::new(whole, source, flow) }) else {
                // C is not called: nothing has to go back.
                self.items.retain(|item| !matches!(item, Borrow::Copy { .. }));
                return false;
            };
            group.iter().for_each(|candidate| set(candidate.argument, copy.address(candidate.at)));
            self.pauses = true;
            self.items.push(Borrow::Copy { argument, copy: Box::new(copy) });
        }
        for Candidate { argument, at, .. } in numbers {
            if let Some(copy) = self.copy_around(at) {
                set(argument, copy.address(at));
            }
        }
        true
    }

    /// The copy of the memory that an address is in, or else of the memory that ends there.
    fn copy_around(&self, address: Address) -> Option<&ShadowCopy> {
        let copies = || {
            self.items.iter().filter_map(|item| if let Borrow::Copy { copy, .. } = item { Some(&**copy) } else { None })
        };
        let inside = copies().find(|copy| range(copy.view()).contains(&address.get()));
        inside.or_else(|| copies().find(|copy| range(copy.view()).end == address.get()))
    }

    /// JavaScript is about to run: whatever native code has done so far is checked and repaired.
    pub fn pause(&mut self) {
        let granted = std::mem::take(&mut self.granted);
        let mut found = self.found;
        for item in &self.items {
            found = found.or(match item {
                Borrow::Slice(slice) => slice.overflow(&granted, block::widths()),
                Borrow::Copy { argument, copy } => {
                    let (view, block) = (copy.view(), copy.block());
                    let overflow = block_overflow(*argument, view, block, block.data().get(), view.length);
                    // SAFETY: M3; the view that was copied is held until the call has returned.
                    unsafe { copy.write_back() };
                    overflow
                }
                _ => None,
            });
        }
        self.found = found;
        self.granted = granted;
    }

    /// JavaScript has run: its writes are the new state. `exempt` says what others may write in a slab, as for
    /// [`Borrows::slice`].
    pub fn resume(&mut self, exempt: impl Fn(Span) -> Option<Ranges>) {
        self.items.retain(|item| match item {
            Borrow::Slice(slice) => exempt(slice.slab()).is_some_and(|exempt| {
                slice.renew(exempt);
                true
            }),
            Borrow::Copy { copy, .. } => {
                // SAFETY: M3; as in `pause`.
                unsafe { copy.refresh() };
                true
            }
            _ => true,
        });
    }

    /// The call has failed: copies that only go back are dropped, because it is unknown how much of them was written.
    pub fn forget_outputs(&mut self) {
        self.items.retain(|item| !matches!(item, Borrow::Copy { copy, .. } if copy.flow() == Flow::Out));
    }

    /// The call has returned: the first overflow that was found; all are repaired.
    pub fn end(&mut self) -> Option<Overflow> {
        if self.pauses {
            self.pause();
        }
        let mut found = self.found.take();
        let items = std::mem::take(&mut self.items);
        for item in &items {
            let overflow = match item {
                Borrow::Block { argument, view, block, is_whole } => {
                    let overflow = if !is_whole {
                        view_overflow(*argument, *view, *block)
                    } else if block.length() == Some(view.length) && block.is_whole_near(view.length) {
                        None
                    } else {
                        block_overflow(*argument, *view, *block, view.start.get(), view.length)
                    };
                    block.unpin();
                    overflow
                }
                Borrow::Number { argument, address } => number_overflow(*argument, *address),
                Borrow::Slice(_) | Borrow::Copy { .. } => None,
            };
            found = found.map_or(overflow, |first| Some(join(first, overflow, &items)));
        }
        found
    }
}

type Group = SmallVec<[Candidate; 4]>;

/// The first of two overflows. One that runs through a slab to its end goes on in the slab's own fence.
fn join(first: Overflow, next: Option<Overflow>, items: &[Borrow]) -> Overflow {
    let goes_on = |next: &Overflow| next.argument == first.argument && next.side == first.side;
    let Some(next) = next.filter(goes_on) else { return first };
    let distance = items.iter().find_map(|item| match item {
        Borrow::Slice(slice) if slice.argument() == first.argument => Some(slice.distance_to_end(first.side)),
        _ => None,
    });
    match distance {
        Some(distance) => Overflow { bytes_past: distance + next.bytes_past, contained: next.contained, ..first },
        None => first,
    }
}

/// The bytes that a call has written outside of the block of an argument. They are repaired.
pub fn view_overflow(argument: usize, view: Span, block: Fenced) -> Option<Overflow> {
    match block.length() {
        Some(length) if block.is_whole_near(length) => None,
        // Without its header only the view itself tells how long the block is.
        length => {
            let length = length.unwrap_or(view.start.get() + view.length - block.data().get());
            block_overflow(argument, view, block, view.start.get(), length)
        }
    }
}

/// Whether a number lies in no block whose address was exposed, or in one that is whole.
pub fn is_number_whole(address: Address) -> bool {
    // SAFETY: M8; the block cannot be freed while `with` runs.
    exposed::with(address, |data, length| unsafe { Fenced::at(data) }.is_whole_near(length)).unwrap_or(true)
}

/// The same as [`view_overflow`] for a number, if it lies in a block whose address was exposed.
pub fn number_overflow(argument: usize, address: Address) -> Option<Overflow> {
    let found = exposed::with(address, |data, length| {
        let view = Span { start: data, length };
        // SAFETY: M8; the block cannot be freed while `with` runs.
        let block = unsafe { Fenced::at(data) };
        if block.is_whole_near(length) {
            return None;
        }
        block_overflow(argument, view, block, data.get(), length)
    });
    found.flatten()
}

/// The bytes that were written outside of a block of `length` bytes, as an overflow of a view whose first byte is at
/// `origin`.
fn block_overflow(argument: usize, view: Span, block: Fenced, origin: usize, length: usize) -> Option<Overflow> {
    let Breach { side, first, past } = block.breach(length)?;
    block.repair(length);
    let contained = past < block::widths().of(side);
    let first = block.data().get() as isize + first - origin as isize;
    Some(Overflow { argument, side, byte_length: view.length, first_bad_offset: first, bytes_past: past, contained })
}

#[cfg(test)]
mod tests;
