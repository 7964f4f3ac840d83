//! The ABI of this platform, by which calling sequences are made.

#[cfg(aapcs64)]
use super::aapcs64 as abi;
#[cfg(v8_abi)]
use super::calling_sequence::Step;
use super::calling_sequence::{CallingSequence, FileLayout};
use super::layout::ValueType;
#[cfg(not(any(aapcs64, win64)))]
use super::sysv64 as abi;
#[cfg(win64)]
use super::win64 as abi;

/// The words in which a call has its arguments.
pub const FILE: FileLayout = abi::FILE;
/// The registers that may have a result. Those of floating point begin at `calling_sequence::FIRST_FLOAT`.
pub const RETURNED: usize = abi::RETURNED;
/// The word of the address of a result in memory.
pub const RESULT_ADDRESS: usize = abi::RESULT_ADDRESS;

/// The register of integer arguments that a step goes to, counted from 0.
#[cfg(v8_abi)]
pub fn integer_register(step: Step) -> Option<usize> {
    Some(step.word()).filter(|word| *word < FILE.integers)
}

/// The register of floating point that a step goes to, counted from 0.
#[cfg(v8_abi)]
pub fn float_register(step: Step) -> Option<u8> {
    step.word().checked_sub(FILE.integers).filter(|to| *to < FILE.floats).map(|to| to as u8)
}

/// The word of the stack that a step goes to.
#[cfg(v8_abi)]
pub fn stack_word(step: Step) -> Option<usize> {
    step.word().checked_sub(FILE.registers())
}

/// The calling sequence of a signature whose arguments lie at these offsets of the argument buffer; of a variadic
/// function `fixed` are declared. `None` where libffi has to make the calls: it is a shape that the ABI's module does
/// not know, there are too many arguments, or the platform has another ABI.
pub fn arrange(
    arguments: &[ValueType],
    offsets: &[usize],
    fixed: Option<usize>,
    result: &ValueType,
) -> Option<CallingSequence> {
    if cfg!(calling_sequences) { abi::arrange(arguments, offsets, fixed, result) } else { None }
}

/// Whether an argument is passed by the address of a copy, of which only the address counts as an argument for libffi:
/// its calls on arm64 reserve too little of the stack for both (libffi 3.5.2, `ffi_prep_cif_machdep`).
pub fn is_by_address(argument: &ValueType) -> bool {
    #[cfg(aapcs64)]
    if let ValueType::Aggregate(layout) = argument {
        return abi::is_by_address(layout);
    }
    let _ = argument;
    false
}
