//! The private binary interface of V8 and of Node: every mangled name and every layout that the package relies on.
//!
//! It is used on the versions of `lib/native/runtime.js`, after `verify` has compared it with samples. Without it
//! everything works by Node-API alone. Nothing outside of this folder names a symbol or an offset of V8.
//!
//! * **Symbols**: `symbols` has all names; each is looked up in the running executable, and may be missing.
//! * **Calls of V8 into the package**: `callback_info` (ordinary functions), `fast_signature` and `trampoline`
//!   (functions that optimised code calls directly). A fast call is off whenever JavaScript could run during it: then,
//!   as in code that is not optimised, the function only records that it was missed, and the caller takes the generic
//!   call.
//! * **Calls of the package into V8**: `function_template` makes functions, `function_call` calls them.
//! * **Objects in V8's heap**: `array_buffer_view` and `flat_string` read where V8 keeps them.
//! * **Process and isolate**: `allocator` stands in front of Node's ArrayBuffer allocator, `isolate` is that of this
//!   thread.

pub mod allocator;
pub mod allocator_symbols;
#[cfg(v8_abi)]
pub mod argument_moves;
pub mod array_buffer;
#[cfg(v8_abi)]
pub mod array_buffer_view;
#[cfg(v8_abi)]
pub mod assembler;
#[cfg(v8_abi)]
pub mod callback_info;
#[cfg(v8_abi)]
pub mod fast_signature;
#[cfg(v8_abi)]
pub mod flat_string;
#[cfg(v8_abi)]
pub mod function_call;
#[cfg(v8_abi)]
pub mod function_template;
pub mod handle;
pub mod isolate;
pub mod stack_limit;
pub mod symbols;
#[cfg(v8_abi)]
pub mod trampoline;
#[cfg(v8_abi)]
pub mod verify;
