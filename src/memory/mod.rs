//! The room in which every raw pointer of the package lives.
//!
//! The promises of this room, cited by the SAFETY comments of the whole crate (the user's promises, U1 and on, are in
//! `docs/safety.md`):
//!
//! * **M1** The frame's ArrayBuffer is never detached and outlives every use: the environment's state holds a strong
//!   reference to it, and the state is dropped after the last function of the environment.
//! * **M2** Every access to the frame is bounds-checked against the frame's length before memory is touched.
//! * **M3** Values that were passed to a native entry are rooted by the engine until the entry returns, so a span taken
//!   from one of them stays allocated for the length of the call.
//! * **M4** A block handed to native code (arguments, scratch text) is owned by the caller's stack frame or by the
//!   environment's scratch, and is not reused before the call returned.
//! * **M5** Addresses below [`address::LOWEST`] are refused before they are read or written.
//! * **M6** The state of an environment is used on the environment's thread only.

pub mod address;
pub mod frame;
pub mod peek;
pub mod pin;
pub mod scratch;
pub mod view;
