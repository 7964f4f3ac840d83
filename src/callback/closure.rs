//! C function pointers whose calls arrive at a [`Handler`]: a stub where the calling sequence is known, a closure of
//! libffi elsewhere. The mirror of `call::invoke`; knows nothing of JavaScript.
#![expect(unsafe_code, reason = "is called by C")]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;

use libffi::low::ffi_cif;
use libffi::middle::Closure as FfiClosure;

#[cfg(callback_stubs)]
use super::stub;
#[cfg(callback_stubs)]
use crate::abi::calling_sequence::CallingSequence;
use crate::abi::ctype::CType;
use crate::abi::signature::Signature;
use crate::error::{FfiError, Result};
use crate::memory::address::Address;
use crate::memory::arg_buffer::{ArgBlock, ArgBuffer};
use crate::panics::contain;

/// Answers the calls of a closure.
pub trait Handler {
    /// Answers one call. Without an answer C gets a zeroed result.
    fn call(&self, incoming: &Incoming<'_>);
}

/// A call that C has made and that waits for its result.
pub struct Incoming<'a> {
    signature: &'a Signature,
    way: Way<'a>,
}

/// The way of an incoming call.
enum Way<'a> {
    /// By a stub, with the signature's calling sequence.
    #[cfg(callback_stubs)]
    Stub(&'a CallingSequence, &'a stub::SavedRegisters),
    /// By libffi: a pointer to each argument, and where the result goes.
    Ffi(*const *const c_void, NonNull<u8>, PhantomData<&'a ()>),
}

impl Incoming<'_> {
    /// Copies the arguments to where the signature's layout has them.
    #[inline]
    pub fn take_arguments(&self, arg_buffer: &ArgBuffer) {
        match self.way {
            // SAFETY: U1; the calling sequence is that of the signature.
            #[cfg(callback_stubs)]
            Way::Stub(sequence, block) => unsafe {
                block.put_arguments(sequence, self.signature.layout.size, arg_buffer);
            },
            Way::Ffi(arguments, ..) => self.take_pointed(arguments, arg_buffer),
        }
    }

    fn take_pointed(&self, arguments: *const *const c_void, arg_buffer: &ArgBuffer) {
        for (position, (value, at)) in self.signature.arguments.iter().zip(&self.signature.layout.arguments).enumerate()
        {
            // SAFETY: libffi gives one pointer an argument (libffi manual, "The Closure API"), each to a value of the
            // declared type (U1); an aggregate is whole there.
            unsafe {
                let source = NonNull::new((*arguments.add(position)).cast_mut().cast::<u8>());
                if let Some(source) = source {
                    arg_buffer.put_from(*at, source, value.size());
                }
            }
        }
    }

    /// A copy of the arguments, laid out as the signature's layout has them.
    pub fn block(&self) -> ArgBlock {
        let mut block = ArgBlock::from_elem(0, self.signature.layout.size.div_ceil(16));
        let base = NonNull::from(block.as_mut_slice()).cast();
        // SAFETY: M4; the block is as long as the plan, and outlives this buffer over it.
        self.take_arguments(&unsafe { ArgBuffer::new(base, self.signature.layout.size) });
        block
    }

    /// Copies the result from where the signature's layout has it.
    #[inline]
    pub fn put_result(&self, arg_buffer: &ArgBuffer) {
        let at = self.signature.layout.result;
        match self.way {
            // SAFETY: U1; the calling sequence is that of the signature.
            #[cfg(callback_stubs)]
            Way::Stub(sequence, block) => unsafe {
                block.put_result(sequence, arg_buffer, at, self.signature.result_size());
            },
            Way::Ffi(_, result, _) => self.put_from(arg_buffer, at, result),
        }
    }

    /// Copies the bytes of the result.
    pub fn put_result_bytes(&self, bytes: &[u8]) {
        if bytes.len() < self.signature.result_size() {
            return;
        }
        let at = self.signature.layout.result;
        let mut block = ArgBlock::from_elem(0, (at + bytes.len()).div_ceil(16));
        let base = NonNull::from(block.as_mut_slice()).cast();
        // SAFETY: M4; the block outlives this buffer over it.
        let arg_buffer = unsafe { ArgBuffer::new(base, size_of_val(block.as_slice())) };
        arg_buffer.put(at, bytes);
        self.put_result(&arg_buffer);
    }

    /// Copies the result at an offset of a buffer to C, widened to a register as libffi wants it of closures.
    fn put_from(&self, arg_buffer: &ArgBuffer, at: usize, result: NonNull<u8>) {
        let size = self.signature.result.size();
        let scalar = self.signature.result.scalar();
        if scalar == Some(CType::Void) {
            return;
        }
        // SAFETY: libffi gives space for the result of a closure, at least a full register for a scalar.
        unsafe { arg_buffer.take_to(at, result, size) };
        if let Some(ctype) = scalar.filter(|ctype| !ctype.is_float() && size < size_of::<usize>()) {
            // SAFETY: as above.
            unsafe { widen(result, size, ctype.is_signed()) };
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

impl Target {
    /// Answers a call. After a panic C gets the zeroed result.
    fn answer(&self, incoming: &Incoming<'_>) {
        let _ = contain(|| self.handler.call(incoming));
    }
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
    // SAFETY: libffi gives space for the result of a closure, at least a full register for a scalar.
    unsafe { result.write_bytes(0, zeroed) };
    let incoming = Incoming { signature: &target.signature, way: Way::Ffi(arguments, result, PhantomData) };
    target.answer(&incoming);
}

/// As [`trampoline`], for a call that came by a stub: a result in registers is zero there until it is set.
#[cfg(callback_stubs)]
unsafe extern "C" fn arrive(block: &stub::SavedRegisters, target: usize) {
    // SAFETY: M7; `Closure::new` gave the stub the address of a slot that was leaked.
    let target = unsafe { &*std::ptr::with_exposed_provenance::<Target>(target) };
    let Some(sequence) = &target.signature.sequence else { return };
    // SAFETY: U1; the calling sequence is that of the signature.
    unsafe { block.clear_result(sequence, target.signature.result_size()) };
    let incoming = Incoming { signature: &target.signature, way: Way::Stub(sequence, block) };
    target.answer(&incoming);
}

/// The code of a stub; `None` where libffi has to make the pointer.
#[cfg(callback_stubs)]
fn thunk_for(target: &'static Target) -> Option<Address> {
    target.signature.sequence.as_ref()?;
    stub::make(arrive, (&raw const *target).expose_provenance())
}

#[cfg(not(callback_stubs))]
fn thunk_for(_: &'static Target) -> Option<Address> {
    None
}

impl Closure {
    /// Makes a function pointer of the signature.
    ///
    /// # Errors
    /// `NoExecutableMemory` if the system provides none, otherwise the refusal of libffi.
    pub fn new(signature: Arc<Signature>, handler: Box<dyn Handler>) -> Result<Self> {
        let refuse = |error| match error {
            libffi::low::Error::Allocation => FfiError::NoExecutableMemory,
            error => FfiError::Declaration { reason: format!("libffi refuses the callback's signature: {error:?}") },
        };
        let target: &'static Target = Box::leak(Box::new(Target { signature, handler }));
        if let Some(code) = thunk_for(target) {
            return Ok(Self { code });
        }
        let cif = target.signature.to_cif()?;
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
