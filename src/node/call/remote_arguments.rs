//! Arguments of functions of isolated libraries, translated for the process of the library.
#![expect(unsafe_code, reason = "copies memory that arguments point to")]

use std::sync::Arc;

use crate::abi::ctype::CType;
use crate::call::pointer_shapes::MOST_BYTES;
use crate::call::remote::Remote;
use crate::error::{FfiError, Private, Result};
use crate::memory::address::{Address, Span};
use crate::memory::arg_buffer::{ArgBlock, address_in, bytes, set_address};
use crate::memory::block_source::BlockSource;
use crate::memory::fence::exposed;
use crate::memory::fence::shadow::Flow;
use crate::memory::raw;
use crate::node::env::BoundFunction;
use crate::node::value::Unpinned;

impl BoundFunction {
    /// The memory for copies that another process must see.
    pub fn source(&self) -> Option<&Arc<dyn BlockSource>> {
        self.remote.as_ref().map(|remote| &remote.memory.source)
    }

    /// Translates function pointers of callbacks for the other process: those that were made before there was one
    /// have other addresses there.
    ///
    /// # Errors
    /// If a function pointer or a handle is one of a process that has ended.
    #[inline(never)] // As `prepare`.
    pub fn translate_functions(&self, remote: &Remote, block: &mut ArgBlock) -> Result<()> {
        for (argument, value) in self.signature.arguments.iter().enumerate() {
            if value.scalar() != Some(CType::Function) {
                continue;
            }
            let at = self.signature.layout.arguments[argument];
            if let Some(pointer) = self.function_there(remote, argument, address_in(block, at))? {
                set_address(block, at, pointer);
            }
        }
        Ok(())
    }

    /// The other process's address of a callback; `None` for any other address.
    ///
    /// # Errors
    /// If the address is one of a process that has ended.
    fn function_there(&self, remote: &Remote, argument: usize, address: usize) -> Result<Option<usize>> {
        let pointer = remote.function.pointer_there(address);
        if pointer.is_none() && remote.function.is_stale(address) {
            return Err(FfiError::StalePointer { symbol: self.symbol.clone(), argument, address });
        }
        Ok(pointer)
    }

    /// The other process's address for a number that was passed as a pointer.
    ///
    /// # Errors
    /// Where the address, or a pointer behind it, is of memory that the process does not share.
    #[inline(never)] // Rare.
    pub fn number_there(&self, remote: &Remote, argument: usize, address: Address) -> Result<Address> {
        if let Some(pointer) = self.function_there(remote, argument, address.get())? {
            return Ok(Address::new(pointer).unwrap_or(address));
        }
        if remote.function.is_private(address.get()) {
            return Err(FfiError::NotShared { symbol: self.symbol.clone(), argument, private: Private::Address });
        }
        self.check_pointers(remote, argument, || {
            exposed::with(address, |data, length| Span { start: data, length })
                .filter(|span| remote.memory.holds(*span) && span.start == address)
        })?;
        Ok(address)
    }

    /// Which way the bytes of a view go that the other process does not share.
    ///
    /// # Errors
    /// If the call does not wait and its declaration names no direction: neither side would see what the other one
    /// writes meanwhile.
    pub fn flow_of(&self, remote: &Remote, argument: usize, is_sync: bool) -> std::result::Result<Flow, Unpinned> {
        match remote.arguments.flow(argument) {
            Some(flow) => Ok(flow),
            None if is_sync => Ok(Flow::Both),
            None => Err(Unpinned::NotShared),
        }
    }

    /// Looks at the pointers that structs by value hold.
    ///
    /// # Errors
    /// If one is of memory that the other process does not have.
    pub fn check_values(&self, remote: &Remote, block: &ArgBlock) -> Result<()> {
        for (argument, value) in self.signature.arguments.iter().enumerate() {
            let Some(shape) = remote.arguments.shapes.of_argument(argument) else { continue };
            if value.scalar().is_some() {
                continue;
            }
            let at = self.signature.layout.arguments[argument];
            self.check_shape(remote, argument, shape, &bytes(block)[at..at + value.size()])?;
        }
        Ok(())
    }

    /// Looks at the pointers of the values that an argument points to.
    ///
    /// # Errors
    /// Where the address, or a pointer behind it, is of memory that the process does not share.
    pub fn check_pointers(
        &self,
        remote: &Remote,
        argument: usize,
        memory: impl FnOnce() -> Option<Span>,
    ) -> Result<()> {
        let Some(shape) = remote.arguments.shapes.of_argument(argument) else { return Ok(()) };
        let Some(mut span) = memory() else { return Ok(()) };
        span.length = span.length.min(MOST_BYTES);
        // SAFETY: M3 for the view of an argument, or an exposed block of shared memory, which exists for good; its
        // bytes are copied once.
        let values = unsafe { raw::copy(span) };
        self.check_shape(remote, argument, shape, &values)
    }

    #[inline(never)] // As `prepare`.
    fn check_shape(&self, remote: &Remote, argument: usize, shape: usize, values: &[u8]) -> Result<()> {
        let read = |address: usize, length: usize| {
            let span = Span::new(Address::new(address)?, length).ok()?;
            // SAFETY: shared memory exists for good.
            remote.memory.holds(span).then(|| unsafe { raw::copy(span) })
        };
        let is_private = |address| remote.function.is_private(address);
        match remote.arguments.shapes.find(shape, values, is_private, read) {
            None => Ok(()),
            Some(_) => Err(FfiError::NotShared { symbol: self.symbol.clone(), argument, private: Private::Pointee }),
        }
    }
}
