//! Calling sequences of AAPCS64 ("Procedure Call Standard for the Arm 64-bit Architecture", 2024Q3, section 6.8), and
//! of Apple's variant of it ("Writing ARM64 code for Apple platforms"). The names of rules in comments are the
//! standard's.

use super::calling_sequence::{Builder, CallingSequence, FileLayout, Load, ResultIn, WORD, is_aligned};
use super::ctype::CType;
use super::layout::{Class, Content, Layout, ValueType};

/// x0 to x7; v0 to v7; x8 and padding; the stack; copies.
pub const FILE: FileLayout = FileLayout { integers: 8, floats: 8, others: 2, stack: 32, copies: 64 };
/// x0, x1, v0 to v3.
pub const RETURNED: usize = 6;
/// The register of the address of a result in memory: x8.
pub const RESULT_ADDRESS: usize = FILE.integers + FILE.floats;

/// The most members of a homogeneous aggregate.
const MOST_FLOATS: usize = 4;

/// The variants of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The standard as it is, on Linux. Variadic functions are called like others.
    Standard,
    /// Apple's: arguments on the stack are packed, and those of variadic functions are there, in a word each.
    Apple,
}

/// The variant of this platform.
const VARIANT: Variant = if cfg!(target_vendor = "apple") { Variant::Apple } else { Variant::Standard };

/// The passing of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passed {
    /// A homogeneous floating-point aggregate: so many numbers, each in a register.
    Floats(usize, Load),
    /// In so many registers of integers: one or two.
    Words(usize),
    /// By the address of a copy of so many bytes.
    Address(usize),
}

/// The passing of an aggregate; `None` if that is left to libffi, or refused by `Layout::to_libffi`.
fn passed(layout: &Layout) -> Option<Passed> {
    let words = layout.size.div_ceil(WORD);
    let scalars = match &layout.content {
        Content::Refused(_) => return None,
        // C.10 begins in an even register.
        _ if layout.align > WORD => return None,
        Content::Large => return Some(Passed::Address(layout.size)),
        Content::Scalars(scalars) => scalars,
    };
    let size = scalars.first()?.size;
    let count = layout.size / size;
    // One number after the other, without padding; members of unions are one.
    let is_homogeneous = scalars.len() == count
        && layout.size == count * size
        && scalars
            .iter()
            .enumerate()
            .all(|(i, each)| (each.at, each.size, each.class) == (i * size, size, Class::Float));
    match words {
        _ if is_homogeneous && count <= MOST_FLOATS => {
            Some(Passed::Floats(count, if size == WORD { Load::Word } else { Load::U32 }))
        }
        1 | 2 if scalars.iter().all(is_aligned) => Some(Passed::Words(words)),
        1 | 2 => None,
        _ => Some(Passed::Address(layout.size)),
    }
}

/// Whether an aggregate is passed by the address of a copy.
pub fn is_by_address(layout: &Layout) -> bool {
    matches!(passed(layout), Some(Passed::Address(_)))
}

/// The calling sequence of a signature whose arguments lie at these offsets of the argument buffer; of a variadic
/// function `fixed` are declared. `None` where an aggregate is none that [`Passed`] has, or there are too many
/// arguments.
pub fn arrange(
    arguments: &[ValueType],
    offsets: &[usize],
    fixed: Option<usize>,
    result: &ValueType,
) -> Option<CallingSequence> {
    arrange_by(VARIANT, arguments, offsets, fixed, result)
}

fn arrange_by(
    variant: Variant,
    arguments: &[ValueType],
    offsets: &[usize],
    fixed: Option<usize>,
    result: &ValueType,
) -> Option<CallingSequence> {
    let (result, returned) = match result {
        ValueType::Scalar(ctype) => ResultIn::of_scalar(*ctype),
        ValueType::Aggregate(layout) => match passed(layout)? {
            Passed::Floats(1, load) => (ResultIn::Float, load),
            Passed::Floats(count, load) => (ResultIn::Floats(count as u8, load), load),
            Passed::Words(1) => (ResultIn::Integer, Load::Word),
            Passed::Words(_) => (ResultIn::Two(Class::Integer, Class::Integer), Load::Word),
            Passed::Address(_) => (ResultIn::Memory, Load::Word),
        },
    };
    let mut sequence = Builder::new(&FILE, arguments.len());
    for (position, (argument, from)) in arguments.iter().zip(offsets).enumerate() {
        sequence.begin()?;
        let is_variadic = variant == Variant::Apple && fixed.is_some_and(|fixed| position >= fixed);
        if is_variadic {
            sequence.take_all(Class::Integer);
            sequence.take_all(Class::Float);
        }
        let is_packed = variant == Variant::Apple && !is_variadic;
        match argument {
            ValueType::Scalar(ctype) => push_scalar(&mut sequence, *ctype, *from, is_packed)?,
            ValueType::Aggregate(layout) => push_aggregate(&mut sequence, passed(layout)?, *from, is_packed)?,
        }
    }
    Some(sequence.finish(result, returned))
}

/// C.1, C.5, C.6, C.9, C.14, C.16, C.17.
fn push_scalar(sequence: &mut Builder, ctype: CType, from: usize, is_packed: bool) -> Option<()> {
    let load = Load::of(ctype)?;
    let bytes = if is_packed { load.size() } else { WORD };
    let to = sequence.registers(Class::of(ctype), 1).or_else(|| sequence.stack(bytes, bytes))?;
    sequence.push(from, load, to)
}

/// B.4, C.2 to C.5, C.12 to C.15: after an argument that does not fit in the registers of its class, none is used.
fn push_aggregate(sequence: &mut Builder, passed: Passed, from: usize, is_packed: bool) -> Option<()> {
    match passed {
        Passed::Floats(count, load) => {
            let size = load.size();
            if let Some(to) = sequence.registers(Class::Float, count) {
                return (0..count).try_for_each(|i| sequence.push(from + i * size, load, to + i * WORD));
            }
            sequence.take_all(Class::Float);
            let bytes = count * size;
            if is_packed {
                let to = sequence.stack(bytes, size)?;
                return (0..count).try_for_each(|i| sequence.push(from + i * size, load, to + i * size));
            }
            let to = sequence.stack(bytes.next_multiple_of(WORD), WORD)?;
            sequence.push_words(from, bytes.div_ceil(WORD), to)
        }
        Passed::Words(words) => {
            let to = sequence.registers(Class::Integer, words).or_else(|| {
                sequence.take_all(Class::Integer);
                sequence.stack(words * WORD, WORD)
            })?;
            sequence.push_words(from, words, to)
        }
        Passed::Address(size) => {
            let to = sequence.registers(Class::Integer, 1).or_else(|| sequence.stack(WORD, WORD))?;
            sequence.push_copy(from, size, to)
        }
    }
}

#[cfg(test)]
mod tests;
