//! Calls by the System V ABI of x86-64 ("System V Application Binary Interface, AMD64 Architecture Processor
//! Supplement", version 1.0, section 3.2.3), planned when a function is bound: which word of a register or of the stack
//! each argument goes to. libffi classifies the arguments at every call; it serves every other signature, and is the
//! oracle of the tests. An aggregate is one word after the other, each where its class or the stack has it.
#![expect(unsafe_code, reason = "calls a C function")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use super::ctype::CType;
use super::layout::{Class, Eightbytes, ValueType};
use crate::memory::address::Address;

const INTEGERS: usize = 6;
const FLOATS: usize = 8;
/// Arguments on the stack that a plan carries; more are libffi's.
const MOST_ON_STACK: usize = 32;
/// The words in front of those of the stack.
const REGISTERS: usize = INTEGERS + FLOATS;

/// How an argument is read out of the argument buffer: as a word whose upper bits are as C's callers leave them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// A signed byte.
    I8,
    /// A signed 16-bit integer.
    I16,
    /// A signed 32-bit integer.
    I32,
    /// An unsigned byte, or a bool.
    U8,
    /// An unsigned 16-bit integer.
    U16,
    /// An unsigned 32-bit integer, or a float.
    U32,
    /// All 64 bits.
    Word,
}

/// Where one word of an argument comes from and goes to.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The offset in the argument buffer.
    pub from: u16,
    /// How it is read.
    pub load: Load,
    /// The word of [`RegisterFile`].
    pub to: u8,
}

impl Step {
    /// The register of integer arguments it goes to, counted from 0.
    pub fn integer_register(self) -> Option<usize> {
        Some(usize::from(self.to)).filter(|to| *to < INTEGERS)
    }

    /// The register of floating point it goes to, counted from 0.
    pub fn float_register(self) -> Option<u8> {
        self.to.checked_sub(INTEGERS as u8).filter(|to| usize::from(*to) < FLOATS)
    }

    /// The word of the stack it goes to.
    pub fn stack_word(self) -> Option<usize> {
        usize::from(self.to).checked_sub(REGISTERS)
    }
}

/// Where the result is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultIn {
    /// There is none.
    Nothing,
    /// rax.
    Integer,
    /// xmm0.
    Float,
    /// Two words: each is in the next register of its class, of rax and rdx or xmm0 and xmm1.
    Two(Class, Class),
    /// In memory whose address is the first argument.
    Memory,
}

/// What a call of one signature does, in order.
#[derive(Debug)]
pub struct CallingSequence {
    /// One for each word of the arguments, which is one for each scalar.
    pub steps: Box<[Step]>,
    /// Of each argument, its first step; empty where that is the one of its position.
    firsts: Box<[u16]>,
    /// How many words go on the stack.
    pub on_stack: usize,
    /// Whether a register of floating point has an argument.
    has_floats: bool,
    /// Where the result is.
    pub result: ResultIn,
    registers: (u8, u8),
    /// How wide it is there.
    pub returned: Load,
}

/// The arguments of a call: 6 integer registers, 8 of floating point, the stack.
#[repr(C)]
pub struct RegisterFile([MaybeUninit<u64>; REGISTERS + MOST_ON_STACK]);

/// rax, rdx, xmm0 and xmm1 after a call.
type Registers = [u64; 4];

impl ResultIn {
    /// Which of the registers have the words of the result; of one word, the second means nothing.
    fn registers(self) -> (u8, u8) {
        match self {
            Self::Nothing | Self::Integer | Self::Memory => (0, 1),
            Self::Float => (2, 3),
            Self::Two(Class::Integer, Class::Integer) => (0, 1),
            Self::Two(Class::Integer, Class::Float) => (0, 2),
            Self::Two(Class::Float, Class::Integer) => (2, 0),
            Self::Two(Class::Float, Class::Float) => (2, 3),
        }
    }
}

/// The words of a result: what the slot of the argument buffer holds, whose lower bytes are the value.
#[derive(Clone, Copy, Debug)]
pub struct ReturnRegisters {
    /// The first one.
    pub first: u64,
    /// The second one, where there are two.
    pub second: u64,
}

/// How a scalar is loaded, and whether it travels in a register of floating point; `None` for void.
fn class(ctype: CType) -> Option<(Load, bool)> {
    let is_signed = ctype.is_signed();
    Some(match (ctype, ctype.size()) {
        (CType::Void, _) => return None,
        (CType::F64, _) => (Load::Word, true),
        (CType::F32, _) => (Load::U32, true),
        (_, 1) => (if is_signed { Load::I8 } else { Load::U8 }, false),
        (_, 2) => (if is_signed { Load::I16 } else { Load::U16 }, false),
        (_, 4) => (if is_signed { Load::I32 } else { Load::U32 }, false),
        _ => (Load::Word, false),
    })
}

/// The registers and the words of the stack that are taken.
#[derive(Default)]
struct Taken {
    integers: usize,
    floats: usize,
    on_stack: usize,
}

impl Taken {
    fn word_of_stack(&mut self) -> Option<usize> {
        self.on_stack += 1;
        (self.on_stack <= MOST_ON_STACK).then_some(REGISTERS + self.on_stack - 1)
    }

    /// The next register of a class, if there is one.
    fn register(&mut self, class: Class) -> Option<usize> {
        let (used, room, base) = match class {
            Class::Integer => (&mut self.integers, INTEGERS, 0),
            Class::Float => (&mut self.floats, FLOATS, INTEGERS),
        };
        let is_free = *used < room;
        *used += usize::from(is_free);
        is_free.then(|| base + *used - 1)
    }

    /// Whether there are registers for the words of an aggregate: all of them are in registers or none is.
    fn has_room(&self, classes: &[Class]) -> bool {
        let of = |class| classes.iter().filter(|other| **other == class).count();
        self.integers + of(Class::Integer) <= INTEGERS && self.floats + of(Class::Float) <= FLOATS
    }
}

impl CallingSequence {
    /// The plan of a signature whose arguments lie at these offsets of the argument buffer; `None` where an aggregate
    /// is none that [`Eightbytes`] has, there are too many arguments, or the platform has another ABI.
    pub fn new(arguments: &[ValueType], offsets: &[usize], result: &ValueType) -> Option<Self> {
        if cfg!(not(all(target_arch = "x86_64", unix))) {
            return None;
        }
        let mut taken = Taken::default();
        let (result, returned) = match result {
            ValueType::Scalar(CType::Void) => (ResultIn::Nothing, Load::Word),
            ValueType::Scalar(ctype) => match class(*ctype)? {
                (load, true) => (ResultIn::Float, load),
                (load, false) => (ResultIn::Integer, load),
            },
            ValueType::Aggregate(layout) => {
                let result = match layout.eightbytes()? {
                    Eightbytes::Registers(Class::Integer, None) => ResultIn::Integer,
                    Eightbytes::Registers(Class::Float, None) => ResultIn::Float,
                    Eightbytes::Registers(first, Some(second)) => ResultIn::Two(first, second),
                    Eightbytes::Memory(_) => {
                        taken.integers = 1;
                        ResultIn::Memory
                    }
                };
                (result, Load::Word)
            }
        };
        let (mut steps, mut firsts) = (Vec::with_capacity(arguments.len()), Vec::new());
        for (argument, from) in arguments.iter().zip(offsets) {
            firsts.push(u16::try_from(steps.len()).ok()?);
            let mut push = |word: usize, load: Load, to: usize| -> Option<()> {
                let from = u16::try_from(from + word * 8).ok()?;
                steps.push(Step { from, load, to: u8::try_from(to).ok()? });
                Some(())
            };
            match argument {
                ValueType::Scalar(ctype) => {
                    let (load, is_float) = class(*ctype)?;
                    let class = if is_float { Class::Float } else { Class::Integer };
                    let to = taken.register(class).or_else(|| taken.word_of_stack())?;
                    push(0, load, to)?;
                }
                ValueType::Aggregate(layout) => {
                    let (classes, words) = match layout.eightbytes()? {
                        Eightbytes::Registers(first, None) => (Some([first; 2]), 1),
                        Eightbytes::Registers(first, Some(second)) => (Some([first, second]), 2),
                        Eightbytes::Memory(words) => (None, words),
                    };
                    let classes = classes.filter(|classes| taken.has_room(&classes[..words]));
                    for word in 0..words {
                        let to = match classes {
                            Some(classes) => taken.register(classes[word]),
                            None => taken.word_of_stack(),
                        };
                        push(word, Load::Word, to?)?;
                    }
                }
            }
        }
        if steps.len() == arguments.len() {
            firsts.clear();
        }
        let (steps, firsts, has_floats) = (steps.into(), firsts.into(), taken.floats > 0);
        Some(Self {
            steps,
            firsts,
            on_stack: taken.on_stack,
            has_floats,
            result,
            registers: result.registers(),
            returned,
        })
    }

    /// The first step of an argument.
    #[inline]
    pub fn step_of(&self, argument: usize) -> Step {
        self.steps[self.firsts.get(argument).map_or(argument, |first| usize::from(*first))]
    }

    /// Loads the arguments out of memory that is laid out as the argument buffer is.
    ///
    /// # Safety
    /// M2: `base` is readable as far as the signature's frame plan says.
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
    /// U1: the function has this plan's signature. M4: what the words point to lives until this returns.
    #[inline]
    pub unsafe fn enter(&self, code: Address, words: &RegisterFile) -> ReturnRegisters {
        let mut registers = MaybeUninit::<Registers>::uninit();
        // SAFETY: U1 and M4 by the contract of this function; `load` has written the words of the stack. Registers that
        // no argument is in hold anything, which the callee does not look at. `enter` writes all of the registers; they
        // are read one by one, as they were written: a wider load would have to wait for all of them.
        unsafe {
            enter(words, code.get(), self.on_stack, registers.as_mut_ptr(), self.has_floats);
            let register = |number: u8| registers.as_ptr().cast::<u64>().add(usize::from(number)).read_volatile();
            ReturnRegisters { first: register(self.registers.0), second: register(self.registers.1) }
        }
    }

    /// Whether the result is of two words.
    #[inline]
    pub fn has_second(&self) -> bool {
        matches!(self.result, ResultIn::Two(..))
    }

    /// Whether the result is more than one word.
    #[inline]
    pub fn is_wide(&self) -> bool {
        matches!(self.result, ResultIn::Two(..) | ResultIn::Memory)
    }
}

impl RegisterFile {
    /// Room for the arguments of a call.
    #[inline]
    pub fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; REGISTERS + MOST_ON_STACK])
    }

    /// The argument of a step as it was loaded.
    ///
    /// # Safety
    /// The step is of the plan that loaded the words.
    pub unsafe fn get(&self, step: Step) -> u64 {
        // SAFETY: by the contract of this function the word was written.
        unsafe { self.0[usize::from(step.to)].assume_init() }
    }

    /// Says where the result goes, of a plan that has it in memory.
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
#[cfg(all(target_arch = "x86_64", unix))]
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

/// Never called: there are no plans on other platforms.
#[cfg(not(all(target_arch = "x86_64", unix)))]
unsafe fn enter(_: &RegisterFile, _: usize, _: usize, _: *mut Registers, _: bool) {}

#[cfg(all(test, target_arch = "x86_64", unix))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::abi::layout::{Field, Layout};

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
        let plan = CallingSequence::new(&types, &offsets, &F64.into()).unwrap();
        assert_eq!((plan.on_stack, plan.result), (2, ResultIn::Float));
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
            plan.load(memory.as_ptr().cast(), &mut words);
            plan.enter(code, &words)
        };
        let wanted = weigh(-5, 1.5, 60_000, 0.25, -9_000_000_000, 200, -70_000, 4_000_000_000, -300, -2.5, true);
        assert_eq!(f64::from_bits(returned.first), wanted);
    }

    fn structure(fields: &[CType]) -> ValueType {
        let fields: Vec<_> = fields.iter().map(|ctype| Field { value: (*ctype).into(), bits: None }).collect();
        ValueType::Aggregate(Arc::new(Layout::structure(&fields, None, None).unwrap()))
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls libffi")]
    fn an_aggregate_is_in_registers_or_on_the_stack_as_a_whole() {
        use CType::{F32, F64, I64};
        let (mixed, large, pair) = (structure(&[I64, F64]), structure(&[I64; 3]), structure(&[F32, F32]));
        let integers = [I64; 5].map(ValueType::from);
        let arguments = [&integers[..], &[mixed.clone(), mixed.clone(), large.clone(), pair, I64.into()]].concat();
        let offsets: Vec<usize> = (0..arguments.len()).map(|i| i * 32).collect();
        let plan = CallingSequence::new(&arguments, &offsets, &mixed).unwrap();
        let first = |argument| usize::from(plan.step_of(argument).to);
        // The first has the last register of integers, and all that needs one after it is on the stack.
        let stack = |word| REGISTERS + word;
        assert_eq!([5, 6, 7, 8, 9].map(first), [5, stack(0), stack(2), INTEGERS + 1, stack(5)]);
        assert_eq!((plan.steps.len(), plan.on_stack), (14, 6));
        assert_eq!(plan.result, ResultIn::Two(Class::Integer, Class::Float));
        assert_eq!(plan.registers, (0, 2));
        let hidden = CallingSequence::new(&[I64.into()], &[0], &large).unwrap();
        assert_eq!((hidden.result, usize::from(hidden.step_of(0).to)), (ResultIn::Memory, 1));
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls C")]
    fn what_has_no_plan_is_left_to_libffi() {
        let many = vec![ValueType::from(CType::I32); INTEGERS + MOST_ON_STACK + 1];
        let offsets: Vec<usize> = (0..many.len()).map(|i| i * 8).collect();
        assert!(CallingSequence::new(&many, &offsets, &CType::Void.into()).is_none());
        assert!(CallingSequence::new(&many[1..], &offsets, &CType::Void.into()).is_some());
    }
}
