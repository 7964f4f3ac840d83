//! Calling sequences of the System V ABI of x86-64 ("System V Application Binary Interface, AMD64 Architecture
//! Processor Supplement", version 1.0, section 3.2.3). An aggregate is one word after the other, each where its class
//! or the stack has it.

use super::calling_sequence::{Builder, CallingSequence, FileLayout, Load, ResultIn, WORD, is_aligned};
use super::layout::{Class, Content, Layout, ValueType};

/// rdi, rsi, rdx, rcx, r8, r9; xmm0 to xmm7; the stack.
pub const FILE: FileLayout = FileLayout { integers: 6, floats: 8, others: 0, stack: 32, copies: 0 };
/// rax, rdx, xmm0, xmm1.
pub const RETURNED: usize = 4;
/// The register of the address of a result in memory.
pub const RESULT_ADDRESS: usize = 0;

/// The passing of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Eightbytes {
    /// In registers where there are enough: of these classes, one or two.
    Registers(Class, Option<Class>),
    /// Through memory: in so many words.
    Memory(usize),
}

/// The passing of an aggregate; `None` if that is left to libffi, or refused by `Layout::to_libffi`.
fn eightbytes(layout: &Layout) -> Option<Eightbytes> {
    let scalars = match &layout.content {
        Content::Refused(_) => return None,
        // Wider ones would have to be aligned on the stack.
        _ if layout.align > WORD => return None,
        Content::Scalars(scalars) if layout.size <= 2 * WORD => scalars,
        _ => return Some(Eightbytes::Memory(layout.size.div_ceil(WORD))),
    };
    if !scalars.iter().all(is_aligned) {
        return None;
    }
    // A scalar lies within one of them, and one of an integer decides.
    let class =
        |index: usize| scalars.iter().filter(|scalar| scalar.at / WORD == index).map(|scalar| scalar.class).min();
    match (class(0), class(1), layout.size > WORD) {
        (Some(first), None, false) => Some(Eightbytes::Registers(first, None)),
        (Some(first), Some(second), true) => Some(Eightbytes::Registers(first, Some(second))),
        _ => None,
    }
}

/// The calling sequence of a signature whose arguments lie at these offsets of the argument buffer; `None` where an
/// aggregate is none that [`Eightbytes`] has, or there are too many arguments. Variadic functions are called like
/// others.
pub fn arrange(
    arguments: &[ValueType],
    offsets: &[usize],
    _: Option<usize>,
    result: &ValueType,
) -> Option<CallingSequence> {
    let mut sequence = Builder::new(&FILE, arguments.len());
    let (result, returned) = match result {
        ValueType::Scalar(ctype) => ResultIn::of_scalar(*ctype),
        ValueType::Aggregate(layout) => {
            let result = match eightbytes(layout)? {
                Eightbytes::Registers(Class::Integer, None) => ResultIn::Integer,
                Eightbytes::Registers(Class::Float, None) => ResultIn::Float,
                Eightbytes::Registers(first, Some(second)) => ResultIn::Two(first, second),
                Eightbytes::Memory(_) => {
                    sequence.registers(Class::Integer, 1)?;
                    ResultIn::Memory
                }
            };
            (result, Load::Word)
        }
    };
    for (argument, from) in arguments.iter().zip(offsets) {
        sequence.begin()?;
        match argument {
            ValueType::Scalar(ctype) => {
                let to = sequence.registers(Class::of(*ctype), 1).or_else(|| sequence.stack(WORD, WORD))?;
                sequence.push(*from, Load::of(*ctype)?, to)?;
            }
            ValueType::Aggregate(layout) => push_aggregate(&mut sequence, eightbytes(layout)?, *from)?,
        }
    }
    Some(sequence.finish(result, returned))
}

/// All words of an aggregate are in registers or none is.
fn push_aggregate(sequence: &mut Builder, passed: Eightbytes, from: usize) -> Option<()> {
    let (classes, words) = match passed {
        Eightbytes::Registers(first, None) => (Some([first; 2]), 1),
        Eightbytes::Registers(first, Some(second)) => (Some([first, second]), 2),
        Eightbytes::Memory(words) => (None, words),
    };
    let has_room =
        |class, classes: &[Class]| classes.iter().filter(|other| **other == class).count() <= sequence.free(class);
    let classes = classes.filter(|classes| {
        let classes = &classes[..words];
        has_room(Class::Integer, classes) && has_room(Class::Float, classes)
    });
    let Some(classes) = classes else {
        let to = sequence.stack(words * WORD, WORD)?;
        return sequence.push_words(from, words, to);
    };
    for (word, class) in classes[..words].iter().enumerate() {
        let to = sequence.registers(*class, 1)?;
        sequence.push(from + word * WORD, Load::Word, to)?;
    }
    Some(())
}

#[cfg(test)]
mod tests;
