//! The state of an environment's fast calls: the memory that they share with JavaScript, and the blocks that they have
//! passed to C.
#![cfg(v8_abi)]
#![expect(unsafe_code, reason = "writes memory that it shares with JavaScript")]

use std::cell::{Cell, RefCell};
use std::ptr::null;

use crate::call::bound_function::BoundFunction;
use crate::error::FfiError;
use crate::memory::address::{Address, Span};
use crate::memory::fence::block;
use crate::memory::fence::block_cache::BlockCache;
use crate::v8::trampoline::TrampolineContext;

/// The slots for texts: the most texts of a call.
pub const TEXT_SLOTS: usize = 8;

/// Arguments of a fast call, at most (lib/call/fast-call.js has the reason). Their pins' bits fit the argument
/// buffer's first word.
pub const MOST_ARGUMENTS: usize = 16;

/// The fast calls of an environment.
pub struct FastCalls<E> {
    /// Without the addresses inside of [`FastArguments`], which may still move when this is made.
    pub context: TrampolineContext,
    /// The arguments that its calls pass.
    pub passed: FastArguments<E>,
}

/// The blocks that fast calls have passed to C.
pub struct FastArguments<E> {
    /// The blocks that were passed last: of views by argument, then of texts by slot.
    pub blocks: [BlockCache; MOST_ARGUMENTS + TEXT_SLOTS],
    /// Which of them each argument was passed.
    pub last_blocks: [Cell<u8>; MOST_ARGUMENTS],
    pub overflow: RefCell<Option<FfiError>>,
    /// The memory it shares with JavaScript.
    pub shared: Shared,
    /// The function that has returned a text, if the text is not short ASCII.
    pub returning: Cell<*const BoundFunction<E>>,
}

impl<E> FastArguments<E> {
    /// Nothing has been passed yet.
    pub fn new(shared: Shared) -> Self {
        Self {
            blocks: Default::default(),
            last_blocks: Default::default(),
            overflow: RefCell::default(),
            shared,
            returning: Cell::new(null()),
        }
    }
}

/// The memory that JavaScript and fast calls both read and write: words of 32 bits (the outcome of the last call, the
/// length of the text it returned, one that JavaScript alone uses, the bits of the pins), that text, the addresses that
/// C is passed, and from [`TEXTS`] on the slots of the texts of a call, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Shared(pub Span);

/// The offset of the bits of the pins, one an argument.
pub const PINS: usize = 12;
/// The offset of the text that C has returned.
pub const RETURNED: usize = 16;
/// The offset of the addresses, a word for each argument.
pub const ADDRESSES: usize = 64;
/// The offset of the text slots.
pub const TEXTS: usize = ADDRESSES + MOST_ARGUMENTS * 8;
/// In place of the length of a text: there is no text, or `take_text` has to fetch it.
pub const NO_TEXT: u32 = u32::MAX;
pub const NOT_PLAIN: u32 = u32::MAX - 1;
/// The longest text that is put into a slot, in bytes.
pub const LONGEST: usize = 1024;

impl Shared {
    /// The address of the state word, for generated code.
    #[inline]
    pub fn state(self) -> *mut u32 {
        self.0.start.as_ptr().cast()
    }

    /// Sets the state word.
    #[inline]
    pub fn set_state(self, state: u32) {
        // SAFETY: M1 and M6; `attach_fast_calls` received the memory, for words of 32 bits.
        unsafe { self.state().write(state) };
    }

    /// Writes the length of the text that was returned.
    #[inline]
    pub fn set_text(self, length: u32) {
        // SAFETY: as above.
        unsafe { self.state().add(1).write(length) };
    }

    /// Which arguments are pins: one bit an argument.
    #[inline]
    pub fn pins(self) -> u32 {
        // SAFETY: as above.
        unsafe { self.state().add(PINS / 4).read() }
    }

    /// Marks an argument as a pin whose data begins at an address.
    #[inline]
    pub fn pass_pin(self, argument: usize, data: Address) {
        // SAFETY: as above; an argument has a bit and a word.
        unsafe {
            self.state().add(PINS / 4).write(self.pins() | 1 << argument);
            self.0.start.as_ptr().add(ADDRESSES + argument * 8).cast::<usize>().write(data.get());
        }
    }

    /// The address that an argument was passed as.
    #[inline]
    pub fn address(self, argument: usize) -> Option<Address> {
        // SAFETY: as above.
        Address::new(unsafe { self.0.start.as_ptr().add(ADDRESSES + argument * 8).cast::<usize>().read() })
    }

    /// Space for a text of [`SHORT`](crate::memory::short_text::SHORT) bytes.
    #[inline]
    pub fn returned(self) -> *mut u8 {
        self.0.start.as_ptr().wrapping_add(RETURNED)
    }

    /// The start of a text slot: a whole block fits there.
    #[inline]
    pub fn text_slot(self, number: usize, bytes: usize) -> Option<Address> {
        // Blocks begin at multiples of 16, as the memory itself does.
        let stride = ((self.0.length - TEXTS) / TEXT_SLOTS) & !15;
        let fits = number < TEXT_SLOTS && bytes.checked_add(block::overhead())? <= stride;
        fits.then(|| Address::new(self.0.start.get() + TEXTS + number * stride))?
    }
}
