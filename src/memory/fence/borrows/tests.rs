//! Tests of what a call borrows.

use std::rc::Rc;

use super::*;
use crate::error::Side;
use crate::memory::fence::heap;
use crate::memory::fence::shadow::Flow;

fn span(bytes: &mut [u8], range: Range<usize>) -> Span {
    let start = Address::new(bytes.as_mut_ptr().expose_provenance() + range.start).unwrap();
    Span::new(start, range.len()).unwrap()
}

fn slab_of(span: Span) -> PoolSlab {
    PoolSlab { span, state: Rc::default() }
}

#[test]
fn neighbours_in_a_slab_are_put_back_but_other_arguments_are_not() {
    let mut slab = vec![1u8; 512];
    let whole = slab_of(span(&mut slab, 0..512));
    let (first, second) = (span(&mut slab, 100..108), span(&mut slab, 112..120));
    let mut borrows = Borrows::default();
    borrows.slice(0, first, whole.clone(), Some(Ranges::new()));
    borrows.slice(1, second, whole, Some(Ranges::new()));
    slab[100..125].fill(9);
    let found = borrows.end().unwrap();
    assert_eq!((found.argument, found.side, found.first_bad_offset, found.bytes_past), (0, Side::After, 8, 4));
    assert_eq!(slab[100..108], [9; 8]);
    assert_eq!(slab[108..112], [1; 4]);
    assert_eq!(slab[112..120], [9; 8]);
    assert_eq!(slab[120..130], [1; 10]);
}

#[test]
fn a_neighbour_of_an_earlier_call_stays_as_it_is_where_an_argument_has_its_address() {
    let mut slab = vec![1u8; 512];
    let whole = slab_of(span(&mut slab, 0..512));
    let view = span(&mut slab, 100..124);
    for earlier in [124..150, 60..96, 130..138] {
        whole.state.passed.record(span(&mut slab, earlier));
    }
    // A word, a byte that is written, and whether that is an overflow.
    for (address, written, is_found) in [
        (60, 90, false),
        (75, 60, false),
        (96, 95, false),
        (75, 97, true),
        (97, 90, true),
        (60, 125, true),
        (130, 149, false),
        (100, 90, true),
        (123, 125, true),
        (124, 125, false),
        (1000, 90, true),
    ] {
        for is_by_value in [false, true] {
            let mut borrows = Borrows::default();
            let word = whole.span.start.get() + address;
            let held = if is_by_value { 0 } else { word };
            slab[101..109].copy_from_slice(&held.to_ne_bytes());
            borrows.slice(0, view, whole.clone(), Some(Ranges::new()));
            borrows.follow([3, if is_by_value { word } else { 4 }].into_iter());
            slab[written] = 9;
            let found = borrows.end().is_some();
            assert_eq!((found, slab[written]), (is_found, if is_found { 1 } else { 9 }), "{address}, {written}");
            slab[written] = 1;
        }
    }
}

#[test]
fn what_javascript_writes_during_the_call_stays() {
    let mut slab = vec![1u8; 512];
    let (whole, view) = (slab_of(span(&mut slab, 0..512)), span(&mut slab, 100..108));
    let mut borrows = Borrows::default();
    borrows.slice(0, view, whole, Some(Ranges::new()));
    borrows.pause();
    slab[110] = 5;
    borrows.resume(|_| Some(Ranges::new()));
    slab[109] = 6;
    let found = borrows.end().unwrap();
    assert_eq!((found.first_bad_offset, found.bytes_past), (9, 2));
    assert_eq!((slab[109], slab[110]), (1, 5));
}

#[test]
fn a_copy_is_copied_back_and_its_fence_is_checked() {
    let mut bytes = vec![3u8; 64];
    let view = span(&mut bytes, 0..64);
    let mut borrows = Borrows::default();
    let mut copy = None;
    borrows.want_copy(2, view, Flow::Both);
    assert!(borrows.copies(None, |_, address| copy = Some(address)));
    let copy = copy.unwrap();
    // SAFETY: M8; the copy has a fence after it.
    unsafe { copy.as_ptr().write_bytes(8, 70) };
    let found = borrows.end().unwrap();
    assert_eq!((found.argument, found.first_bad_offset, found.bytes_past), (2, 64, 6));
    assert_eq!(bytes, [8; 64]);
}

#[test]
fn a_number_in_memory_that_is_copied_means_the_copy() {
    let mut bytes = vec![0u8; 64];
    let view = span(&mut bytes, 0..32);
    let number = |offset| Address::new(view.start.get() + offset).unwrap();
    let mut borrows = Borrows::default();
    borrows.want_copy(0, view, Flow::Both);
    for (argument, offset) in [(1, 4), (2, 32), (3, 33)] {
        borrows.want_step(argument, number(offset), None);
    }
    let mut set = [0; 4];
    assert!(borrows.copies(None, |argument, address| set[argument] = address.get()));
    assert_eq!(set, [set[0], set[0] + 4, set[0] + 32, 0]);
    borrows.end();
    borrows.want_step(0, number(8), Some(view));
    assert!(borrows.copies(None, |argument, address| set[argument] = address.get()));
    // SAFETY: M8; inside the copy.
    unsafe { std::ptr::with_exposed_provenance_mut::<u8>(set[0]).write(7) };
    assert_eq!((borrows.end(), bytes[8]), (None, 7));
}

#[test]
fn a_view_with_a_fence_joins_the_copy_of_its_part() {
    let block = heap::allocate(64, 16).unwrap();
    let whole = Span { start: block.data(), length: 64 };
    let part = Span { start: Address::new(block.data().get() + 8).unwrap(), length: 8 };
    let mut borrows = Borrows::default();
    borrows.block(0, whole, block, 1);
    borrows.want_copy(1, part, Flow::Both);
    let mut set = [0; 2];
    assert!(borrows.copies(None, |argument, address| set[argument] = address.get()));
    assert_eq!(set[1], set[0] + 8);
    assert_eq!(borrows.end(), None);
    // SAFETY: M10; the block is this test's.
    unsafe { heap::free(block, 64) };
}

#[test]
fn overlapping_views_share_a_copy() {
    let mut bytes: Vec<u8> = (0..64).collect();
    let mut borrows = Borrows::default();
    borrows.want_copy(0, span(&mut bytes, 8..40), Flow::Both);
    borrows.want_copy(1, span(&mut bytes, 0..32), Flow::Both);
    borrows.want_copy(2, span(&mut bytes, 48..64), Flow::Both);
    let mut at = [0; 3];
    assert!(borrows.copies(None, |argument, address| at[argument] = address.get()));
    assert_eq!(at[0], at[1] + 8);
    let distance = at[2].abs_diff(at[1]);
    assert!(distance >= 64, "copies of views apart have fences between them: {distance}");
    // SAFETY: M8; inside the first copy.
    unsafe { std::ptr::with_exposed_provenance_mut::<u8>(at[0]).write(99) };
    assert_eq!(borrows.end(), None);
    assert_eq!(bytes[8], 99);
}
