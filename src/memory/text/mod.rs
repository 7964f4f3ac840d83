//! Texts on their way to C: the characters of an engine's string, encoded, with a NUL behind them.

pub mod characters;
pub mod encoding;
mod utf8;
#[cfg(target_arch = "x86_64")]
mod utf8_avx2;
mod utf8_scalar;
mod wide;
