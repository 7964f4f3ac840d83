//! Callbacks that end early, and what the calls above them have to pass on.

use std::cell::Cell;
use std::ptr::{NonNull, null_mut};

use napi::sys;

use crate::call::inside::CalledBack;

/// A reference to something that was thrown.
pub type Held = NonNull<sys::napi_ref__>;

/// The early end of a callback's JavaScript, which the outer call has to pass on. `T` is the thrown value: a
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
    /// It was not begun, as the function has declared to call none.
    LeafCalledBack(CalledBack),
}

/// The exceptions of an environment, on their way from callbacks to the calls that they were made under.
pub struct Exceptions {
    /// The exception of a callback that no outer call has rethrown yet.
    pub pending: Cell<Option<Unwinding<Held>>>,
    /// The value that the native function under way throws when it returns; null for none. A value of its scope.
    pub to_throw: Cell<sys::napi_value>,
    /// Whether the callback under way has thrown; its generated function reports that.
    pub has_thrown: Cell<bool>,
    /// The asynchronous call that the callback under way was made under; 0 for none.
    pub origin: Cell<usize>,
}

impl Default for Exceptions {
    fn default() -> Self {
        Self {
            pending: Cell::default(),
            to_throw: Cell::new(null_mut()),
            has_thrown: Cell::default(),
            origin: Cell::default(),
        }
    }
}

/// Bits of work after a call: something has to be thrown; the results of callbacks are retained.
pub const THROWS: u8 = 1;
pub const KEEPS_RESULTS: u8 = 2;
