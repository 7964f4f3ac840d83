//! Calls C by a calling sequence: loads registers and the stack, and calls.
#![expect(unsafe_code, reason = "calls C")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use crate::abi::sysv64::{CallingSequence, Load, MOST_ON_STACK, REGISTERS, Step};
use crate::memory::address::Address;

/// The arguments of a call: 6 integer registers, 8 of floating point, the stack.
#[repr(C)]
pub struct RegisterFile([MaybeUninit<u64>; REGISTERS + MOST_ON_STACK]);

/// rax, rdx, xmm0 and xmm1 after a call.
type Registers = [u64; 4];

/// The words of a result: what the slot of the argument buffer holds, whose lower bytes are the value.
#[derive(Clone, Copy, Debug)]
pub struct ReturnRegisters {
    /// The first one.
    pub first: u64,
    /// The second one, where there are two.
    pub second: u64,
}

impl CallingSequence {
    /// Loads the arguments out of memory that is laid out as the argument buffer is.
    ///
    /// # Safety
    /// M2: `base` is readable as far as the signature's layout says.
    #[inline]
    pub unsafe fn load(&self, base: *const u8, words: &mut RegisterFile) {
        for step in &self.steps {
            // SAFETY: M2 by the contract of this function; slots are aligned to 8 bytes. The casts extend as C does.
            let word = unsafe {
                let from = base.add(usize::from(step.from));
                match step.load {
                    Load::I8 => from.cast::<i8>().read() as u64,
                    Load::I16 => from.cast::<i16>().read() as u64,
                    Load::I32 => from.cast::<i32>().read() as u64,
                    Load::U8 => from.read().into(),
                    Load::U16 => from.cast::<u16>().read().into(),
                    Load::U32 => from.cast::<u32>().read().into(),
                    Load::Word => from.cast::<u64>().read(),
                }
            };
            words.0[usize::from(step.to)] = MaybeUninit::new(word);
        }
    }

    /// Calls a function with loaded arguments.
    ///
    /// # Safety
    /// U1: the function has this signature. M4: what the words point to lives until this returns.
    #[inline]
    pub unsafe fn enter(&self, code: Address, words: &RegisterFile) -> ReturnRegisters {
        let mut registers = MaybeUninit::<Registers>::uninit();
        // SAFETY: U1 and M4 by the contract of this function; `load` has written the words of the stack. Registers that
        // no argument is in hold anything, which the callee does not read. `enter` writes all of the registers; they
        // are read one by one, as they were written: a wider load would have to wait for all of them.
        unsafe {
            enter(words, code.get(), self.on_stack, registers.as_mut_ptr(), self.has_floats);
            let register = |number: u8| registers.as_ptr().cast::<u64>().add(usize::from(number)).read_volatile();
            ReturnRegisters { first: register(self.registers.0), second: register(self.registers.1) }
        }
    }
}

impl RegisterFile {
    /// Space for the arguments of a call.
    #[inline]
    pub fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; REGISTERS + MOST_ON_STACK])
    }

    /// The argument of a step as it was loaded.
    ///
    /// # Safety
    /// The step is of the sequence that loaded the words.
    pub unsafe fn get(&self, step: Step) -> u64 {
        // SAFETY: by the contract of this function the word was written.
        unsafe { self.0[usize::from(step.to)].assume_init() }
    }

    /// Sets the address of the result, of a sequence that returns it in memory.
    pub fn set_result(&mut self, memory: NonNull<u128>) {
        self.0[0] = MaybeUninit::new(memory.as_ptr().expose_provenance() as u64);
    }

    /// Replaces the argument of a step.
    pub fn set(&mut self, step: Step, word: u64) {
        self.0[usize::from(step.to)] = MaybeUninit::new(word);
    }
}

/// Puts the words into registers and onto the stack, and calls. `al` is the number of vector registers that a variadic
/// function may have to save (section 3.5.7): 8 is always enough.
#[cfg(sysv64)]
#[unsafe(naked)]
unsafe extern "sysv64" fn enter(
    words: &RegisterFile,
    code: usize,
    on_stack: usize,
    returned: *mut Registers,
    floats: bool,
) {
    core::arch::naked_asm!(
        // The unwind information lets debuggers, profilers and crash reports see through this frame.
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "push rbx",
        ".cfi_offset rbx, -24",
        "sub rsp, 8",
        "mov rbx, rcx",
        "mov r10, rdi",
        "mov r11, rsi",
        "test rdx, rdx",
        "jz 3f",
        // The stack is aligned to 16 bytes at the call.
        "lea rcx, [rdx + 1]",
        "and rcx, -2",
        "shl rcx, 3",
        "sub rsp, rcx",
        "2:",
        "mov rax, [r10 + rdx * 8 + 8 * 14 - 8]",
        "mov [rsp + rdx * 8 - 8], rax",
        "dec rdx",
        "jnz 2b",
        "3:",
        "test r8d, r8d",
        "jz 4f",
        "movsd xmm0, [r10 + 48]",
        "movsd xmm1, [r10 + 56]",
        "movsd xmm2, [r10 + 64]",
        "movsd xmm3, [r10 + 72]",
        "movsd xmm4, [r10 + 80]",
        "movsd xmm5, [r10 + 88]",
        "movsd xmm6, [r10 + 96]",
        "movsd xmm7, [r10 + 104]",
        "4:",
        "mov rdi, [r10]",
        "mov rsi, [r10 + 8]",
        "mov rdx, [r10 + 16]",
        "mov rcx, [r10 + 24]",
        "mov r8, [r10 + 32]",
        "mov r9, [r10 + 40]",
        "mov eax, 8",
        "call r11",
        "mov [rbx], rax",
        "mov [rbx + 8], rdx",
        "movsd [rbx + 16], xmm0",
        "movsd [rbx + 24], xmm1",
        "lea rsp, [rbp - 8]",
        "pop rbx",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// Never called: there are no calling sequences on other platforms.
#[cfg(not(sysv64))]
unsafe fn enter(_: &RegisterFile, _: usize, _: usize, _: *mut Registers, _: bool) {}

#[cfg(all(test, sysv64))]
mod tests {
    use super::*;
    use crate::abi::ctype::CType;
    use crate::abi::layout::ValueType;
    use crate::abi::sysv64::ResultIn;

    #[rustfmt::skip]
    extern "C" fn weigh(a: i8, b: f32, c: u16, d: f64, e: i64, f: u8, g: i32, h: u32, i: i16, j: f32, k: bool) -> f64 {
        let values = [f64::from(a), f64::from(b), f64::from(c), d, e as f64, f64::from(f), f64::from(g), f64::from(h),
            f64::from(i), f64::from(j), f64::from(u8::from(k))];
        values.iter().zip(1..).map(|(value, weight)| value * f64::from(weight)).sum()
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls C")]
    fn every_class_arrives_in_its_place() {
        use CType::{Bool, F32, F64, I8, I16, I32, I64, U8, U16, U32};
        let types: Vec<ValueType> = [I8, F32, U16, F64, I64, U8, I32, U32, I16, F32, Bool].map(ValueType::from).into();
        let offsets: Vec<usize> = (0..types.len()).map(|i| i * 8).collect();
        let sequence = CallingSequence::new(&types, &offsets, &F64.into()).unwrap();
        assert_eq!((sequence.on_stack, sequence.result), (2, ResultIn::Float));
        let slot = |bytes: &[u8]| {
            let mut slot = [0xEE; 8];
            slot[..bytes.len()].copy_from_slice(bytes);
            slot
        };
        let memory = [
            slot(&(-5i8).to_ne_bytes()),
            slot(&1.5f32.to_ne_bytes()),
            slot(&60_000u16.to_ne_bytes()),
            slot(&0.25f64.to_ne_bytes()),
            slot(&(-9_000_000_000i64).to_ne_bytes()),
            slot(&[200]),
            slot(&(-70_000i32).to_ne_bytes()),
            slot(&4_000_000_000u32.to_ne_bytes()),
            slot(&(-300i16).to_ne_bytes()),
            slot(&(-2.5f32).to_ne_bytes()),
            slot(&[1]),
        ];
        let code = Address::new((weigh as *const ()).expose_provenance()).unwrap();
        // SAFETY: U1; the types are those of the function, and there is a slot for each.
        let returned = unsafe {
            let mut words = RegisterFile::new();
            sequence.load(memory.as_ptr().cast(), &mut words);
            sequence.enter(code, &words)
        };
        let wanted = weigh(-5, 1.5, 60_000, 0.25, -9_000_000_000, 200, -70_000, 4_000_000_000, -300, -2.5, true);
        assert_eq!(f64::from_bits(returned.first), wanted);
    }
}
