//! Signatures, as JavaScript holds them: prepared once for every function of the same shape.

use std::sync::Arc;

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use super::layout::value_type;
use crate::abi::ctype::{CType, WCHAR_SIGNED};
use crate::abi::signature::{self, Signature};
use crate::error::FfiError;
use crate::node::env::current;
use crate::node::error::thrown;

/// A prepared signature.
#[napi(js_name = "Signature")]
pub struct JsSignature {
    pub(in crate::node) signature: Arc<Signature>,
}

#[napi]
impl JsSignature {
    /// Prepares the signature of type ids; `fixed` is the number of arguments that a variadic function declares. It is
    /// called through libffi unless it may have a calling sequence.
    ///
    /// # Errors
    /// Where an id is unknown, libffi refuses the types, or the values exceed the argument buffer.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        arguments: Vec<u32>,
        result: u32,
        fixed: Option<u32>,
        may_have_sequence: bool,
    ) -> napi::Result<Self> {
        let environment = current(env)?;
        let arg_buffer = environment.arg_buffer.length();
        let prepare = || {
            let arguments = arguments.iter().map(|id| value_type(&environment, *id)).collect::<Result<Vec<_>, _>>()?;
            let result = value_type(&environment, result)?;
            let signature = Signature::new(arguments, result, fixed.map(|fixed| fixed as usize))?;
            if signature.layout.size > arg_buffer {
                let reason =
                    format!("the values need {} bytes, at most {arg_buffer} are possible", signature.layout.size);
                return Err(FfiError::Declaration { reason });
            }
            Ok(if may_have_sequence { signature } else { signature.without_sequence() })
        };
        Ok(Self { signature: Arc::new(prepare().map_err(|error| thrown(env, &error))?) })
    }

    /// The offsets of the arguments in the argument buffer, in bytes; the positions of those whose values must be
    /// passed to the entry to be kept alive; and the offset of the result.
    #[napi(getter)]
    pub fn places(&self) -> (Vec<u32>, Vec<u32>, u32) {
        let numbers = |list: &[usize]| list.iter().map(|number| *number as u32).collect();
        let Signature { layout, pins, .. } = &*self.signature;
        (numbers(&layout.arguments), numbers(pins), layout.result as u32)
    }
}

/// The sizes of the types, by id.
#[napi]
pub fn sizes() -> Vec<u32> {
    CType::ALL.iter().map(|ctype| ctype.size() as u32).collect()
}

/// Whether `wchar_t` is signed on this platform.
#[napi]
pub fn wchar_is_signed() -> bool {
    WCHAR_SIGNED
}

/// The version of the libffi that is linked in.
#[napi]
pub fn libffi_version() -> String {
    signature::libffi_version()
}
