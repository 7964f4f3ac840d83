//! The generic call: everything that the register call does not do.
#![expect(unsafe_code, reason = "calls C")]

use std::ptr::null_mut;

use napi::sys;

use super::prepared::PreparedCall;
use crate::call::bound_function::{Entered, Options};
use crate::call::invoke::{self, ResultBlock};
use crate::errno::Errno;
use crate::error::{FfiError, Result};
use crate::memory::arg_buffer::{address_in, bytes};
use crate::memory::raw::PointerCheck;
use crate::memory::string_arena::StringArena;
use crate::memory::text::encoding::Encoding;
use crate::node::async_call::start::enter_on_helper;
use crate::node::env::BoundFunction;
use crate::node::string::to_string;
use crate::node::value::RootedValues;

impl BoundFunction {
    /// Counts a call that frees a handle, at the point where C is certain to be entered.
    pub fn record_free(&self) {
        if self.options.has(Options::FREES) {
            self.environment.calls.frees.set(self.environment.calls.frees.get().wrapping_add(1));
        }
    }

    /// Keeps errno for `errno()`, where the declaration says so.
    pub fn record_errno(&self, errno: i32) {
        if self.options.has(Options::ERRNO) {
            self.environment.calls.errno.set(errno);
        }
    }

    /// The error of a panic.
    pub fn panicked(&self) -> FfiError {
        FfiError::Internal { reason: format!("{} panicked", self.symbol) }
    }

    /// Refuses calls of a closed library.
    ///
    /// # Errors
    /// Where the library is closed.
    pub fn check_open(&self) -> Result<()> {
        if self.library.is_open() {
            return Ok(());
        }
        Err(FfiError::LibraryClosed { symbol: self.symbol.clone(), library: self.library.name().to_owned() })
    }

    /// Makes the call: prepares the arguments, calls C, checks the borrows, and stores the result.
    ///
    /// # Errors
    /// Wrong arguments, a closed library, a breached fence, the end of an isolated library's process.
    pub fn call(&self, values: RootedValues<'_>) -> Result<sys::napi_value> {
        self.check_open()?;
        let environment = &*self.environment;
        let _inside = self.library.enter();
        let strings = self.remote.as_ref().map_or(&environment.calls.strings, |remote| &remote.memory.strings);
        let (text, locks) = (strings.mark(), environment.transfer_locks.mark());
        // Not on the stack, under which calls may nest.
        let mut prepared = PreparedCall::boxed();
        let mut outcome = self.prepare(values, Some(strings), &mut prepared).map(|()| null_mut());
        if outcome.is_ok() {
            let pauses = prepared.borrows.pauses();
            let depth = environment.calls.depth.get();
            if pauses {
                let borrows = std::mem::take(&mut prepared.borrows);
                environment.calls.borrows.borrow_mut().push((depth + 1, borrows));
            }
            environment.calls.depth.set(depth + 1);
            // A call that serves callbacks lets no thread wait.
            let serves = self.options.has(Options::THREADS);
            let outer = environment.inside.replace(if serves { 0 } else { self.inside });
            let result = self.enter(&mut prepared);
            environment.inside.replace(outer);
            environment.calls.leave(depth, &self.symbol);
            if self.options.is_leaf() {
                environment.end_leaf();
            }
            if pauses && let Some((_, borrows)) = environment.calls.borrows.borrow_mut().pop() {
                prepared.borrows = borrows;
            }
            outcome = match result {
                Ok(result) => self.finish(&mut prepared, &result),
                Err(error) => Err(self.failed(&mut prepared, error)),
            };
        }
        environment.transfer_locks.end(environment.raw, locks);
        strings.release(text);
        outcome
    }

    #[inline(never)] // As `prepare`: what one call path needs of the stack is not taken from the others.
    fn enter(&self, prepared: &mut PreparedCall) -> Result<ResultBlock> {
        self.record_free();
        if self.options.has(Options::THREADS) {
            return self.enter_by_helper(prepared);
        }
        if self.remote.is_some() {
            return self.enter_remote(prepared);
        }
        self.clear_errno();
        // SAFETY: U1; the spans in the block live until the call returns by M3, the text by M4.
        let result = unsafe { invoke::enter(&self.signature, self.code, &prepared.block) };
        self.record_errno(Errno::here().get());
        Ok(result)
    }

    #[inline(never)] // As above.
    fn enter_by_helper(&self, prepared: &mut PreparedCall) -> Result<ResultBlock> {
        let calling = self.calling();
        let block = &prepared.block;
        // SAFETY: U1 and M4; the caller waits for the result.
        let mut entered = enter_on_helper(&self.environment, || unsafe { calling.enter(block) })??;
        self.take_entered(prepared, &mut entered)
    }

    /// Stores the state that a call has left apart from its result.
    #[inline(never)] // As above.
    fn take_entered(&self, prepared: &mut PreparedCall, entered: &mut Entered) -> Result<ResultBlock> {
        self.record_errno(entered.errno);
        prepared.text = entered.text.take();
        Ok(std::mem::take(&mut entered.block))
    }

    #[inline(never)] // As above.
    fn enter_remote(&self, prepared: &mut PreparedCall) -> Result<ResultBlock> {
        let calling = self.calling();
        // SAFETY: U1 and M4, as in `enter`.
        let mut entered = unsafe { calling.enter(&prepared.block) }?;
        if self.options.captures_errno() {
            // Code that reads errno itself finds it, too.
            Errno::here().set(entered.errno);
        }
        self.take_entered(prepared, &mut entered)
    }

    /// Releases the borrows of a call that has failed: its writes until then stay, and an overflow is
    /// reported with the error.
    #[cold]
    #[inline(never)] // As `prepare`.
    pub fn failed(&self, prepared: &mut PreparedCall, mut error: FfiError) -> FfiError {
        prepared.borrows.forget_outputs();
        let overflow = prepared.borrows.end();
        if let FfiError::LibraryDied { death, .. } = &mut error {
            death.overflow = overflow;
        }
        error.of_call(&self.symbol)
    }

    /// Takes the arguments out of the argument buffer, and the addresses of the pins. Without an arena, text gets
    /// separate blocks, and JavaScript goes on while C runs.
    ///
    /// # Errors
    /// If an argument does not pass.
    #[inline(never)] // Its stack is freed before C runs, under which calls may nest.
    pub fn prepare(
        &self,
        values: RootedValues<'_>,
        strings: Option<&StringArena>,
        prepared: &mut PreparedCall,
    ) -> Result<()> {
        prepared.block = self.environment.arg_buffer.take(self.signature.layout.size);
        self.pin(values, strings, prepared).inspect_err(|_| {
            prepared.borrows.end();
        })
    }

    /// Puts the result into the argument buffer; text is returned as well, because it may lie in an argument that ends
    /// with the call. An overflow is an error.
    ///
    /// # Errors
    /// The first overflow of a fence, or a text that cannot be read.
    #[inline(never)] // As `prepare`.
    pub fn finish(&self, prepared: &mut PreparedCall, result: &ResultBlock) -> Result<sys::napi_value> {
        let arg_buffer = &self.environment.arg_buffer;
        arg_buffer.put(self.signature.layout.result, bytes(result));
        let text = match &prepared.text {
            Some(text) => to_string(&self.environment, text, Encoding::Utf8),
            None => match self.returned_text {
                Some(encoding) => self.text(address_in(result, 0), encoding),
                None => Ok(null_mut()),
            },
        };
        match prepared.borrows.end() {
            Some(overflow) => Err(FfiError::Overflow { symbol: self.symbol.clone(), overflow }),
            None => text,
        }
    }

    /// The check of the addresses that this function gets and returns.
    pub fn pointer_check(&self) -> PointerCheck {
        if self.options.has(Options::GUARD) { PointerCheck::Mapped } else { self.environment.pointer_check.get() }
    }
}
