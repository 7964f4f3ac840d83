//! Arguments of functions of isolated libraries: what they are in the process of the library.

use std::sync::Arc;

use crate::abi::ctype::CType;
use crate::call::remote::Remote;
use crate::error::{FfiError, Result};
use crate::memory::address::Address;
use crate::memory::arg_buffer::{ArgBlock, address_in, set_address};
use crate::memory::block_source::BlockSource;
use crate::memory::fence::exposed;
use crate::node::env::BoundFunction;

impl BoundFunction {
    /// Where copies go that another process has to see.
    pub fn source(&self) -> Option<&Arc<dyn BlockSource>> {
        self.remote.as_ref().map(|remote| &remote.memory.source)
    }

    /// Has function pointers of callbacks mean the same in the other process: those that were made before there was one
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
            let address = address_in(block, at);
            if let Some(pointer) = remote.function.pointer_there(address) {
                set_address(block, at, pointer);
            } else if remote.function.is_stale(address) {
                return Err(FfiError::StalePointer { symbol: self.symbol.clone(), argument, address });
            }
        }
        Ok(())
    }

    /// What a number that was passed for a pointer is in the other process.
    #[inline(never)] // Rare.
    pub fn number_there(&self, remote: &Remote, argument: usize, address: Address) -> Result<Address> {
        if let Some(pointer) = remote.function.pointer_there(address.get()) {
            return Ok(Address::new(pointer).unwrap_or(address));
        }
        if remote.function.is_stale(address.get()) {
            let (symbol, address) = (self.symbol.clone(), address.get());
            return Err(FfiError::StalePointer { symbol, argument, address });
        }
        let is_here = || {
            exposed::with(address, |_, _| ()).is_some()
                || self.environment.exposed_views.memory(self.environment.raw, address).is_some()
        };
        if !remote.memory.source.contains(address) && is_here() {
            return Err(FfiError::NotShared { symbol: self.symbol.clone(), argument });
        }
        Ok(address)
    }
}
