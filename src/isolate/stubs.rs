//! C function pointers that mean the same callback in this process and in every host: pages of stubs at one address,
//! each a jump through a table beside it. Here the table has the callback's own code; in a host it has what sends the
//! call to this process. So function pointers need no translation, wherever they lie.
#![expect(unsafe_code, reason = "maps code")]

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::callback_result::CallbackResult;
use super::range::Range;
use crate::abi::signature::Signature;
use crate::call::invoke;
use crate::errno::Errno;
use crate::isolate::signature_code::arguments_at;
use crate::memory::address::Address;
use crate::memory::arg_buffer::{ArgBlock, bytes, set_bytes};

const PAGE: usize = 4096;
/// The bytes of a stub.
pub const STUB: usize = 16;
/// The stubs of a page.
pub const PER_PAGE: usize = PAGE / STUB;
/// A page of code and the table behind it.
pub const UNIT: usize = PAGE + PER_PAGE * size_of::<Entry>();
/// The pages there can be.
pub const MOST_PAGES: usize = 256;

/// An entry of a table: where its stub jumps, and what else the host keeps there.
#[repr(C)]
pub struct Entry {
    pub code: AtomicU64,
    pub spare: AtomicU64,
}

/// Maps a page of stubs with its table at an address that is reserved for it. The table is zeroed.
///
/// # Safety
/// The span is reserved for this, and is not in use.
pub unsafe fn map_page(base: usize) -> bool {
    let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
    let at: *mut u8 = std::ptr::with_exposed_provenance_mut(base);
    // SAFETY: by the contract of this function.
    unsafe {
        let mapped = libc::mmap(at.cast(), UNIT, libc::PROT_READ | libc::PROT_WRITE, anonymous, -1, 0);
        if mapped == libc::MAP_FAILED {
            return false;
        }
        for stub in 0..PER_PAGE {
            // lea r10, [rip + table]; jmp [r10]
            let entry = PAGE + stub * size_of::<Entry>();
            let distance = (entry - (stub * STUB + 7)) as u32;
            let mut code = [0xcc; STUB];
            code[..3].copy_from_slice(&[0x4c, 0x8d, 0x15]);
            code[3..7].copy_from_slice(&distance.to_le_bytes());
            code[7..10].copy_from_slice(&[0x41, 0xff, 0x22]);
            at.add(stub * STUB).copy_from_nonoverlapping(code.as_ptr(), STUB);
        }
        libc::mprotect(at.cast(), PAGE, libc::PROT_READ | libc::PROT_EXEC) == 0
    }
}

/// The address of a stub among the pages at `base`.
pub fn stub_at(base: usize, number: usize) -> usize {
    base + number / PER_PAGE * UNIT + number % PER_PAGE * STUB
}

/// The entry of a stub.
///
/// # Safety
/// The stub's page is mapped for as long as the process lives.
pub unsafe fn entry_at(base: usize, number: usize) -> &'static Entry {
    let at = base + number / PER_PAGE * UNIT + PAGE + number % PER_PAGE * size_of::<Entry>();
    // SAFETY: by the contract of this function; the fields are atomics.
    unsafe { &*std::ptr::with_exposed_provenance::<Entry>(at) }
}

/// A callback with a stub.
struct Stub {
    code: Address,
    signature: Arc<Signature>,
}

#[derive(Default)]
struct Stubs {
    all: Vec<Stub>,
    by_code: HashMap<usize, usize>,
}

struct Region {
    range: Range,
    stubs: Mutex<Stubs>,
    pages: AtomicU32,
}

static REGION: OnceLock<Option<Region>> = OnceLock::new();

fn region() -> Option<&'static Region> {
    REGION.get()?.as_ref()
}

fn locked(region: &Region) -> MutexGuard<'_, Stubs> {
    region.stubs.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reserves the addresses, before the first host. Where they are; `None` where there are none.
pub fn begin() -> Option<usize> {
    let reserve = || {
        let range = Range::reserve(MOST_PAGES * UNIT, 1 << 21)?;
        Some(Region { range, stubs: Mutex::default(), pages: AtomicU32::new(0) })
    };
    Some(REGION.get_or_init(reserve).as_ref()?.range.base)
}

/// The number of pages in use.
pub fn pages() -> u32 {
    region().map_or(0, |region| region.pages.load(Ordering::Acquire))
}

/// The address that stands for a callback's code everywhere: its stub, made where it has none. The code itself before
/// there is a host, and where there are too many.
pub fn public_address(code: Address, signature: &Arc<Signature>) -> Address {
    let Some(region) = region() else { return code };
    let mut stubs = locked(region);
    if let Some(number) = stubs.by_code.get(&code.get()) {
        return Address::new(stub_at(region.range.base, *number)).unwrap_or(code);
    }
    let number = stubs.all.len();
    let page = number / PER_PAGE;
    if page >= MOST_PAGES {
        return code;
    }
    if number.is_multiple_of(PER_PAGE) {
        // SAFETY: the region is reserved for this, and the page was not mapped before.
        if !unsafe { map_page(region.range.base + page * UNIT) } {
            return code;
        }
        region.pages.store(page as u32 + 1, Ordering::Release);
    }
    // SAFETY: the page was mapped above or earlier, and stays.
    unsafe { entry_at(region.range.base, number) }.code.store(code.get() as u64, Ordering::Release);
    stubs.all.push(Stub { code, signature: Arc::clone(signature) });
    stubs.by_code.insert(code.get(), number);
    Address::new(stub_at(region.range.base, number)).unwrap_or(code)
}

/// Whether an address is that of a stub.
pub fn is_stub(address: usize) -> bool {
    region().is_some_and(|region| region.range.contains(address, 1))
}

/// The stub of a callback's code, where it has one.
pub fn stub_of(code: usize) -> Option<usize> {
    let region = region()?;
    let number = *locked(region).by_code.get(&code)?;
    Some(stub_at(region.range.base, number))
}

/// The signature of a stub, by its number.
pub fn signature_of(number: u64) -> Option<Arc<Signature>> {
    let stubs = locked(region()?);
    Some(Arc::clone(&stubs.all.get(usize::try_from(number).ok()?)?.signature))
}

/// Calls the callback of a stub as C does, with arguments and an errno that a host has sent. `None` where there is no
/// such stub or the arguments are not its.
pub fn call(number: u64, arguments: &[u8], errno: i32) -> Option<CallbackResult> {
    let (code, signature) = target_of(number)?;
    let block = block_of(&signature, arguments)?;
    let here = Errno::here();
    here.set(errno);
    // SAFETY: U1; the code is that of a callback of this signature, which C may call with any arguments, and which
    // lives as long as the process (M7).
    let result = unsafe { invoke::enter(&signature, code, &block) };
    let errno = here.get();
    Some(CallbackResult { bytes: bytes(&result)[..signature.result_size()].to_vec(), errno })
}

fn target_of(number: u64) -> Option<(Address, Arc<Signature>)> {
    let stubs = locked(region()?);
    let stub = stubs.all.get(usize::try_from(number).ok()?)?;
    Some((stub.code, Arc::clone(&stub.signature)))
}

/// The arguments as the signature has them. Not on the stack, under which calls may nest.
#[inline(never)]
fn block_of(signature: &Signature, arguments: &[u8]) -> Option<Box<ArgBlock>> {
    let from = arguments_at(signature);
    if arguments.len() != signature.layout.size - from {
        return None;
    }
    let mut block = Box::new(ArgBlock::from_elem(0, signature.layout.size.div_ceil(16)));
    set_bytes(&mut block, from, arguments);
    Some(block)
}
