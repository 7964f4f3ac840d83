//! Signatures as bytes: a host learns from them how to call a function.

use crate::abi::ctype::CType;
use crate::abi::encoded;
use crate::abi::signature::Signature;

/// The bytes of a signature.
pub fn encode(signature: &Signature) -> Vec<u8> {
    let mut bytes = Vec::new();
    let fixed = signature.fixed().map_or(u32::MAX, |fixed| fixed as u32);
    bytes.extend_from_slice(&fixed.to_le_bytes());
    bytes.push(u8::from(signature.sequence.is_some()));
    encoded::put(&mut bytes, &signature.result);
    for argument in &signature.arguments {
        encoded::put(&mut bytes, argument);
    }
    bytes
}

/// The signature of bytes; `None` where they are none.
pub fn decode(mut bytes: &[u8]) -> Option<Signature> {
    let (fixed, rest) = bytes.split_first_chunk::<4>()?;
    let (has_plan, rest) = rest.split_first()?;
    bytes = rest;
    let result = encoded::take(&mut bytes)?;
    let mut arguments = Vec::new();
    while !bytes.is_empty() {
        arguments.push(encoded::take(&mut bytes)?);
    }
    let fixed = Some(u32::from_le_bytes(*fixed)).filter(|fixed| *fixed != u32::MAX).map(|fixed| fixed as usize);
    let signature = Signature::new(arguments, result, fixed).ok()?;
    Some(if *has_plan == 0 { signature.without_sequence() } else { signature })
}

/// The offset of the arguments in the layout of a signature. The parent uses the bytes before them.
pub fn arguments_at(signature: &Signature) -> usize {
    signature.layout.arguments.first().copied().unwrap_or(signature.layout.size)
}

/// Whether a function of this signature returns text.
pub fn gives_text(signature: &Signature) -> bool {
    signature.result.scalar() == Some(CType::CString)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::abi::layout::{Layout, ValueType};

    #[test]
    #[cfg_attr(miri, ignore = "calls libffi")]
    fn a_signature_survives_its_bytes() {
        let pair = ValueType::Aggregate(Arc::new(Layout::array(&CType::F32.into(), 3).unwrap()));
        let large = ValueType::Aggregate(Arc::new(Layout::array(&pair, 30).unwrap()));
        for (arguments, result, fixed) in [
            (vec![], CType::Void.into(), None),
            (vec![CType::I32.into(), pair.clone(), CType::CString.into()], large.clone(), None),
            (vec![CType::CString.into(), CType::F64.into()], CType::I32.into(), Some(1)),
        ] {
            let signature = Signature::new(arguments, result, fixed).unwrap();
            let copy = decode(&encode(&signature)).unwrap();
            assert!(copy == signature);
            assert_eq!(copy.layout.arguments, signature.layout.arguments);
        }
        assert!(decode(&[]).is_none() && decode(&[0, 0, 0, 0, 1, 99]).is_none());
    }
}
