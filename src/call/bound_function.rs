//! A function that is bound to a symbol: everything about it that does not change from call to call.

use std::rc::Rc;
use std::sync::Arc;

use super::invoke;
use crate::abi::signature::Signature;
use crate::loader::library::Library;
use crate::memory::address::Address;

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
    /// Where it was bound.
    pub environment: Rc<E>,
    /// How it is called.
    pub options: Options,
    /// Whether a call without pins has only numbers as arguments, and a number or a text as its result.
    pub may_be_of_numbers: bool,
    /// Whether it has a register call.
    pub has_register_call: bool,
    /// Whether it returns text.
    pub gives_text: bool,
}

/// How a function is called; bits of `bind`'s `options`.
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

    /// Whether none of the options needs the generic call.
    pub fn is_plain(self) -> bool {
        self.0 & !Self::ERRNO == 0
    }

    /// Whether errno is captured.
    pub fn captures_errno(self) -> bool {
        self.has(Self::ERRNO)
    }

    pub fn has(self, option: u32) -> bool {
        self.0 & option != 0
    }
}

impl<E> BoundFunction<E> {
    /// Clears errno if the declaration captures it, so that its value after the call is C's.
    #[inline]
    pub fn clear_errno(&self) {
        if self.options.captures_errno() {
            invoke::clear_errno();
        }
    }
}
