//! Stubs: the function pointers of callbacks. A few instructions save the argument registers in one block with the
//! stack arguments, by the same kind of calling sequence as calls (`abi::calling_sequence`). libffi's closures serve
//! every other signature, and are the oracle of the tests.
#![cfg(callback_stubs)]
#![expect(unsafe_code, reason = "is called by C")]

use std::cell::Cell;
use std::mem::offset_of;
use std::ptr::{NonNull, with_exposed_provenance_mut};
use std::sync::{Mutex, PoisonError};

#[cfg(aapcs64)]
use super::entry_aapcs64::{LINKS, STUB_BYTES, enter, stub};
#[cfg(sysv64)]
use super::entry_sysv64::{LINKS, STUB_BYTES, enter, stub};
#[cfg(win64)]
use super::entry_win64::{LINKS, STUB_BYTES, enter, stub};
use crate::abi::calling_sequence::{CallingSequence, FIRST_FLOAT, Load, ResultIn, Step, WORD};
use crate::abi::native::{FILE, RESULT_ADDRESS, RETURNED};
use crate::memory::address::Address;
use crate::memory::arg_buffer::ArgBuffer;
use crate::memory::exec::Code;

/// Answers a call. It gets the saved registers, and the value that the stub was made with.
pub type Arrive = unsafe extern "C" fn(&SavedRegisters, usize);

/// The arguments of one call, as C left them, and space for the result. Behind it lie those on the stack.
#[repr(C)]
pub struct SavedRegisters {
    registers: [u64; FILE.registers()],
    results: [Cell<u64>; RETURNED],
}

/// The slot's fields, as the entries of the ABIs use them.
const _: () = assert!(offset_of!(Slot, entry) == 0 && offset_of!(Slot, arrive) == 8 && offset_of!(Slot, target) == 16);
/// C's stack stays aligned.
const _: () = assert!(size_of::<SavedRegisters>().is_multiple_of(16));

impl SavedRegisters {
    /// The word of an argument. On Apple's arm64, those of the stack are packed: the upper bytes may be of others.
    ///
    /// # Safety
    /// U1: the step is of the sequence of the signature that C called.
    #[inline]
    unsafe fn word(&self, step: Step) -> u64 {
        match usize::from(step.to).checked_sub(size_of_val(&self.registers)) {
            None => self.registers[step.word()],
            // SAFETY: U1; C has put as many bytes behind the block as its signature says, and its frame is above them.
            Some(at) => unsafe {
                let behind = (&raw const *self).add(1).cast::<u8>();
                behind.add(LINKS * WORD + at).cast::<u64>().read_unaligned()
            },
        }
    }

    /// Copies the arguments to where the sequence has them in a buffer.
    ///
    /// # Panics
    /// If the buffer is shorter than `size`, that of the signature's layout (M2).
    ///
    /// # Safety
    /// U1: the sequence is of the signature that C called, and `size` is of its layout.
    #[inline]
    pub unsafe fn put_arguments(&self, sequence: &CallingSequence, size: usize, arg_buffer: &ArgBuffer) {
        let words = arg_buffer.words_to_put(size);
        for step in &sequence.steps {
            // SAFETY: U1 by the contract of this function.
            let word = unsafe { self.word(*step) };
            let at = usize::from(step.from);
            match step.load {
                Load::Copy => {
                    let pointed = NonNull::new(with_exposed_provenance_mut::<u8>(word as usize));
                    let (Some(pointed), Some(copy)) = (pointed, sequence.copy_of(*step)) else { continue };
                    // SAFETY: U1; C passes the address of a whole argument.
                    unsafe { arg_buffer.put_from(at, pointed, copy.size) };
                }
                // It may be a part of an aggregate, which is no wider.
                // SAFETY: a layout ends behind the last word of its arguments.
                Load::U32 => unsafe { words.put_half(at, word as u32) },
                // SAFETY: as above.
                _ => unsafe { words.put(at, word) },
            }
        }
    }

    /// Makes C's result zero. `size` is that of the result.
    ///
    /// # Safety
    /// U1: the sequence is of the signature that C called.
    #[inline]
    pub unsafe fn clear_result(&self, sequence: &CallingSequence, size: usize) {
        // The entry has cleared the registers.
        if let (ResultIn::Memory, Some(memory)) = (sequence.result, self.result_memory()) {
            // SAFETY: U1; C passes the address of memory for the result.
            unsafe { memory.write_bytes(0, size) };
            self.results[0].set(memory.as_ptr().expose_provenance() as u64);
        }
    }

    /// Sets C's result to that which lies at an offset of a buffer, widened as the ABI's callers expect. Behind it the
    /// buffer goes on to the end of a register.
    ///
    /// # Safety
    /// U1: the sequence is of the signature that C called, and `size` that of its result.
    #[inline]
    pub unsafe fn put_result(&self, sequence: &CallingSequence, arg_buffer: &ArgBuffer, at: usize, size: usize) {
        match sequence.result {
            ResultIn::Nothing => {}
            ResultIn::Float => self.results[usize::from(FIRST_FLOAT)].set(arg_buffer.word(at)),
            ResultIn::Integer => self.results[0].set(widen(arg_buffer.word(at), sequence.returned)),
            ResultIn::Two(..) => {
                let (first, second) = sequence.registers;
                self.results[usize::from(first)].set(arg_buffer.word(at));
                self.results[usize::from(second)].set(arg_buffer.word(at + WORD));
            }
            ResultIn::Floats(count, load) => {
                for (i, register) in self.results[usize::from(FIRST_FLOAT)..][..usize::from(count)].iter().enumerate() {
                    let at = at + i * load.size();
                    register.set(if load == Load::U32 { arg_buffer.half(at).into() } else { arg_buffer.word(at) });
                }
            }
            ResultIn::Memory => {
                if let Some(memory) = self.result_memory() {
                    // SAFETY: U1; C passes the address of memory for the result.
                    unsafe { arg_buffer.take_to(at, memory, size) };
                }
            }
        }
    }

    /// The address that C passes for a result in memory.
    fn result_memory(&self) -> Option<NonNull<u8>> {
        NonNull::new(with_exposed_provenance_mut(self.registers[RESULT_ADDRESS] as usize))
    }
}

/// A result of C's type in a whole register.
#[inline]
fn widen(word: u64, returned: Load) -> u64 {
    match returned {
        Load::I8 => word as i8 as u64,
        Load::I16 => word as i16 as u64,
        Load::I32 => word as i32 as u64,
        Load::U8 => word & 0xff,
        Load::U16 => word & 0xffff,
        Load::U32 => word & 0xffff_ffff,
        Load::Word | Load::Copy => word,
    }
}

/// The data that a stub reads. Written before C has its address, and never again.
#[repr(C)]
struct Slot {
    entry: Cell<usize>,
    arrive: Cell<usize>,
    target: Cell<usize>,
}

/// Stubs that are not in use yet, those of one mapping: the address of their code and their slots.
struct Unused {
    code: usize,
    slots: &'static [Slot],
    /// Whether the system refuses generated code.
    refused: bool,
}

// SAFETY: M7; a slot is written by the thread that took it out of the pool, before C has its address.
unsafe impl Send for Unused {}

static UNUSED: Mutex<Unused> = Mutex::new(Unused { code: 0, slots: &[], refused: false });

/// The number of stubs that are made at once; their code fills separate pages.
const AT_ONCE: usize = 512;

/// A function pointer of the signature, which calls `arrive` with `target`. It stays until the process ends.
/// `None` where the system has no memory for code.
pub fn make(arrive: Arrive, target: usize) -> Option<Address> {
    let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
    if unused.slots.is_empty() && !unused.fill() {
        return None;
    }
    let (slot, rest) = unused.slots.split_first()?;
    let code = unused.code;
    unused.code += STUB_BYTES;
    unused.slots = rest;
    slot.entry.set((enter as unsafe extern "C" fn() as *const ()).expose_provenance());
    slot.arrive.set((arrive as *const ()).expose_provenance());
    slot.target.set(target);
    Address::new(code)
}

impl Unused {
    fn fill(&mut self) -> bool {
        if self.refused {
            return false;
        }
        let empty = || Slot { entry: Cell::new(0), arrive: Cell::new(0), target: Cell::new(0) };
        let slots: &'static [Slot] = Box::leak((0..AT_ONCE).map(|_| empty()).collect());
        let code: Vec<u8> = slots.iter().flat_map(|slot| stub((&raw const *slot).expose_provenance())).collect();
        let mut memory = Code::default();
        match memory.put(&code) {
            Some(code) => (self.code, self.slots) = (code.get(), slots),
            None => self.refused = true,
        }
        // It stays until the process ends.
        std::mem::forget(memory);
        !self.refused
    }
}

#[cfg(test)]
mod tests;
