//! Blocks whose address was exposed as a number: they are found again from a number inside them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::memory::address::Address;

/// A block: where its data begin, and how many bytes they are.
type Block = (Address, usize);

struct Exposed {
    blocks: BTreeMap<Address, usize>,
    /// The last address that was asked for, and its block: the next call is often passed the same.
    last: Option<(Address, Block)>,
}

impl Exposed {
    /// Records a change of the blocks.
    fn changed(&mut self) {
        self.last = None;
        COUNT.store(self.blocks.len(), Ordering::Release);
    }

    fn find(&mut self, address: Address) -> Option<Block> {
        match self.last {
            Some((asked, block)) if asked == address => Some(block),
            _ => {
                let (data, length) = self.blocks.range(..=address).next_back()?;
                let block = (address.get() - data.get() <= *length).then_some((*data, *length))?;
                self.last = Some((address, block));
                Some(block)
            }
        }
    }
}

static GIVEN: Mutex<Exposed> = Mutex::new(Exposed { blocks: BTreeMap::new(), last: None });
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn locked() -> MutexGuard<'static, Exposed> {
    GIVEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records that the address of a block is exposed.
pub fn insert(data: Address, length: usize) {
    let mut given = locked();
    given.blocks.insert(data, length);
    given.changed();
}

/// Whether any address is exposed: one load.
#[inline]
pub fn any() -> bool {
    COUNT.load(Ordering::Relaxed) > 0
}

/// The address of a word that is 0 while none is, for generated code.
pub fn count_word() -> usize {
    (&raw const COUNT).expose_provenance()
}

static INSIDE: AtomicBool = AtomicBool::new(false);

/// Records that blocks lie inside ordinary ArrayBuffers: views of them are found by their address alone.
pub fn note_inside() {
    INSIDE.store(true, Ordering::Relaxed);
}

/// Whether [`note_inside`] was called: one load.
#[inline]
pub fn any_inside() -> bool {
    INSIDE.load(Ordering::Relaxed)
}

/// Forgets a block that is freed.
pub fn remove(data: Address) {
    if any() {
        let mut given = locked();
        if given.blocks.remove(&data).is_some() {
            given.changed();
        }
    }
}

/// Runs `visit` on the block that an address is inside of (its end counts), while the block cannot be freed.
pub fn with<T>(address: Address, visit: impl FnOnce(Address, usize) -> T) -> Option<T> {
    if !any() {
        return None;
    }
    let mut given = locked();
    let (data, length) = given.find(address)?;
    Some(visit(data, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_inside_finds_its_block() {
        let at = |address| Address::new(address).unwrap();
        insert(at(0x10_0000), 96);
        let find = |address| with(at(address), |data, length| (data.get(), length));
        assert_eq!(find(0x10_0000 + 96), Some((0x10_0000, 96)));
        assert_eq!(find(0x10_0000 + 97), None);
        assert_eq!(find(0xf_ffff), None);
        // Blocks may lie in one another: the innermost one counts, also where the outer one was found before.
        assert_eq!(find(0x10_0020), Some((0x10_0000, 96)));
        insert(at(0x10_0010), 32);
        assert_eq!(find(0x10_0020), Some((0x10_0010, 32)));
        remove(at(0x10_0010));
        assert_eq!(find(0x10_0020), Some((0x10_0000, 96)));
        remove(at(0x10_0000));
        assert_eq!(find(0x10_0000), None);
    }
}
