//! What trampolines use the registers of x64 for.
//!
//! V8 passes the receiver in rdi and the function's number in esi; both are free once the entry of the function table
//! is found. rax, rdi, rsi and xmm8 to xmm15 hold no argument of C.

use super::{Float, R8, R9, R10, R11, RAX, RBP, RCX, RDI, RDX, RSI, RSP, Register, XMM0, XMM14, XMM15};

/// The registers of integer arguments, in order.
pub const ARGUMENTS: [Register; 6] = [RDI, RSI, RDX, RCX, R8, R9];
/// The value that is converted.
pub const VALUE: Register = RAX;
/// Other registers without an argument, before the call of C and after it.
pub const ADDRESS: Register = RDI;
pub const OTHER: Register = RSI;
/// One more after the call of C.
pub const AFTER: Register = RCX;
/// The address of a function that is called.
pub const CALLEE: Register = RAX;
/// The memory that is shared with JavaScript; after the call of C another address.
pub const SHARED: Register = R10;
/// The entry of the function table.
pub const ENTRY: Register = R11;
/// The results of a function.
pub const RESULT: Register = RAX;
pub const FLOAT_RESULT: Float = XMM0;
/// The double that is converted, and the integer of it as a double.
pub const CONVERTED: Float = XMM15;
pub const BACK: Float = XMM14;
/// The stack frame and the end of the stack.
pub const FRAME: Register = RBP;
pub const STACK: Register = RSP;

/// The bytes between the end of the stack and the arguments there, at the first instruction: the return address.
pub const STACK_ARGUMENTS: i32 = 8;
/// The registers that a function which is called without a frame keeps, next to those of floating-point arguments.
pub const KEPT: [Register; 6] = [RDX, RCX, R8, R9, R10, R11];
/// The bytes by which such a function's frame is off a multiple of sixteen: the trampoline has pushed nothing.
pub const MISALIGNED: i32 = 8;
