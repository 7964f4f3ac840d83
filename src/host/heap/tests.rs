#![expect(unsafe_code, reason = "uses an allocator")]
#![expect(clippy::disallowed_methods, clippy::undocumented_unsafe_blocks, reason = "looks at blocks, and damages some")]

use super::*;
use crate::host::test_process::{End, in_child};

/// A separate heap, over `len` bytes that are mapped as the arena is.
pub fn heap(len: usize) -> &'static Heap {
    let pages = Box::leak(Box::new(Locked::new(Pages::new())));
    let heap = Box::leak(Box::new(Heap::new(pages)));
    // SAFETY: the mapping is new and is never given back.
    unsafe {
        let file = libc::memfd_create(c"heap".as_ptr(), libc::MFD_CLOEXEC);
        assert_eq!(libc::ftruncate(file, len as i64), 0);
        let memory = libc::mmap(null_mut(), len, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, file, 0);
        let base = memory.expose_provenance();
        assert!(heap.attach(HeapRegion { base, len, arena: (base, len) }));
    }
    heap
}

fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

/// Sizes of which small ones are common and some are large.
fn random_size(seed: &mut u64) -> usize {
    match random(seed) % 20 {
        0 if random(seed).is_multiple_of(4) => random(seed) % (3 << 20),
        0..=4 => random(seed) % 50_000,
        _ => random(seed) % 300,
    }
}

/// A block that a test fills with a byte.
#[derive(Clone, Copy)]
struct Filled {
    at: *mut u8,
    size: usize,
    byte: u8,
}

impl Filled {
    fn new(at: *mut u8, size: usize, byte: u8) -> Self {
        // SAFETY: the block has `size` bytes.
        unsafe { at.write_bytes(byte, size) };
        Self { at, size, byte }
    }

    fn check(self, size: usize) {
        // SAFETY: the block has `size` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(self.at, size.min(self.size)) };
        // By words, because this is not optimised.
        let (before, words, after) = unsafe { bytes.align_to::<u128>() };
        let word = u128::from_ne_bytes([self.byte; 16]);
        assert!(before.iter().chain(after).all(|byte| *byte == self.byte) && words.iter().all(|other| *other == word));
    }
}

fn exercise(heap: &Heap, mut seed: u64, rounds: usize) {
    let mut blocks: Vec<Filled> = Vec::new();
    for round in 0..rounds {
        let byte = (random(&mut seed) % 255 + 1) as u8;
        let size = random_size(&mut seed);
        match random(&mut seed) % 6 {
            0 | 1 => {
                let at = heap.allocate(size, ALIGN, false);
                assert!(!at.is_null() && at.addr().is_multiple_of(16));
                blocks.push(Filled::new(at, size, byte));
            }
            2 => {
                let at = heap.allocate(size, ALIGN, true);
                Filled { at, size, byte: 0 }.check(size);
                blocks.push(Filled::new(at, size, byte));
            }
            3 => {
                let align = 16 << (random(&mut seed) % 10);
                let at = heap.allocate(size, align, round % 2 == 0);
                assert!(at.addr().is_multiple_of(align));
                blocks.push(Filled::new(at, size, byte));
            }
            kind if !blocks.is_empty() => {
                let block = blocks.swap_remove(random(&mut seed) % blocks.len());
                block.check(block.size);
                // SAFETY: the block is this test's.
                unsafe {
                    assert_eq!(heap.usable_size(block.at), block.size);
                    if kind == 4 || blocks.len() > 200 {
                        heap.free(block.at);
                    } else {
                        let at = heap.reallocate(block.at, size);
                        Filled { at, ..block }.check(size);
                        blocks.push(Filled::new(at, size, byte));
                    }
                }
            }
            _ => {}
        }
    }
    for block in blocks {
        block.check(block.size);
        // SAFETY: the block is this test's.
        unsafe { heap.free(block.at) };
    }
}

#[test]
fn blocks_keep_their_bytes() {
    exercise(heap(1 << 30), 7, 10_000);
}

#[test]
fn threads_share_a_heap() {
    let heap = heap(2 << 30);
    std::thread::scope(|scope| {
        for seed in 1..=4 {
            scope.spawn(move || exercise(heap, seed, 2_000));
        }
    });
}

#[test]
fn blocks_are_freed_by_other_threads() {
    let heap = heap(1 << 30);
    let (send, receive) = std::sync::mpsc::channel::<usize>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for address in receive {
                // SAFETY: the other thread has handed the block over.
                unsafe { heap.free(std::ptr::with_exposed_provenance_mut(address)) };
            }
        });
        for size in 0..20_000 {
            send.send(heap.allocate(size % 700, ALIGN, false).expose_provenance()).unwrap();
        }
        drop(send);
    });
}

#[test]
fn memory_is_used_again() {
    let heap = heap(64 << 20);
    for round in 0..2_000 {
        let blocks: Vec<_> =
            (1..40).map(|index| heap.allocate(index * 1_000 * (round % 7 + 1), ALIGN, false)).collect();
        for block in blocks {
            assert!(!block.is_null());
            // SAFETY: the block is this test's.
            unsafe { heap.free(block) };
        }
    }
    let (base, end) = (heap.base.load(Ordering::Relaxed), heap.pages.lock().high_water());
    assert!(end - base < 40 << 20, "{} bytes", end - base);
}

#[test]
fn a_heap_that_is_full_gives_null_and_goes_on() {
    let heap = heap(8 << 20);
    assert!(heap.allocate(9 << 20, ALIGN, false).is_null());
    assert!(heap.allocate(usize::MAX, ALIGN, false).is_null());
    assert!(heap.allocate(1, 1 << 40, false).is_null());
    let mut blocks = Vec::new();
    loop {
        let block = heap.allocate(1_000, ALIGN, false);
        if block.is_null() {
            break;
        }
        blocks.push(block);
    }
    assert!(blocks.len() > 7_000, "{} blocks", blocks.len());
    // SAFETY: the blocks are this test's.
    unsafe {
        assert!(heap.reallocate(blocks[0], 100_000).is_null());
        assert_eq!(heap.usable_size(blocks[0]), 1_000, "a block that cannot grow stays");
        for block in blocks {
            heap.free(block);
        }
    }
    assert!(!heap.allocate(4_000_000, ALIGN, false).is_null());
}

#[test]
fn large_blocks_grow_in_place_and_are_given_back() {
    let heap = heap(1 << 30);
    let block = heap.allocate(2 << 20, ALIGN, false);
    // SAFETY: the blocks are this test's.
    unsafe {
        assert_eq!(heap.reallocate(block, 200 << 20), block);
        block.write_bytes(1, 200 << 20);
        assert_eq!(heap.reallocate(block, 3 << 20), block);
        heap.free(block);
        let again = heap.allocate(200 << 20, ALIGN, true);
        Filled { at: again, size: 200 << 20, byte: 0 }.check(4 << 20);
        assert_eq!(*again.add((200 << 20) - 1), 0);
    }
}

#[test]
fn threads_that_meet_in_an_allocator_take_another() {
    let heap = heap(64 << 20);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..30_000 {
                    let block = heap.allocate(300, ALIGN, false);
                    // SAFETY: the block is this thread's.
                    unsafe { heap.free(block) };
                }
            });
        }
    });
}

/// The signal that ends a child which damages the heap, and its output on stderr.
fn damage(run: impl FnOnce(&Heap)) -> (End, String) {
    use std::io::Read;
    let heap = heap(16 << 20);
    let (mut reader, writer) = std::io::pipe().unwrap();
    let end = in_child(|| {
        // SAFETY: the descriptors are this process's.
        unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&writer), 2) };
        run(heap);
        0
    });
    drop(writer);
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    (end, text)
}

#[test]
fn damage_ends_the_process_with_a_message() {
    type Damage = fn(&Heap);
    let cases: [(&str, Damage); 10] = [
        ("heap overflow: bytes behind the block of 24 bytes", |heap| unsafe {
            let block = heap.allocate(24, ALIGN, false);
            *block.add(24) ^= 1;
            heap.free(block);
        }),
        ("realloc(0x", |heap| unsafe {
            let block = heap.allocate(24, ALIGN, false);
            *block.add(24) = 0;
            heap.reallocate(block, 100);
        }),
        ("heap overflow: bytes behind the block of 3000000 bytes", |heap| unsafe {
            let block = heap.allocate(3_000_000, ALIGN, false);
            *block.add(3_000_000) = 0;
            heap.free(block);
        }),
        ("heap overflow: bytes behind the block of 10 bytes", |heap| unsafe {
            let block = heap.allocate(10, 256, false);
            *block.add(10) = 0;
            heap.free(block);
        }),
        ("freed already", |heap| unsafe {
            let block = heap.allocate(24, ALIGN, false);
            heap.free(block);
            heap.free(block);
        }),
        ("freed already", |heap| unsafe {
            let block = heap.allocate(2_000_000, ALIGN, false);
            heap.free(block);
            heap.free(block);
        }),
        ("bytes before it were overwritten", |heap| unsafe {
            let block = heap.allocate(24, ALIGN, false);
            *block.sub(1) ^= 0xff;
            heap.free(block);
        }),
        ("no block of the heap begins here", |heap| unsafe {
            let block = heap.allocate(100, ALIGN, true);
            heap.free(block.add(16));
        }),
        ("no block of the heap begins here", |heap| unsafe {
            let block = heap.allocate(100, ALIGN, false);
            heap.free(block.add(3));
        }),
        ("written to after it was freed", |heap| unsafe {
            let first = heap.allocate(24, ALIGN, false);
            heap.free(first);
            *first.sub(4) ^= 1;
            for _ in 0..1_000 {
                heap.free(heap.allocate(24, ALIGN, false));
            }
        }),
    ];
    for (message, run) in cases {
        let (end, text) = damage(run);
        assert_eq!(end, End::Killed(libc::SIGABRT), "{message}");
        assert!(text.starts_with("pinned-ffi: ") && text.contains(message) && text.ends_with('\n'), "{text}");
    }
}
