//! Emits the instructions that trampolines consist of, for this processor.
//!
//! The assemblers of all processors have the same methods, so that the code of a fast call is written once. Each method
//! does what the x64 instruction of that name does; on arm64 it may take several. `roles` names the registers by what
//! trampolines use them for, because two processors have different registers for the same.

#[cfg(any(test, aapcs64))]
pub mod arm64;
mod operands;
#[cfg(any(test, sysv64))]
pub mod x64;

#[cfg(aapcs64)]
pub use arm64::{Assembler, roles};
pub use operands::{Condition, Float, Label, Memory, Register, Width};
#[cfg(sysv64)]
pub use x64::{Assembler, roles};
