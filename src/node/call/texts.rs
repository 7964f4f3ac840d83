//! Texts of a call: the strings that it passes, read where V8 keeps them or by Node-API, and the one that C returns.
#![expect(unsafe_code, reason = "reads JavaScript strings and texts of C")]

use std::borrow::Cow;
use std::ptr::null_mut;
use std::sync::Arc;

use napi::sys;

use crate::error::{self, FfiError};
use crate::memory::block_source::BlockSource;
use crate::memory::fence::block::Fenced;
use crate::memory::fence::block_cache::CachedBlock;
use crate::memory::raw;
use crate::memory::string_arena::StringArena;
use crate::memory::text::encoding::Encoding;
use crate::node::env::{BoundFunction, Environment};
use crate::node::string::to_string;
use crate::node::text_argument::{self, OwnedText};
use crate::node::value::{Rooted, Unpinned};

impl Environment {
    /// A string in an encoding with a NUL, in an arena; `None` for any other value, for a string with a NUL in it, and
    /// where there is no space.
    #[inline]
    pub fn text(&self, value: Rooted<'_>, encoding: Encoding, strings: &StringArena) -> Option<CachedBlock> {
        #[cfg(v8_abi)]
        if let Some(flat) = self.v8.flat_strings.get() {
            // SAFETY: the value is rooted, and nothing is allocated by V8 while its characters are read.
            if let Some(characters) = unsafe { flat.of(value.raw().cast()) } {
                return strings.put(characters, encoding);
            }
            if text_argument::flatten(value)
                // SAFETY: as above: V8 has allocated what it flattens before.
                && let Some(characters) = unsafe { flat.of(value.raw().cast()) }
            {
                return strings.put(characters, encoding);
            }
        }
        text_argument::short_text(value, encoding, strings)
    }

    /// The same for any string: where the arena is full, or there is none, it gets a new block, which `owned` keeps, in
    /// the memory of a source if there is one. Returns the block and its length in bytes.
    ///
    /// # Errors
    /// If the string has a NUL in it, or there is no memory for it.
    pub fn text_block(
        &self,
        value: Rooted<'_>,
        encoding: Encoding,
        strings: Option<&StringArena>,
        source: Option<&Arc<dyn BlockSource>>,
        owned: &mut Vec<OwnedText>,
    ) -> Result<(Fenced, usize), Unpinned> {
        if let Some(cached) = strings.and_then(|strings| self.text(value, encoding, strings)) {
            return Ok((cached.block, cached.length()));
        }
        text_argument::text(value, encoding, source, owned)
    }
}

impl BoundFunction {
    /// The text that C has returned; null for NULL.
    ///
    /// # Errors
    /// If the address cannot be read, or the text is too long for a string.
    pub fn text(&self, address: usize, encoding: Encoding) -> error::Result<sys::napi_value> {
        let mut null = null_mut();
        if address == 0 {
            // SAFETY: M6, because only its own thread reaches an environment; the out-parameter is a local.
            unsafe { sys::napi_get_null(self.environment.raw, &mut null) };
            return Ok(null);
        }
        let found = match &self.remote {
            Some(remote) if encoding == Encoding::Utf8 => remote.function.text(address).map(Cow::Owned),
            // SAFETY: U1; the function returns text.
            _ => unsafe { raw::text_in(encoding, address, self.pointer_check()) },
        };
        match found {
            Some(bytes) => to_string(&self.environment, &bytes, encoding),
            None => Err(FfiError::InvalidPointer { symbol: self.symbol.clone(), address }),
        }
    }
}
