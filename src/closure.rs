//! C to JS: a C function pointer whose calls arrive at a [`Handler`]. The mirror of `call`; knows nothing of JavaScript.
#![expect(unsafe_code, reason = "is called by C")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

use libffi::low::ffi_cif;
use libffi::middle::Closure as FfiClosure;

use smallvec::SmallVec;

use crate::ctype::CType;
use crate::error::{FfiError, Result};
use crate::memory::address::Address;
use crate::memory::frame::{Block, Frame};
use crate::signature::Signature;

/// Whoever answers the calls of a closure.
pub trait Handler {
    /// Answers one call. Without an answer C gets a zeroed result.
    fn call(&self, incoming: &Incoming<'_>);
}

/// A call that C has made and that waits for its result.
#[derive(Debug)]
pub struct Incoming<'a> {
    signature: &'a Signature,
    arguments: *const *const c_void,
    result: NonNull<u8>,
}

impl Incoming<'_> {
    /// Copies the arguments to where the signature's plan has them.
    pub fn take_arguments(&self, frame: &Frame) {
        for (position, (value, at)) in self.signature.arguments.iter().zip(&self.signature.plan.arguments).enumerate() {
            // SAFETY: libffi gives one pointer an argument (libffi manual, "The Closure API"), each to a value of the
            // declared type (U1); an aggregate is whole there.
            unsafe {
                let source = NonNull::new((*self.arguments.add(position)).cast_mut().cast::<u8>());
                if let Some(source) = source {
                    frame.put_from(*at, source, value.size());
                }
            }
        }
    }

    /// A copy of the arguments, laid out as the signature's plan has them.
    pub fn block(&self) -> Block {
        let mut block = Block::from_elem(0, self.signature.plan.size.div_ceil(16));
        let base = NonNull::from(block.as_mut_slice()).cast();
        // SAFETY: M4; the block is as long as the plan, and outlives this frame over it.
        self.take_arguments(&unsafe { Frame::new(base, self.signature.plan.size) });
        block
    }

    /// Copies the result from where the signature's plan has it.
    pub fn put_result(&self, frame: &Frame) {
        self.put_result_bytes(&frame.copy_out(self.signature.plan.result, self.signature.result_size()));
    }

    /// Copies the bytes of the result, widened to a register as libffi wants it of closures.
    pub fn put_result_bytes(&self, bytes: &[u8]) {
        let size = self.signature.result.size();
        let scalar = self.signature.result.scalar();
        if scalar == Some(CType::Void) || bytes.len() < size {
            return;
        }
        let mut bytes = SmallVec::<[u8; 16]>::from_slice(&bytes[..size]);
        let base = NonNull::from(bytes.as_mut_slice()).cast();
        // SAFETY: libffi gives room for the result of a closure, at least a full register for a scalar; M4 for the copy.
        unsafe { Frame::new(base, size).take_to(0, self.result, size) };
        if let Some(ctype) = scalar.filter(|ctype| !ctype.is_float() && size < size_of::<usize>()) {
            // SAFETY: as above.
            unsafe { widen(self.result, size, ctype.is_signed()) };
        }
    }
}

/// # Safety
/// `result` is writable for a full register.
unsafe fn widen(result: NonNull<u8>, size: usize, signed: bool) {
    // SAFETY: the caller's promise.
    let register = unsafe { result.cast::<[u8; size_of::<usize>()]>().as_mut() };
    let fill = if signed && register[size - 1] & 0x80 != 0 { 0xff } else { 0 };
    register[size..].fill(fill);
}

struct Target {
    signature: Arc<Signature>,
    handler: Box<dyn Handler>,
}

/// A C function pointer. Its code and its handler live until the process ends: C may keep the pointer (M7).
#[derive(Debug)]
pub struct Closure {
    code: Address,
}

unsafe extern "C" fn trampoline(_: &ffi_cif, result: &mut c_void, arguments: *const *const c_void, target: &Target) {
    let result = NonNull::from(result).cast::<u8>();
    let zeroed = match target.signature.result.scalar() {
        Some(CType::Void) => 0,
        Some(_) => size_of::<usize>(),
        None => target.signature.result.size(),
    };
    // SAFETY: libffi gives room for the result of a closure, at least a full register for a scalar.
    unsafe { result.write_bytes(0, zeroed) };
    let incoming = Incoming { signature: &target.signature, arguments, result };
    // A panic must not unwind into C; the zeroed result stands.
    let _ = catch_unwind(AssertUnwindSafe(|| target.handler.call(&incoming)));
}

impl Closure {
    /// Makes a function pointer of the signature.
    pub fn new(signature: Arc<Signature>, handler: Box<dyn Handler>) -> Result<Self> {
        let refuse =
            |error| FfiError::Declaration { reason: format!("libffi refuses the callback's signature: {error:?}") };
        let cif = signature.to_cif()?;
        let target: &'static Target = Box::leak(Box::new(Target { signature, handler }));
        let closure = FfiClosure::try_new(cif, trampoline, target).map_err(refuse)?;
        let code = Address::new((*closure.code_ptr() as *const ()).expose_provenance())
            .ok_or_else(|| FfiError::Internal { reason: "libffi gave a NULL closure".into() })?;
        std::mem::forget(closure);
        Ok(Self { code })
    }

    /// The function pointer.
    pub fn code(&self) -> Address {
        self.code
    }
}
