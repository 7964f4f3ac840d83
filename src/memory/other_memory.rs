//! Addresses that are not of this process, but of another one whose memory can be read and written.

use std::sync::OnceLock;

/// The memory of other processes.
pub trait OtherMemory: Send + Sync {
    /// Whether an address is of another process, and not of this one.
    fn owns(&self, address: usize) -> bool;

    /// Copies bytes from an address. False where not all of them can be read.
    fn read(&self, address: usize, to: &mut [u8]) -> bool;

    /// Copies bytes to an address. False where not all of them can be written.
    fn write(&self, address: usize, from: &[u8]) -> bool;

    /// Where this process has the same bytes, if it does.
    fn here(&self, address: usize, length: usize) -> Option<usize>;

    /// Whether an address is of memory that is shared, and not all of the bytes there are.
    fn is_cut(&self, address: usize, length: usize) -> bool;

    /// The bytes up to a NUL of `unit` bytes at an address; `None` where they cannot be read.
    fn text(&self, address: usize, unit: usize) -> Option<Vec<u8>>;
}

static OTHER: OnceLock<Box<dyn OtherMemory>> = OnceLock::new();

/// Has addresses be looked for in other processes from now on. The first one counts.
pub fn watch(other: Box<dyn OtherMemory>) {
    let _ = OTHER.set(other);
}

/// The other processes, where an address is of one of them. One load where there are none.
#[inline]
pub fn at(address: usize) -> Option<&'static dyn OtherMemory> {
    OTHER.get().map(|other| &**other).filter(|other| other.owns(address))
}

/// Whether bytes begin in memory that another process shares, and run on beyond it.
pub fn is_cut(address: usize, length: usize) -> bool {
    OTHER.get().is_some_and(|other| other.is_cut(address, length))
}
