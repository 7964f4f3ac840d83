//! Short texts that C returns, copied to where JavaScript reads them.
#![expect(unsafe_code, reason = "reads text at an address that the user gave, or C has returned")]
#![expect(clippy::disallowed_methods, reason = "copies between raw addresses")]

use super::address::LOWEST;
use super::ascii;

/// The most characters of a short text, and the room that it is copied to: JavaScript makes a string of each of its
/// bytes.
pub const SHORT: usize = 32;

/// Copies a text of ASCII of at most [`SHORT`] bytes, and returns its length; `None` for any other text, and for an
/// address of the first page.
///
/// # Safety
/// U2: the bytes up to the NUL are readable at `address`. M1: `to` has [`SHORT`] bytes, which may be where the text
/// lies.
#[inline]
pub unsafe fn copy(to: *mut u8, address: usize) -> Option<u32> {
    if address < LOWEST {
        return None;
    }
    #[cfg(not(miri))]
    if !at_end_of_page(address) {
        // SAFETY: by the contract of this function; the bytes are in one page.
        return unsafe { copy_at_once(to, address) };
    }
    // SAFETY: by the contract of this function.
    unsafe { copy_in_turn(to, address) }
}

/// The same where it is the length that says which bytes are copied.
///
/// # Safety
/// As [`copy`].
#[inline]
unsafe fn copy_in_turn(to: *mut u8, address: usize) -> Option<u32> {
    let start = std::ptr::with_exposed_provenance::<u8>(address);
    // SAFETY: M5, and U2 by the contract of this function: nothing is read past the NUL.
    let length = unsafe { libc::strnlen(start.cast(), SHORT + 1) };
    if length > SHORT {
        return None;
    }
    // SAFETY: as above.
    let is_plain = ascii::is_plain(unsafe { std::slice::from_raw_parts(start, length) });
    // SAFETY: M1 by the contract of this function.
    is_plain.then(|| unsafe { start.copy_to(to, length) })?;
    Some(length as u32)
}

/// Whether [`SHORT`] bytes from an address on may lie in two pages, of which the second one may not be mapped.
#[cfg(not(miri))]
const fn at_end_of_page(address: usize) -> bool {
    use super::probe::PAGE;
    address % PAGE > PAGE - SHORT
}

/// The same where all [`SHORT`] bytes are copied first, and the end of the text is looked for then.
///
/// What is copied does not depend on the length. A processor predicts the length, as JavaScript branches by it, so that
/// the next instructions need not wait for the search.
///
/// # Safety
/// As [`copy`]; the bytes are in one page.
#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)] // Two registers hold the text.
unsafe fn copy_at_once(to: *mut u8, address: usize) -> Option<u32> {
    let (low_ends, high_ends, low_signs, high_signs): (u32, u32, u32, u32);
    // SAFETY: U2 and M1 by the contract of this function. A page is mapped as a whole, so that what lies behind the NUL
    // is readable, too. For Rust it is no part of the text, and others may write it meanwhile: therefore in assembly.
    unsafe {
        std::arch::asm!(
            "movdqu {low}, [{from}]",
            "movdqu {high}, [{from} + 16]",
            "movdqu [{to}], {low}",
            "movdqu [{to} + 16], {high}",
            "pmovmskb {low_signs:e}, {low}",
            "pmovmskb {high_signs:e}, {high}",
            "pxor {zero}, {zero}",
            "pcmpeqb {low}, {zero}",
            "pcmpeqb {high}, {zero}",
            "pmovmskb {low_ends:e}, {low}",
            "pmovmskb {high_ends:e}, {high}",
            from = in(reg) address,
            to = in(reg) to,
            low = out(xmm_reg) _,
            high = out(xmm_reg) _,
            zero = out(xmm_reg) _,
            low_signs = out(reg) low_signs,
            high_signs = out(reg) high_signs,
            low_ends = out(reg) low_ends,
            high_ends = out(reg) high_ends,
            options(nostack, preserves_flags),
        );
    }
    let (ends, signs) = (low_ends | high_ends << 16, low_signs | high_signs << 16);
    if ends != 0 {
        let before = (ends & ends.wrapping_neg()) - 1;
        return (signs & before == 0).then(|| ends.trailing_zeros());
    }
    // SAFETY: U2 by the contract of this function: the text goes on.
    let next = unsafe { std::ptr::with_exposed_provenance::<u8>(address + SHORT).read() };
    (next == 0 && signs == 0).then_some(SHORT as u32)
}

/// The same on arm64, where a comparison gives four bits for each byte.
///
/// # Safety
/// As there.
#[cfg(all(target_arch = "aarch64", not(miri)))]
#[inline(always)] // Two registers hold the text.
unsafe fn copy_at_once(to: *mut u8, address: usize) -> Option<u32> {
    const BITS: u32 = 4;
    let (low_ends, high_ends, low_signs, high_signs): (u64, u64, u64, u64);
    // SAFETY: as on x64.
    unsafe {
        std::arch::asm!(
            "ldp {low:q}, {high:q}, [{from}]",
            "stp {low:q}, {high:q}, [{to}]",
            "cmlt {signs:v}.16b, {low:v}.16b, #0",
            "cmeq {low:v}.16b, {low:v}.16b, #0",
            "shrn {signs:v}.8b, {signs:v}.8h, #4",
            "shrn {low:v}.8b, {low:v}.8h, #4",
            "fmov {low_signs}, {signs:d}",
            "fmov {low_ends}, {low:d}",
            "cmlt {signs:v}.16b, {high:v}.16b, #0",
            "cmeq {high:v}.16b, {high:v}.16b, #0",
            "shrn {signs:v}.8b, {signs:v}.8h, #4",
            "shrn {high:v}.8b, {high:v}.8h, #4",
            "fmov {high_signs}, {signs:d}",
            "fmov {high_ends}, {high:d}",
            from = in(reg) address,
            to = in(reg) to,
            low = out(vreg) _,
            high = out(vreg) _,
            signs = out(vreg) _,
            low_signs = out(reg) low_signs,
            high_signs = out(reg) high_signs,
            low_ends = out(reg) low_ends,
            high_ends = out(reg) high_ends,
            options(nostack, preserves_flags),
        );
    }
    let join = |low: u64, high: u64| u128::from(low) | u128::from(high) << 64;
    let (ends, signs) = (join(low_ends, high_ends), join(low_signs, high_signs));
    if ends != 0 {
        let before = (ends & ends.wrapping_neg()) - 1;
        return (signs & before == 0).then(|| ends.trailing_zeros() / BITS);
    }
    // SAFETY: U2 by the contract of this function: the text goes on.
    let next = unsafe { std::ptr::with_exposed_provenance::<u8>(address + SHORT).read() };
    (next == 0 && signs == 0).then_some(SHORT as u32)
}

#[cfg(test)]
mod tests {
    use super::super::probe::PAGE;
    use super::*;

    /// Copies a text that lies at an offset in memory of other bytes.
    fn copied(text: &[u8], offset: usize) -> Option<Vec<u8>> {
        let mut memory = vec![b'?'; 3 * PAGE];
        let start = PAGE - memory.as_ptr().addr() % PAGE + offset;
        memory[start..start + text.len()].copy_from_slice(text);
        memory[start + text.len()] = 0;
        let mut to = [b'!'; SHORT];
        // SAFETY: the text and its NUL are in `memory`.
        let length = unsafe { copy(to.as_mut_ptr(), memory.as_ptr().expose_provenance() + start) }?;
        Some(to[..length as usize].to_vec())
    }

    #[test]
    fn a_short_text_is_copied_wherever_it_lies() {
        let text: Vec<u8> = (1..=SHORT as u8 + 1).collect();
        for offset in (0..16).chain(PAGE - SHORT - 2..=PAGE) {
            for length in 0..=SHORT {
                assert_eq!(copied(&text[..length], offset).as_deref(), Some(&text[..length]), "{length} at {offset}");
            }
            assert_eq!(copied(&text, offset), None);
        }
    }

    #[test]
    fn a_text_of_other_bytes_is_not_copied() {
        for offset in [0, PAGE - 20] {
            for length in 1..=SHORT {
                for at in 0..length {
                    let mut text = vec![b'a'; length];
                    text[at] = 0x80;
                    assert_eq!(copied(&text, offset), None, "{at} of {length} at {offset}");
                }
            }
            assert_eq!(copied(b"\xc3\xa4", offset), None);
        }
        // SAFETY: an address of the first page is not read.
        assert_eq!(unsafe { copy([0; SHORT].as_mut_ptr(), 4095) }, None);
    }

    #[test]
    #[cfg(all(unix, not(miri)))]
    fn a_short_text_at_the_end_of_what_is_mapped_is_copied() {
        use std::ptr::null_mut;
        // SAFETY: new memory of two pages, the second of which cannot be read.
        let first = unsafe {
            let both = libc::mmap(
                null_mut(),
                2 * PAGE,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANON,
                -1,
                0,
            );
            assert_ne!(both, libc::MAP_FAILED);
            assert_eq!(libc::mprotect(both.cast::<u8>().add(PAGE).cast(), PAGE, libc::PROT_NONE), 0);
            both.cast::<u8>()
        };
        for length in 0..SHORT {
            let mut to = [0; SHORT];
            // SAFETY: the text ends with the page.
            let copied = unsafe {
                let start = first.add(PAGE - length - 1);
                start.write_bytes(b'a', length);
                start.add(length).write(0);
                copy(to.as_mut_ptr(), start.expose_provenance())
            };
            assert_eq!(copied, Some(length as u32));
            assert_eq!(&to[..length], &vec![b'a'; length]);
        }
        // SAFETY: the memory is this test's.
        assert_eq!(unsafe { libc::munmap(first.cast(), 2 * PAGE) }, 0);
    }
}
