//! Copies between the memory of a view and a raw address: `read.bytes` and `write.bytes`.
#![expect(unsafe_code, reason = "touches memory at an address the user gave")]

use super::address::Span;
use super::other_memory;
use super::probe::Access;
use super::raw::{PointerCheck, bytes_mut, checked};

/// The span at an address, if the check allows the access, and all of it is memory of this process.
fn here(address: usize, length: usize, access: Access, pointer_check: PointerCheck) -> Option<Span> {
    checked(address, length, access, pointer_check).filter(|_| !other_memory::is_cut(address, length))
}

/// Fills the memory of a view with the bytes at an address, which may overlap it; false for an address that is refused.
///
/// # Safety
/// U2: as many bytes are readable at `address`. M3: the view's memory is there, and no JavaScript runs meanwhile.
pub unsafe fn fill(view: Span, address: usize, pointer_check: PointerCheck) -> bool {
    if let Some(other) = other_memory::at(address) {
        // SAFETY: M3, by the contract of this function.
        return other.read(address, unsafe { bytes_mut(view.start.as_ptr(), view.length) });
    }
    let Some(source) = here(address, view.length, Access::Read, pointer_check) else { return false };
    // SAFETY: M5, U2 and M3 by the contract of this function; regions may overlap.
    unsafe { source.start.as_ptr().copy_to(view.start.as_ptr(), view.length) };
    true
}

/// Copies the memory of a view to an address, which may overlap it; false for an address that is refused.
///
/// # Safety
/// U2: as many bytes are writable at `address`. M3: the view's memory is there, and no JavaScript runs meanwhile.
pub unsafe fn store(view: Span, address: usize, pointer_check: PointerCheck) -> bool {
    if let Some(other) = other_memory::at(address) {
        // SAFETY: M3, by the contract of this function.
        return other.write(address, unsafe { bytes_mut(view.start.as_ptr(), view.length) });
    }
    let Some(target) = here(address, view.length, Access::Write, pointer_check) else { return false };
    // SAFETY: M5, U2 and M3 by the contract of this function; regions may overlap.
    unsafe { target.start.as_ptr().copy_from(view.start.as_ptr(), view.length) };
    true
}

#[cfg(test)]
mod tests {
    use super::super::address::Address;
    use super::*;

    fn span_of(bytes: &mut [u8]) -> Span {
        let start = Address::new(bytes.as_mut_ptr().expose_provenance()).unwrap();
        Span::new(start, bytes.len()).unwrap()
    }

    #[test]
    fn bytes_are_copied_both_ways() {
        let (mut view, mut memory) = ([1u8, 2, 3], [7u8, 8, 9, 10]);
        let address = memory.as_mut_ptr().expose_provenance();
        for pointer_check in [PointerCheck::LowPage, PointerCheck::Mapped] {
            // SAFETY: U2 and M3; both arrays are as long.
            assert!(unsafe { fill(span_of(&mut view), address + 1, pointer_check) });
            // SAFETY: U2 and M3, as above.
            assert!(unsafe { store(span_of(&mut view), address, pointer_check) });
        }
        assert_eq!((view, memory), ([9, 10, 10], [9, 10, 10, 10]));
    }

    #[test]
    fn the_first_page_is_refused() {
        let mut view = [1u8, 2, 3];
        for address in [0, 64, 4095] {
            // SAFETY: M5; nothing is read or written.
            let refused = unsafe {
                !fill(span_of(&mut view), address, PointerCheck::LowPage)
                    && !store(span_of(&mut view), address, PointerCheck::LowPage)
            };
            assert!(refused);
        }
    }
}
