//! The register call with slices of Node's pool, or other parts of buffers, among the arguments, where no callback can
//! run during it. The bytes around slices are copied before the call and compared after it. What others may write, and
//! what the arguments lead to, is looked up only where a byte has changed: nothing of that changes while C runs.
#![expect(unsafe_code, reason = "says that the words of a call were loaded")]

use smallvec::SmallVec;

use super::register_call::Outcome;
use crate::abi::calling_sequence::CallingSequence;
use crate::abi::signature::RegisterPin;
use crate::call::bound_function::MOST_PINS;
use crate::call::registers::RegisterFile;
use crate::error::Overflow;
use crate::memory::address::{Address, Span};
use crate::memory::arg_buffer::set_address;
use crate::memory::fence::block::Fenced;
use crate::memory::fence::borrows::{self, Borrows};
use crate::memory::fence::exposed;
use crate::memory::fence::pool_slice::{PoolSlice, WatchedSlices};
use crate::node::callback::slot::OPEN;
use crate::node::env::BoundFunction;
use crate::node::value::{Pinned, Rooted, RootedValues};

/// What is compared for an argument after the call.
enum Watched {
    /// The block of a text or of a Buffer, by the cache of its position.
    Block,
    /// A slice.
    Slice(Span),
    /// A part of a Buffer, or an ArrayBuffer, and its block, if it has fences.
    Part(Span, Option<Fenced>),
    /// A number.
    Number,
}

type WatchedArguments = SmallVec<[Watched; MOST_PINS]>;

impl BoundFunction {
    /// Puts the addresses of the values from the first slice on into the words, and calls C. What it cannot do, it
    /// leaves to the generic call.
    #[inline(never)] // Most calls have no slice.
    pub(super) fn go_with_slices(
        &self,
        sequence: &CallingSequence,
        words: &mut RegisterFile,
        pins: u32,
        values: RootedValues<'_>,
        first: usize,
    ) -> Outcome {
        // A callback could write the bytes around a slice: the generic call suspends its borrows meanwhile.
        if OPEN.get() > 0 {
            return Outcome::Leave;
        }
        let environment = &*self.environment;
        let Ok(mut slices) = environment.calls.slices.try_borrow_mut() else { return Outcome::Leave };
        slices.clear();
        let mut watched = WatchedArguments::new();
        let pinned = self.signature.register_pins.iter().zip(&environment.calls.block_caches);
        for (position, (pin, last)) in pinned.enumerate() {
            let is_pin = pins >> pin.argument & 1 == 1;
            let found = if position < first {
                Some(if is_pin { Watched::Block } else { Watched::Number })
            } else if is_pin {
                let Some(value) = values.get(environment.on_thread(), position) else { return Outcome::Leave };
                let block = if position > first { self.take(*pin, value, last) } else { None };
                if let Some(block) = block {
                    words.set(pin.step, block.data().get() as u64);
                    Some(Watched::Block)
                } else {
                    self.watch_view(*pin, value, words, &mut slices)
                }
            } else {
                // SAFETY: the words were loaded by this calling sequence.
                self.watch_number(*pin, unsafe { words.get(pin.step) } as usize, &mut slices)
            };
            let Some(found) = found else { return Outcome::Leave };
            watched.push(found);
        }
        let words = &*words;
        self.call_c(sequence, words, || {
            if self.all_are_whole(&watched, words, &slices) {
                return None;
            }
            self.overflow_with_slices(&watched, words, pins, values, slices.take())
        })
    }

    /// Passes a view or a buffer; `None` where the generic call has to.
    fn watch_view(
        &self,
        pin: RegisterPin,
        value: Rooted<'_>,
        words: &mut RegisterFile,
        slices: &mut WatchedSlices,
    ) -> Option<Watched> {
        let environment = &*self.environment;
        let known = |view| Some((view, environment.pool_slices.known(environment.raw, view)?));
        let Some((view, slab)) = environment.view(value).and_then(known) else {
            return self.watch_part(pin, value, words);
        };
        slab.state.passed.record(view);
        slab.fenced().inspect(|block| block.expose_to(self.id));
        environment.transfer_locks.hand(value, None);
        words.set(pin.step, view.start.get() as u64);
        slices.watch(pin.argument.into(), view, slab);
        Some(Watched::Slice(view))
    }

    /// The same for one that is in no slab.
    fn watch_part(&self, pin: RegisterPin, value: Rooted<'_>, words: &mut RegisterFile) -> Option<Watched> {
        let environment = &*self.environment;
        let Ok(Pinned::Bytes(storage, buffer)) = value.storage() else { return None };
        let block = storage.block();
        let length = block.map_or_else(|| buffer.buffer_length(), |block| block.length())?;
        // One of this size may be a slab that is not known yet.
        if environment.pool_slices.has_size(length)
            || (block.is_none() && environment.transfer_locks.is_resizable(buffer))
        {
            return None;
        }
        block.inspect(|block| block.expose_to(self.id));
        environment.transfer_locks.hand(buffer, None);
        words.set(pin.step, storage.view.start.get() as u64);
        Some(Watched::Part(storage.view, block))
    }

    /// Passes a number, which may be an address in a slice.
    fn watch_number(&self, pin: RegisterPin, word: usize, slices: &mut WatchedSlices) -> Option<Watched> {
        let (environment, address) = (&*self.environment, Address::new(word));
        let around = |address| environment.pool_slices.around(environment.raw, address);
        let Some((view, _)) = address.and_then(around) else { return Some(Watched::Number) };
        slices.watch(pin.argument.into(), view, environment.pool_slices.known(environment.raw, view)?);
        Some(Watched::Slice(view))
    }

    /// Whether no byte around an argument has changed.
    fn all_are_whole(&self, watched: &[Watched], words: &RegisterFile, slices: &WatchedSlices) -> bool {
        let lasts = &self.environment.calls.block_caches;
        let exposes = exposed::any();
        let mut all = watched.iter().zip(&self.signature.register_pins).zip(lasts);
        all.all(|((watched, pin), last)| {
            // SAFETY: the words were loaded by this calling sequence.
            let address = || Address::new(unsafe { words.get(pin.step) } as usize);
            match watched {
                // SAFETY: M3 and M4 for Buffers and texts; `take` has found the block.
                Watched::Block => address().is_some_and(|address| unsafe { last.is_whole_at(address) }),
                Watched::Slice(_) => true,
                Watched::Part(_, block) => {
                    block.is_none_or(|block| block.length().is_some_and(|length| block.is_whole_near(length)))
                }
                Watched::Number => !exposes || address().is_none_or(borrows::is_number_whole),
            }
        }) && slices.are_whole()
    }

    /// The first overflow of an argument; all are repaired. It is what the generic call finds.
    #[inline(never)]
    fn overflow_with_slices(
        &self,
        watched: &[Watched],
        words: &RegisterFile,
        pins: u32,
        values: RootedValues<'_>,
        slices: Vec<PoolSlice>,
    ) -> Option<Overflow> {
        let environment = &*self.environment;
        let mut block = environment.arg_buffer.take(self.signature.layout.size);
        let mut slices = slices.into_iter();
        let mut borrows = Borrows::default();
        for (position, (watched, pin)) in watched.iter().zip(&self.signature.register_pins).enumerate() {
            let argument = usize::from(pin.argument);
            // SAFETY: the words were loaded by this calling sequence.
            let Some(address) = Address::new(unsafe { words.get(pin.step) } as usize) else { continue };
            set_address(&mut block, self.signature.layout.arguments[argument], address.get());
            match *watched {
                Watched::Number => borrows.number(argument, address, None),
                Watched::Block => {
                    // SAFETY: M3 and M4 for Buffers and texts; `take` has found the block.
                    let block = unsafe { Fenced::at(address) };
                    let value = values.get(environment.on_thread(), position);
                    let view =
                        value.map_or(Span { start: address, length: 0 }, |value| self.span_of(pin, value, block));
                    borrows.block(argument, view, block, self.id);
                }
                Watched::Part(view, Some(block)) => borrows.block(argument, view, block, self.id),
                Watched::Part(view, None) => borrows.grant(view),
                Watched::Slice(view) => {
                    let is_pin = pins >> argument & 1 == 1;
                    if !is_pin {
                        borrows.number(argument, address, Some(view));
                    }
                    let (outer, calls) = (environment.calls.borrows.borrow(), environment.calls.depth.get());
                    let Some(mut slice) = slices.next() else { continue };
                    let slab = slice.slab_block();
                    let exempt = environment.written_by_others(slice.slab(), &outer, calls);
                    borrows.watched(
                        view,
                        exempt.map(|exempt| {
                            slice.exempt(exempt);
                            slice
                        }),
                    );
                    if is_pin && let Some(slab) = slab {
                        borrows.block(argument, view, slab, self.id);
                    }
                }
            }
        }
        borrows.follow(self.words(&block));
        let overflow = borrows.end();
        if overflow.is_some() {
            self.forget_headers();
        }
        overflow
    }
}
