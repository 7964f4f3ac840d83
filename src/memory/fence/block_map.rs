//! The registry of blocks: which addresses are the data of a fenced block. Read and written by any thread (V8 frees
//! on background threads) without a lock; a look-up touches nothing but the registry itself, so an address that is
//! not mapped is safe to ask about.
//!
//! A bit for every 16 bytes of address space, in leaves of 1 MiB that are made when first used and never freed: memory
//! of 1/128 of the memory that was ever fenced.
#![expect(unsafe_code, reason = "shares leaves between threads")]

use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::memory::address::Address;

const GRANULE: usize = 16;
const LEAF_BITS: usize = 20;
const MIDDLE_BITS: usize = 12;
const TOP_BITS: usize = 15;
const WORDS: usize = (1 << LEAF_BITS) / GRANULE / 64;

type Leaf = [AtomicU64; WORDS];
type Middle = [AtomicPtr<Leaf>; 1 << MIDDLE_BITS];
static TOP: [AtomicPtr<Middle>; 1 << TOP_BITS] = [const { AtomicPtr::new(null_mut()) }; 1 << TOP_BITS];

/// Whether the registry can hold an address: those of 47 bits, at multiples of 16.
pub fn fits(data: Address) -> bool {
    data.get() >> (LEAF_BITS + MIDDLE_BITS + TOP_BITS) == 0 && data.get().is_multiple_of(GRANULE)
}

/// The entry of a table, made where it is missing.
///
/// # Safety
/// M9: a `T` of zero bytes is a valid one.
unsafe fn entry<T>(slot: &AtomicPtr<T>) -> &'static T {
    let mut found = slot.load(Ordering::Acquire);
    if found.is_null() {
        let made = zeroed::<T>();
        match slot.compare_exchange(null_mut(), made, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => found = made,
            Err(other) => {
                // SAFETY: M9; no other thread has seen `made`.
                unsafe { release(made) };
                found = other;
            }
        }
    }
    // SAFETY: M9; what a table points to is never freed.
    unsafe { &*found }
}

/// Memory of a table. Not from malloc: a table lives for good, and would keep the heap below it from being freed.
#[cfg(all(unix, not(miri)))]
fn zeroed<T>() -> *mut T {
    let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: M9; a new mapping is zeroed, and aligned to a page.
    let made = unsafe { libc::mmap(null_mut(), size_of::<T>(), access, kind, -1, 0) };
    if made == libc::MAP_FAILED {
        std::alloc::handle_alloc_error(std::alloc::Layout::new::<T>());
    }
    made.cast()
}

/// # Safety
/// [`zeroed`] made it, and it is unused.
#[cfg(all(unix, not(miri)))]
unsafe fn release<T>(made: *mut T) {
    // SAFETY: by the contract of this function.
    unsafe { libc::munmap(made.cast(), size_of::<T>()) };
}

#[cfg(not(all(unix, not(miri))))]
fn zeroed<T>() -> *mut T {
    // SAFETY: M9, by the contract of `entry`.
    Box::into_raw(unsafe { Box::<T>::new_zeroed().assume_init() })
}

/// # Safety
/// [`zeroed`] made it, and it is unused.
#[cfg(not(all(unix, not(miri))))]
unsafe fn release<T>(made: *mut T) {
    // SAFETY: by the contract of this function.
    drop(unsafe { Box::from_raw(made) });
}

fn top(data: Address) -> &'static AtomicPtr<Middle> {
    &TOP[data.get() >> (LEAF_BITS + MIDDLE_BITS) & ((1 << TOP_BITS) - 1)]
}

fn middle_index(data: Address) -> usize {
    data.get() >> LEAF_BITS & ((1 << MIDDLE_BITS) - 1)
}

fn bit(data: Address) -> (usize, u64) {
    let granule = (data.get() & ((1 << LEAF_BITS) - 1)) / GRANULE;
    (granule / 64, 1 << (granule % 64))
}

/// Records a block. The address must fit.
pub fn insert(data: Address) {
    // SAFETY: M9; an atomic of zero bytes is an atomic of 0 or NULL.
    let leaf = unsafe { entry(&entry(top(data))[middle_index(data)]) };
    let (word, mask) = bit(data);
    leaf[word].fetch_or(mask, Ordering::Release);
}

fn leaf(data: Address) -> Option<&'static Leaf> {
    if !fits(data) {
        return None;
    }
    // SAFETY: M9; what a table points to is never freed.
    let middle = unsafe { top(data).load(Ordering::Acquire).as_ref()? };
    // SAFETY: M9; a leaf that the table points to is never freed.
    unsafe { middle[middle_index(data)].load(Ordering::Acquire).as_ref() }
}

/// Whether an address is the data of a block.
#[inline]
pub fn contains(data: Address) -> bool {
    let (word, mask) = bit(data);
    leaf(data).is_some_and(|leaf| leaf[word].load(Ordering::Acquire) & mask != 0)
}

fn remove(data: Address) -> bool {
    let (word, mask) = bit(data);
    leaf(data).is_some_and(|leaf| leaf[word].fetch_and(!mask, Ordering::AcqRel) & mask != 0)
}

/// The number of blocks that were forgotten. While it stays the same, each block is still one.
static FORGOTTEN: AtomicU64 = AtomicU64::new(0);

/// The number of blocks that were forgotten so far.
#[inline]
pub fn forgotten() -> u64 {
    FORGOTTEN.load(Ordering::Acquire)
}

/// The address of the word that has it, for generated code.
pub fn forgotten_word() -> usize {
    (&raw const FORGOTTEN).expose_provenance()
}

/// The number of them that need no more work: their memory was freed, or they were no blocks.
static FREED: AtomicU64 = AtomicU64::new(0);
/// Whether [`for_each`] is under way: then no block may be forgotten. It holds the lock meanwhile.
static VISITING: AtomicBool = AtomicBool::new(false);
static VISITOR: Mutex<()> = Mutex::new(());

/// Held from the moment a block is forgotten until its memory is freed.
#[derive(Debug)]
pub struct Freeing(());

impl Freeing {
    /// Waits for [`for_each`], which waits for all that are held.
    fn begin() -> Self {
        loop {
            // Either this sees that `for_each` has begun, or `for_each` sees that this has.
            FORGOTTEN.fetch_add(1, Ordering::SeqCst);
            let freeing = Self(());
            if !VISITING.load(Ordering::SeqCst) {
                return freeing;
            }
            drop(freeing);
            drop(VISITOR.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Drop for Freeing {
    fn drop(&mut self) {
        FREED.fetch_add(1, Ordering::Release);
    }
}

/// Forgets a block; the holder of the result may free its memory. `None` if it was not known.
pub fn begin_free(data: Address) -> Option<Freeing> {
    let freeing = Freeing::begin();
    remove(data).then_some(freeing)
}

/// Ends a visit, of one that panics too.
struct Visit;

impl Drop for Visit {
    fn drop(&mut self) {
        VISITING.store(false, Ordering::SeqCst);
    }
}

/// Calls `visit` with every block that is known now; none of them is freed meanwhile.
pub fn for_each(mut visit: impl FnMut(Address)) {
    let _only_one = VISITOR.lock().unwrap_or_else(PoisonError::into_inner);
    VISITING.store(true, Ordering::SeqCst);
    let _ends = Visit;
    while FORGOTTEN.load(Ordering::SeqCst) != FREED.load(Ordering::Acquire) {
        std::thread::yield_now();
    }
    for (high, middle) in TOP.iter().enumerate() {
        // SAFETY: M9; what the tables point to, here and below, is never freed.
        let Some(middle) = (unsafe { middle.load(Ordering::Acquire).as_ref() }) else { continue };
        for (low, leaf) in middle.iter().enumerate() {
            // SAFETY: as above.
            let Some(leaf) = (unsafe { leaf.load(Ordering::Acquire).as_ref() }) else { continue };
            let base = (high << MIDDLE_BITS | low) << LEAF_BITS;
            for (word, bits) in leaf.iter().enumerate() {
                let mut bits = bits.load(Ordering::Acquire);
                while bits != 0 {
                    let granule = word * 64 + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    if let Some(data) = Address::new(base + granule * GRANULE) {
                        visit(data);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_and_go() {
        let data = Address::new(0x7f12_3456_7890).unwrap();
        let next = Address::new(data.get() + 16).unwrap();
        assert!(!contains(data) && !remove(data));
        insert(data);
        assert!(contains(data) && !contains(next));
        let mut seen = Vec::new();
        for_each(|data| seen.push(data));
        assert!(seen.contains(&data));
        assert!(begin_free(data).is_some() && begin_free(data).is_none() && !contains(data));
    }

    #[test]
    fn an_address_beyond_the_registry_is_unknown() {
        for address in [1usize << 47, usize::MAX, 0x7f12_3456_7891] {
            let address = Address::new(address).unwrap();
            assert!(!contains(address) && !remove(address));
        }
    }
}
