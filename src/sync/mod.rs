//! Locks, and functions that other threads call. Knows nothing of the rest of the crate.

pub mod locks;
pub mod wakers;
