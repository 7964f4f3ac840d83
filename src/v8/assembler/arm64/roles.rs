//! What trampolines use the registers of arm64 for.
//!
//! V8 passes the receiver in x0 and the function's number in w1; both are free once the entry of the function table is
//! found. x9 to x15 and v16 to v31 hold no argument of C. x16 and x17 are the assembler's, x18 is the platform's.

use super::{Float, Register, SP, X15, X16, X29};

/// The registers of integer arguments, in order.
pub const ARGUMENTS: [Register; 8] =
    [Register(0), Register(1), Register(2), Register(3), Register(4), Register(5), Register(6), Register(7)];
/// The value that is converted.
pub const VALUE: Register = Register(9);
/// Other registers without an argument, before the call of C and after it.
pub const ADDRESS: Register = Register(12);
pub const OTHER: Register = Register(13);
/// One more after the call of C.
pub const AFTER: Register = Register(14);
/// The address of a function that is called: one of those that an indirect branch may have where its target is guarded
/// (`bti c`).
pub const CALLEE: Register = X16;
/// The memory that is shared with JavaScript; after the call of C another address.
pub const SHARED: Register = Register(10);
/// The entry of the function table.
pub const ENTRY: Register = Register(11);
/// The results of a function.
pub const RESULT: Register = Register(0);
pub const FLOAT_RESULT: Float = Float(0);
/// The double that is converted, and the integer of it as a double.
pub const CONVERTED: Float = Float(31);
pub const BACK: Float = Float(30);
/// The stack frame and the end of the stack.
pub const FRAME: Register = X29;
pub const STACK: Register = SP;

/// The bytes between the end of the stack and the arguments there, at the first instruction.
pub const STACK_ARGUMENTS: i32 = 0;
/// The registers that a function which is called without a frame keeps, next to those of floating-point arguments.
pub const KEPT: [Register; 9] =
    [Register(2), Register(3), Register(4), Register(5), Register(6), Register(7), SHARED, ENTRY, X15];
/// The bytes by which such a function's frame is off a multiple of sixteen.
pub const MISALIGNED: i32 = 0;
