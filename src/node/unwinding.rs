//! How a callback has ended early: what the call that it was made under has to pass on.

use std::ptr::NonNull;

use napi::sys;

/// A reference to something that was thrown.
pub type Held = NonNull<sys::napi_ref__>;

/// How the JavaScript of a callback has ended early: what the outer call has to pass on. `T` is what was thrown: a
/// reference while it is kept, a value once it is taken.
#[derive(Clone, Copy)]
pub enum Unwinding<T> {
    /// It has thrown.
    Thrown(T),
    /// It was ended from outside: by the timeout of `node:vm`, for example. The engine goes on with that once the
    /// native function has returned, unless something is thrown.
    Terminated,
    /// It was not begun, as C was on another stack: the number of the callback's name.
    OtherStack(u32),
}

/// What is to be done after a call: something is to be thrown; what callbacks have returned is kept.
pub const THROWS: u8 = 1;
pub const KEEPS_RESULTS: u8 = 2;
