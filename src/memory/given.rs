//! Blocks whose address JavaScript has asked for: they are found again from a number inside them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::address::Address;

static GIVEN: Mutex<BTreeMap<Address, usize>> = Mutex::new(BTreeMap::new());
static COUNT: AtomicUsize = AtomicUsize::new(0);

fn locked() -> std::sync::MutexGuard<'static, BTreeMap<Address, usize>> {
    GIVEN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Notes that the address of a block was given out.
pub fn insert(data: Address, length: usize) {
    let mut given = locked();
    given.insert(data, length);
    COUNT.store(given.len(), Ordering::Release);
}

/// Whether any address is given out: one load.
#[inline]
pub fn any() -> bool {
    COUNT.load(Ordering::Relaxed) > 0
}

/// The address of a word that is 0 while none is, for generated code.
pub fn count_word() -> usize {
    (&raw const COUNT).expose_provenance()
}

static INSIDE: AtomicBool = AtomicBool::new(false);

/// Notes that blocks lie inside ordinary ArrayBuffers: views of them are found by their address alone.
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
        given.remove(&data);
        COUNT.store(given.len(), Ordering::Release);
    }
}

/// Runs `visit` on the block that an address is inside of (its end counts), while the block cannot be freed.
pub fn with<T>(address: Address, visit: impl FnOnce(Address, usize) -> T) -> Option<T> {
    if !any() {
        return None;
    }
    let given = locked();
    let (data, length) = given.range(..=address).next_back()?;
    (address.get() - data.get() <= *length).then(|| visit(*data, *length))
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
        remove(at(0x10_0000));
        assert_eq!(find(0x10_0000), None);
    }
}
