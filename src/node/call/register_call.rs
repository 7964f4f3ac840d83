//! The register call: numbers, texts and fenced Buffers go from the argument buffer straight into registers. What it
//! cannot do it leaves to the generic call, before anything has happened.
#![expect(unsafe_code, reason = "is called by the engine and calls C")]

use std::ptr::{NonNull, null_mut};

use napi::sys;

use crate::abi::calling_sequence::{CallingSequence, ResultIn};
use crate::abi::signature::RegisterPin;
use crate::call::bound_function::MOST_PINS;
use crate::call::invoke::{self, ResultBlock};
use crate::call::registers::{RegisterFile, ReturnRegisters};
use crate::errno::Errno;
use crate::error::{FfiError, Overflow};
use crate::memory::address::{Address, Span};
use crate::memory::arg_buffer::bytes;
use crate::memory::fence::block::Fenced;
use crate::memory::fence::block_cache::BlockCache;
use crate::memory::fence::{borrows, exposed};
use crate::node::env::BoundFunction;
use crate::node::text_argument;
use crate::node::value::{Pinned, Rooted, RootedValues};

/// The outcome of a call. Small, because every call moves it.
pub enum Outcome {
    /// C has returned: the value of the entry.
    Done(sys::napi_value),
    /// The generic call has to do it.
    Leave,
    /// C has returned, and something is wrong.
    Failed(Box<FfiError>),
}

impl BoundFunction {
    /// Whether a register call may do.
    pub fn has_register_call(&self) -> bool {
        let signature = &*self.signature;
        let has_sequence = signature.sequence.as_ref().is_some_and(|sequence| !sequence.needs_memory());
        let pins = &signature.pins;
        let has_few = pins.len() <= MOST_PINS && pins.last().is_none_or(|last| *last < u32::BITS as usize);
        self.options.is_plain() && has_sequence && has_few
    }

    /// Makes a call without pins, if it can; only where [`BoundFunction::has_register_call`].
    #[inline]
    pub fn enter_registers(&self) -> Outcome {
        let mut words = RegisterFile::new();
        let Some(sequence) = self.load(&mut words) else { return Outcome::Leave };
        // SAFETY: the words were loaded by this calling sequence.
        if self.signature.register_pins.iter().any(|pin| self.is_in_slab(unsafe { words.get(pin.step) })) {
            return self.go_with_slices(sequence, &mut words, 0, RootedValues::NONE, 0);
        }
        self.call_and_check(sequence, &words, 0, RootedValues::NONE)
    }

    /// The same with the values of the pins.
    #[inline]
    pub fn enter_registers_with(&self, values: RootedValues<'_>) -> Outcome {
        let mut words = RegisterFile::new();
        let Some(sequence) = self.load(&mut words) else { return Outcome::Leave };
        let environment = &*self.environment;
        let (text, locks) = (environment.calls.strings.mark(), environment.transfer_locks.mark());
        let outcome = self.go_with(sequence, &mut words, values);
        environment.transfer_locks.end(environment.raw, locks);
        environment.calls.strings.release(text);
        outcome
    }

    /// Loads the arguments out of the argument buffer by the calling sequence; `None` where the library is closed.
    #[inline(always)]
    fn load(&self, words: &mut RegisterFile) -> Option<&CallingSequence> {
        let sequence = self.signature.sequence.as_ref().filter(|_| self.library.is_open())?;
        // SAFETY: M1 and M2; a signature is prepared only where its values fit the argument buffer.
        unsafe { sequence.load(self.environment.arg_buffer.base(), words) };
        Some(sequence)
    }

    /// Whether a call without pins has only numbers as arguments, and a number or a text as its result.
    pub fn may_be_of_numbers(&self) -> bool {
        self.options.is_plain() && self.signature.sequence.is_some()
    }

    /// Whether that holds now: no number may be the address of a Buffer.
    #[inline]
    pub fn is_of_numbers(&self) -> bool {
        self.may_be_of_numbers
            && (self.signature.pins.is_empty() || !(exposed::any() || self.environment.pool_slices.any()))
    }

    /// Makes such a call; false where the library is closed.
    #[inline]
    pub fn enter_numbers(&self) -> bool {
        let mut words = RegisterFile::new();
        let Some(sequence) = self.load(&mut words) else { return false };
        if sequence.is_wide() {
            self.enter_wide(sequence, &mut words);
            return true;
        }
        let returned = self.cross(sequence, &words);
        if sequence.result != ResultIn::Nothing {
            self.environment.arg_buffer.put_word(self.signature.layout.result, returned.first);
        }
        true
    }

    /// The same for a result of more than one word. What C puts into memory is not put into the argument buffer at
    /// once, because callbacks use it meanwhile.
    #[inline(never)] // The entry of numbers is short.
    fn enter_wide(&self, sequence: &CallingSequence, words: &mut RegisterFile) {
        let mut memory = ResultBlock::new();
        if sequence.needs_memory() {
            memory = invoke::no_result(&self.signature);
            words.set_result(NonNull::from(memory.as_mut_slice()).cast());
        }
        let returned = self.cross(sequence, words);
        if sequence.needs_memory() {
            let result = &bytes(&memory)[..self.signature.result_size()];
            self.environment.arg_buffer.put(self.signature.layout.result, result);
        } else {
            self.put_words(sequence, returned);
        }
    }

    /// Puts a result that came in registers into the argument buffer.
    #[inline]
    fn put_words(&self, sequence: &CallingSequence, returned: ReturnRegisters) {
        let (arg_buffer, at) = (&self.environment.arg_buffer, self.signature.layout.result);
        if sequence.result != ResultIn::Nothing {
            arg_buffer.put_word(at, returned.first);
        }
        if sequence.has_second() {
            arg_buffer.put_word(at + 8, returned.second);
        }
    }

    /// Calls C, and records what a callback has to know.
    #[inline(always)]
    fn cross(&self, sequence: &CallingSequence, words: &RegisterFile) -> ReturnRegisters {
        let environment = &*self.environment;
        let depth = environment.calls.depth.get();
        let inside = self.library.enter();
        environment.calls.depth.set(depth + 1);
        let outer = environment.inside.replace(self.inside);
        self.clear_errno();
        // SAFETY: U1 and M4; the values that are passed live until the entry returns by M3, texts by M4.
        let returned = unsafe { sequence.enter(self.code, words) };
        if self.options.captures_errno() {
            self.record_errno(Errno::here().get());
        }
        environment.inside.replace(outer);
        environment.calls.leave(depth, &self.symbol);
        if self.options.is_leaf() {
            environment.end_leaf();
        }
        drop(inside);
        returned
    }

    /// Puts the addresses of the values that are passed into the words.
    #[inline(always)]
    fn go_with(&self, sequence: &CallingSequence, words: &mut RegisterFile, values: RootedValues<'_>) -> Outcome {
        let pins = self.environment.arg_buffer.low_pins();
        let lasts = &self.environment.calls.block_caches;
        let register_pins = self.signature.register_pins.iter();
        for (position, ((pin, value), last)) in
            register_pins.zip(values.iter(self.environment.on_thread())).zip(lasts).enumerate()
        {
            if pins >> pin.argument & 1 == 1 {
                let Some(block) = self.take(*pin, value, last) else {
                    return self.go_with_slices(sequence, words, pins, values, position);
                };
                words.set(pin.step, block.data().get() as u64);
            // SAFETY: the words were loaded by this calling sequence.
            } else if self.is_in_slab(unsafe { words.get(pin.step) }) {
                return self.go_with_slices(sequence, words, pins, values, position);
            }
        }
        self.call_and_check(sequence, words, pins, values)
    }

    /// Calls C, and checks the fences of the blocks that it was passed.
    #[inline(always)]
    fn call_and_check(
        &self,
        sequence: &CallingSequence,
        words: &RegisterFile,
        pins: u32,
        values: RootedValues<'_>,
    ) -> Outcome {
        self.call_c(sequence, words, || {
            if self.are_whole(words, pins) { None } else { self.overflow(words, pins, values) }
        })
    }

    /// The block of a text, or that of a Buffer with a fence; `None` for anything else.
    #[inline(always)]
    pub(super) fn take(&self, pin: RegisterPin, value: Rooted<'_>, last: &BlockCache) -> Option<Fenced> {
        let environment = &*self.environment;
        let text = |encoding| environment.text(value, encoding, &environment.calls.strings);
        if let Some(handed) = pin.encoding.and_then(text) {
            last.note(handed);
            return Some(handed.block);
        }
        let view = environment.view(value)?;
        // SAFETY: the value is rooted until the entry returns, and so its block stays allocated until C has returned.
        let (block, length) = unsafe { last.of(view) }?;
        if view.length < length && environment.pool_slices.has_size(length) {
            return None;
        }
        block.expose_to(self.id);
        environment.transfer_locks.hand(value, Some(block));
        Some(block)
    }

    /// Whether a number is an address in a slab whose slices have to be borrowed.
    #[inline(always)]
    fn is_in_slab(&self, word: u64) -> bool {
        self.environment.pool_slices.holds(word as usize)
    }

    /// Calls C, puts the result into the argument buffer, and asks for an overflow.
    #[inline(always)]
    pub(super) fn call_c(
        &self,
        sequence: &CallingSequence,
        words: &RegisterFile,
        overflow: impl FnOnce() -> Option<Overflow>,
    ) -> Outcome {
        let returned = self.cross(sequence, words);
        self.put_words(sequence, returned);
        let text = match self.returned_text {
            Some(encoding) => self.text(returned.first as usize, encoding).map_err(Box::new),
            None => Ok(null_mut()),
        };
        match (overflow(), text) {
            (None, Ok(value)) => Outcome::Done(value),
            (None, Err(error)) => Outcome::Failed(error),
            (Some(overflow), _) => {
                Outcome::Failed(Box::new(FfiError::Overflow { symbol: self.symbol.clone(), overflow }))
            }
        }
    }

    /// Whether the blocks of all pins are known to be whole, and no number may lie in one.
    #[inline(always)]
    fn are_whole(&self, words: &RegisterFile, pins: u32) -> bool {
        let mut lasts = self.signature.register_pins.iter().zip(&self.environment.calls.block_caches);
        !exposed::any()
            && lasts.all(|(pin, last)| {
                // SAFETY: the words were loaded by this calling sequence.
                let address = Address::new(unsafe { words.get(pin.step) } as usize);
                // SAFETY: M3 and M4 for Buffers and texts; `take` has found the block.
                pins >> pin.argument & 1 == 0 || address.is_some_and(|address| unsafe { last.is_whole_at(address) })
            })
    }

    /// The first overflow of an argument; all are repaired.
    #[inline(never)]
    fn overflow(&self, words: &RegisterFile, pins: u32, values: RootedValues<'_>) -> Option<Overflow> {
        let mut found = None;
        let lasts = &self.environment.calls.block_caches;
        for (position, (pin, last)) in self.signature.register_pins.iter().zip(lasts).enumerate() {
            // SAFETY: the words were loaded by this calling sequence.
            let word = unsafe { words.get(pin.step) };
            let Some(address) = Address::new(word as usize) else { continue };
            let argument = usize::from(pin.argument);
            if pins >> argument & 1 == 0 {
                found = found.or(borrows::number_overflow(argument, address));
                continue;
            }
            // SAFETY: M3 and M4 for Buffers and texts; `take` has found the block.
            let (block, is_whole) = unsafe { (Fenced::at(address), last.is_whole_at(address)) };
            if !is_whole {
                let value = values.get(self.environment.on_thread(), position);
                found = found.or(self.broken(pin, value, block));
            }
        }
        found
    }

    /// The breach of an argument's fence, if any: a callback's calls may have been passed other
    /// blocks.
    #[cold]
    fn broken(&self, pin: &RegisterPin, value: Option<Rooted<'_>>, block: Fenced) -> Option<Overflow> {
        self.forget_headers();
        borrows::view_overflow(pin.argument.into(), self.span_of(pin, value?, block), block)
    }

    /// Forgets what headers said, after a breach: they are written anew.
    pub(super) fn forget_headers(&self) {
        self.environment.calls.block_caches.iter().for_each(BlockCache::forget);
        self.environment.calls.strings.forget();
        self.environment.pool_slices.forget_fences();
    }

    /// The bytes that a view or a text has passed, whose block this is.
    pub(super) fn span_of(&self, pin: &RegisterPin, value: Rooted<'_>, block: Fenced) -> Span {
        match value.storage() {
            Ok(Pinned::Bytes(storage, _)) => storage.view,
            // The header may be gone; the text is still there.
            _ => {
                let size = |encoding| text_argument::text_size(value, encoding);
                Span { start: block.data(), length: pin.encoding.and_then(size).unwrap_or(0) }
            }
        }
    }
}
