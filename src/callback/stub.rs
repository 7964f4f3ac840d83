//! Stubs: the function pointers of callbacks of scalars. A few instructions save the argument registers in one block
//! with the stack arguments, by the same kind of calling sequence as calls (`abi::sysv64`). libffi's closures
//! serve every other signature, and are the oracle of the tests.
#![cfg(callback_stubs)]
#![expect(unsafe_code, reason = "is called by C")]

use std::cell::Cell;
use std::mem::offset_of;
use std::sync::{Mutex, PoisonError};

use crate::abi::sysv64::{CallingSequence, Step};
use crate::memory::address::Address;
use crate::memory::arg_buffer::ArgBuffer;
use crate::memory::exec::Code;

/// Answers a call. It gets the saved registers, and the value that the stub was made with.
pub type Arrive = unsafe extern "sysv64" fn(&SavedRegisters, usize);

/// The words of registers in front: 6 of integers, 8 of floating point.
const REGISTERS: usize = 14;
/// rax and xmm0 as C gets them back.
const RESULTS: usize = 2;
/// The words between the block and the stack arguments: rbp, and the return address.
const LINKS: usize = 2;

/// The arguments of one call, as C left them, and space for the result. Behind it lie those on the stack.
#[repr(C)]
pub struct SavedRegisters {
    registers: [u64; REGISTERS],
    results: [Cell<u64>; RESULTS],
}

impl SavedRegisters {
    /// The word of an argument.
    ///
    /// # Safety
    /// U1: the step is of the sequence of the signature that C called.
    unsafe fn word(&self, step: Step) -> u64 {
        match step.stack_word() {
            None => self.registers[usize::from(step.to)],
            // SAFETY: U1; C has put as many words behind the block as its signature says.
            Some(word) => unsafe {
                let behind = (&raw const *self).add(1).cast::<u64>();
                behind.add(LINKS + word).read()
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
            // SAFETY: U1 by the contract of this function; a layout ends behind the last word of its arguments.
            unsafe { words.put(usize::from(step.from), self.word(*step)) };
        }
    }

    /// Sets C's result to this word, widened as the ABI's callers expect. It is set in the registers of both classes:
    /// C reads the one of its type, and aggregates are libffi's.
    #[inline]
    pub fn set_result(&self, sequence: &CallingSequence, word: u64) {
        self.results[0].set(sequence.returned.widen(word));
        self.results[1].set(word);
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
/// The bytes of one.
const THUNK: usize = 16;

/// A function pointer of the signature, which calls `arrive` with `target`. It stays until the process ends.
/// `None` where the system has no memory for code.
pub fn make(arrive: Arrive, target: usize) -> Option<Address> {
    let mut unused = UNUSED.lock().unwrap_or_else(PoisonError::into_inner);
    if unused.slots.is_empty() && !unused.fill() {
        return None;
    }
    let (slot, rest) = unused.slots.split_first()?;
    let code = unused.code;
    unused.code += THUNK;
    unused.slots = rest;
    slot.entry.set((enter as unsafe extern "sysv64" fn() as *const ()).expose_provenance());
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

/// `mov r10, slot; jmp [r10]`
fn stub(slot: usize) -> [u8; THUNK] {
    let mut code = [0xcc; THUNK];
    code[..2].copy_from_slice(&[0x49, 0xba]);
    code[2..10].copy_from_slice(&slot.to_le_bytes());
    code[10..13].copy_from_slice(&[0x41, 0xff, 0x22]);
    code
}

/// All stubs continue here: r10 is the slot. Makes a [`SavedRegisters`] on the stack, whose result is zero until it is
/// set.
#[unsafe(naked)]
unsafe extern "sysv64" fn enter() {
    core::arch::naked_asm!(
        // The unwind information lets debuggers, profilers and crash reports see through this frame.
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "sub rsp, 128",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "movsd [rsp + 48], xmm0",
        "movsd [rsp + 56], xmm1",
        "movsd [rsp + 64], xmm2",
        "movsd [rsp + 72], xmm3",
        "movsd [rsp + 80], xmm4",
        "movsd [rsp + 88], xmm5",
        "movsd [rsp + 96], xmm6",
        "movsd [rsp + 104], xmm7",
        "xor eax, eax",
        "mov [rsp + 112], rax",
        "mov [rsp + 120], rax",
        "mov rdi, rsp",
        "mov rsi, [r10 + {target}]",
        "call [r10 + {arrive}]",
        "mov rax, [rsp + 112]",
        "movsd xmm0, [rsp + 120]",
        "leave",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
        target = const offset_of!(Slot, target),
        arrive = const offset_of!(Slot, arrive),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::abi::ctype::CType;
    use crate::abi::layout::ValueType;

    static SEEN: Mutex<Vec<u64>> = Mutex::new(Vec::new());

    unsafe extern "sysv64" fn note(block: &SavedRegisters, sequence: usize) {
        let sequence = std::ptr::with_exposed_provenance::<CallingSequence>(sequence);
        // SAFETY: U1; the test calls the stub by the signature of the sequence, which it leaked.
        let (sequence, words) =
            unsafe { (&*sequence, (*sequence).steps.iter().map(|step| block.word(*step)).collect()) };
        *SEEN.lock().unwrap() = words;
        block.set_result(sequence, 0xffff_ff80);
    }

    #[test]
    #[cfg_attr(miri, ignore = "runs machine code")]
    fn arguments_come_from_registers_and_from_the_stack() {
        let types: Vec<ValueType> = [CType::I64; 8].map(ValueType::from).into();
        let offsets: Vec<usize> = (0..types.len()).map(|i| i * 8).collect();
        let sequence: &'static CallingSequence =
            Box::leak(Box::new(CallingSequence::new(&types, &offsets, &CType::I8.into()).unwrap()));
        let code = make(note, (&raw const *sequence).expose_provenance()).unwrap();
        type Function = extern "sysv64" fn(i64, i64, i64, i64, i64, i64, i64, i64) -> i64;
        // SAFETY: M7 and U1; the stub was made for this signature.
        let function = unsafe { std::mem::transmute::<*mut u8, Function>(code.as_ptr()) };
        assert_eq!(function(1, 2, 3, 4, 5, 6, 7, -8), -128);
        assert_eq!(*SEEN.lock().unwrap(), [1, 2, 3, 4, 5, 6, 7, (-8i64) as u64]);
    }
}
