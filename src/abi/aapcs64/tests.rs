//! Tests of the calling sequences of AAPCS64 and Apple's variant, which run on every platform.

use std::sync::Arc;

use super::*;
use crate::abi::calling_sequence::{FIRST_FLOAT, Step};
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

fn sequence(variant: Variant, arguments: &[ValueType], fixed: Option<usize>, result: &ValueType) -> CallingSequence {
    let offsets: Vec<usize> = (0..arguments.len()).map(|i| i * 64).collect();
    arrange_by(variant, arguments, &offsets, fixed, result).unwrap()
}

/// The bytes of the stack that the steps go to, in order; those to registers are left out.
fn on_stack(sequence: &CallingSequence) -> Vec<usize> {
    let first = FILE.registers() * WORD;
    sequence.steps.iter().filter_map(|step| usize::from(step.to).checked_sub(first)).collect()
}

#[test]
fn homogeneous_aggregates_have_up_to_four_floats_of_one_width() {
    use Passed::{Address, Floats, Words};
    let of = |fields: &[CType]| passed(&structure(fields));
    assert_eq!(of(&[F32; 4]), Some(Floats(4, Load::U32)));
    assert_eq!(of(&[F64; 4]), Some(Floats(4, Load::Word)));
    assert_eq!(of(&[F64]), Some(Floats(1, Load::Word)));
    assert_eq!(of(&[F64; 5]), Some(Address(40)));
    assert_eq!(of(&[F32; 5]), Some(Address(20)));
    assert_eq!(of(&[F32, F64]), Some(Words(2)));
    assert_eq!(of(&[F32, I32]), Some(Words(1)));
    assert_eq!(of(&[I8; 3]), Some(Words(1)));
    assert_eq!(of(&[I8; 17]), Some(Address(17)));
    let union = Layout::union(&[field(F32), field(value(&[F32, F32]))], None).unwrap();
    assert_eq!(passed(&union), Some(Floats(2, Load::U32)));
    let mixed = Layout::union(&[field(F32), field(F64)], None).unwrap();
    assert_eq!(passed(&mixed), Some(Words(1)));
    let padded = Layout::structure(&[Field { align: Some(8), ..field(F32) }, field(F32)], None, None).unwrap();
    assert_eq!(passed(&padded), Some(Floats(2, Load::U32)));
    let wide = Layout::structure(&[field(I32)], None, Some(16)).unwrap();
    let packed = Layout::structure(&[field(U8), field(F64)], Some(1), None).unwrap();
    let bits = Layout { content: Content::Refused("bitfields"), ..structure(&[U8]) };
    assert_eq!([wide, packed, bits].map(|layout| passed(&layout)), [None; 3]);
}

#[test]
fn what_does_not_fit_ends_the_registers_of_its_class() {
    let arguments = [&[I64; 7].map(ValueType::from)[..], &[value(&[I64, I64]), I64.into()]].concat();
    let integers = sequence(Variant::Standard, &arguments, None, &I64.into());
    assert_eq!((on_stack(&integers), integers.on_stack), (vec![0, 8, 16], 3));
    let floats = [value(&[F32; 4]), value(&[F32; 3]), value(&[F32; 3]), F32.into(), I8.into()];
    let floats = sequence(Variant::Standard, &floats, None, &F64.into());
    assert_eq!((on_stack(&floats), floats.on_stack), (vec![0, 8, 16], 3));
    assert_eq!(floats.step_of(1), Step { from: 64, load: Load::U32, to: 12 * 8 });
    assert_eq!(floats.step_of(4).to, 0);
}

#[test]
fn large_aggregates_are_passed_by_the_address_of_a_copy() {
    let large = value(&[I64; 3]);
    let arguments = [large.clone(), I64.into(), large.clone()];
    let sequence = sequence(Variant::Standard, &arguments, None, &large);
    let copies: Vec<_> = sequence
        .steps
        .iter()
        .filter(|step| step.load == Load::Copy)
        .map(|step| (step.to, sequence.copy_of(*step).unwrap()))
        .map(|(to, copy)| (to, copy.from, copy.size, copy.to % 16))
        .collect();
    assert_eq!(copies, [(0, 0, 24, 0), (16, 128, 24, 0)]);
    assert_eq!((sequence.result, sequence.step_of(1).to), (ResultIn::Memory, 8));
    let all = vec![large; 40];
    assert!(arrange(&all, &[0; 40], None, &I64.into()).is_none(), "more than there is space for");
}

#[test]
fn results_are_in_registers_of_their_kind() {
    let of = |result: &ValueType| sequence(Variant::Standard, &[], None, result);
    assert_eq!(of(&value(&[F32; 3])).result, ResultIn::Floats(3, Load::U32));
    assert_eq!(of(&value(&[F64])).registers.0, FIRST_FLOAT);
    assert_eq!(of(&value(&[I64, F64])).result, ResultIn::Two(Class::Integer, Class::Integer));
    assert_eq!((of(&I8.into()).result, of(&I8.into()).returned), (ResultIn::Integer, Load::I8));
}

#[test]
fn apple_packs_the_stack_and_has_variadic_arguments_there() {
    let eight = [I64; 8].map(ValueType::from);
    let floats = [F64; 8].map(ValueType::from);
    let rest = [I8.into(), I16.into(), F32.into(), I8.into(), value(&[I8; 3]), value(&[F32; 3]), F64.into()];
    let arguments = [&eight[..], &floats, &rest].concat();
    let packed = sequence(Variant::Apple, &arguments, None, &I64.into());
    assert_eq!((on_stack(&packed), packed.on_stack), (vec![0, 2, 4, 8, 16, 24, 28, 32, 40], 6));
    let standard = sequence(Variant::Standard, &arguments, None, &I64.into());
    assert_eq!((on_stack(&standard), standard.on_stack), (vec![0, 8, 16, 24, 32, 40, 48, 56], 8));
    let variadic = [I64.into(), I32.into(), F64.into(), value(&[F32; 3]), value(&[I64; 3])];
    let apple = sequence(Variant::Apple, &variadic, Some(1), &I64.into());
    assert_eq!((apple.step_of(0).to, on_stack(&apple)), (0, vec![0, 8, 16, 24, 32]));
    let standard = sequence(Variant::Standard, &variadic, Some(1), &I64.into());
    assert_eq!(on_stack(&standard), [0; 0]);
}
