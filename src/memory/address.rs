//! Addresses and spans: non-null addresses, and byte ranges that do not wrap around.

use std::num::NonZeroUsize;

use crate::error::{FfiError, Result};

/// The lowest address that is ever accessed: the first page of a process is never mapped.
pub const LOWEST: usize = 4096;

/// The end of a process's memory: 47 bits on x86-64, 48 on arm64 (Linux, Documentation/arch/*/mm).
const END_OF_MEMORY: usize = if cfg!(target_pointer_width = "64") { usize::MAX >> 16 } else { usize::MAX };

/// A native address that is not NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(NonZeroUsize);

impl Address {
    /// The address of a number; `None` for 0.
    pub fn new(value: usize) -> Option<Self> {
        NonZeroUsize::new(value).map(Self)
    }

    /// The address as a number.
    pub fn get(self) -> usize {
        self.0.get()
    }

    /// The address as a pointer.
    pub fn as_ptr(self) -> *mut u8 {
        std::ptr::with_exposed_provenance_mut(self.get())
    }
}

/// `length` bytes from an address, neither wrapping around the end of the address space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: Address,
    /// The number of bytes.
    pub length: usize,
}

impl Span {
    /// A span whose end is still an address.
    ///
    /// # Errors
    /// If the end is not an address.
    pub fn new(start: Address, length: usize) -> Result<Self> {
        let end = start.get().checked_add(length).filter(|end| *end <= END_OF_MEMORY);
        match end {
            Some(_) => Ok(Self { start, length }),
            None => {
                Err(FfiError::OutOfRange { reason: format!("{length} bytes from {:#x} leave memory", start.get()) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_does_not_wrap() {
        let start = Address::new(usize::MAX - 3).unwrap();
        assert!(Span::new(start, 8).is_err());
        assert!(Span::new(Address::new(4096).unwrap(), 8).is_ok());
        assert!(Address::new(0).is_none());
    }
}
