//! Runs trampolines of this processor, with memory and objects that are laid out as V8's are.
#![expect(unsafe_code, reason = "runs generated code")]

use std::ffi::c_void;
use std::mem::transmute;
use std::ptr::null_mut;
use std::rc::Rc;

use super::*;
use crate::abi::ctype::CType;
use crate::abi::native;
use crate::call::function_table::FunctionTable;
use crate::loader::library::Library;
use crate::memory::address::Address;
use crate::memory::exec::Code;
use crate::v8::array_buffer_view::ViewLayout;

const MAPS: Maps = Maps { number: 0x1001, bigint: 0x2001 };
const ADDRESSES_AT: usize = 64;
const RESULT_AT: usize = 512;

/// What trampolines use.
struct Surroundings {
    shared: Box<[u32; 256]>,
    arg_buffer: Box<[u64; 256]>,
    /// A word that is 0, for all that may be open or exposed.
    zero: Box<u64>,
    functions: FunctionTable<()>,
    code: Code,
}

impl Surroundings {
    fn new() -> Self {
        Self {
            shared: Box::new([0; 256]),
            arg_buffer: Box::new([0; 256]),
            zero: Box::default(),
            functions: FunctionTable::default(),
            code: Code::default(),
        }
    }

    /// The number of a function and its trampoline.
    fn trampoline(
        &mut self,
        function: *const (),
        arguments: &[(CType, FastType)],
        result: (CType, FastType),
    ) -> (u32, Address) {
        let library = Library::linked("test");
        let code = Address::new(function.expose_provenance()).unwrap();
        let number = self.functions.add(code, &library, Rc::new(()), 0);
        // The library's flag is read until the test ends.
        std::mem::forget(library);
        let zero = (&raw const *self.zero).expose_provenance();
        let views = ViewContext {
            layout: ViewLayout::default(),
            caches: 0,
            cache_bytes: 0,
            data_at: 0,
            length_at: 0,
            forgotten_at: 0,
            last_blocks: 0,
            forgotten: 0,
            resolve: 0,
            is_whole: 0,
        };
        let context = TrampolineContext {
            open_callbacks: zero,
            inside: zero,
            shared: self.shared.as_mut_ptr().expose_provenance(),
            pins_at: 12,
            addresses_at: ADDRESSES_AT as i32,
            arg_buffer: self.arg_buffer.as_mut_ptr().expose_provenance(),
            epoch_at: 20,
            entries: self.functions.base(),
            exposed_count: zero,
            slice_count: zero,
            check_fences: 0,
            copy_result: 0,
            maps: MAPS,
            views,
        };
        let types: Vec<_> = arguments.iter().map(|(ctype, _)| (*ctype).into()).collect();
        let offsets: Vec<_> = (0..arguments.len()).map(|argument| 32 + argument * 8).collect();
        let sequence = native::arrange(&types, &offsets, None, &result.0.into()).unwrap();
        let signature = FastSignature {
            arguments: arguments.iter().map(|(_, fast_type)| *fast_type).collect(),
            result: result.1,
            returns_text: false,
            is_leaf: false,
        };
        (number, self.code.put(&assemble(&sequence, &signature, RESULT_AT as i32, context)).unwrap())
    }

    /// The result of a call, if it went in.
    fn outcome<T>(&mut self, call: impl FnOnce() -> T) -> Option<T> {
        self.shared[0] = 0;
        let result = call();
        // SAFETY: generated code has written it, if anything.
        let state = unsafe { self.shared.as_ptr().read_volatile() };
        (state == 0).then_some(result)
    }
}

extern "C" fn join(
    a: i32,
    b: u8,
    p: usize,
    x: f64,
    c: i16,
    d: i32,
    y: f32,
    e: u32,
    q: usize,
    f: i32,
    g: i32,
    z: f64,
    r: usize,
    h: i32,
) -> f64 {
    let integers = [a.into(), b.into(), p as i64, c.into(), d.into(), e.into(), q as i64, f.into(), g.into(), r as i64];
    let joined = integers.into_iter().chain([h.into()]).fold(0, |joined: i64, each| joined * 16 + each);
    joined as f64 + x + f64::from(y) + z
}

#[test]
#[cfg_attr(miri, ignore = "runs machine code")]
fn arguments_go_where_c_expects_them() {
    type Called =
        extern "C" fn(*mut c_void, u32, i32, u32, f64, f64, i32, i32, f32, u32, f64, i32, i32, f64, f64, i32) -> f64;
    use FastType::{F32, F64, I32, Pointer, U32};
    let arguments = [
        (CType::I32, I32),
        (CType::U8, U32),
        (CType::Pointer, Pointer),
        (CType::F64, F64),
        (CType::I16, I32),
        (CType::I32, I32),
        (CType::F32, F32),
        (CType::U32, U32),
        (CType::Pointer, Pointer),
        (CType::I32, I32),
        (CType::I32, I32),
        (CType::F64, F64),
        (CType::Pointer, Pointer),
        (CType::I32, I32),
    ];
    let mut surroundings = Surroundings::new();
    let (number, at) = surroundings.trampoline(join as *const (), &arguments, (CType::F64, F64));
    // SAFETY: M15; the code was assembled for these parameters.
    let call = unsafe { transmute::<*mut u8, Called>(at.as_ptr()) };
    let result =
        surroundings.outcome(|| call(null_mut(), number, 1, 2, 3.0, 0.5, 4, 5, 0.25, 6, 7.0, 8, 9, 0.125, 10.0, 11));
    assert_eq!(result, Some(0x123_4567_89ab_i64 as f64 + 0.875));
    // A closed library.
    surroundings.functions.remove(number);
    let result =
        surroundings.outcome(|| call(null_mut(), number, 1, 2, 3.0, 0.5, 4, 5, 0.25, 6, 7.0, 8, 9, 0.125, 10.0, 11));
    assert_eq!(result, None);
}

extern "C" fn same(address: usize) -> usize {
    address
}

#[test]
#[cfg_attr(miri, ignore = "runs machine code")]
fn an_address_is_an_exact_integer_of_53_bits() {
    let mut surroundings = Surroundings::new();
    let pointer = (CType::Pointer, FastType::Pointer);
    let (number, at) = surroundings.trampoline(same as *const (), &[pointer], pointer);
    // SAFETY: M15; the code was assembled for these parameters.
    let call = unsafe { transmute::<*mut u8, extern "C" fn(*mut c_void, u32, f64) -> f64>(at.as_ptr()) };
    let most = 2f64.powi(53) - 1.0;
    for address in [0.0, -0.0, 1.0, 4096.0, most] {
        assert_eq!(surroundings.outcome(|| call(null_mut(), number, address)), Some(address));
    }
    let powers = [53, 63, 64, 100].map(|power| 2f64.powi(power));
    for other in [f64::NAN, -f64::NAN, 0.5, -1.0, f64::INFINITY].into_iter().chain(powers) {
        assert_eq!(surroundings.outcome(|| call(null_mut(), number, other)), None, "{other}");
        assert_eq!(surroundings.outcome(|| call(null_mut(), number, -other.abs())), None, "-{other}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "runs machine code")]
fn an_address_beyond_53_bits_is_returned_in_the_argument_buffer() {
    extern "C" fn high() -> usize {
        usize::MAX - 7
    }
    let mut surroundings = Surroundings::new();
    let (number, at) = surroundings.trampoline(high as *const (), &[], (CType::Pointer, FastType::Pointer));
    // SAFETY: M15; the code was assembled for these parameters.
    let call = unsafe { transmute::<*mut u8, extern "C" fn(*mut c_void, u32) -> f64>(at.as_ptr()) };
    assert_eq!(surroundings.outcome(|| call(null_mut(), number)), Some(-1.0));
    let [result, epoch] = [RESULT_AT / 8, 20 / 8].map(|word| {
        // SAFETY: generated code has written it.
        unsafe { surroundings.arg_buffer.as_ptr().add(word).read_volatile() }
    });
    assert_eq!((result as usize, epoch >> 32), (usize::MAX - 7, 1));
}

/// A value as V8 has it.
enum Value {
    Small(i32),
    Object(Vec<u64>),
}

fn number(value: f64) -> Value {
    Value::Object(vec![MAPS.number as u64, value.to_bits()])
}

fn bigint(is_negative: bool, digits: &[u64]) -> Value {
    let head = [MAPS.bigint as u64, (digits.len() as u64) << 1 | u64::from(is_negative)];
    Value::Object(head.iter().chain(digits).copied().collect())
}

/// What C gets of a value; `None` where the call is left to the generic call.
fn passed(surroundings: &mut Surroundings, (number, at): (u32, Address), value: &Value) -> Option<i64> {
    // SAFETY: M15; the code was assembled for these parameters.
    let call = unsafe { transmute::<*mut u8, extern "C" fn(*mut c_void, u32, *const usize) -> i64>(at.as_ptr()) };
    let word = match value {
        Value::Small(value) => ((*value as isize) << 32) as usize,
        Value::Object(words) => words.as_ptr().expose_provenance() + 1,
    };
    surroundings.outcome(|| call(null_mut(), number, &raw const word))
}

#[test]
#[cfg_attr(miri, ignore = "runs machine code")]
fn an_integer_of_64_bits_is_any_value_that_is_one() {
    let mut surroundings = Surroundings::new();
    let [signed, unsigned] = [(CType::I64, FastType::I64), (CType::U64, FastType::U64)]
        .map(|integer| surroundings.trampoline(same as *const (), &[integer], integer));
    let exact = (1i64 << 53) - 1;
    let both = [
        (Value::Small(0), 0),
        (Value::Small(i32::MAX), i32::MAX.into()),
        (number(-0.0), 0),
        (number(exact as f64), exact),
        (bigint(false, &[]), 0),
        (bigint(false, &[5]), 5),
        (bigint(false, &[i64::MAX as u64]), i64::MAX),
    ];
    for (value, expected) in both {
        assert_eq!(passed(&mut surroundings, signed, &value), Some(expected));
        assert_eq!(passed(&mut surroundings, unsigned, &value), Some(expected));
    }
    let below_zero = [
        (Value::Small(-5), -5),
        (number(-exact as f64), -exact),
        (bigint(true, &[5]), -5),
        (bigint(true, &[1 << 63]), i64::MIN),
    ];
    for (value, expected) in below_zero {
        assert_eq!(passed(&mut surroundings, signed, &value), Some(expected));
        assert_eq!(passed(&mut surroundings, unsigned, &value), None);
    }
    let largest = bigint(false, &[u64::MAX]);
    assert_eq!(passed(&mut surroundings, signed, &largest), None);
    assert_eq!(passed(&mut surroundings, unsigned, &largest), Some(-1));
    let doubles = [0.5, f64::NAN, f64::INFINITY, -f64::INFINITY, 2f64.powi(53), -2f64.powi(53), 2f64.powi(63)];
    let others = [bigint(false, &[1, 2]), bigint(true, &[1, 2]), Value::Object(vec![0x3001, 5, 5])];
    for value in doubles.map(number).into_iter().chain([number(-2f64.powi(63))]).chain(others) {
        assert_eq!(passed(&mut surroundings, signed, &value), None);
        assert_eq!(passed(&mut surroundings, unsigned, &value), None);
    }
}

#[test]
#[cfg_attr(miri, ignore = "runs machine code")]
fn a_function_gets_the_context_behind_its_arguments() {
    extern "C" fn digits(first: usize, second: usize, third: usize, context: usize) -> usize {
        [first, second, third, context].iter().fold(0, |joined, each| joined * 16 + each)
    }
    type Called = extern "C" fn(usize, usize, usize) -> usize;
    let mut code = Code::default();
    let at = code.put(&with_context((digits as *const ()).expose_provenance(), 4)).unwrap();
    // SAFETY: M15; the code passes on the arguments that the function has.
    let call = unsafe { transmute::<*mut u8, Called>(at.as_ptr()) };
    assert_eq!(call(1, 2, 3), 0x1234);
}
