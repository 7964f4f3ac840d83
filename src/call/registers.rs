//! Calls C by a calling sequence: loads registers and the stack, and calls.
#![expect(unsafe_code, reason = "calls C")]

use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

#[cfg(aapcs64)]
use super::enter_aapcs64::enter;
#[cfg(sysv64)]
use super::enter_sysv64::enter;
#[cfg(win64)]
use super::enter_win64::enter;
use crate::abi::calling_sequence::{CallingSequence, FIRST_FLOAT, Load, ResultIn, Step};
use crate::abi::native::{FILE, RESULT_ADDRESS, RETURNED};
use crate::memory::address::Address;

/// The arguments of a call, laid out as [`FILE`] says. It stays where it is from `load` until C has returned: arguments
/// may be addresses of its words, and C may write to what it is passed by address.
#[repr(C, align(16))]
pub struct RegisterFile(UnsafeCell<[MaybeUninit<u64>; FILE.words()]>);

/// The registers that may have a result, after a call.
type Returned = [u64; RETURNED];

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
        // SAFETY: by the contract of this function; the file is the platform's.
        unsafe { self.load_file(base, words.0.get_mut().as_mut_ptr().cast()) };
    }

    /// As [`CallingSequence::load`], into the register file of any ABI.
    ///
    /// # Safety
    /// As `load`; `file` is writable for the words of the ABI that the sequence was made by, and aligned to 16 bytes.
    #[inline]
    pub unsafe fn load_file(&self, base: *const u8, file: *mut u8) {
        for step in &self.steps {
            // SAFETY: M2 by the contract of this function; slots are aligned to 4 bytes at least where 4 are read, to 8
            // otherwise. The casts extend as C does. A sequence has no step behind the end of the file. A step to the
            // stack need not be aligned.
            unsafe {
                let from = base.wrapping_add(usize::from(step.from));
                let word = match step.load {
                    Load::I8 => from.cast::<i8>().read() as u64,
                    Load::I16 => from.cast::<i16>().read() as u64,
                    Load::I32 => from.cast::<i32>().read() as u64,
                    Load::U8 => from.read().into(),
                    Load::U16 => from.cast::<u16>().read().into(),
                    Load::U32 => from.cast::<u32>().read().into(),
                    Load::Word => from.cast::<u64>().read(),
                    Load::Copy => self.copy(*step, base, file),
                };
                file.add(usize::from(step.to)).cast::<u64>().write_unaligned(word);
            }
        }
    }

    /// Copies an argument that is passed by address: the address.
    ///
    /// # Safety
    /// As [`CallingSequence::load`]; `file` is the register file.
    #[inline(never)] // Most sequences have none.
    unsafe fn copy(&self, step: Step, base: *const u8, file: *mut u8) -> u64 {
        let Some(copy) = self.copy_of(step) else { return 0 };
        // SAFETY: M2 by the contract of this function; the sequence has space for the copy in the file.
        unsafe {
            let to = file.add(usize::from(copy.to));
            to.copy_from_nonoverlapping(base.add(usize::from(copy.from)), copy.size);
            to.expose_provenance() as u64
        }
    }

    /// Calls a function with loaded arguments.
    ///
    /// # Safety
    /// U1: the function has this signature. M4: what the words point to lives until this returns; the address of a
    /// result is set where one is needed.
    #[inline]
    pub unsafe fn enter(&self, code: Address, words: &RegisterFile) -> ReturnRegisters {
        let mut registers = MaybeUninit::<Returned>::uninit();
        // SAFETY: U1 and M4 by the contract of this function; `load` has written the words of the stack. Registers that
        // no argument is in hold anything, which the callee does not read. `enter` writes all of the registers; they
        // are read one by one, as they were written: a wider load would have to wait for all of them.
        unsafe {
            let file = words.0.get().cast_const().cast();
            enter(file, code.get(), self.on_stack, registers.as_mut_ptr().cast(), self.has_floats);
            let register = |number: u8| registers.as_ptr().cast::<u64>().add(usize::from(number)).read_volatile();
            if let ResultIn::Floats(count, load) = self.result {
                let memory = std::ptr::with_exposed_provenance_mut::<u8>(words.word(RESULT_ADDRESS) as usize);
                for number in 0..count {
                    let to = memory.add(usize::from(number) * load.size());
                    match register(FIRST_FLOAT + number) {
                        word if load == Load::U32 => to.cast::<u32>().write(word as u32),
                        word => to.cast::<u64>().write(word),
                    }
                }
            }
            ReturnRegisters { first: register(self.registers.0), second: register(self.registers.1) }
        }
    }
}

impl RegisterFile {
    /// Space for the arguments of a call.
    #[inline]
    pub fn new() -> Self {
        Self(UnsafeCell::new([const { MaybeUninit::uninit() }; FILE.words()]))
    }

    /// The argument of a step as it was loaded.
    ///
    /// # Safety
    /// The step is of the sequence that loaded the words.
    pub unsafe fn get(&self, step: Step) -> u64 {
        // SAFETY: by the contract of this function.
        unsafe { self.word(step.word()) }
    }

    /// Sets the address of the result, of a sequence that needs memory for it.
    pub fn set_result(&mut self, memory: NonNull<u128>) {
        self.0.get_mut()[RESULT_ADDRESS] = MaybeUninit::new(memory.as_ptr().expose_provenance() as u64);
    }

    /// A word.
    ///
    /// # Safety
    /// It was written, and C is not running.
    #[inline]
    unsafe fn word(&self, word: usize) -> u64 {
        // SAFETY: by the contract of this function.
        unsafe { (&(*self.0.get()))[word].assume_init() }
    }

    /// Replaces the argument of a step, which is an address.
    pub fn set(&mut self, step: Step, word: u64) {
        self.0.get_mut()[step.word()] = MaybeUninit::new(word);
    }
}

/// Never called: there are no calling sequences on other platforms.
#[cfg(not(calling_sequences))]
unsafe fn enter(_: *const u64, _: usize, _: usize, _: *mut u64, _: bool) {}

#[cfg(all(test, calling_sequences))]
mod tests {
    use super::*;
    use crate::abi::ctype::CType;
    use crate::abi::layout::ValueType;
    use crate::abi::native;

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
        let sequence = native::arrange(&types, &offsets, None, &F64.into()).unwrap();
        let on_stack = if cfg!(sysv64) {
            2
        } else if cfg!(win64) {
            7
        } else {
            0
        };
        assert_eq!((sequence.on_stack, sequence.result), (on_stack, ResultIn::Float));
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
