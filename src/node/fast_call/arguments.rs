//! Arguments of fast calls: the blocks of views are found and texts are put between fences before a call, the fences
//! are checked after it, and a text that C has returned is copied to JavaScript.
#![cfg(v8_abi)]
#![expect(unsafe_code, reason = "is called by generated code")]

use std::ptr::{null, null_mut};

use super::state::{LONGEST, MOST_ARGUMENTS, NO_TEXT, NOT_PLAIN};
use crate::error::FfiError;
use crate::memory::address::{Address, Span};
use crate::memory::ascii;
use crate::memory::fence::block::{self, Fenced};
use crate::memory::fence::block_cache::{BlockCache, CachedBlock};
use crate::memory::fence::borrows;
use crate::memory::raw::{self, PointerCheck};
use crate::memory::short_text;
use crate::memory::text::characters::Characters;
use crate::memory::text::encoding::Encoding;
use crate::node::env::{BoundFunction, Environment, FastArguments, FastCalls};
use crate::node::native_fn::{Arguments, JsResult, thrown_by};
use crate::panics::contain;
use crate::v8::handle::Local;
use crate::v8::trampoline::MISSED;

/// Something was found during or after the call; `take_failure` of exports throws it.
pub const BROKEN: u32 = 2;

/// The overflow that the last fast call has found.
pub fn take_overflow(environment: &Environment) -> Option<FfiError> {
    environment.v8.fast_calls.get()?.passed.overflow.take()
}

/// Throws, or returns, the text that the last fast call has returned, where JavaScript could not read it itself.
///
/// # Errors
/// [`PendingException`](crate::node::native_fn::PendingException) if the text cannot be read.
#[inline(always)] // It is short.
pub fn take_text(environment: &Environment, _: Arguments) -> JsResult {
    let function =
        environment.v8.fast_calls.get().map_or(null(), |fast_calls| fast_calls.passed.returning.replace(null()));
    // SAFETY: M16; the call has just returned, and its function is alive.
    let Some(function) = (unsafe { function.as_ref() }) else { return Ok(null_mut()) };
    let Some(encoding) = function.returned_text else { return Ok(null_mut()) };
    let text = function.text(environment.arg_buffer.word(function.signature.layout.result) as usize, encoding);
    text.map_err(|error| thrown_by(environment, &error))
}

/// Puts the address of a Buffer where C is passed an argument of a number. What has no fence is left to the generic
/// call.
///
/// # Safety
/// M6, M15: V8 calls it on the environment's thread, with values of the current handle scope.
pub unsafe extern "C" fn store_view(_: Local, view: Local, argument: u32, environment: *const Environment) {
    // SAFETY: M6; the address is that of the environment's state, on its thread, which generated code was made with.
    let environment = unsafe { &*environment };
    let Some(FastCalls { passed, .. }) = environment.v8.fast_calls.get() else { return };
    if contain(|| passed.store_view(environment, view, argument as usize)).is_err() {
        passed.shared.set_state(MISSED);
    }
}

/// The same for a string and the argument in the lowest byte of `to`: a copy in the text slot whose number is in the
/// second byte, in the encoding whose units have as many bytes as the third one says. What is too long, has a NUL in it
/// or is not flat is left to the generic call.
///
/// # Safety
/// M6, M15: V8 calls it on the environment's thread, with values of the current handle scope.
pub unsafe extern "C" fn store_text(_: Local, text: Local, to: u32, environment: *const Environment) {
    // SAFETY: M6 for the environment, as above.
    let environment = unsafe { &*environment };
    let Some(FastCalls { passed, .. }) = environment.v8.fast_calls.get() else { return };
    if contain(|| passed.store_flat_text(environment, text, to)).is_err() {
        passed.shared.set_state(MISSED);
    }
}

impl FastArguments {
    fn store_view(&self, environment: &Environment, view: Local, argument: usize) {
        // SAFETY: M3; `view` is an argument of the function under way, which JavaScript has found to be a view.
        let view = environment.v8.view_storage.get().and_then(|views| unsafe { views.storage(view) });
        // SAFETY: M3, as above.
        let found = view.and_then(|view| unsafe { self.blocks[argument].of(view) });
        match found.filter(|(_, length)| view.is_some_and(|view| view.length == *length)) {
            Some((block, _)) => self.pass_block(argument, block.data(), argument),
            None => self.shared.set_state(MISSED),
        }
    }

    #[inline(always)] // It has one caller, and is under every such call.
    fn store_flat_text(&self, environment: &Environment, text: Local, to: u32) {
        let [argument, slot, unit, _] = to.to_le_bytes().map(usize::from);
        // SAFETY: M3 and M15; `text` is an argument of the function under way, and stays where it is during it.
        let text = environment.v8.flat_strings.get().and_then(|flat| unsafe { flat.of(text) });
        let number = MOST_ARGUMENTS + slot;
        match text.and_then(|text| self.store_text(environment, text, unit, number)) {
            Some(data) => self.pass_block(argument, data, number),
            None => self.shared.set_state(MISSED),
        }
    }

    /// Puts the address of a block where C is passed an argument, and records which block it is.
    #[inline]
    fn pass_block(&self, argument: usize, data: Address, number: usize) {
        self.shared.pass_pin(argument, data);
        self.last_blocks[argument].set(number as u8);
    }

    /// The block that an argument was passed last.
    #[inline]
    fn last(&self, argument: usize) -> &BlockCache {
        &self.blocks[usize::from(self.last_blocks[argument].get())]
    }

    /// Copies a text to a text slot, between fences.
    #[inline]
    fn store_text(
        &self,
        environment: &Environment,
        text: Characters<'_>,
        unit: usize,
        number: usize,
    ) -> Option<Address> {
        if let Characters::Latin1(characters) = text
            && unit == 1
            && characters.len() <= LONGEST
            && ascii::is_plain(characters)
        {
            let block = self.slot_block(number, characters.len() + 1)?;
            // SAFETY: M8; the block is of that size, and this call's.
            let to = unsafe { raw::bytes_mut(block.data().as_ptr(), characters.len() + 1) };
            ascii::copy_with_nul(to, characters);
            return Some(block.data());
        }
        self.store_encoded(environment, text, unit, number)
    }

    #[inline(never)] // Texts of ASCII are the most frequent.
    fn store_encoded(
        &self,
        environment: &Environment,
        text: Characters<'_>,
        unit: usize,
        number: usize,
    ) -> Option<Address> {
        let encoding = Encoding::of_unit(unit);
        if let Some(size) = text.bytes(encoding) {
            let block = self.slot_block(number, size)?;
            // SAFETY: M8; the block is of that size, and this call's.
            let to = unsafe { raw::bytes_mut(block.data().as_ptr(), size) };
            return text.encode(encoding, to).ok().map(|_| block.data());
        }
        let encoded = environment.calls.strings.encode(text, encoding)?;
        let block = self.slot_block(number, encoded.len())?;
        // SAFETY: M8; the block is of that size, and this call's.
        unsafe { block.data().as_ptr().copy_from_nonoverlapping(encoded.as_ptr(), encoded.len()) };
        Some(block.data())
    }

    /// The block of so many bytes in a text slot. Its fences stay from the text before if that was as long.
    #[inline]
    fn slot_block(&self, number: usize, size: usize) -> Option<Fenced> {
        let last = self.blocks.get(number)?;
        if let Some(block) = last.block_of(size) {
            return Some(block);
        }
        let raw = self.shared.text_slot(number - MOST_ARGUMENTS, size)?;
        // SAFETY: M8; the block is of that size, and fits the slot, which lives as long as this.
        let cached = CachedBlock::new(unsafe { Fenced::build(raw, block::lead(), size)? })?;
        last.note(cached);
        Some(cached.block)
    }

    /// Copies the text that C has returned to where JavaScript reads it, if it is ASCII and not too long.
    #[inline(always)] // As above.
    fn copy_result(&self, function: &BoundFunction) {
        let environment = &*function.environment;
        let address = environment.arg_buffer.word(function.signature.layout.result) as usize;
        if address == 0 {
            return self.shared.set_text(NO_TEXT);
        }
        // Where pages have to be looked at first, `take_text` does.
        let is_short =
            environment.pointer_check.get() == PointerCheck::LowPage && function.returned_text == Some(Encoding::Utf8);
        // SAFETY: U1; the function returns text. M1; there is space for it.
        match is_short.then(|| unsafe { short_text::copy(self.shared.returned(), address) }).flatten() {
            Some(length) => self.shared.set_text(length),
            None => {
                self.returning.set(function);
                self.shared.set_text(NOT_PLAIN);
            }
        }
    }
}

impl FastArguments {
    /// Keeps the overflow of an argument, the first one of the call; all are repaired.
    #[inline(always)] // As above.
    fn check(&self, function: &BoundFunction, argument: usize, address: Address, is_pin: bool) {
        let found = if is_pin {
            let view = Span { start: address, length: self.last(argument).length() };
            // Headers are written anew.
            self.blocks.iter().for_each(BlockCache::forget);
            // SAFETY: M3 and M8; the view of the block is held by the caller.
            borrows::view_overflow(argument, view, unsafe { Fenced::at(address) })
        } else {
            borrows::number_overflow(argument, address)
        };
        if let Some(overflow) = found {
            let error = FfiError::Overflow { symbol: function.symbol.clone(), overflow };
            self.overflow.borrow_mut().get_or_insert(error);
            self.shared.set_state(BROKEN);
        }
    }
}

/// Whether a block that a function was passed is whole after its call.
///
/// # Safety
/// M16: a trampoline calls it, with a cache that it has compared with the view, and a function of the table.
pub unsafe extern "C" fn is_whole(block: *const BlockCache, function: *const BoundFunction) -> bool {
    // SAFETY: M16 for the function, which is alive; the cache is in the environment's state. M3 and M8: the trampoline
    // has compared the cache with the view, which its caller holds.
    unsafe { (*block).is_whole_after((*function).id) }
}

/// The same where the processor has AVX2.
///
/// # Safety
/// M16: a trampoline calls it, with a cache that it has compared with the view, and a function of the table.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub unsafe extern "C" fn is_whole_by_avx2(block: *const BlockCache, function: *const BoundFunction) -> bool {
    // SAFETY: as above.
    unsafe { (*block).is_whole_by_pairs_after((*function).id) }
}

/// Checks the fences of what a call was passed where one may be broken, or a number may be the address of a Buffer. The
/// addresses are still where the call had them, as no JavaScript has run.
///
/// # Safety
/// M16: a trampoline calls it, with a function of the table, right after its call of C.
pub unsafe extern "C" fn check_fences(function: *const BoundFunction) {
    // SAFETY: M16; the entry's function is alive.
    let function = unsafe { &*function };
    let Some(FastCalls { passed, .. }) = function.environment.v8.fast_calls.get() else { return };
    let pins = passed.shared.pins();
    for argument in &function.signature.pins {
        let is_pin = pins >> argument & 1 == 1;
        let Some(address) = passed.shared.address(*argument) else { continue };
        // SAFETY: M3 and M8; the address is that of the block that was recorded, and the caller holds its view.
        if is_pin && unsafe { passed.last(*argument).is_whole_at(address) } {
            continue;
        }
        let _ = contain(|| passed.check(function, *argument, address, is_pin));
    }
}

/// Copies the text that C has returned.
///
/// # Safety
/// M16: a trampoline calls it, with a function of the table, right after its call of C.
pub unsafe extern "C" fn copy_result(function: *const BoundFunction) {
    // SAFETY: M16; the entry's function is alive.
    let function = unsafe { &*function };
    let _ = contain(|| {
        if let Some(fast_calls) = function.environment.v8.fast_calls.get() {
            fast_calls.passed.copy_result(function);
        }
    });
}
