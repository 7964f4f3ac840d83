//! The views, texts and numbers that a generic call passes as pointers: their addresses, and the memory that the call
//! borrows by them.
#![expect(unsafe_code, reason = "asks Node-API for storage, and reads the argument block")]

use super::prepared::PreparedCall;
use crate::abi::ctype::CType;
use crate::call::bound_function::Options;
use crate::error::{FfiError, Private, Result};
use crate::memory::address::{Address, Span};
use crate::memory::arg_buffer::{ArgBlock, address_in, set_address};
use crate::memory::fence::borrows::Borrows;
use crate::memory::fence::pool_slice::{PoolSlab, Ranges, range};
use crate::memory::fence::shadow::Flow;
use crate::memory::string_arena::StringArena;
use crate::node::env::BoundFunction;
use crate::node::value::{Pinned, Rooted, RootedValues, Unpinned};

impl BoundFunction {
    /// Writes the addresses of the pins into the block. The bits at its start say which arguments are pins; the others
    /// are numbers.
    ///
    /// # Errors
    /// A value that has no memory, a text that has a NUL or no room, and memory that an isolated library cannot follow.
    pub(super) fn pin(
        &self,
        values: RootedValues<'_>,
        strings: Option<&StringArena>,
        prepared: &mut PreparedCall,
    ) -> Result<()> {
        let PreparedCall { block, owned, borrows, lent, .. } = prepared;
        let bits = block[0];
        let environment = &*self.environment;
        for (value, argument) in values.iter(environment.on_thread()).zip(&self.signature.pins) {
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
            let encoding = encoding.filter(|_| value.is_string());
            let is_text = encoding.is_some();
            let address = if let Some(encoding) = encoding {
                let found = environment.text_block(value, encoding, strings, self.source(), owned);
                found.map(|(block, length)| {
                    borrows.whole_block(*argument, Span { start: block.data(), length }, block, self.id);
                    block.data()
                })
            } else {
                self.storage(*argument, value, strings.is_some(), borrows, lent)
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
                self.check_pointers(remote, *argument, || value.span())?;
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
    pub(super) fn words(&self, block: &ArgBlock) -> impl Iterator<Item = usize> + Clone {
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
            // SAFETY: M3; `memory` has put the buffer into the scope of the native entry, which returns after C has.
            // M6: only its own thread reaches an environment.
            environment.transfer_locks.hand(unsafe { Rooted::new(environment.raw, found.buffer) }, None);
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
        value: Rooted<'_>,
        is_sync: bool,
        borrows: &mut Borrows,
        lent: &mut Ranges,
    ) -> std::result::Result<Address, Unpinned> {
        let environment = &*self.environment;
        let (storage, buffer) = match value.storage()? {
            Pinned::Bytes(storage, buffer) => (storage, buffer),
            // The view may be empty because its storage has shrunk.
            Pinned::Empty(buffer) if environment.transfer_locks.is_resizable(buffer) => {
                return Err(Unpinned::Resizable);
            }
            Pinned::Empty(_) => {
                let empty = self.remote.as_ref().map_or(environment.empty_block, |remote| remote.memory.empty);
                let view = Span { start: empty.data(), length: 0 };
                borrows.whole_block(argument, view, empty, self.id);
                return Ok(view.start);
            }
        };
        let block = storage.block();
        let whole = || buffer.buffer_length();
        let length = block.map_or_else(whole, |block| block.length()).unwrap_or(0);
        let slab = environment.pool_slices.slab(storage, buffer, length);
        // A slab is not, which Node 20 would have to be asked in JavaScript.
        if slab.is_none() && environment.transfer_locks.is_resizable(buffer) {
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
        // A part of a buffer has no fence either.
        let has_fence = block.is_some_and(|block| block.data() == storage.view.start) && length == storage.view.length;
        let is_kept = || environment.exposed_views.is_kept(environment.raw, storage.view.start);
        if self.options.has(Options::GUARD) && !has_fence && !is_kept() {
            borrows.want_copy(argument, storage.view, Flow::Both);
            return Ok(storage.view.start);
        }
        // Meanwhile JavaScript may write the neighbours of a job's slice, which is not an overflow.
        if let Some(slab) = &slab {
            slab.state.passed.record(storage.view);
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
