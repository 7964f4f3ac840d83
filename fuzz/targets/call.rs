//! A call through libffi into a closure of the same random signature: every byte arrives, and every byte comes back.
#![no_main]

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use arbitrary::Arbitrary;
use core_of_pinned_ffi::call::invoke;
use core_of_pinned_ffi::callback::closure::{Closure, Handler, Incoming};
use core_of_pinned_ffi::abi::ctype::CType;
use core_of_pinned_ffi::memory::arg_buffer::{ArgBlock, bytes};
use core_of_pinned_ffi::abi::signature::Signature;
use core_of_pinned_ffi::tree::Tree;
use libfuzzer_sys::fuzz_target;

/// The bytes of a frame: what JavaScript refuses, and what C's stack has to hold.
const FRAME_BYTES: usize = 65536;

#[derive(Arbitrary, Debug)]
struct Input {
    arguments: Vec<Tree>,
    result: Tree,
    fixed: Option<u8>,
    seed: u64,
}

struct Answer {
    arrived: Rc<RefCell<ArgBlock>>,
    result: Vec<u8>,
}

impl Handler for Answer {
    fn call(&self, incoming: &Incoming<'_>) {
        *self.arrived.borrow_mut() = incoming.block();
        incoming.put_result_bytes(&self.result);
    }
}

/// Bytes that follow from a seed (xorshift).
fn fill(mut seed: u64, count: usize) -> Vec<u8> {
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed as u8
    };
    (0..count).map(|_| next()).collect()
}

fuzz_target!(|input: Input| {
    let declare = |tree: &Tree| tree.declare(&mut |_, _, _| {}).ok();
    let Some(arguments) = input.arguments.iter().map(declare).collect::<Option<Vec<_>>>() else { return };
    let Some(result) = declare(&input.result) else { return };
    let Ok(signature) = Signature::new(arguments, result, input.fixed.map(usize::from)) else { return };
    if signature.layout.size > FRAME_BYTES {
        return;
    }
    let signature = Arc::new(signature);
    let size = signature.result_size();
    let arrived = Rc::new(RefCell::new(ArgBlock::new()));
    let given = fill(input.seed | 1, size);
    let answer = Answer { arrived: Rc::clone(&arrived), result: given.clone() };
    let Ok(closure) = Closure::new(Arc::clone(&signature), Box::new(answer)) else { return };

    let mut block = ArgBlock::from_elem(0, signature.layout.size.div_ceil(16));
    for (value, chunk) in block.iter_mut().zip(fill(!input.seed | 1, signature.layout.size.div_ceil(16) * 16).chunks(16)) {
        *value = u128::from_ne_bytes(chunk.try_into().expect("chunks of 16"));
    }
    // SAFETY: U1; the closure has this very signature.
    let returned = unsafe { invoke::enter(&signature, closure.code(), &block) };

    let (sent, arrived) = (bytes(&block), arrived.borrow());
    let arrived = bytes(&arrived);
    for (value, at) in signature.arguments.iter().zip(&signature.layout.arguments) {
        let range = *at..*at + value.size();
        assert_eq!(arrived[range.clone()], sent[range], "an argument at {at} of {:?}", signature.arguments);
    }
    if signature.result.scalar() != Some(CType::Void) {
        assert_eq!(bytes(&returned)[..size], given[..], "the result {:?}", signature.result);
    }
});
