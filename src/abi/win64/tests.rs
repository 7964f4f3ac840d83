//! Tests of the calling sequences of Windows on x64, which run on every platform.

use std::sync::Arc;

use super::*;
use crate::abi::ctype::CType;
use crate::abi::layout::Field;
use CType::{F32, F64, I8, I16, I32, I64, U8};

fn field(value: impl Into<ValueType>) -> Field {
    Field { value: value.into(), bits: None, align: None }
}

fn structure(fields: &[CType]) -> Layout {
    let fields: Vec<_> = fields.iter().map(|ctype| field(*ctype)).collect();
    Layout::structure(&fields, None, None).unwrap()
}

fn value(fields: &[CType]) -> ValueType {
    ValueType::Aggregate(Arc::new(structure(fields)))
}

fn sequence(arguments: &[ValueType], fixed: Option<usize>, result: &ValueType) -> CallingSequence {
    let offsets: Vec<usize> = (0..arguments.len()).map(|i| i * 64).collect();
    arrange(arguments, &offsets, fixed, result).unwrap()
}

/// The words of the register file that the steps go to, in order.
fn words(sequence: &CallingSequence) -> Vec<usize> {
    sequence.steps.iter().map(|step| step.word()).collect()
}

const FLOATS: usize = FILE.integers;
const STACK: usize = FILE.registers();

#[test]
fn structs_of_a_power_of_two_are_integers_and_others_are_copies() {
    use Passed::{Address, Word};
    let of = |fields: &[CType]| passed(&structure(fields));
    assert_eq!([of(&[I8]), of(&[I16]), of(&[F32]), of(&[F64]), of(&[F32, F32])], [Some(Word); 5]);
    assert_eq!([of(&[I8; 3]), of(&[I16; 3]), of(&[F32; 3])], [Some(Address(3)), Some(Address(6)), Some(Address(12))]);
    assert_eq!([of(&[I64, I64]), of(&[F64; 4])], [Some(Address(16)), Some(Address(32))]);
    let union = Layout::union(&[field(F64), field(value(&[I8; 3]))], None).unwrap();
    assert_eq!(passed(&union), Some(Word));
    let packed = Layout::structure(&[field(U8), field(F32), field(U8), field(I16)], Some(1), None).unwrap();
    assert_eq!(passed(&packed), Some(Word));
    let wide = Layout::structure(&[field(I32)], None, Some(16)).unwrap();
    let bits = Layout { content: Content::Refused("bitfields"), ..structure(&[I32]) };
    assert_eq!([wide, bits].map(|layout| passed(&layout)), [None; 2]);
}

#[test]
fn each_argument_takes_a_slot_whose_register_its_class_selects() {
    let mixed = [I32.into(), F64.into(), F32.into(), value(&[F64]), F64.into(), I8.into()];
    let mixed = sequence(&mixed, None, &F32.into());
    assert_eq!(words(&mixed), [0, FLOATS + 1, FLOATS + 2, 3, STACK, STACK + 1]);
    assert_eq!((mixed.on_stack, mixed.has_floats, mixed.result), (2, true, ResultIn::Float));
    let integers = sequence(&[I32.into(), value(&[F32])], None, &value(&[F64]));
    assert_eq!((integers.has_floats, integers.result, integers.returned), (false, ResultIn::Integer, Load::Word));
}

#[test]
fn a_result_in_memory_takes_the_first_slot() {
    let triple = value(&[I8; 3]);
    let hidden = sequence(&[F64.into(), I64.into(), I64.into(), I64.into()], None, &triple);
    assert_eq!((hidden.result, words(&hidden)), (ResultIn::Memory, vec![FLOATS + 1, 2, 3, STACK]));
}

#[test]
fn floats_of_variadic_functions_are_in_both_registers() {
    let arguments = [I64.into(), F64.into(), I32.into(), F64.into(), F64.into(), I64.into()];
    let variadic = sequence(&arguments, Some(1), &I32.into());
    assert_eq!(words(&variadic), [0, FLOATS + 1, 1, 2, FLOATS + 3, 3, STACK, STACK + 1]);
    assert_eq!((variadic.step_of(2).word(), variadic.step_of(5).word()), (2, STACK + 1));
}

#[test]
fn copies_are_aligned_to_16_bytes_and_do_not_overlap() {
    let (triple, wide) = (value(&[I8; 3]), value(&[I64; 3]));
    let sequence = sequence(&[triple.clone(), wide.clone(), wide.clone(), triple.clone(), wide], None, &I64.into());
    let copies: Vec<_> = sequence.steps.iter().map(|step| sequence.copy_of(*step).unwrap()).collect();
    assert!(copies.iter().all(|copy| copy.to % 16 == 0 && usize::from(copy.to) >= (STACK + FILE.stack + 1) * WORD));
    assert!(copies.windows(2).all(|pair| usize::from(pair[0].to) + pair[0].size <= usize::from(pair[1].to)));
    assert!(arrange(&vec![triple; 40], &[0; 40], None, &I64.into()).is_none(), "more than there is space for");
}

#[test]
fn what_has_no_calling_sequence_is_left_to_libffi() {
    let many = vec![ValueType::from(F64); FILE.integers + FILE.stack + 1];
    let offsets: Vec<usize> = (0..many.len()).map(|i| i * 8).collect();
    assert!(arrange(&many, &offsets, None, &CType::Void.into()).is_none());
    assert!(arrange(&many[1..], &offsets, None, &CType::Void.into()).is_some());
    assert!(arrange(&many[1..], &offsets, None, &value(&[I64; 3])).is_none(), "with the address of the result");
}
