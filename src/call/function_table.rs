//! The table of an environment's bound functions. JavaScript calls a function by its number, so that all functions
//! share one native entry, and those of one signature share one fast-call function.
#![expect(unsafe_code, reason = "keeps functions for generated code")]

use std::cell::{Cell, RefCell};
use std::ptr::{null, null_mut};
use std::rc::Rc;

use crate::loader::library::Library;
use crate::memory::address::Address;

/// The part of a bound function that generated code reads.
#[repr(C)]
#[derive(Debug)]
pub struct Entry<T> {
    /// The C function; 0 where the number is unused.
    pub code: usize,
    /// The address of a byte that is not 0 while the library is open.
    pub open: usize,
    /// The bound function, with a count of its `Rc`; null where the number is unused.
    pub owner: *const T,
    /// The word of the thread during a fast call of a leaf function (`inside.rs`).
    pub inside: usize,
}

/// The size of an entry, as a power of two.
pub const ENTRY_SHIFT: u8 = size_of::<Entry<()>>().trailing_zeros() as u8;
const _: () = assert!(size_of::<Entry<()>>().is_power_of_two());

/// Vacant entries point to this flag of a closed library.
static CLOSED: u8 = 0;

impl<T> Entry<T> {
    fn vacant() -> Self {
        Self { code: 0, open: (&raw const CLOSED).expose_provenance(), owner: null(), inside: 0 }
    }
}

/// The table. Numbers are used again.
#[derive(Debug)]
pub struct FunctionTable<T> {
    entries: RefCell<Vec<Entry<T>>>,
    unused: RefCell<Vec<u32>>,
    /// The present address and number of the entries.
    base: Cell<*mut Entry<T>>,
    length: Cell<usize>,
}

impl<T> Default for FunctionTable<T> {
    fn default() -> Self {
        Self {
            entries: RefCell::default(),
            unused: RefCell::default(),
            base: Cell::new(null_mut()),
            length: Cell::new(0),
        }
    }
}

impl<T> FunctionTable<T> {
    /// Adds a function; returns its number. `owner` keeps the library, whose flag generated code reads.
    pub fn add(&self, code: Address, library: &Library, owner: Rc<T>, inside: usize) -> u32 {
        let open = library.open_flag().expose_provenance();
        let entry = Entry { code: code.get(), open, owner: Rc::into_raw(owner), inside };
        let mut entries = self.entries.borrow_mut();
        let number = self.unused.borrow_mut().pop().unwrap_or_else(|| {
            entries.push(Entry::vacant());
            entries.len() as u32 - 1
        });
        entries[number as usize] = entry;
        self.base.set(entries.as_mut_ptr());
        self.length.set(entries.len());
        number
    }

    /// The function of a number.
    #[inline]
    pub fn get(&self, number: u32) -> Option<&T> {
        // SAFETY: M16; the entry has a count until its number is freed, which does not happen during a call.
        unsafe { self.owner(number).as_ref() }
    }

    /// The owner in an entry; null where the number is unused.
    #[inline]
    fn owner(&self, number: u32) -> *const T {
        if number as usize >= self.length.get() {
            return null();
        }
        // SAFETY: M16; there are so many entries.
        unsafe { (*self.base.get().add(number as usize)).owner }
    }

    /// The function of a number, as an `Rc`.
    pub fn share(&self, number: u32) -> Option<Rc<T>> {
        let owner = self.owner(number);
        // SAFETY: M16; `add` leaked a count of this `Rc`.
        (!owner.is_null()).then(|| unsafe {
            Rc::increment_strong_count(owner);
            Rc::from_raw(owner)
        })
    }

    /// Frees a number.
    pub fn remove(&self, number: u32) {
        let entry =
            self.entries.borrow_mut().get_mut(number as usize).map(|entry| std::mem::replace(entry, Entry::vacant()));
        let Some(entry) = entry.filter(|entry| !entry.owner.is_null()) else { return };
        self.unused.borrow_mut().push(number);
        // SAFETY: M16; `add` leaked this count, and only the entry had it.
        drop(unsafe { Rc::from_raw(entry.owner) });
    }

    /// The address of the word that has the address of the first entry, for generated code.
    pub fn base(&self) -> usize {
        (&raw const self.base).expose_provenance()
    }
}

impl<T> Drop for FunctionTable<T> {
    fn drop(&mut self) {
        (0..self.entries.get_mut().len() as u32).for_each(|number| self.remove(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_its_functions_until_it_is_given_back() {
        let (library, bound) = (Library::linked("test"), FunctionTable::default());
        let add = |text: &str| bound.add(Address::new(4096).unwrap(), &library, Rc::new(text.to_owned()), 0);
        let numbers = ["a", "b", "c"].map(add);
        assert_eq!(numbers.map(|number| bound.get(number).unwrap().as_str()), ["a", "b", "c"]);
        let kept = bound.share(numbers[1]).unwrap();
        bound.remove(numbers[1]);
        bound.remove(numbers[1]);
        assert!(bound.get(numbers[1]).is_none() && bound.get(99).is_none() && *kept == "b");
        assert_eq!(Rc::strong_count(&kept), 1);
        assert_eq!(add("d"), numbers[1]);
        assert_eq!(bound.get(numbers[1]).unwrap(), "d");
    }
}
