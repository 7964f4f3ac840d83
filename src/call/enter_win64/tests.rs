//! Tests of calls by the ABI of Windows, against Rust's own functions of this ABI, on every system on x64.

use std::sync::Arc;

use super::*;
use crate::abi::calling_sequence::{CallingSequence, FIRST_FLOAT, ResultIn};
use crate::abi::ctype::CType::{self, F32, F64, I8, I16, I32, I64, U8};
use crate::abi::layout::{Field, Layout, ValueType};
use crate::abi::win64::{RESULT_ADDRESS, RETURNED, arrange};

/// A register file of the ABI.
#[repr(align(16))]
struct File([u64; FILE.words()]);

/// The bytes between two arguments of a test.
const APART: usize = 64;

fn structure(fields: &[CType]) -> ValueType {
    let fields: Vec<_> = fields.iter().map(|ctype| Field { value: (*ctype).into(), bits: None, align: None }).collect();
    ValueType::Aggregate(Arc::new(Layout::structure(&fields, None, None).unwrap()))
}

/// The bytes of a value.
fn bytes<Value: Copy>(value: Value) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<Value>()];
    // SAFETY: the memory is as large as the value; the tests pass none with padding.
    unsafe { bytes.as_mut_ptr().cast::<Value>().write_unaligned(value) };
    bytes
}

/// Calls a function with arguments: (type, bytes) each. Returns the registers of results, and the memory of one.
fn call(
    code: *const (),
    arguments: &[(ValueType, Vec<u8>)],
    fixed: Option<usize>,
    result: &ValueType,
) -> ([u64; RETURNED], [u64; 8]) {
    let types: Vec<_> = arguments.iter().map(|(value, _)| value.clone()).collect();
    let offsets: Vec<_> = (0..types.len()).map(|i| i * APART).collect();
    let sequence: CallingSequence = arrange(&types, &offsets, fixed, result).unwrap();
    let mut buffer = vec![[0xEEEE_EEEE_EEEE_EEEEu64; 8]; types.len() + 1];
    for ((_, bytes), slot) in arguments.iter().zip(&mut buffer) {
        // SAFETY: a slot is longer than every argument of the tests.
        unsafe { slot.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
    }
    let mut file = File([0x5555_5555_5555_5555; FILE.words()]);
    let (mut returned, mut memory) = ([0; RETURNED], [0; 8]);
    // SAFETY: U1; the tests call functions of these types. M4: all of it lives until the call returns.
    unsafe {
        sequence.load_file(buffer.as_ptr().cast(), file.0.as_mut_ptr().cast());
        if sequence.result == ResultIn::Memory {
            file.0[RESULT_ADDRESS] = (&raw mut memory).expose_provenance() as u64;
        }
        let code = code.expose_provenance();
        enter(file.0.as_ptr(), code, sequence.on_stack, returned.as_mut_ptr(), sequence.has_floats);
    }
    if sequence.result == ResultIn::Memory {
        assert_eq!(returned[0], file.0[RESULT_ADDRESS], "the address of the result");
    }
    (returned, memory)
}

#[rustfmt::skip]
extern "win64" fn weigh(a: i8, b: f32, c: u16, d: f64, e: i64, f: u8, g: i32, h: f64, i: i16, j: f32, k: bool) -> f64 {
    let values = [f64::from(a), f64::from(b), f64::from(c), d, e as f64, f64::from(f), f64::from(g), h, f64::from(i),
        f64::from(j), f64::from(u8::from(k))];
    values.iter().zip(1..).map(|(value, weight)| value * f64::from(weight)).sum()
}

#[test]
#[cfg_attr(miri, ignore = "runs machine code")]
fn integers_and_floats_share_the_slots() {
    use CType::{Bool, U16};
    let arguments = [
        (I8.into(), bytes(-5i8)),
        (F32.into(), bytes(1.5f32)),
        (U16.into(), bytes(60_000u16)),
        (F64.into(), bytes(0.25f64)),
        (I64.into(), bytes(-9_000_000_000i64)),
        (U8.into(), bytes(200u8)),
        (I32.into(), bytes(-70_000i32)),
        (F64.into(), bytes(1e9f64)),
        (I16.into(), bytes(-300i16)),
        (F32.into(), bytes(-2.5f32)),
        (Bool.into(), bytes(true)),
    ];
    let (returned, _) = call(weigh as *const (), &arguments, None, &F64.into());
    let wanted = weigh(-5, 1.5, 60_000, 0.25, -9_000_000_000, 200, -70_000, 1e9, -300, -2.5, true);
    assert_eq!(f64::from_bits(returned[usize::from(FIRST_FLOAT)]), wanted);
}

#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Three([i8; 3]);
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Pair(f32, f32);
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq)]
struct Wide(i64, f64, i64);

extern "win64" fn turn(a: Wide, b: Three, c: Pair, d: Wide, e: Pair, f: Three) -> Wide {
    let sum = |three: Three| three.0.into_iter().map(i64::from).sum::<i64>();
    Wide(a.0 - d.0 + sum(b), a.1 + d.1 + f64::from(c.0 + c.1), a.2 - d.2 + sum(f) + (e.0 - e.1) as i64)
}

extern "win64" fn swap(pair: Pair) -> Pair {
    Pair(pair.1, pair.0)
}

#[test]
#[cfg_attr(miri, ignore = "runs machine code")]
fn structs_are_words_or_copies() {
    let types = [structure(&[I64, F64, I64]), structure(&[I8; 3]), structure(&[F32, F32])];
    let [wide, three, pair] = types;
    let (a, d) = (Wide(1 << 40, 0.5, -1), Wide(7, -2.25, 9));
    let (b, f) = (Three([1, -2, 3]), Three([100, 101, -102]));
    let (c, e) = (Pair(1.5, 2.5), Pair(40.0, 2.0));
    let arguments = [
        (wide.clone(), bytes(a)),
        (three.clone(), bytes(b)),
        (pair.clone(), bytes(c)),
        (wide.clone(), bytes(d)),
        (pair.clone(), bytes(e)),
        (three, bytes(f)),
    ];
    let (_, memory) = call(turn as *const (), &arguments, None, &wide);
    let wanted = turn(a, b, c, d, e, f);
    assert_eq!((memory[0] as i64, f64::from_bits(memory[1]), memory[2] as i64), (wanted.0, wanted.1, wanted.2));

    let (returned, _) = call(swap as *const (), &[(pair.clone(), bytes(c))], None, &pair);
    assert_eq!(returned[0].to_ne_bytes(), bytes(swap(c))[..]);
}

/// What a variadic function gets of its first four arguments: it reads the registers of integers.
extern "win64" fn integers(a: u64, b: u64, c: u64, d: u64) -> u64 {
    a ^ b.rotate_left(1) ^ c.rotate_left(2) ^ d.rotate_left(3)
}

#[test]
#[cfg_attr(miri, ignore = "runs machine code")]
fn variadic_functions_find_floats_in_registers_of_integers() {
    let words = [3u64, 0.5f64.to_bits(), 1e300f64.to_bits(), 4];
    let types: [ValueType; 4] = [I64.into(), F64.into(), F64.into(), I64.into()];
    let arguments: Vec<_> = types.into_iter().zip(words.map(bytes)).collect();
    let (returned, _) = call(integers as *const (), &arguments, Some(1), &I64.into());
    assert_eq!(returned[0], integers(words[0], words[1], words[2], words[3]));
}
