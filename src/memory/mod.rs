//! Memory: every raw pointer of the package lives here.
//!
//! The invariants of this module, cited by the SAFETY comments of the whole crate (the user's promises, U1 and on, are
//! in `docs/safety.md`):
//!
//! * **M1** The argument buffer's ArrayBuffer is never detached and outlives every use: the environment's state holds
//!   a strong reference to it, and the state is dropped after the last function of the environment.
//! * **M2** Every access to the argument buffer is bounds-checked against the argument buffer's length before memory
//!   is touched.
//! * **M3** Values that were passed to a native entry are rooted by the engine until the entry returns, so a span taken
//!   from one of them stays allocated for the length of the call.
//! * **M4** A block passed to native code (arguments, text of the arena) is owned by the caller's stack frame or by the
//!   environment's arena, and is not reused before the call returned.
//! * **M5** Addresses below [`address::LOWEST`] are refused before they are read or written.
//! * **M6** The state of an environment is used on the environment's thread only.
//! * **M7** The code and the handler of a closure live until the process ends: C may keep the pointer.
//! * **M8** A block is as long as its header, its fences and its data, and its memory stays allocated while a `Fenced`
//!   of it is used: the registry forgets a block before its memory is freed.
//! * **M9** What the registry's tables point to is made once, zeroed, and never freed.
//! * **M10** A block that is freed or held in quarantine belongs to the package alone; the only other writer is native
//!   code that has its address, whose writes the poison shows.
//! * **M11** A function of V8 is called with the type that its mangled name says, if that was found in the running
//!   executable. The stand-in is installed only where every symbol was found there, and every function in the vtable it
//!   is called through; the addon is never unmapped afterwards.
//! * **M12** A threadsafe function may be called from any thread until its finalizer runs, which removes it first.
//! * **M13** A job's memory (its block, text, pins) belongs to the thread that runs it from the moment it is queued
//!   until it is returned; JavaScript holds its views meanwhile.
//! * **M14** A prepared signature is never written again.
//! * **M15** Generated code lives until its environment has ended: JavaScript calls it, and none is left to run. It
//!   is written before anybody can run it, and never afterwards. While V8 calls it, the engine moves and frees nothing:
//!   a fast call runs no JavaScript and allocates nothing.
//! * **M16** A number stays assigned to a bound function until the library's JavaScript object is collected. Every
//!   JavaScript function that uses the number holds that object, so the entry's function is alive during any call.
//!   Vacant entries point to the flag of a library that is closed.
//! * **M17** A signal handler of the package uses what the kernel passed, its own stack and static atomics; what it
//!   calls was installed before it, or is async-signal-safe. A stack for it is freed only when the thread does not use
//!   it.
//! * **M18** The arguments of a native function that V8 calls lie as V8's headers of this `NODE_MODULE_VERSION` say,
//!   which are verified ones. It stays until the function returns; no function is made before one that is tried got its
//!   arguments there.

pub mod address;
pub mod arg_buffer;
pub mod ascii;
pub mod block_source;
#[cfg(any(callback_stubs, v8_abi))]
pub mod exec;
pub mod fence;
pub mod memory_checker;
pub mod other_memory;
pub mod probe;
pub mod raw;
pub mod raw_copy;
#[cfg(v8_abi)]
pub mod short_text;
pub mod simd16;
pub mod spare_memory;
pub mod string_arena;
pub mod text;
