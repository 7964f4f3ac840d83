//! A function that is bound to a symbol: everything about it that does not change from call to call.

#![expect(unsafe_code, reason = "calls a C function")]

use std::rc::Rc;
use std::sync::Arc;

use super::invoke;
use super::remote::{Remote, RemoteCall, RemoteResult};
use crate::abi::signature::Signature;
use crate::errno::Errno;
use crate::error::Result;
use crate::loader::library::Library;
use crate::memory::address::Address;
use crate::memory::arg_buffer::ArgBlock;
use crate::memory::text::encoding::Encoding;

/// The most arguments of a register call that may be pins.
pub const MOST_PINS: usize = 8;

/// A function that is bound to a symbol.
pub struct BoundFunction<E> {
    /// Its name in messages.
    pub symbol: String,
    /// The symbol's number in `report`.
    pub id: u32,
    /// Its address.
    pub code: Address,
    /// Its types.
    pub signature: Arc<Signature>,
    /// The library that must be open.
    pub library: Rc<Library>,
    /// The environment that it was bound in.
    pub environment: Rc<E>,
    /// Its options.
    pub options: Options,
    /// The word of a thread while it is inside this function (`inside.rs`).
    pub inside: usize,
    /// Whether a call without pins has only numbers as arguments, and a number or a text as its result.
    pub may_be_of_numbers: bool,
    /// Whether it has a register call.
    pub has_register_call: bool,
    /// The encoding of the text that it returns, if it returns one.
    pub returned_text: Option<Encoding>,
    /// The function in another process, where it is isolated: then `code` means nothing here.
    pub remote: Option<Remote>,
}

/// The options of a function; bits of `bind`'s `options`.
#[derive(Clone, Copy)]
pub struct Options(pub u32);

impl Options {
    /// Arguments without a fence get one by copy.
    pub const GUARD: u32 = 1;
    /// errno is captured.
    pub const ERRNO: u32 = 2;
    /// The call runs on a helper thread while this one serves callbacks.
    pub const THREADS: u32 = 4;
    /// JavaScript has to know whether C was called: it may have freed an argument.
    pub const FREES: u32 = 8;
    /// The function runs in another process.
    pub const REMOTE: u32 = 16;
    /// The function calls no callback; one that it calls after all does not run JavaScript.
    pub const LEAF: u32 = 32;

    /// Whether none of the options needs the generic call.
    pub fn is_plain(self) -> bool {
        self.0 & !(Self::ERRNO | Self::LEAF) == 0
    }

    /// Whether it is a leaf function.
    #[inline]
    pub fn is_leaf(self) -> bool {
        self.has(Self::LEAF)
    }

    /// Whether errno is captured.
    pub fn captures_errno(self) -> bool {
        self.has(Self::ERRNO)
    }

    /// Whether an option is set.
    pub fn has(self, option: u32) -> bool {
        self.0 & option != 0
    }
}

/// The result of a call.
pub type Entered = RemoteResult;

/// The parts of a function that another thread needs to call it.
pub struct Calling<'a> {
    signature: &'a Arc<Signature>,
    code: Address,
    options: Options,
    remote: Option<&'a dyn RemoteCall>,
}

impl Calling<'_> {
    /// Calls the function with a block of arguments.
    ///
    /// # Errors
    /// The errors of a function in another process.
    ///
    /// # Safety
    /// U1: the signature is that of the function. M4: what the block points to lives until this returns.
    pub unsafe fn enter(&self, block: &ArgBlock) -> Result<Box<Entered>> {
        let captures_errno = self.options.captures_errno();
        if let Some(remote) = self.remote {
            return remote.call(self.signature, block, captures_errno);
        }
        if captures_errno {
            Errno::here().set(0);
        }
        // SAFETY: by the contract of this function.
        let block = unsafe { invoke::enter(self.signature, self.code, block) };
        Ok(Box::new(Entered { block, errno: Errno::here().get(), text: None }))
    }
}

impl<E> BoundFunction<E> {
    /// The parts that another thread needs.
    pub fn calling(&self) -> Calling<'_> {
        let remote = self.remote.as_ref().map(|remote| &*remote.function as &dyn RemoteCall);
        Calling { signature: &self.signature, code: self.code, options: self.options, remote }
    }

    /// Clears errno if the declaration captures it, so that its value after the call is C's.
    #[inline]
    pub fn clear_errno(&self) {
        if self.options.captures_errno() {
            Errno::here().set(0);
        }
    }
}
