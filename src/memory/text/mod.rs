//! Texts on their way to C and back: the characters of an engine's string, encoded, with a NUL behind them; and bytes
//! of C, decoded.

pub mod characters;
pub mod decode;
#[cfg(target_arch = "x86_64")]
mod decode_avx2;
mod decode_scalar;
pub mod encoding;
mod utf8;
#[cfg(target_arch = "x86_64")]
mod utf8_avx2;
mod utf8_scalar;
mod wide;
