//! The source of blocks apart from the C library's heap: memory that another process shares.

use std::sync::{Arc, OnceLock};

use super::address::Address;

/// Memory for blocks. What it knows of them lies elsewhere: others may write the memory itself.
pub trait BlockSource: Send + Sync {
    /// Memory of so many bytes, aligned to 16, and whether it is zeroed; `None` where there is no more.
    fn allocate(&self, bytes: usize) -> Option<(Address, bool)>;

    /// Takes memory back that [`BlockSource::allocate`] gave, of as many bytes.
    fn release(&self, start: Address, bytes: usize);

    /// Whether an address lies in its memory.
    fn contains(&self, address: Address) -> bool;
}

static SHARED: OnceLock<Arc<dyn BlockSource>> = OnceLock::new();

/// The source that every block comes from, from [`share`] on.
#[inline]
pub fn shared() -> Option<&'static Arc<dyn BlockSource>> {
    SHARED.get()
}

/// Has blocks come from a source from now on. The first one counts.
pub fn share(source: Arc<dyn BlockSource>) {
    let _ = SHARED.set(source);
}
