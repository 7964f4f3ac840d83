//! Stands in front of Node's ArrayBuffer allocator, so that every Buffer of the process has fences.
//!
//! The allocator is one C++ object an isolate, with a vtable (Itanium C++ ABI, section 2.5: two words in front of the
//! address point). Its vtable is copied, with our functions in the slots of Allocate, AllocateUninitialized, Free and
//! the destructors, of Reallocate where Node has one (20.0 to 20.16, 22.0 to 22.3), and the copy is put into
//! the object. Every slot is found by comparing it with the exported symbol of the function. Every entry of the vtable
//! must be a function that is known, because one that is not might be passed our blocks; if anything is not as
//! expected nothing is changed. The addon must never be unmapped afterwards.
#![expect(unsafe_code, reason = "calls and is called by C++ through a vtable")]

use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::OnceLock;

use super::allocator_symbols::Symbols;
use super::small_blocks;
use crate::memory::address::Address;
use crate::memory::block_source;
use crate::memory::fence::block::{self, Fenced};
use crate::memory::fence::report::{self, Found};
use crate::memory::fence::{block_map, exposed, quarantine};

type Object = *mut c_void;
type AllocateFn = unsafe extern "C" fn(Object, usize) -> *mut u8;
type FreeFn = unsafe extern "C" fn(Object, *mut u8, usize);
type ReallocateFn = unsafe extern "C" fn(Object, *mut u8, usize, usize) -> *mut u8;
type DestroyFn = unsafe extern "C" fn(Object);

/// The outcome of `install`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// The stand-in is in front of this isolate's allocator now.
    Now,
    /// It was already.
    Before,
}

struct Original {
    allocate: AllocateFn,
    allocate_uninitialized: AllocateFn,
    free: FreeFn,
    reallocate: Option<ReallocateFn>,
    count_in: FreeFn,
    count_out: FreeFn,
    destroy: DestroyFn,
    delete: DestroyFn,
}

const IN_FRONT: usize = 2;
const WORDS: usize = 16;

struct StandIn {
    original: Original,
    table: [usize; IN_FRONT + WORDS],
}

static STAND_IN: OnceLock<StandIn> = OnceLock::new();

/// # Safety
/// M11: the address is a function of the type `F`, a function pointer.
unsafe fn function<F: Copy>(address: Address) -> F {
    assert_eq!(size_of::<F>(), size_of::<usize>());
    // SAFETY: M11 by the contract of this function.
    unsafe { std::mem::transmute_copy(&address.as_ptr()) }
}

/// Puts the stand-in in front of the current isolate's allocator. `Err` says why it was not done.
///
/// # Errors
/// The first requirement that does not hold; then nothing was changed.
///
/// # Safety
/// M11: the symbols are those of the running executable, each of the function it is named after; this is a thread
/// with a current isolate; the caller keeps the addon mapped for good.
pub unsafe fn install(symbols: &Symbols) -> Result<Installed, &'static str> {
    // SAFETY: M11 by the contract of this function.
    let object = unsafe {
        let current_isolate: unsafe extern "C" fn() -> *mut c_void = function(symbols.current_isolate);
        let allocator_of: unsafe extern "C" fn(*mut c_void) -> *mut *const usize = function(symbols.allocator_of);
        let isolate = current_isolate();
        if isolate.is_null() { null_mut() } else { allocator_of(isolate) }
    };
    if object.is_null() {
        return Err("the isolate has no allocator");
    }
    // SAFETY: M11; the first word of a polymorphic C++ object is its vtable pointer.
    let table = unsafe { object.read() };
    if STAND_IN.get().is_some_and(|stand_in| std::ptr::eq(table, stand_in.address_point())) {
        return Ok(Installed::Before);
    }
    if table.addr() != symbols.vtable.get() + IN_FRONT * size_of::<usize>() {
        return Err("the allocator is not Node's own (another stand-in, or a debugging allocator)");
    }
    let stand_in = match STAND_IN.get() {
        Some(stand_in) => stand_in,
        None => {
            // SAFETY: M11; the vtable is Node's.
            let made = unsafe { StandIn::new(symbols, table) }?;
            STAND_IN.get_or_init(|| made)
        }
    };
    // SAFETY: M11; the copy has every entry of the original, and this thread is the isolate's.
    unsafe { object.write(stand_in.address_point()) };
    Ok(Installed::Now)
}

impl StandIn {
    fn address_point(&self) -> *const usize {
        // Made from the whole table: the engine reads what stands before and after it.
        self.table.as_ptr().wrapping_add(IN_FRONT)
    }

    /// # Safety
    /// M11: `table` is the address point of Node's vtable.
    unsafe fn new(symbols: &Symbols, table: *const usize) -> Result<Self, &'static str> {
        let mut copy = [0; IN_FRONT + WORDS];
        let words = symbols.vtable_bytes / size_of::<usize>();
        if !(IN_FRONT..=copy.len()).contains(&words) {
            return Err("the allocator's vtable is not of the expected length");
        }
        // SAFETY: M11; the symbol says how long the vtable is.
        unsafe { table.sub(IN_FRONT).copy_to_nonoverlapping(copy.as_mut_ptr(), words) };
        if !symbols.are_all_known(&copy[IN_FRONT..words]) {
            return Err("the allocator has a function that is not known");
        }
        let mut replace = |original: Address, ours: usize| {
            let slot = copy[IN_FRONT..].iter_mut().find(|entry| **entry == original.get());
            slot.map(|slot| *slot = ours).ok_or("a function of the allocator is not in its vtable")
        };
        replace(symbols.allocate, (allocate as AllocateFn as *const ()).expose_provenance())?;
        let uninitialized = (allocate_uninitialized as AllocateFn as *const ()).expose_provenance();
        replace(symbols.allocate_uninitialized, uninitialized)?;
        replace(symbols.free, (free as FreeFn as *const ()).expose_provenance())?;
        if let Some(reallocate) = symbols.reallocate {
            replace(reallocate, (self::reallocate as ReallocateFn as *const ()).expose_provenance())?;
        }
        replace(symbols.destroy, (destroy as DestroyFn as *const ()).expose_provenance())?;
        replace(symbols.delete, (delete as DestroyFn as *const ()).expose_provenance())?;
        // SAFETY: M11; the addresses are those of the mangled names, found in the running executable, and the types are
        // those that the names say.
        let original = unsafe {
            Original {
                allocate: function(symbols.allocate),
                allocate_uninitialized: function(symbols.allocate_uninitialized),
                free: function(symbols.free),
                reallocate: symbols.reallocate.map(|reallocate| function(reallocate)),
                count_in: function(symbols.count_in),
                count_out: function(symbols.count_out),
                destroy: function(symbols.destroy),
                delete: function(symbols.delete),
            }
        };
        Ok(Self { original, table: copy })
    }
}

fn original() -> &'static Original {
    match STAND_IN.get() {
        Some(stand_in) => &stand_in.original,
        // Our functions are reachable through the stand-in's table only.
        None => std::process::abort(),
    }
}

unsafe extern "C" fn allocate(object: Object, length: usize) -> *mut u8 {
    // SAFETY: M11; the engine calls with its own object.
    unsafe { fenced(object, length, original().allocate, true) }
}

unsafe extern "C" fn allocate_uninitialized(object: Object, length: usize) -> *mut u8 {
    // SAFETY: M11; the engine calls with its own object.
    unsafe { fenced(object, length, original().allocate_uninitialized, false) }
}

/// # Safety
/// M11: `object` is the allocator `allocate` belongs to.
unsafe fn fenced(object: Object, length: usize, allocate: AllocateFn, clears: bool) -> *mut u8 {
    let extra = block::overhead();
    let Some(total) = length.checked_add(extra).filter(|_| length > 0) else {
        // SAFETY: M11 by the contract of this function.
        return unsafe { allocate(object, length) };
    };
    if let Some(data) = shared(object, length, total, clears) {
        return data.as_ptr();
    }
    let is_small = length <= small_blocks::MOST_LENGTH;
    let allocated = || {
        // SAFETY: M11 by the contract of this function.
        if is_small { small(object, length, total, allocate) } else { unsafe { allocate(object, total) } }
    };
    let mut raw = allocated();
    if raw.is_null() && small_blocks::clear() {
        raw = allocated();
    }
    let Some(raw) = Address::new(raw.expose_provenance()) else { return null_mut() };
    // SAFETY: M8; `total` is the data and its fences.
    let block = unsafe { Fenced::build(raw, block::lead(), length) }.filter(|block| block_map::fits(block.data()));
    let Some(block) = block else {
        // SAFETY: M11; the registry cannot hold this address, so the block goes back and one without fences comes.
        return unsafe {
            if is_small {
                small_blocks::free(raw, length);
            } else {
                (original().free)(object, raw.as_ptr(), total)
            }
            allocate(object, length)
        };
    };
    block_map::insert(block.data());
    // A small block is counted once, and only its data is zeroed: that takes so little time that it does not matter
    // that Node may have said that it need not be done.
    // SAFETY: M8 for the data, which the original has zeroed where it was asked. M11;
    // `process.memoryUsage().arrayBuffers` counts what JavaScript sees.
    unsafe {
        if is_small {
            if clears {
                block.data().as_ptr().write_bytes(0, length);
            }
            (original().count_in)(object, block.data().as_ptr(), length);
        } else {
            (original().count_out)(object, raw.as_ptr(), extra);
        }
    }
    block.data().as_ptr()
}

/// Memory for a small block. Null where there is none.
fn small(object: Object, length: usize, total: usize, allocate: AllocateFn) -> *mut u8 {
    if let Some(raw) = small_blocks::allocate(length) {
        return raw.as_ptr();
    }
    // SAFETY: M11; the original asks the engine to free memory. What it finds is asked for again.
    unsafe {
        let found = allocate(object, total);
        if found.is_null() {
            return null_mut();
        }
        (original().free)(object, found, total);
    }
    small_blocks::allocate(length).map_or(null_mut(), Address::as_ptr)
}

/// A block of memory that other processes share, zeroed if it `clears`, where there is such memory. It counts as
/// JavaScript's.
fn shared(object: Object, length: usize, total: usize, clears: bool) -> Option<Address> {
    let source = block_source::shared()?;
    let (raw, is_zeroed) = source.allocate(total)?;
    let data = raw.as_ptr().wrapping_add(block::lead());
    // SAFETY: M8; `total` is the data and its fences. M11 for the counter of the engine's own object.
    let block = unsafe {
        if clears && !is_zeroed {
            data.write_bytes(0, length);
        }
        (original().count_in)(object, data, length);
        Fenced::build(raw, block::lead(), length)?
    };
    block_map::insert(block.data());
    Some(block.data())
}

/// Runs on V8's background threads too, and sees blocks from before the stand-in and from elsewhere.
unsafe extern "C" fn free(object: Object, data: *mut u8, length: usize) {
    let known = Address::new(data.expose_provenance()).and_then(|data| Some((data, block_map::begin_free(data)?)));
    let Some((block, _freeing)) = known else {
        // SAFETY: M11; not a block of ours.
        return unsafe { (original().free)(object, data, length) };
    };
    // SAFETY: M8; the registry knew it, and the engine frees it once.
    let block = unsafe { Fenced::at(block) };
    if !block.is_whole(length) {
        if let Some(breach) = block.breach(length) {
            report::push(Found::Freed, block, length, breach);
        }
        block.repair(length);
    }
    exposed::remove(block.data());
    if block.exposed_to() == 0 {
        // SAFETY: M11; the engine is done with the block.
        return unsafe { release_counted(block, length, object) };
    }
    // SAFETY: M10 and M11; the engine is done with the block, which no longer counts as JavaScript's.
    unsafe {
        (original().count_out)(object, data, length);
        quarantine::hold(block, length, object.expose_provenance(), release_held);
    }
}

/// As the C library's `realloc`: the bytes move to a block of the new length, and new ones are zero. Null, and nothing
/// has changed, where there is no memory.
unsafe extern "C" fn reallocate(object: Object, data: *mut u8, from: usize, to: usize) -> *mut u8 {
    let is_ours = Address::new(data.expose_provenance()).is_some_and(block_map::contains);
    // SAFETY: M11; the engine hands over memory of `from` bytes that it allocated here, and uses it no more where it
    // gets other memory.
    unsafe {
        if !is_ours {
            // The original is there, because it was replaced.
            return original().reallocate.map_or(null_mut(), |reallocate| reallocate(object, data, from, to));
        }
        let moved = fenced(object, to, original().allocate, true);
        if !moved.is_null() || to == 0 {
            data.copy_to_nonoverlapping(moved, from.min(to));
            free(object, data, from);
        }
        moved
    }
}

/// # Safety
/// M11: the block came from `object` and its data still counts as JavaScript's.
unsafe fn release_counted(block: Fenced, length: usize, object: Object) {
    let Some(raw) = Address::new(block.data().get() - block::lead()) else { return };
    let extra = block::overhead();
    if let Some(source) = block_source::shared().filter(|source| source.contains(block.data())) {
        // SAFETY: M11 by the contract of this function.
        unsafe { (original().count_out)(object, block.data().as_ptr(), length) };
        source.release(raw, length + extra);
        return;
    }
    // SAFETY: M11 by the contract of this function; `small_blocks` gave the memory of what is small.
    unsafe {
        if length > small_blocks::MOST_LENGTH {
            (original().count_in)(object, raw.as_ptr(), extra);
            (original().free)(object, raw.as_ptr(), length + extra);
        } else {
            (original().count_out)(object, block.data().as_ptr(), length);
            small_blocks::free(raw, length);
        }
    }
}

/// # Safety
/// M10 and M11: the block came from the allocator `origin`, which is alive (see [`destroy`]).
unsafe fn release_held(block: Fenced, length: usize, origin: usize) {
    let object = std::ptr::with_exposed_provenance_mut(origin);
    // SAFETY: by the contract of this function.
    unsafe {
        (original().count_in)(object, block.data().as_ptr(), length);
        release_counted(block, length, object);
    }
}

unsafe extern "C" fn destroy(object: Object) {
    quarantine::flush(object.expose_provenance());
    // SAFETY: M11; the engine ends its own object.
    unsafe { (original().destroy)(object) };
}

unsafe extern "C" fn delete(object: Object) {
    quarantine::flush(object.expose_provenance());
    // SAFETY: M11; the engine ends its own object.
    unsafe { (original().delete)(object) };
}

#[cfg(test)]
mod tests;
