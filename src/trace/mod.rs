//! The flight recorder: the last calls, in static memory, for `library.trace()` and for the message of a crash. It is
//! used only where `PINNED_FFI_TRACE=1`; otherwise nothing here runs.

#[cfg(unix)]
pub mod alternate_stack;
pub mod recorder;
pub mod ring;
#[cfg(unix)]
pub mod signals;
pub mod text;
pub mod thread;
