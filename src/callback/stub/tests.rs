//! Tests of stubs: what C passes, by the compiler's own calls.

use std::sync::Arc;

use super::*;
use crate::abi::ctype::CType::{F32, F64, I8, I32, I64};
use crate::abi::layout::{Field, Layout, ValueType};
use crate::abi::signature::Signature;

/// Answers with the bytes of the argument at this position.
struct Echo {
    signature: Signature,
    argument: usize,
}

unsafe extern "C" fn echo(block: &SavedRegisters, echo: usize) {
    // SAFETY: U1; the test calls the stub by the signature, which it leaked.
    unsafe {
        let echo = &*std::ptr::with_exposed_provenance::<Echo>(echo);
        let sequence = echo.signature.sequence.as_ref().unwrap();
        block.clear_result(sequence, echo.signature.result_size());
        let mut memory = vec![0u128; echo.signature.layout.size.div_ceil(16)];
        let base = NonNull::from(memory.as_mut_slice()).cast();
        let arg_buffer = ArgBuffer::new(base, memory.len() * 16);
        block.put_arguments(sequence, echo.signature.layout.size, &arg_buffer);
        let at = echo.signature.layout.arguments[echo.argument];
        block.put_result(sequence, &arg_buffer, at, echo.signature.result_size());
    }
}

/// A function of these arguments that returns one of them.
fn echo_of<Function>(arguments: &[ValueType], argument: usize) -> Function {
    let signature = Signature::new(arguments.to_vec(), arguments[argument].clone(), None).unwrap();
    let echo_argument: &'static Echo = Box::leak(Box::new(Echo { signature, argument }));
    let code = make(echo, (&raw const *echo_argument).expose_provenance()).unwrap();
    // SAFETY: M7 and U1; `Function` is a function pointer of this signature.
    unsafe { std::mem::transmute_copy(&code.as_ptr()) }
}

fn structure(fields: &[crate::abi::ctype::CType]) -> ValueType {
    let fields: Vec<_> = fields.iter().map(|ctype| Field { value: (*ctype).into(), bits: None, align: None }).collect();
    ValueType::Aggregate(Arc::new(Layout::structure(&fields, None, None).unwrap()))
}

#[test]
#[cfg_attr(miri, ignore = "runs machine code")]
fn arguments_come_from_registers_and_from_the_stack() {
    type Function = extern "C" fn(i64, i64, i64, i64, i64, i64, i64, i64, i64, i8) -> i64;
    let types: Vec<ValueType> = [&[I64; 9][..], &[I8]].concat().into_iter().map(ValueType::from).collect();
    for argument in 0..9 {
        let function = echo_of::<Function>(&types, argument);
        assert_eq!(function(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), argument as i64);
    }
    type Last = extern "C" fn(i64, i64, i64, i64, i64, i64, i64, i64, i64, i8) -> i8;
    assert_eq!(echo_of::<Last>(&types, 9)(0, 1, 2, 3, 4, 5, 6, 7, 8, -9), -9);
}

macro_rules! echoes {
    ($($name:ident { $($field:ident: $rust:ty = $ctype:expr, $value:expr;)* })*) => {$(
        #[test]
        #[cfg_attr(miri, ignore = "runs machine code")]
        #[allow(non_snake_case, reason = "the test has the name of the struct")]
        fn $name() {
            #[repr(C)]
            #[derive(Clone, Copy, Debug, PartialEq)]
            struct Value { $($field: $rust,)* }
            let value = Value { $($field: $value,)* };
            let ctype = structure(&[$($ctype),*]);
            let types = [F32.into(), ctype.clone(), I64.into(), ctype.clone(), ctype.clone(), ctype];
            type Function = extern "C" fn(f32, Value, i64, Value, Value, Value) -> Value;
            let other = Value { $($field: 0 as $rust,)* };
            assert_eq!(echo_of::<Function>(&types, 1)(0.5, value, 7, other, other, other), value);
            assert_eq!(echo_of::<Function>(&types, 3)(0.5, other, 7, value, other, other), value);
            assert_eq!(echo_of::<Function>(&types, 5)(0.5, other, 7, other, other, value), value);
        }
    )*};
}

echoes! {
    a_struct_of_one_integer { a: i32 = I32, -5; }
    a_struct_of_two_classes { a: f64 = F64, 0.25; b: i64 = I64, -1 << 40; }
    a_struct_of_three_floats { a: f32 = F32, 1.5; b: f32 = F32, -2.5; c: f32 = F32, 1e30; }
    a_struct_of_four_floats { a: f32 = F32, 1.5; b: f32 = F32, -2.5; c: f32 = F32, 1e30; d: f32 = F32, 4.0; }
    a_struct_of_four_doubles { a: f64 = F64, 1.5; b: f64 = F64, -2.5; c: f64 = F64, 1e300; d: f64 = F64, 4.0; }
    a_struct_of_three_words { a: i64 = I64, 1; b: f64 = F64, -2.5; c: i32 = I32, -3; }
}
