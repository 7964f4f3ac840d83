//! Writes around fenced blocks: each is found where it begins and ends, and the block is whole after its repair.
#![no_main]

use arbitrary::Arbitrary;
use core_of_pinned_ffi::error::Side;
use core_of_pinned_ffi::memory::fence::{block, heap};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Input {
    length: u16,
    align: u8,
    writes: Vec<(bool, u8, u8)>,
    is_given: bool,
}

fuzz_target!(|input: Input| {
    let length = usize::from(input.length);
    let block = heap::allocate(length, 1 << (input.align % 13)).expect("memory");
    let widths = block::widths();
    assert!(block.is_whole(length) && block.length() == Some(length) && block.breach(length).is_none());
    let data = block.data().as_ptr();
    // SAFETY: M8; the data is inside of the block.
    assert!(unsafe { std::slice::from_raw_parts(data, length) }.iter().all(|byte| *byte == 0));
    // SAFETY: M8.
    unsafe { data.write_bytes(0xA5, length) };
    assert!(block.is_whole(length));

    let (mut past, mut before) = (Vec::new(), Vec::new());
    for (is_past, offset, byte) in input.writes {
        let (offset, side) = match is_past {
            true => (usize::from(offset) % widths.after, &mut past),
            false => (usize::from(offset) % widths.before, &mut before),
        };
        // SAFETY: M8; the place is inside of a fence of the block.
        let place = unsafe { if is_past { data.add(length + offset) } else { data.sub(offset + 1) } };
        // What a fence itself has there is no breach.
        // SAFETY: M8.
        if side.iter().all(|at| *at != offset) && unsafe { place.read() } != byte {
            // SAFETY: M8.
            unsafe { place.write(byte) };
            side.push(offset);
        }
    }
    let ends = |hits: &[usize]| (*hits.iter().min().expect("a hit"), *hits.iter().max().expect("a hit"));
    match block.breach(length) {
        Some(found) if found.side == Side::After => {
            let (first, last) = ends(&past);
            assert_eq!((found.first, found.past), ((length + first) as isize, last + 1));
        }
        Some(found) => {
            assert!(past.is_empty());
            let (first, last) = ends(&before);
            assert_eq!((found.first, found.past), (-(first as isize) - 1, last + 1));
        }
        None => assert!(past.is_empty() && before.is_empty()),
    }
    assert_eq!(block.is_whole(length), past.is_empty() && before.is_empty());
    block.repair(length);
    assert!(block.is_whole(length));
    if input.is_given {
        block.expose_to(1);
    }
    // SAFETY: M10; the block is this target's, and not used any more.
    unsafe { heap::free(block, length) };
});
