//! The short way in, for most calls: numbers, texts, and Buffers with a fence of their own go from the frame straight
//! into registers. What it cannot do it leaves to the general entry, before anything has happened.
#![expect(unsafe_code, reason = "is called by Node-API and calls C")]

use std::ptr::{NonNull, null_mut};

use napi::sys;

use super::function::Callable;
use crate::call::{self, ResultBlock};
use crate::ctype::CType;
use crate::error::{FfiError, Overflow};
use crate::memory::address::{Address, Span};
use crate::memory::fence::Fenced;
use crate::memory::frame::bytes;
use crate::memory::pin::{self, Pinned};
use crate::memory::{given, watch};
use crate::sysv::{Plan, ResultIn, Returned, Words};

/// The most values that ride along.
const MOST_PINS: usize = 8;

/// What has become of a call. Small, because it is moved about at every call.
pub enum Outcome {
    /// C has returned: the value of the entry.
    Done(sys::napi_value),
    /// The general entry has to do it.
    Leave,
    /// C has returned, and something is wrong.
    Failed(Box<FfiError>),
}

impl Callable {
    /// Whether the short way in may do for a call.
    #[inline]
    pub fn has_direct(&self) -> bool {
        let plan = self.signature.direct.as_ref();
        self.options.is_plain() && plan.is_some_and(|plan| plan.result != ResultIn::Memory)
    }

    /// Makes a call for the entry of this `info`, if it can; only where [`Callable::has_direct`].
    #[inline]
    pub fn enter_direct(&self, info: sys::napi_callback_info) -> Outcome {
        let Some(plan) = self.signature.direct.as_ref().filter(|_| self.library.is_open()) else {
            return Outcome::Leave;
        };
        let environment = &*self.environment;
        let mut words = Words::new();
        // SAFETY: M1 and M2; a signature is prepared only where its values fit the frame.
        unsafe { plan.load(environment.frame.base(), &mut words) };
        let pins = self.pins();
        if pins == 0 {
            return self.go(plan, &words, 0, &[]);
        }
        let mut values = [null_mut(); MOST_PINS];
        let mut count = self.signature.pins.len();
        if count > MOST_PINS {
            return Outcome::Leave;
        }
        // SAFETY: M3 and M6; there is room for `count` values.
        unsafe {
            let (this, data) = (null_mut(), null_mut());
            sys::napi_get_cb_info(environment.raw, info, &mut count, values.as_mut_ptr(), this, data);
        }
        let (text, locks) = (environment.scratch.mark(), environment.locks.mark());
        let outcome = self.go_with(plan, &mut words, pins, &values[..self.signature.pins.len()]);
        environment.locks.end(environment.raw, locks);
        environment.scratch.release(text);
        outcome
    }

    /// Which arguments are pins, one bit each.
    #[inline]
    fn pins(&self) -> u128 {
        // Those of another call may still be there.
        if self.signature.pins.is_empty() {
            return 0;
        }
        let frame = &self.environment.frame;
        // JavaScript has just written a word of 32 bits: a wider load would have to wait for it.
        if self.signature.arguments.len() <= 32 { frame.low_pins().into() } else { frame.pins() }
    }

    /// Whether a call is no more than numbers in and a number out, unless it is given a pin.
    pub fn may_be_of_numbers(&self) -> bool {
        let signature = &*self.signature;
        let gives_text = signature.result.scalar() == Some(CType::CString);
        self.options.is_plain() && signature.direct.is_some() && !gives_text
    }

    /// Whether the call that is about to go in is: it has no pin, and no number of it may be the address of a Buffer.
    #[inline]
    pub fn is_of_numbers(&self) -> bool {
        self.may_be_of_numbers && (self.signature.pins.is_empty() || (self.pins() == 0 && !given::any()))
    }

    /// Makes such a call; false where the library is closed.
    #[inline]
    pub fn enter_numbers(&self) -> bool {
        let Some(plan) = self.signature.direct.as_ref().filter(|_| self.library.is_open()) else { return false };
        let frame = &self.environment.frame;
        let mut words = Words::new();
        // SAFETY: M1 and M2; a signature is prepared only where its values fit the frame.
        unsafe { plan.load(frame.base(), &mut words) };
        if plan.is_wide() {
            self.enter_wide(plan, &mut words);
            return true;
        }
        let returned = self.cross(plan, &words);
        if plan.result != ResultIn::Nothing {
            frame.put_word(self.signature.plan.result, returned.first);
        }
        true
    }

    /// The same for a result of more than one word. What C puts into memory is not put into the frame at once, because
    /// callbacks use it meanwhile.
    #[inline(never)] // The entry of numbers is short.
    fn enter_wide(&self, plan: &Plan, words: &mut Words) {
        let mut memory = ResultBlock::new();
        if plan.result == ResultIn::Memory {
            memory = call::no_result(&self.signature);
            words.set_result(NonNull::from(memory.as_mut_slice()).cast());
        }
        let returned = self.cross(plan, words);
        match plan.result {
            ResultIn::Memory => {
                self.environment.frame.put(self.signature.plan.result, &bytes(&memory)[..self.signature.result_size()]);
            }
            _ => self.put_words(plan, returned),
        }
    }

    /// Puts a result that came in registers into the frame.
    #[inline]
    fn put_words(&self, plan: &Plan, returned: Returned) {
        let (frame, at) = (&self.environment.frame, self.signature.plan.result);
        if plan.result != ResultIn::Nothing {
            frame.put_word(at, returned.first);
        }
        if plan.has_second() {
            frame.put_word(at + 8, returned.second);
        }
    }

    /// Calls C, with everything noted that a callback has to know.
    #[inline(always)]
    fn cross(&self, plan: &Plan, words: &Words) -> Returned {
        let environment = &*self.environment;
        let depth = environment.depth.get();
        let inside = self.library.enter();
        environment.depth.set(depth + 1);
        let outer = environment.note_inside(self.id);
        // SAFETY: U1 and M4; what rides along lives until the entry returns by M3, texts by M4.
        let returned = unsafe { plan.enter(self.code, words) };
        if self.options.captures_errno() {
            self.note_errno(call::last_errno());
        }
        environment.note_inside(outer);
        environment.depth.set(depth);
        drop(inside);
        returned
    }

    /// Puts the addresses of what rides along into the words.
    fn go_with(&self, plan: &Plan, words: &mut Words, pins: u128, values: &[sys::napi_value]) -> Outcome {
        for (value, argument) in values.iter().zip(&self.signature.pins) {
            if pins >> argument & 1 == 1 {
                let Some(address) = self.take(*argument, *value) else { return Outcome::Leave };
                words.set(plan.step_of(*argument), address.get() as u64);
            }
        }
        self.go(plan, words, pins, values)
    }

    /// The address of a text or a Buffer with a fence of its own; `None` for anything else.
    #[inline]
    fn take(&self, argument: usize, value: sys::napi_value) -> Option<Address> {
        let environment = &*self.environment;
        if self.signature.arguments[argument].scalar() == Some(CType::CString) {
            // SAFETY: M3.
            let text = unsafe { pin::short_text(environment.raw, value, &environment.scratch) };
            if let Some((block, _)) = text {
                return Some(block.data());
            }
        }
        // SAFETY: M3.
        let (block, view) = unsafe { pin::fenced(environment.raw, value) }?;
        let length = block.length()?;
        // A slice of a slab has neighbours.
        if view.length < length && environment.slab_sizes.borrow().contains(&length) {
            return None;
        }
        block.give(self.id);
        environment.locks.hand(value, Some(block));
        Some(view.start)
    }

    /// Calls C, looks at the fences, and puts the result into the frame.
    #[inline]
    fn go(&self, plan: &Plan, words: &Words, pins: u128, values: &[sys::napi_value]) -> Outcome {
        let returned = self.cross(plan, words);
        self.put_words(plan, returned);
        let is_text = self.signature.result.scalar() == Some(CType::CString);
        let text = if is_text { self.text(returned.first as usize).map_err(Box::new) } else { Ok(null_mut()) };
        match (self.overflow(plan, words, pins, values), text) {
            (None, Ok(value)) => Outcome::Done(value),
            (None, Err(error)) => Outcome::Failed(error),
            (Some(overflow), _) => {
                Outcome::Failed(Box::new(FfiError::Overflow { symbol: self.symbol.clone(), overflow }))
            }
        }
    }

    /// The first overflow of an argument; all are put right.
    #[inline]
    fn overflow(&self, plan: &Plan, words: &Words, pins: u128, values: &[sys::napi_value]) -> Option<Overflow> {
        let mut found = None;
        let any_given = given::any();
        for (position, argument) in self.signature.pins.iter().enumerate() {
            // SAFETY: the words were loaded by this plan.
            let word = unsafe { words.get(plan.step_of(*argument)) };
            let Some(address) = Address::new(word as usize) else { continue };
            if pins >> argument & 1 == 0 {
                if any_given {
                    found = found.or(watch::number_overflow(*argument, address));
                }
                continue;
            }
            // SAFETY: M3 and M4 for Buffers and texts; `take` has found the block.
            let block = unsafe { Fenced::at(address) };
            if !block.length().is_some_and(|length| block.is_whole_near(length)) {
                found = found.or(self.broken(*argument, values[position], block));
            }
        }
        found
    }

    /// What has happened to the fence of an argument.
    #[cold]
    fn broken(&self, argument: usize, value: sys::napi_value, block: Fenced) -> Option<Overflow> {
        // SAFETY: M3.
        let view = match unsafe { pin::storage(self.environment.raw, value) } {
            Ok(Pinned::Bytes(storage, _)) => storage.view,
            _ => Span { start: block.data(), length: block.length().unwrap_or(0) },
        };
        watch::view_overflow(argument, view, block)
    }
}
