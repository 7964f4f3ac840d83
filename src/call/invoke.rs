//! Calls C with a block of arguments, and returns the result, by the signature's calling sequence or by libffi.
//! Knows nothing of JavaScript.
#![expect(unsafe_code, reason = "calls a C function")]

use std::ptr::NonNull;

use libffi::middle::{Arg, CodePtr, Ret};
use smallvec::SmallVec;

use super::registers::RegisterFile;
use crate::abi::calling_sequence::CallingSequence;
use crate::abi::ctype::CType;
use crate::abi::layout::ValueType;
use crate::abi::native;
use crate::abi::signature::Signature;
use crate::memory::address::Address;
use crate::memory::arg_buffer::{ArgBlock, bytes, set_bytes};

/// The result of C: at least the width of two registers; the bytes past the type's size are undefined.
pub type ResultBlock = ArgBlock;

/// Calls the function at `code` with the arguments that lie in `block` as the signature's layout says.
///
/// # Safety
/// U1: the signature is that of the function. M4: what the block points to lives until this returns.
pub unsafe fn enter(signature: &Signature, code: Address, block: &ArgBlock) -> ResultBlock {
    match &signature.sequence {
        // SAFETY: by the contract of this function.
        Some(sequence) => unsafe { enter_by_sequence(signature, sequence, code, bytes(block)) },
        // SAFETY: as above.
        None => unsafe { enter_by_libffi(signature, code, bytes(block)) },
    }
}

/// # Safety
/// As [`enter`].
#[inline(never)] // Calls may nest: each way has no more of the stack than it needs.
unsafe fn enter_by_sequence(
    signature: &Signature,
    sequence: &CallingSequence,
    code: Address,
    bytes: &[u8],
) -> ResultBlock {
    let mut words = RegisterFile::new();
    let mut result = ResultBlock::new();
    // SAFETY: M2; the block is as long as the signature's layout.
    unsafe { sequence.load(bytes.as_ptr(), &mut words) };
    if sequence.needs_memory() {
        result = no_result(signature);
        words.set_result(NonNull::from(result.as_mut_slice()).cast());
    }
    // SAFETY: U1 and M4 by the contract of this function; the result's memory is as large as its type says.
    let returned = unsafe { sequence.enter(code, &words) };
    if !sequence.needs_memory() {
        result.push(u128::from(returned.first) | u128::from(returned.second) << 64);
    }
    result
}

/// # Safety
/// As [`enter`].
#[inline(never)] // As above.
unsafe fn enter_by_libffi(signature: &Signature, code: Address, bytes: &[u8]) -> ResultBlock {
    let mut copies = copies_by_address(signature, bytes);
    let addresses: Vec<*mut u128> = copies.iter_mut().map(|copy| copy.as_mut_ptr()).collect();
    let mut addresses = addresses.iter();
    let values = signature.arguments.iter().zip(&signature.layout.arguments);
    let arguments: SmallVec<[Arg<'_>; 12]> = values
        .map(|(value, at)| {
            let address = if native::is_by_address(value) { addresses.next() } else { None };
            address.map_or_else(|| Arg::new(&bytes[*at]), Arg::new)
        })
        .collect();
    let mut result = no_result(signature);
    let is_void = signature.result.scalar() == Some(CType::Void);
    let ret = if is_void { Ret::void() } else { Ret::new(result.as_mut_slice()) };
    // SAFETY: U1 and M4 by the contract of this function; the result block holds the whole result, which libffi
    // widens to a full register where it is a scalar (libffi manual, "The Basics").
    unsafe { signature.cif.call_return_into(CodePtr(code.as_ptr().cast()), &arguments, ret) };
    result
}

/// The arguments that C gets by address, which it may write to.
fn copies_by_address(signature: &Signature, bytes: &[u8]) -> Vec<ArgBlock> {
    let values = signature.arguments.iter().zip(&signature.layout.arguments);
    let copy = |(value, at): (&ValueType, &usize)| {
        let mut copy = ArgBlock::from_elem(0, value.size().div_ceil(16));
        set_bytes(&mut copy, 0, &bytes[*at..*at + value.size()]);
        copy
    };
    values.filter(|(value, _)| native::is_by_address(value)).map(copy).collect()
}

/// A zeroed result.
pub fn no_result(signature: &Signature) -> ResultBlock {
    ResultBlock::from_elem(0, signature.result.size().div_ceil(16).max(1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::abi::layout::Layout;
    use crate::memory::arg_buffer::{address_in, set_address};

    extern "C" fn subtract(a: u64, b: u64) -> u64 {
        a - b
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls libffi")]
    fn arguments_arrive_in_order() {
        let signature = Signature::new(vec![CType::U64.into(); 2], CType::U64.into(), None).unwrap();
        let mut block = ArgBlock::from_elem(0, signature.layout.size.div_ceil(16));
        set_address(&mut block, signature.layout.arguments[0], 50);
        set_address(&mut block, signature.layout.arguments[1], 8);
        let code = Address::new((subtract as extern "C" fn(u64, u64) -> u64 as *const ()).expose_provenance()).unwrap();
        // SAFETY: U1; the signature above is the function's.
        assert_eq!(address_in(&unsafe { enter(&signature, code, &block) }, 0), 42);
    }

    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Large([u64; 3]);

    #[rustfmt::skip]
    extern "C" fn weigh(a: Large, b: Large, c: Large, d: Large, e: Large, f: Large, g: Large, h: Large, i: Large, j: Large,
        k: Large, l: Large, m: Large, n: Large, o: Large, p: Large, q: Large, r: Large, s: Large, t: Large) -> u64 {
        let all = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t];
        all.iter().flat_map(|each| each.0).zip(1..).map(|(value, weight)| value * weight).sum()
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls libffi")]
    fn many_large_structs_arrive_by_each_way() {
        let large = ValueType::Aggregate(Arc::new(Layout::array(&CType::U64.into(), 3).unwrap()));
        let make = || Signature::new(vec![large.clone(); 20], CType::U64.into(), None).unwrap();
        let code = Address::new((weigh as *const ()).expose_provenance()).unwrap();
        let wanted: u64 = (1..=60).map(|value| value * value).sum();
        for signature in [make(), make().without_sequence()] {
            let mut block = ArgBlock::from_elem(0, signature.layout.size.div_ceil(16));
            for (at, first) in signature.layout.arguments.iter().zip((1..).step_by(3)) {
                (0..3).for_each(|word| set_address(&mut block, at + word * 8, first + word));
            }
            // SAFETY: U1; the signature above is the function's.
            assert_eq!(address_in(&unsafe { enter(&signature, code, &block) }, 0) as u64, wanted);
        }
    }
}
