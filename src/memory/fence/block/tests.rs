//! Tests of fenced blocks.

use super::*;

struct Owned(Vec<u128>, Fenced, usize);

fn block(length: usize) -> Owned {
    let mut memory = vec![0u128; (length + overhead()).div_ceil(16)];
    let raw = Address::new(memory.as_mut_ptr().expose_provenance()).unwrap();
    // SAFETY: M8; the vector is that large and moves nowhere.
    let fenced = unsafe { Fenced::build(raw, lead(), length) }.unwrap();
    Owned(memory, fenced, length)
}

impl Owned {
    fn write(&self, at: isize, byte: u8, count: usize) {
        // SAFETY: M8; the tests stay inside the block.
        unsafe { self.1.data().as_ptr().offset(at).write_bytes(byte, count) };
    }
}

#[test]
fn a_new_block_is_whole() {
    for length in [0, 1, 7, 64, 96, 1000] {
        let Owned(_memory, fenced, _) = &block(length);
        assert!(
            fenced.is_whole_as(&fenced.sealed().unwrap()) && fenced.is_whole(length) && fenced.breach(length).is_none()
        );
        assert_eq!(fenced.length(), Some(length));
    }
}

#[test]
fn a_write_past_the_end_is_seen_where_it_begins_and_ends() {
    for (length, count) in [(96, 96), (96, 1), (40, 128), (7, 3), (1, 16)] {
        let owned = block(length);
        let sealed = owned.1.sealed().unwrap();
        owned.write(length as isize, 0x41, count);
        assert!(!owned.1.is_whole_as(&sealed));
        let found = owned.1.breach(length).unwrap();
        assert_eq!((found.side, found.first, found.past), (Side::After, length as isize, count));
        owned.1.repair(length);
        assert!(owned.1.is_whole(owned.2));
    }
}

#[test]
fn a_write_before_the_start_is_seen_even_in_the_header() {
    for count in [1, 16, 64, 70, 80, 64 + 32] {
        let owned = block(100);
        let sealed = owned.1.sealed().unwrap();
        owned.write(-(count as isize), 0x41, count);
        assert!(!owned.1.is_whole(100) && !owned.1.is_whole_as(&sealed));
        let found = owned.1.breach(100).unwrap();
        assert_eq!((found.side, found.first, found.past), (Side::Before, -1, count.min(64 + 24)));
        owned.1.repair(100);
        assert!(owned.1.is_whole(100));
        assert_eq!(owned.1.raw().is_some(), count <= 64);
    }
}

#[test]
fn a_header_alone_that_was_overwritten_is_seen() {
    for at in 65..=64 + 24 {
        let owned = block(64);
        let sealed = owned.1.sealed().unwrap();
        // SAFETY: M8; the byte is one of the header.
        let byte = unsafe { owned.1.data().as_ptr().offset(-at).read() };
        owned.write(-at, !byte, 1);
        assert!(!owned.1.is_whole_as(&sealed));
    }
}

#[test]
fn a_single_byte_of_any_other_value_is_seen() {
    let owned = block(64);
    let sealed = owned.1.sealed().unwrap();
    for at in [-64, -1, 64, 64 + 127] {
        // SAFETY: M8; the byte is one of a fence.
        let canary = unsafe { owned.1.data().as_ptr().offset(at).read() };
        for byte in 0..=255u8 {
            owned.write(at, byte, 1);
            assert_eq!(owned.1.is_whole_as(&sealed), byte == canary);
            owned.1.repair(64);
        }
    }
}

#[test]
fn a_fence_that_was_copied_from_another_block_is_seen() {
    for past in 1..=128 {
        let (source, target) = (block(96), block(96));
        let sealed = target.1.sealed().unwrap();
        // SAFETY: M8; `past` bytes past the end are inside the fences of both.
        unsafe { source.1.data().as_ptr().copy_to(target.1.data().as_ptr(), 96 + past) };
        assert!(past < 8 || !target.1.is_whole_as(&sealed) && !target.1.is_whole(96));
    }
}
