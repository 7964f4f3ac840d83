//! Tests of the stand-in for Node's allocator.

use super::*;
use std::alloc::{Layout, alloc, dealloc};
use std::sync::atomic::{AtomicIsize, Ordering};

static COUNTED: AtomicIsize = AtomicIsize::new(0);

#[repr(C)]
struct FakeAllocator {
    vtable: *const usize,
}

unsafe extern "C" fn fake_allocate(_: Object, n: usize) -> *mut u8 {
    COUNTED.fetch_add(n as isize, Ordering::SeqCst);
    // SAFETY: the layout is not empty.
    unsafe { alloc(Layout::from_size_align(n.max(1), 16).unwrap()) }
}
unsafe extern "C" fn fake_uninitialized(object: Object, n: usize) -> *mut u8 {
    std::hint::black_box(1);
    // SAFETY: as above.
    unsafe { fake_allocate(object, n) }
}
unsafe extern "C" fn fake_free(_: Object, data: *mut u8, n: usize) {
    COUNTED.fetch_sub(n as isize, Ordering::SeqCst);
    // SAFETY: it came from `fake_allocate` with the same length.
    unsafe { dealloc(data, Layout::from_size_align(n.max(1), 16).unwrap()) };
}
unsafe extern "C" fn fake_reallocate(_: Object, _: *mut u8, _: usize, _: usize) -> *mut u8 {
    std::hint::black_box(null_mut())
}
unsafe extern "C" fn fake_in(_: Object, _: *mut u8, n: usize) {
    COUNTED.fetch_add(n as isize, Ordering::SeqCst);
}
unsafe extern "C" fn fake_out(_: Object, _: *mut u8, n: usize) {
    COUNTED.fetch_sub(n as isize, Ordering::SeqCst);
}
unsafe extern "C" fn fake_destroy(_: Object) {}
unsafe extern "C" fn fake_delete(object: Object) {
    std::hint::black_box(object);
}
thread_local!(static OBJECT: std::cell::Cell<Object> = const { std::cell::Cell::new(null_mut()) });
unsafe extern "C" fn fake_isolate() -> Object {
    OBJECT.get()
}
unsafe extern "C" fn fake_allocator_of(isolate: Object) -> Object {
    isolate
}

fn address<T>(function: *const T) -> Address {
    Address::new(function.expose_provenance()).unwrap()
}

#[test]
fn a_buffer_of_the_engine_has_fences_and_is_counted_as_before() {
    let table: &'static mut [usize; 32] = Box::leak(Box::new([0; 32]));
    let symbols = Symbols {
        current_isolate: address(fake_isolate as *const ()),
        allocator_of: address(fake_allocator_of as *const ()),
        vtable: address(table.as_ptr()),
        vtable_bytes: size_of::<[usize; 8]>(),
        allocate: address(fake_allocate as *const ()),
        allocate_uninitialized: address(fake_uninitialized as *const ()),
        free: address(fake_free as *const ()),
        reallocate: Some(address(fake_reallocate as *const ())),
        harmless: [None; 3],
        page_allocator: None,
        count_in: address(fake_in as *const ()),
        count_out: address(fake_out as *const ()),
        destroy: address(fake_destroy as *const ()),
        delete: address(fake_delete as *const ()),
    };
    let [first, second, free] = [symbols.destroy, symbols.delete, symbols.free];
    let entries = [first, second, symbols.allocate, symbols.allocate_uninitialized, free, symbols.reallocate.unwrap()];
    for (slot, entry) in table[IN_FRONT..].iter_mut().zip(entries) {
        *slot = entry.get();
    }
    let mut object = FakeAllocator { vtable: table.as_ptr().wrapping_add(IN_FRONT) };
    OBJECT.set((&raw mut object).cast());
    // SAFETY: M11; the fakes are of the types.
    assert_eq!(unsafe { install(&symbols) }, Ok(Installed::Now));
    // SAFETY: the symbols are functions of this test, of the types that `install` expects.
    assert_eq!(unsafe { install(&symbols) }, Ok(Installed::Before));

    let this: Object = (&raw mut object).cast();
    // SAFETY: M11; slots 2 and 4 of the object's table are of these types.
    let (allocate, free) = unsafe {
        let table = object.vtable;
        (
            function::<AllocateFn>(Address::new(*table.add(2)).unwrap()),
            function::<FreeFn>(Address::new(*table.add(4)).unwrap()),
        )
    };
    // SAFETY: M11; what is allocated is freed.
    unsafe {
        let data = allocate(this, 100);
        assert_eq!(COUNTED.load(Ordering::SeqCst), 100);
        assert!(block_map::contains(address(data)));
        let block = Fenced::at(address(data));
        data.add(100).write_bytes(1, 5);
        assert!(!block.is_whole_near(100));
        free(this, data, 100);
        assert_eq!(COUNTED.load(Ordering::SeqCst), 0);
        assert!(report::take().iter().any(|report| report.length == 100 && report.breach.past == 5));

        // Other tests hold blocks as well.
        let held_before = quarantine::held().0;
        let given = allocate(this, 64);
        Fenced::at(address(given)).expose_to(report::intern("test"));
        free(this, given, 64);
        assert_eq!(COUNTED.load(Ordering::SeqCst), 0);
        assert!(quarantine::held().0 > held_before);
        given.add(3).write(9);
        destroy(this);
        assert_eq!(COUNTED.load(Ordering::SeqCst), 0);
        let reports = report::take();
        assert!(
            reports.iter().any(|late| late.found == Found::Quarantine && late.exposed_to.as_deref() == Some("test"))
        );

        let foreign = fake_allocate(this, 32);
        free(this, foreign, 32);
        assert_eq!(COUNTED.load(Ordering::SeqCst), 0);
    }
}
