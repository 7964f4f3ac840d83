//! Tests of the calling sequences of the System V ABI, which run on every platform.

use std::sync::Arc;

use super::*;
use crate::abi::ctype::CType;
use crate::abi::layout::Field;

fn field(value: impl Into<ValueType>) -> Field {
    Field { value: value.into(), bits: None, align: None }
}

fn structure(fields: &[CType]) -> Layout {
    let fields: Vec<_> = fields.iter().map(|ctype| field(*ctype)).collect();
    Layout::structure(&fields, None, None).unwrap()
}

#[test]
fn eightbytes_are_classified_by_what_is_in_them() {
    use CType::{F32, F64, I8, I32, U8};
    use Class::{Float, Integer};
    use Eightbytes::{Memory, Registers};
    let passed = |fields: &[CType]| eightbytes(&structure(fields));
    assert_eq!(passed(&[F64, F64]), Some(Registers(Float, Some(Float))));
    assert_eq!(passed(&[F32, F32, U8]), Some(Registers(Float, Some(Integer))));
    assert_eq!(passed(&[F32, I8, F32]), Some(Registers(Integer, Some(Float))));
    assert_eq!(passed(&[U8]), Some(Registers(Integer, None)));
    assert_eq!(passed(&[F64, F64, U8]), Some(Memory(3)));
    let union = Layout::union(&[field(F64), field(U8)], None).unwrap();
    assert_eq!(eightbytes(&union), Some(Registers(Integer, None)));
    let packed = Layout::structure(&[field(U8), field(F64)], Some(1), None).unwrap();
    let wide = Layout::structure(&[field(I32)], None, Some(16)).unwrap();
    let bits = Layout { content: Content::Refused("bitfields"), ..structure(&[U8]) };
    assert_eq!([packed, wide, bits].map(|layout| eightbytes(&layout)), [None; 3]);
}

#[test]
fn an_aggregate_is_in_registers_or_on_the_stack_as_a_whole() {
    use CType::{F32, F64, I64};
    let value = |fields: &[CType]| ValueType::Aggregate(Arc::new(structure(fields)));
    let (mixed, large, pair) = (value(&[I64, F64]), value(&[I64; 3]), value(&[F32, F32]));
    let integers = [I64; 5].map(ValueType::from);
    let arguments = [&integers[..], &[mixed.clone(), mixed.clone(), large.clone(), pair, I64.into()]].concat();
    let offsets: Vec<usize> = (0..arguments.len()).map(|i| i * 32).collect();
    let sequence = arrange(&arguments, &offsets, None, &mixed).unwrap();
    let first = |argument| sequence.step_of(argument).word();
    // The first has the last register of integers, and all that needs one after it is on the stack.
    let stack = |word| FILE.registers() + word;
    assert_eq!([5, 6, 7, 8, 9].map(first), [5, stack(0), stack(2), FILE.integers + 1, stack(5)]);
    assert_eq!((sequence.steps.len(), sequence.on_stack), (14, 6));
    assert_eq!(sequence.result, ResultIn::Two(Class::Integer, Class::Float));
    assert_eq!(sequence.registers, (0, 2));
    let hidden = arrange(&[I64.into()], &[0], None, &large).unwrap();
    assert_eq!((hidden.result, hidden.step_of(0).word()), (ResultIn::Memory, 1));
}

#[test]
fn what_has_no_calling_sequence_is_left_to_libffi() {
    let many = vec![ValueType::from(CType::I32); FILE.integers + FILE.stack + 1];
    let offsets: Vec<usize> = (0..many.len()).map(|i| i * 8).collect();
    assert!(arrange(&many, &offsets, None, &CType::Void.into()).is_none());
    assert!(arrange(&many[1..], &offsets, None, &CType::Void.into()).is_some());
}
