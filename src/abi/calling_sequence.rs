//! Calling sequences: which word of a register or of the stack each word of each argument goes to. One is made when a
//! function is bound, by the ABI of the platform (`sysv64`, `aapcs64`, `win64`). libffi classifies the arguments at
//! every call; it serves every other signature, and is the oracle of the tests.

use super::ctype::CType;
use super::layout::{Class, Scalar};

/// The bytes of a register and of a word of the stack.
pub const WORD: usize = 8;

/// The words in which a call has its arguments, by what they are for. They lie in this order.
#[derive(Clone, Copy, Debug)]
pub struct FileLayout {
    /// Registers of integers and pointers.
    pub integers: usize,
    /// Registers of floating point.
    pub floats: usize,
    /// Other registers, and padding.
    pub others: usize,
    /// Arguments on the stack that a calling sequence carries; more are libffi's.
    pub stack: usize,
    /// Copies of the arguments that are passed by address; more are libffi's.
    pub copies: usize,
}

impl FileLayout {
    /// The words in front of those of the stack.
    pub const fn registers(&self) -> usize {
        self.integers + self.floats + self.others
    }

    /// All words. Between the stack and the copies is one more, into which the last of the stack may run
    /// ([`Step::to`]).
    pub const fn words(&self) -> usize {
        self.registers() + self.stack + 1 + self.copies
    }

    /// The first word of the copies.
    #[cfg(any(test, aapcs64, win64))]
    const fn first_copy(&self) -> usize {
        self.registers() + self.stack + 1
    }
}

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
    /// The address of a copy of the argument ([`Copied`]).
    Copy,
}

impl Load {
    /// The load of a scalar; `None` for void.
    pub fn of(ctype: CType) -> Option<Self> {
        let is_signed = ctype.is_signed();
        Some(match (ctype, ctype.size()) {
            (CType::Void, _) => return None,
            (CType::F64, _) => Self::Word,
            (CType::F32, _) => Self::U32,
            (_, 1) if is_signed => Self::I8,
            (_, 1) => Self::U8,
            (_, 2) if is_signed => Self::I16,
            (_, 2) => Self::U16,
            (_, 4) if is_signed => Self::I32,
            (_, 4) => Self::U32,
            _ => Self::Word,
        })
    }

    /// The bytes of the value.
    pub fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 => 4,
            Self::Word | Self::Copy => WORD,
        }
    }
}

/// The source and the destination of one word of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The offset in the argument buffer.
    pub from: u16,
    /// The byte of the register file. A whole word is written there. On Apple's arm64, where arguments on the stack are
    /// packed, the following arguments overwrite its upper bytes.
    pub to: u16,
    /// The way to read it.
    pub load: Load,
}

impl Step {
    /// The word of the register file that it goes to, or begins in.
    pub fn word(self) -> usize {
        usize::from(self.to) / WORD
    }
}

/// The copy of an argument that is passed by address.
#[derive(Clone, Copy, Debug)]
pub struct Copied {
    /// The offset of the argument in the argument buffer.
    pub from: u16,
    /// The byte of the register file at which it begins.
    pub to: u16,
    /// The bytes of the argument.
    pub size: usize,
}

/// The place of the result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultIn {
    /// There is none.
    Nothing,
    /// The first register of integers.
    Integer,
    /// The first register of floating point.
    Float,
    /// Two words: each is in the next register of its class.
    Two(Class, Class),
    /// So many floating-point numbers, each in a register.
    Floats(u8, Load),
    /// In memory whose address the caller passes.
    Memory,
}

/// The registers that may have a result: two of integers, and then up to four of floating point.
pub const FIRST_FLOAT: u8 = 2;

impl ResultIn {
    /// The place of a scalar, and how it is loaded.
    pub fn of_scalar(ctype: CType) -> (Self, Load) {
        match (Load::of(ctype), Class::of(ctype)) {
            (None, _) => (Self::Nothing, Load::Word),
            (Some(load), Class::Integer) => (Self::Integer, load),
            (Some(load), Class::Float) => (Self::Float, load),
        }
    }

    /// Which of the registers have the words of the result; of one word, the second means nothing.
    fn registers(self) -> (u8, u8) {
        match self {
            Self::Nothing | Self::Integer | Self::Memory => (0, 1),
            Self::Float | Self::Floats(..) => (FIRST_FLOAT, FIRST_FLOAT + 1),
            Self::Two(Class::Integer, Class::Integer) => (0, 1),
            Self::Two(Class::Integer, Class::Float) => (0, FIRST_FLOAT),
            Self::Two(Class::Float, Class::Integer) => (FIRST_FLOAT, 0),
            Self::Two(Class::Float, Class::Float) => (FIRST_FLOAT, FIRST_FLOAT + 1),
        }
    }
}

/// The steps of a call of one signature, in order.
#[derive(Debug)]
pub struct CallingSequence {
    /// One for each word of the arguments, which is one for each scalar.
    pub steps: Box<[Step]>,
    /// Of each argument, its first step; empty where that is the one of its position.
    firsts: Box<[u16]>,
    /// The arguments that are passed by address.
    copies: Box<[Copied]>,
    /// The number of words on the stack.
    pub on_stack: usize,
    /// Whether a register of floating point has an argument.
    pub has_floats: bool,
    /// The place of the result.
    pub result: ResultIn,
    /// Which of the registers of results have its words.
    pub registers: (u8, u8),
    /// Its width there.
    pub returned: Load,
}

impl CallingSequence {
    /// The first step of an argument.
    #[inline]
    pub fn step_of(&self, argument: usize) -> Step {
        self.steps[self.firsts.get(argument).map_or(argument, |first| usize::from(*first))]
    }

    /// The copy whose address a step passes.
    pub fn copy_of(&self, step: Step) -> Option<&Copied> {
        self.copies.iter().find(|copy| copy.from == step.from)
    }

    /// Whether the result is of two words.
    #[inline]
    pub fn has_second(&self) -> bool {
        matches!(self.result, ResultIn::Two(..))
    }

    /// Whether a call needs memory for the result.
    #[inline]
    pub fn needs_memory(&self) -> bool {
        matches!(self.result, ResultIn::Floats(..) | ResultIn::Memory)
    }

    /// Whether the result is more than one word.
    #[inline]
    pub fn is_wide(&self) -> bool {
        self.has_second() || self.needs_memory()
    }
}

/// A calling sequence in the making: the steps, and what is taken of each part of the register file. Places are bytes
/// of the register file.
pub struct Builder {
    file: &'static FileLayout,
    steps: Vec<Step>,
    firsts: Vec<u16>,
    copies: Vec<Copied>,
    integers: usize,
    floats: usize,
    stack_bytes: usize,
}

impl Builder {
    /// An empty one.
    pub fn new(file: &'static FileLayout, arguments: usize) -> Self {
        let (steps, firsts) = (Vec::with_capacity(arguments), Vec::with_capacity(arguments));
        Self { file, steps, firsts, copies: Vec::new(), integers: 0, floats: 0, stack_bytes: 0 }
    }

    /// Begins the next argument.
    pub fn begin(&mut self) -> Option<()> {
        self.firsts.push(u16::try_from(self.steps.len()).ok()?);
        Some(())
    }

    /// Adds a step.
    pub fn push(&mut self, from: usize, load: Load, to: usize) -> Option<()> {
        self.steps.push(Step { from: u16::try_from(from).ok()?, load, to: u16::try_from(to).ok()? });
        Some(())
    }

    /// Adds a step for each word of an aggregate, to words that lie side by side.
    pub fn push_words(&mut self, from: usize, words: usize, to: usize) -> Option<()> {
        (0..words).try_for_each(|word| self.push(from + word * WORD, Load::Word, to + word * WORD))
    }

    /// The number of free registers of a class.
    pub fn free(&self, class: Class) -> usize {
        match class {
            Class::Integer => self.file.integers - self.integers,
            Class::Float => self.file.floats - self.floats,
        }
    }

    /// Takes so many registers of a class that lie side by side, if there are so many.
    pub fn registers(&mut self, class: Class, count: usize) -> Option<usize> {
        if self.free(class) < count {
            return None;
        }
        let (used, base) = match class {
            Class::Integer => (&mut self.integers, 0),
            Class::Float => (&mut self.floats, self.file.integers),
        };
        *used += count;
        Some((base + *used - count) * WORD)
    }

    /// Takes all registers of a class.
    #[cfg(any(test, aapcs64))]
    pub fn take_all(&mut self, class: Class) {
        match class {
            Class::Integer => self.integers = self.file.integers,
            Class::Float => self.floats = self.file.floats,
        }
    }

    /// Takes bytes of the stack.
    pub fn stack(&mut self, bytes: usize, align: usize) -> Option<usize> {
        let at = self.stack_bytes.next_multiple_of(align);
        self.stack_bytes = at + bytes;
        (self.stack_bytes <= self.file.stack * WORD).then_some(self.file.registers() * WORD + at)
    }

    /// Adds a step that passes the address of a copy, which is aligned to 16 bytes.
    #[cfg(any(test, aapcs64, win64))]
    pub fn push_copy(&mut self, from: usize, size: usize, to: usize) -> Option<()> {
        let last = self.copies.last().map_or(self.file.first_copy() * WORD, |last| usize::from(last.to) + last.size);
        let at = last.next_multiple_of(2 * WORD);
        if at + size > self.file.words() * WORD {
            return None;
        }
        self.copies.push(Copied { from: u16::try_from(from).ok()?, to: u16::try_from(at).ok()?, size });
        self.push(from, Load::Copy, to)
    }

    /// The calling sequence.
    pub fn finish(self, result: ResultIn, returned: Load) -> CallingSequence {
        let is_one_each = self.firsts.len() == self.steps.len();
        let floats = self.file.integers..self.file.integers + self.file.floats;
        let has_floats = self.steps.iter().any(|step| floats.contains(&step.word()));
        CallingSequence {
            steps: self.steps.into(),
            firsts: if is_one_each { Box::default() } else { self.firsts.into() },
            copies: self.copies.into(),
            on_stack: self.stack_bytes.div_ceil(WORD),
            has_floats,
            result,
            registers: result.registers(),
            returned,
        }
    }
}

/// Whether a scalar is where its alignment wants it; in a packed struct it may not be.
pub(super) fn is_aligned(scalar: &Scalar) -> bool {
    scalar.at.is_multiple_of(scalar.size)
}
