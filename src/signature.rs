//! A signature: what C expects, as libffi sees it, and where each value lies in the frame.
#![expect(unsafe_code, reason = "is shared between threads")]

use libffi::middle::Cif;

use crate::ctype::CType;
use crate::error::{FfiError, Result};
use crate::memory::frame::{MOST_ARGUMENTS, PIN_BYTES};

/// Where the values of a call lie in the frame, in bytes from its start.
#[derive(Debug)]
pub struct Plan {
    /// The result.
    pub result: usize,
    /// Each argument.
    pub arguments: Vec<usize>,
    /// The whole.
    pub size: usize,
}

/// The types of a function, prepared for libffi.
#[derive(Debug)]
pub struct Signature {
    /// The types of the arguments.
    pub arguments: Vec<CType>,
    /// The type of the result.
    pub result: CType,
    /// libffi's view of both.
    pub cif: Cif,
    /// The layout in the frame.
    pub plan: Plan,
    /// The positions of the arguments that may be pins.
    pub pins: Vec<usize>,
}

// SAFETY: M14; nothing of a signature is written after it was made: libffi reads a prepared `ffi_cif` only.
unsafe impl Send for Signature {}
// SAFETY: M14.
unsafe impl Sync for Signature {}

const SLOT: usize = 8;
const RESULT: usize = 16;

impl Signature {
    /// Prepares a signature. Fails for a void argument, more than [`MOST_ARGUMENTS`], or what libffi refuses.
    pub fn new(arguments: Vec<CType>, result: CType) -> Result<Self> {
        let refuse = |reason: String| Err(FfiError::Declaration { reason });
        if arguments.len() > MOST_ARGUMENTS {
            return refuse(format!(
                "{} arguments are declared, at most {MOST_ARGUMENTS} are possible",
                arguments.len()
            ));
        }
        if let Some(position) = arguments.iter().position(|ctype| *ctype == CType::Void) {
            return refuse(format!("argument {position} must not be void"));
        }
        let plan = Plan {
            result: PIN_BYTES,
            arguments: (0..arguments.len()).map(|i| PIN_BYTES + RESULT + i * SLOT).collect(),
            size: PIN_BYTES + RESULT + arguments.len() * SLOT,
        };
        let types = arguments.iter().map(|ctype| ctype.to_libffi()).collect::<Vec<_>>();
        let cif = Cif::try_new(types, result.to_libffi())
            .map_err(|error| FfiError::Declaration { reason: format!("libffi refuses the signature: {error:?}") })?;
        let pins = (0..arguments.len()).filter(|i| arguments[*i].takes_pin()).collect();
        Ok(Self { arguments, result, cif, plan, pins })
    }

    /// The bytes of the result in the frame.
    pub fn result_size(&self) -> usize {
        self.result.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_do_not_overlap() {
        let plan = Signature::new(vec![CType::I8; 5], CType::F64).unwrap().plan;
        assert_eq!(plan.arguments, [32, 40, 48, 56, 64]);
        assert_eq!((plan.result, plan.size), (16, 72));
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        assert!(Signature::new(vec![CType::I32, CType::Void], CType::Void).is_err());
        assert!(Signature::new(vec![CType::I32; MOST_ARGUMENTS + 1], CType::Void).is_err());
        assert!(Signature::new(vec![CType::I32; MOST_ARGUMENTS], CType::Void).is_ok());
    }
}
