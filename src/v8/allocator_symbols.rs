//! The exported symbols of Node's ArrayBuffer allocator, and whether its vtable has no others.

use super::symbols;
use crate::loader::library::Library;
use crate::loader::symbol_size::symbol_size;
use crate::memory::address::Address;

/// The addresses of the exported symbols that the stand-in needs.
#[derive(Clone, Copy, Debug)]
pub struct Symbols {
    /// `v8::Isolate::GetCurrent()`
    pub current_isolate: Address,
    /// `v8::Isolate::GetArrayBufferAllocator()`
    pub allocator_of: Address,
    /// `vtable for node::NodeArrayBufferAllocator`
    pub vtable: Address,
    /// Its bytes
    pub vtable_bytes: usize,
    /// `NodeArrayBufferAllocator::Allocate(size_t)`
    pub allocate: Address,
    /// `NodeArrayBufferAllocator::AllocateUninitialized(size_t)`
    pub allocate_uninitialized: Address,
    /// `NodeArrayBufferAllocator::Free(void*, size_t)`
    pub free: Address,
    /// `NodeArrayBufferAllocator::RegisterPointer(void*, size_t)`: counts bytes in
    pub count_in: Address,
    /// `NodeArrayBufferAllocator::UnregisterPointer(void*, size_t)`: counts bytes out
    pub count_out: Address,
    /// `NodeArrayBufferAllocator::Reallocate(void*, size_t, size_t)`, where Node has it
    pub reallocate: Option<Address>,
    /// Functions that may stay: they use no memory of ours, or reach it through the functions that are replaced.
    pub harmless: [Option<Address>; 3],
    /// `v8::ArrayBuffer::Allocator::GetPageAllocator()`, where V8 has it; `MaxAllocationSize()` stands in front of it
    /// and is not always exported
    pub page_allocator: Option<Address>,
    /// The complete object destructor
    pub destroy: Address,
    /// The deleting destructor
    pub delete: Address,
}

impl Symbols {
    /// Looks all of them up in the process; `None` where one is missing that has to be there.
    pub fn find(process: &Library) -> Option<Self> {
        let find = |symbol: &str| process.find(symbol);
        let vtable = find(symbols::ALLOCATOR_VTABLE)?;
        Some(Self {
            current_isolate: find(symbols::ISOLATE_GET_CURRENT)?,
            allocator_of: find(symbols::ISOLATE_GET_ALLOCATOR)?,
            vtable,
            vtable_bytes: symbol_size(symbols::ALLOCATOR_VTABLE, vtable)?,
            reallocate: find(symbols::ALLOCATOR_REALLOCATE),
            harmless: [
                // It allocates, copies and frees through the allocator's own functions.
                find(symbols::V8_ALLOCATOR_REALLOCATE),
                find(symbols::V8_ALLOCATOR_MAX_SIZE),
                find(symbols::ALLOCATOR_GET_IMPL),
            ],
            page_allocator: find(symbols::V8_ALLOCATOR_PAGE_ALLOCATOR),
            allocate: find(symbols::ALLOCATOR_ALLOCATE)?,
            allocate_uninitialized: find(symbols::ALLOCATOR_ALLOCATE_UNINITIALIZED)?,
            free: find(symbols::ALLOCATOR_FREE)?,
            count_in: find(symbols::ALLOCATOR_REGISTER)?,
            count_out: find(symbols::ALLOCATOR_UNREGISTER)?,
            destroy: symbols::ALLOCATOR_DESTROY.into_iter().find_map(find)?,
            delete: find(symbols::ALLOCATOR_DELETE)?,
        })
    }

    /// Whether every entry of the vtable is a function that is known.
    pub fn are_all_known(&self, entries: &[usize]) -> bool {
        let replaced = [self.destroy, self.delete, self.allocate, self.allocate_uninitialized, self.free];
        let others = [self.count_in, self.count_out].into_iter().chain(self.reallocate).chain(self.page_allocator);
        let known: Vec<Address> =
            replaced.into_iter().chain(others).chain(self.harmless.into_iter().flatten()).collect();
        let is_known = |entry: &usize| known.iter().any(|known| known.get() == *entry);
        let is = |entry: Option<&usize>, function: Option<Address>| entry.copied() == function.map(Address::get);
        entries.iter().enumerate().all(|(at, entry)| {
            let is_maximum = || {
                let (before, after) = (at.checked_sub(1).and_then(|before| entries.get(before)), entries.get(at + 1));
                is(before, Some(self.free)) && self.page_allocator.is_some() && is(after, self.page_allocator)
            };
            is_known(entry) || is_maximum()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vtable_with_an_unknown_function_is_not_known() {
        let address = |number: usize| Address::new(0x1000 + number).unwrap();
        let symbols = Symbols {
            current_isolate: address(0),
            allocator_of: address(1),
            vtable: address(2),
            vtable_bytes: 0,
            allocate: address(3),
            allocate_uninitialized: address(4),
            free: address(5),
            count_in: address(6),
            count_out: address(7),
            reallocate: Some(address(8)),
            harmless: [None; 3],
            page_allocator: Some(address(9)),
            destroy: address(10),
            delete: address(11),
        };
        let entries = |numbers: &[usize]| numbers.iter().map(|number| address(*number).get()).collect::<Vec<_>>();
        assert!(symbols.are_all_known(&entries(&[10, 11, 3, 4, 5, 8])));
        // It might be passed our blocks.
        assert!(!symbols.are_all_known(&entries(&[10, 5, 99])));
        // MaxAllocationSize() is known by its place alone.
        assert!(symbols.are_all_known(&entries(&[5, 99, 9])));
        assert!(!symbols.are_all_known(&entries(&[99, 9])));
    }
}
