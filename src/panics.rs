//! The place where panics stop. None may unwind into the engine or into C, which have no unwinding of Rust.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The code has panicked. The panic hook has printed the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panicked;

/// Runs code whose caller cannot unwind.
///
/// # Errors
/// [`Panicked`] if the code panics. What it was changing may be half done.
#[inline(always)] // The way of a call passes here.
pub fn contain<T>(function: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|_| Panicked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        assert_eq!(contain(|| 42), Ok(42));
        assert_eq!(contain(|| -> u32 { panic!("on purpose") }), Err(Panicked));
    }
}
