//! Signatures: the types of a C function for libffi, and where each value lies in the argument buffer.
#![expect(unsafe_code, reason = "is shared between threads")]

use std::hash::{Hash, Hasher};

use libffi::middle::{Cif, Type};

use super::calling_sequence::{CallingSequence, Step};
use super::ctype::CType;
use super::layout::ValueType;
use super::native;
use crate::error::{FfiError, Result};
use crate::memory::arg_buffer::{HEAD_BYTES, MOST_ARGUMENTS};
use crate::memory::text::encoding::Encoding;

/// The offsets of a call's values in the argument buffer, in bytes from its start.
#[derive(Debug)]
pub struct BufferLayout {
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
    pub arguments: Vec<ValueType>,
    /// The type of the result.
    pub result: ValueType,
    /// The number of declared arguments of a variadic function; `None` for any other.
    fixed: Option<usize>,
    /// libffi's view of both, for calls. Arguments of [`native::is_by_address`] are pointers there.
    pub cif: Cif,
    /// The layout in the argument buffer.
    pub layout: BufferLayout,
    /// The positions of the arguments that may be pins.
    pub pins: Vec<usize>,
    /// The calling sequence without libffi, if there is one.
    pub sequence: Option<CallingSequence>,
    /// `pins` as `sequence` has them.
    pub register_pins: Box<[RegisterPin]>,
}

/// An argument of a layout that may be a pin.
#[derive(Clone, Copy, Debug)]
pub struct RegisterPin {
    /// Its position.
    pub argument: u8,
    /// The encoding of a text, if it may be one.
    pub encoding: Option<Encoding>,
    /// The destination of its address.
    pub step: Step,
}

// SAFETY: M14; nothing of a signature is written after it was made: libffi reads a prepared `ffi_cif` only.
unsafe impl Send for Signature {}
// SAFETY: M14; libffi's description, which is what keeps it from being Sync, is written by `Signature::new` alone.
unsafe impl Sync for Signature {}

// Signatures of equal types are equal. `sequence` follows from the types.
impl PartialEq for Signature {
    fn eq(&self, other: &Self) -> bool {
        (&self.arguments, &self.result, self.fixed) == (&other.arguments, &other.result, other.fixed)
    }
}

impl Eq for Signature {}

impl Hash for Signature {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (&self.arguments, &self.result, self.fixed).hash(hasher);
    }
}

const SLOT: usize = 8;
const WIDE: usize = 16;

impl Signature {
    /// Prepares a signature; of a variadic function `fixed` arguments are declared.
    ///
    /// # Errors
    /// `Declaration` for a void argument, for more than [`MOST_ARGUMENTS`], and for types that libffi refuses.
    pub fn new(arguments: Vec<ValueType>, result: ValueType, fixed: Option<usize>) -> Result<Self> {
        let refuse = |reason: String| Err(FfiError::Declaration { reason });
        if arguments.len() > MOST_ARGUMENTS {
            return refuse(format!(
                "{} arguments are declared, at most {MOST_ARGUMENTS} are possible",
                arguments.len()
            ));
        }
        if let Some(position) = arguments.iter().position(|value| value.scalar() == Some(CType::Void)) {
            return refuse(format!("argument {position} must not be void"));
        }
        let cif = prepare(&arguments, &result, fixed, native::is_by_address)?;
        let layout = BufferLayout::new(&arguments, &result);
        let takes_pin = |value: &ValueType| value.scalar().is_some_and(CType::takes_pin);
        let pins: Vec<usize> = (0..arguments.len()).filter(|i| takes_pin(&arguments[*i])).collect();
        let sequence = native::arrange(&arguments, &layout.arguments, fixed, &result);
        let as_register_pin = |argument: &usize| {
            let encoding = arguments[*argument].scalar().and_then(CType::encoding);
            Some(RegisterPin { argument: *argument as u8, encoding, step: sequence.as_ref()?.step_of(*argument) })
        };
        let register_pins = pins.iter().filter_map(as_register_pin).collect();
        Ok(Self { arguments, result, fixed, cif, layout, pins, sequence, register_pins })
    }

    /// The same, but called through libffi alone.
    pub fn without_sequence(self) -> Self {
        Self { sequence: None, ..self }
    }

    /// The number of declared arguments of a variadic function; `None` for any other.
    pub fn fixed(&self) -> Option<usize> {
        self.fixed
    }

    /// Whether no value is an aggregate.
    pub fn is_of_scalars(&self) -> bool {
        self.result.scalar().is_some() && self.arguments.iter().all(|value| value.scalar().is_some())
    }

    /// The bytes of the result in the argument buffer.
    pub fn result_size(&self) -> usize {
        self.result.size()
    }

    /// libffi's view for a function that C calls.
    ///
    /// # Errors
    /// If libffi refuses the types; it accepted them once.
    pub fn to_cif(&self) -> Result<Cif> {
        prepare(&self.arguments, &self.result, self.fixed, |_| false)
    }
}

impl BufferLayout {
    /// The result, and then each argument, all of sizes that libffi takes: a scalar in a separate slot, an aggregate
    /// aligned as no type exceeds.
    fn new(arguments: &[ValueType], result: &ValueType) -> Self {
        let mut end = HEAD_BYTES + result.size().next_multiple_of(WIDE).max(WIDE);
        let mut place = |value: &ValueType| {
            let unit = if value.scalar().is_some() { SLOT } else { WIDE };
            let at = end.next_multiple_of(unit);
            end = at + value.size().next_multiple_of(unit);
            at
        };
        let arguments = arguments.iter().map(&mut place).collect();
        Self { result: HEAD_BYTES, arguments, size: end }
    }
}

fn prepare(
    arguments: &[ValueType],
    result: &ValueType,
    fixed: Option<usize>,
    is_pointer: impl Fn(&ValueType) -> bool,
) -> Result<Cif> {
    let type_of = |value: &ValueType| {
        let own = value.to_libffi()?;
        Ok(if is_pointer(value) { Type::pointer() } else { own })
    };
    let types = arguments.iter().map(type_of).collect::<Result<Vec<_>>>()?;
    let result = result.to_libffi()?;
    let prepared = match fixed {
        Some(fixed) => Cif::try_new_variadic(types, fixed, result),
        None => Cif::try_new(types, result),
    };
    prepared.map_err(|error| FfiError::Declaration { reason: format!("libffi refuses the signature: {error:?}") })
}

unsafe extern "C" {
    /// Part of libffi since 3.5: it takes nothing and gives 30502 for 3.5.2, so that nothing is left to promise.
    safe fn ffi_get_version_number() -> std::ffi::c_ulong;
}

/// The version of the libffi that is linked in: `3.5.2`.
pub fn libffi_version() -> String {
    let number = ffi_get_version_number();
    format!("{}.{}.{}", number / 10_000, number / 100 % 100, number % 100)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::abi::layout::Layout;

    fn prepared(arguments: Vec<CType>, result: CType) -> Result<Signature> {
        Signature::new(arguments.into_iter().map(ValueType::from).collect(), result.into(), None)
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls libffi")]
    fn values_do_not_overlap() {
        let layout = prepared(vec![CType::I8; 5], CType::F64).unwrap().layout;
        assert_eq!(layout.arguments, [48, 56, 64, 72, 80]);
        assert_eq!((layout.result, layout.size), (32, 88));
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls libffi")]
    fn aggregates_have_room() {
        let triple = ValueType::Aggregate(Arc::new(Layout::array(&CType::F64.into(), 3).unwrap()));
        let arguments = vec![CType::I8.into(), triple.clone(), CType::I8.into()];
        let layout = Signature::new(arguments, triple, None).unwrap().layout;
        assert_eq!((layout.result, layout.arguments.as_slice(), layout.size), (32, &[64, 80, 112][..], 120));
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls libffi")]
    fn what_cannot_be_called_is_refused() {
        assert!(prepared(vec![CType::I32, CType::Void], CType::Void).is_err());
        assert!(prepared(vec![CType::I32; MOST_ARGUMENTS + 1], CType::Void).is_err());
        assert!(prepared(vec![CType::I32; MOST_ARGUMENTS], CType::Void).is_ok());
        assert!(Signature::new(vec![CType::I32.into()], CType::Void.into(), Some(2)).is_err());
    }
}
