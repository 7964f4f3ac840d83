//! Calling sequences of the System V ABI of x86-64 ("System V Application Binary Interface, AMD64 Architecture
//! Processor Supplement", version 1.0, section 3.2.3), made when a function is bound: which word of a register or of
//! the stack each argument goes to. libffi classifies the arguments at every call; it serves every other signature, and
//! is the oracle of the tests. An aggregate is one word after the other, each where its class or the stack has it.

use super::ctype::CType;
use super::layout::{Class, Eightbytes, ValueType};

pub const INTEGERS: usize = 6;
pub const FLOATS: usize = 8;
/// Arguments on the stack that a calling sequence carries; more are libffi's.
pub const MOST_ON_STACK: usize = 32;
/// The words in front of those of the stack.
pub const REGISTERS: usize = INTEGERS + FLOATS;

/// The way to read an argument out of the argument buffer: as a word whose upper bits are as C's callers leave them.
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

impl Load {
    /// A word whose upper bits are as C's callers leave them.
    #[inline]
    pub fn widen(self, word: u64) -> u64 {
        match self {
            Self::I32 => word as i32 as u64,
            Self::Word => word,
            _ => self.widen_narrow(word),
        }
    }

    fn widen_narrow(self, word: u64) -> u64 {
        match self {
            Self::I8 => word as i8 as u64,
            Self::I16 => word as i16 as u64,
            Self::U8 => word & 0xff,
            Self::U16 => word & 0xffff,
            Self::U32 => word & 0xffff_ffff,
            Self::I32 | Self::Word => word,
        }
    }
}

/// The source and the destination of one word of an argument.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The offset in the argument buffer.
    pub from: u16,
    /// The way to read it.
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

/// The place of the result.
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

/// The steps of a call of one signature, in order.
#[derive(Debug)]
pub struct CallingSequence {
    /// One for each word of the arguments, which is one for each scalar.
    pub steps: Box<[Step]>,
    /// Of each argument, its first step; empty where that is the one of its position.
    firsts: Box<[u16]>,
    /// The number of words on the stack.
    pub on_stack: usize,
    /// Whether a register of floating point has an argument.
    pub has_floats: bool,
    /// The place of the result.
    pub result: ResultIn,
    /// Which of rax, rdx, xmm0 and xmm1 have its words.
    pub registers: (u8, u8),
    /// Its width there.
    pub returned: Load,
}

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

/// The load of a scalar, and whether it is passed in a floating-point register; `None` for void.
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
    /// The calling sequence of a signature whose arguments lie at these offsets of the argument buffer; `None` where an
    /// aggregate is none that [`Eightbytes`] has, there are too many arguments, or the platform has another ABI.
    pub fn new(arguments: &[ValueType], offsets: &[usize], result: &ValueType) -> Option<Self> {
        if cfg!(not(sysv64)) {
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

#[cfg(all(test, sysv64))]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::abi::layout::{Field, Layout};

    fn structure(fields: &[CType]) -> ValueType {
        let fields: Vec<_> =
            fields.iter().map(|ctype| Field { value: (*ctype).into(), bits: None, align: None }).collect();
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
        let sequence = CallingSequence::new(&arguments, &offsets, &mixed).unwrap();
        let first = |argument| usize::from(sequence.step_of(argument).to);
        // The first has the last register of integers, and all that needs one after it is on the stack.
        let stack = |word| REGISTERS + word;
        assert_eq!([5, 6, 7, 8, 9].map(first), [5, stack(0), stack(2), INTEGERS + 1, stack(5)]);
        assert_eq!((sequence.steps.len(), sequence.on_stack), (14, 6));
        assert_eq!(sequence.result, ResultIn::Two(Class::Integer, Class::Float));
        assert_eq!(sequence.registers, (0, 2));
        let hidden = CallingSequence::new(&[I64.into()], &[0], &large).unwrap();
        assert_eq!((hidden.result, usize::from(hidden.step_of(0).to)), (ResultIn::Memory, 1));
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls C")]
    fn what_has_no_calling_sequence_is_left_to_libffi() {
        let many = vec![ValueType::from(CType::I32); INTEGERS + MOST_ON_STACK + 1];
        let offsets: Vec<usize> = (0..many.len()).map(|i| i * 8).collect();
        assert!(CallingSequence::new(&many, &offsets, &CType::Void.into()).is_none());
        assert!(CallingSequence::new(&many[1..], &offsets, &CType::Void.into()).is_some());
    }
}
