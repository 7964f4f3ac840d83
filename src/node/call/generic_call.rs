//! The generic call: everything that the register call does not do.
#![expect(unsafe_code, reason = "calls C")]

use std::ptr::null_mut;

use napi::sys;

use super::prepared::PreparedCall;
use crate::abi::ctype::CType;
use crate::call::bound_function::{Entered, Options};
use crate::call::invoke::{self, ResultBlock};
use crate::error::{FfiError, Private, Result};
use crate::memory::address::{Address, Span};
use crate::memory::arg_buffer::{ArgBlock, address_in, bytes, set_address};
use crate::memory::fence::borrows::Borrows;
use crate::memory::fence::pool_slice::{PoolSlab, Ranges, range};
use crate::memory::fence::shadow::Flow;
use crate::memory::raw::PointerCheck;
use crate::memory::string_arena::StringArena;
use crate::memory::text::encoding::Encoding;
use crate::node::async_call::start::enter_on_helper;
use crate::node::env::BoundFunction;
use crate::node::string::to_string;
use crate::node::value::{self, Pinned, Unpinned};

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
    pub fn call(&self, values: &[sys::napi_value]) -> Result<sys::napi_value> {
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
            environment.calls.depth.set(depth);
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
        self.record_errno(invoke::last_errno());
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
            invoke::set_errno(entered.errno);
        }
        self.take_entered(prepared, &mut entered)
    }

    /// Gives up what was prepared for a call that has failed: what it has written until then stays, and an overflow is
    /// told along.
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
        values: &[sys::napi_value],
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

    pub fn pointer_check(&self) -> PointerCheck {
        if self.options.has(Options::GUARD) { PointerCheck::Mapped } else { self.environment.pointer_check.get() }
    }

    /// Writes the addresses of the pins into the block. The bits at its start say which arguments are pins; the others
    /// are numbers.
    fn pin(
        &self,
        values: &[sys::napi_value],
        strings: Option<&StringArena>,
        prepared: &mut PreparedCall,
    ) -> Result<()> {
        let PreparedCall { block, owned, borrows, lent, .. } = prepared;
        let bits = block[0];
        let environment = &*self.environment;
        for (value, argument) in values.iter().zip(&self.signature.pins) {
            let at = self.signature.layout.arguments[*argument];
            if bits >> argument & 1 == 0 {
                if let Some(address) = Address::new(address_in(block, at)) {
                    let address = match &self.remote {
                        Some(remote) => self.number_there(remote, *argument, address)?,
                        None => address,
                    };
                    set_address(block, at, address.get());
                    let slice = environment.pool_slices.around(environment.raw, address);
                    borrows.number(*argument, address, slice.as_ref().map(|(view, _)| *view));
                    match slice {
                        Some((view, slab)) if strings.is_some() => self.watch_slice(*argument, view, slab, borrows),
                        Some(_) => {}
                        None => lent.push(address.get()..usize::MAX),
                    }
                    self.step(*argument, address, strings.is_some(), borrows);
                }
                continue;
            }
            let encoding = self.signature.arguments[*argument].scalar().and_then(CType::encoding);
            // SAFETY: M3.
            let encoding = encoding.filter(|_| unsafe { value::is_string(environment.raw, *value) });
            let is_text = encoding.is_some();
            let address = if let Some(encoding) = encoding {
                // SAFETY: M3.
                let found = unsafe { environment.text_block(*value, encoding, strings, self.source(), owned) };
                found.map(|(block, length)| {
                    borrows.whole_block(*argument, Span { start: block.data(), length }, block, self.id);
                    block.data()
                })
            } else {
                self.storage(*argument, *value, strings.is_some(), borrows, lent)
            };
            let address = address.map_err(|fault| {
                let (symbol, argument) = (self.symbol.clone(), *argument);
                match fault {
                    Unpinned::Detached => FfiError::Detached { symbol, argument },
                    Unpinned::Resizable => FfiError::Resizable { symbol, argument },
                    Unpinned::NotAView => FfiError::NotAView { symbol, argument },
                    Unpinned::HasNul => FfiError::HasNul { symbol, argument },
                    Unpinned::NoMemory(wanted) => FfiError::MemoryExhausted { wanted },
                    Unpinned::NotShared => FfiError::NotShared { symbol, argument, private: Private::Late },
                }
            })?;
            if let Some(remote) = &self.remote
                && !is_text
            {
                // SAFETY: M3.
                self.check_pointers(remote, *argument, || unsafe { value::span(environment.raw, *value) })?;
            }
            set_address(block, at, address.get());
        }
        if borrows.pauses() {
            borrows.follow(self.words(block));
        }
        if let Some(remote) = &self.remote {
            self.translate_functions(remote, block)?;
            self.check_values(remote, block)?;
        }
        if self.options.has(Options::GUARD) || self.remote.is_some() {
            let made = borrows.copies(self.source(), |argument, address| {
                set_address(block, self.signature.layout.arguments[argument], address.get());
            });
            if !made {
                return Err(FfiError::MemoryExhausted { wanted: 0 });
            }
        }
        Ok(())
    }

    /// The words of a call's arguments.
    fn words(&self, block: &ArgBlock) -> impl Iterator<Item = usize> + Clone {
        let arguments = self.signature.arguments.iter().zip(&self.signature.layout.arguments);
        let places =
            arguments.flat_map(|(each, at)| (*at..).step_by(size_of::<usize>()).take(each.size() / size_of::<usize>()));
        places.map(move |at| address_in(block, at))
    }

    /// Translates a number into an address in the copy of the memory that it lies in, if that is or will be copied.
    fn step(&self, argument: usize, address: Address, is_sync: bool, borrows: &mut Borrows) {
        if !self.options.has(Options::GUARD) {
            return;
        }
        let environment = &*self.environment;
        // Nothing would hold the buffer of a job's number.
        let found = if is_sync { environment.exposed_views.memory(environment.raw, address) } else { None };
        if found.is_some_and(|found| found.is_native) && self.may_free() {
            return;
        }
        if let Some(found) = found {
            environment.transfer_locks.hand(found.buffer, None);
        }
        borrows.want_step(argument, address, found.map(|found| found.memory));
    }

    /// Whether the signature is that of `free`, which needs the address itself.
    fn may_free(&self) -> bool {
        self.signature.arguments.len() == 1 && self.signature.result.scalar() == Some(CType::Void)
    }

    /// The address of a view's storage, borrowed if that is possible.
    fn storage(
        &self,
        argument: usize,
        value: sys::napi_value,
        is_sync: bool,
        borrows: &mut Borrows,
        lent: &mut Ranges,
    ) -> std::result::Result<Address, Unpinned> {
        let environment = &*self.environment;
        // SAFETY: M3.
        let (storage, buffer) = match unsafe { value::storage(environment.raw, value) }? {
            Pinned::Bytes(storage, buffer) => (storage, buffer),
            Pinned::Empty => {
                let empty = self.remote.as_ref().map_or(environment.empty_block, |remote| remote.memory.empty);
                let view = Span { start: empty.data(), length: 0 };
                borrows.whole_block(argument, view, empty, self.id);
                return Ok(view.start);
            }
        };
        if environment.transfer_locks.is_resizable(environment.raw, buffer) {
            return Err(Unpinned::Resizable);
        }
        if is_sync {
            environment.transfer_locks.hand(buffer, None);
        }
        if let Some(remote) = &self.remote
            && !remote.memory.holds(storage.view)
        {
            borrows.want_copy(argument, storage.view, self.flow_of(remote, argument, is_sync)?);
            return Ok(storage.view.start);
        }
        let block = storage.block();
        // SAFETY: M3.
        let whole = || unsafe { value::buffer_length(environment.raw, buffer) };
        let length = block.map_or_else(whole, |block| block.length()).unwrap_or(0);
        // A part of a buffer has no fence either.
        let has_fence = block.is_some_and(|block| block.data() == storage.view.start) && length == storage.view.length;
        let is_kept = || environment.exposed_views.is_kept(environment.raw, storage.view.start);
        if self.options.has(Options::GUARD) && !has_fence && !is_kept() {
            borrows.want_copy(argument, storage.view, Flow::Both);
            return Ok(storage.view.start);
        }
        // Meanwhile JavaScript may write the neighbours of a job's slice, which is not an overflow.
        let slab = environment.pool_slices.slab(environment.raw, storage, buffer, length);
        if let Some(slab) = &slab {
            slab.passed.record(storage.view);
        }
        match slab {
            Some(slab) if is_sync => self.watch_slice(argument, storage.view, slab, borrows),
            Some(_) => lent.push(range(storage.view)),
            // Foreign memory may be a part of a slab.
            None if block.is_none() => lent.push(range(storage.view)),
            None => {}
        }
        match block {
            Some(block) => borrows.block(argument, storage.view, block, self.id),
            None => borrows.grant(storage.view),
        }
        Ok(storage.view.start)
    }

    fn watch_slice(&self, argument: usize, view: Span, slab: PoolSlab, borrows: &mut Borrows) {
        let environment = &*self.environment;
        let calls = environment.calls.depth.get();
        let exempt = environment.written_by_others(slab.span, &environment.calls.borrows.borrow(), calls);
        borrows.slice(argument, view, slab, exempt);
    }
}
