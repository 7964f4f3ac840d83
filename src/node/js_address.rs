//! Addresses as JavaScript values.

use napi::bindgen_prelude::{BigInt, Either};

/// A JavaScript address: a number where it fits 2^53 - 1, else a BigInt (bun's rule since 1.4).
pub type JsAddress = Either<f64, BigInt>;

const MAX_SAFE_INTEGER: usize = (1 << 53) - 1;

/// The JavaScript address of a number.
pub fn to_js(address: usize) -> JsAddress {
    if address <= MAX_SAFE_INTEGER { Either::A(address as f64) } else { Either::B(BigInt::from(address as u64)) }
}

/// The number of a JavaScript address, which the JavaScript side has checked.
pub fn from_js(address: JsAddress) -> usize {
    match address {
        Either::A(number) => number as usize,
        Either::B(big) => big.get_u64().1 as usize,
    }
}
