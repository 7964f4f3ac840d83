use super::*;

#[test]
fn classes_have_room_and_waste_less_than_a_quarter() {
    for bytes in [1, 63, 64, 65, 100, 4095, 4096, 65_000, 70_000, 1 << 20, (1 << 20) + 1, 5 << 30] {
        let (class, size) = class_of(bytes).unwrap();
        assert!(size >= bytes && size <= bytes.max(SMALLEST) * 5 / 4 + 4096, "{bytes}: {size}");
        // All that are rounded to a size share its class.
        assert_eq!(class_of(size), Some((class, size)));
        assert!(bytes <= SMALLEST || class_of(bytes / 2).unwrap().0 < class);
    }
    assert_eq!(class_of(usize::MAX), None);
}

#[test]
#[cfg_attr(miri, ignore = "calls the kernel")]
fn blocks_do_not_overlap_and_are_used_again() {
    let arena = Arena::new(GIB).unwrap();
    let sizes = [10, 100, 5000, 100_000, 3 << 20, 40 << 20];
    let take = || sizes.map(|bytes| arena.allocate(bytes).unwrap());
    let first = take();
    let mut spans: Vec<_> = first.iter().zip(sizes).map(|((start, _), bytes)| (start.get(), bytes)).collect();
    spans.sort_unstable();
    assert!(spans.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
    for ((start, is_zeroed), bytes) in first.iter().zip(sizes) {
        assert!(*is_zeroed && arena.contains(*start));
        // SAFETY: the block is this test's.
        unsafe { start.as_ptr().write_bytes(7, bytes) };
        arena.release(*start, bytes);
    }
    assert_eq!(arena.used(), 0);
    for ((start, is_zeroed), (before, _)) in take().iter().zip(first) {
        assert_eq!(*start, before);
        // SAFETY: as above.
        assert_eq!(unsafe { start.as_ptr().read() }, if *is_zeroed { 0 } else { 7 });
    }
    assert!(arena.allocate(2 * GIB).is_none());
}

/// Locks a page in memory: the kernel then refuses to take back a range that contains it.
fn lock(start: usize) {
    // SAFETY: the page is mapped, and stays as it is.
    assert_eq!(unsafe { libc::mlock(pointer(start), 4096) }, 0);
}

#[test]
#[cfg_attr(miri, ignore = "calls the kernel")]
fn locked_memory_is_not_taken_for_zeroed() {
    let arena = Arena::new(256 * MIB).unwrap();
    let bytes = LARGE;
    let (start, _) = arena.allocate(bytes).unwrap();
    lock(start.get());
    // SAFETY: the block is this test's.
    unsafe { start.as_ptr().write(7) };
    for _ in 0..3 {
        arena.release(start, bytes);
        let (again, is_zeroed) = arena.allocate(bytes).unwrap();
        // SAFETY: as above.
        assert_eq!((again, is_zeroed, unsafe { start.as_ptr().read() }), (start, false, 7));
    }
}

#[test]
#[cfg_attr(miri, ignore = "calls the kernel")]
fn heaps_come_round_zeroed_and_none_is_two_hosts() {
    let arena = Arc::new(Arena::new(64 * MIB).unwrap());
    let first = arena.take_heap().unwrap();
    let start = first.start;
    // SAFETY: the heap is this test's.
    unsafe { pointer(start).cast::<u8>().write(1) };
    lock(start);
    let others: Vec<_> = std::iter::from_fn(|| arena.take_heap()).collect();
    assert!(others.len() >= 23);
    assert!(others.iter().all(|heap| heap.start != start && arena.holds(heap.start, heap.size)));
    assert!(arena.take_heap().is_none() && !arena.is_in_free_heap(start));
    drop(first);
    assert!(arena.is_in_free_heap(start));
    let again = arena.take_heap().unwrap();
    // SAFETY: as above.
    assert_eq!((again.start, unsafe { pointer(start).cast::<u8>().read() }), (start, 0));
}
