//! Calling sequences of the x64 ABI of Windows ("x64 calling convention", Microsoft Learn). Each argument takes one
//! slot: the first four are registers, of integers or of floating point by the type of the argument, and the others
//! words of the stack.

use super::calling_sequence::{Builder, CallingSequence, FileLayout, Load, ResultIn, WORD};
use super::layout::{Class, Content, Layout, ValueType};

/// rcx, rdx, r8, r9; xmm0 to xmm3; the stack behind the space that the callee has for its registers; copies.
pub const FILE: FileLayout = FileLayout { integers: 4, floats: 4, others: 0, stack: 32, copies: 64 };
/// rax, rdx, xmm0, xmm1: results of one word need no second one, but the positions are those of System V.
pub const RETURNED: usize = 4;
/// The register of the address of a result in memory.
pub const RESULT_ADDRESS: usize = 0;

/// A directive of unwind information in naked functions. Assemblers for other systems, on which the tests run, do not
/// know it: they get a comment.
#[cfg(windows)]
macro_rules! seh {
    ($directive:literal) => {
        $directive
    };
}
#[cfg(sysv64)]
macro_rules! seh {
    ($directive:literal) => {
        concat!("# ", $directive)
    };
}
#[cfg(any(windows, sysv64))]
pub(crate) use seh;

/// The passing of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed {
    /// As an integer of 1, 2, 4 or 8 bytes, whatever it is made of.
    Word,
    /// By the address of a copy of so many bytes.
    Address(usize),
}

/// The passing of an aggregate; `None` for those that `Layout::to_libffi` refuses.
fn passed(layout: &Layout) -> Option<Passed> {
    match (&layout.content, layout.size) {
        (Content::Refused(_), _) => None,
        _ if layout.align > WORD => None,
        (_, 1 | 2 | 4 | 8) => Some(Passed::Word),
        (_, size) => Some(Passed::Address(size)),
    }
}

/// The slot of an argument.
#[derive(Clone, Copy)]
struct Slot {
    /// The register of integers, or the word of the stack.
    integer: usize,
    /// The register of floating point, or the same word.
    float: usize,
}

impl Slot {
    /// The next one. It takes the register of either class.
    fn next(sequence: &mut Builder) -> Option<Self> {
        match (sequence.registers(Class::Integer, 1), sequence.registers(Class::Float, 1)) {
            (Some(integer), Some(float)) => Some(Self { integer, float }),
            _ => sequence.stack(WORD, WORD).map(|to| Self { integer: to, float: to }),
        }
    }

    fn is_register(self) -> bool {
        self.integer != self.float
    }
}

/// The calling sequence of a signature whose arguments lie at these offsets of the argument buffer. `None` for
/// aggregates that are refused, and where there are too many arguments or copies. Of a variadic function, which does
/// not know the types of its arguments, floating-point numbers are in both registers of their slots.
pub fn arrange(
    arguments: &[ValueType],
    offsets: &[usize],
    fixed: Option<usize>,
    result: &ValueType,
) -> Option<CallingSequence> {
    let mut sequence = Builder::new(&FILE, arguments.len());
    let (result, returned) = match result {
        ValueType::Scalar(ctype) => ResultIn::of_scalar(*ctype),
        ValueType::Aggregate(layout) => match passed(layout)? {
            Passed::Word => (ResultIn::Integer, Load::Word),
            Passed::Address(_) => {
                Slot::next(&mut sequence)?;
                (ResultIn::Memory, Load::Word)
            }
        },
    };
    for (argument, from) in arguments.iter().zip(offsets) {
        sequence.begin()?;
        let slot = Slot::next(&mut sequence)?;
        match argument {
            ValueType::Scalar(ctype) if ctype.is_float() => {
                let load = Load::of(*ctype)?;
                sequence.push(*from, load, slot.float)?;
                if fixed.is_some() && slot.is_register() {
                    sequence.push(*from, load, slot.integer)?;
                }
            }
            ValueType::Scalar(ctype) => sequence.push(*from, Load::of(*ctype)?, slot.integer)?,
            ValueType::Aggregate(layout) => match passed(layout)? {
                Passed::Word => sequence.push(*from, Load::Word, slot.integer)?,
                Passed::Address(size) => sequence.push_copy(*from, size, slot.integer)?,
            },
        }
    }
    Some(sequence.finish(result, returned))
}

#[cfg(test)]
mod tests;
