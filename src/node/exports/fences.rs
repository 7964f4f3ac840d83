//! Fences, as JavaScript has them: the stand-in, `checkFences()`, late reports, and `alloc()`.
#![expect(unsafe_code, reason = "installs the stand-in and gives blocks to the engine")]

use std::ffi::c_void;
use std::ptr::null_mut;

use napi::bindgen_prelude::{Env, Object, Unknown};
use napi::{JsValue, sys};
use napi_derive::napi;

use crate::error::{FfiError, Side};
use crate::memory::address::Address;
use crate::memory::fence::block::{self, Breach, Fenced};
use crate::memory::fence::report::{self, Found, Report};
use crate::memory::fence::{block_map, exposed, heap, quarantine};
use crate::node::env::current;
use crate::node::env_waker::resource;
use crate::node::error::thrown;
use crate::node::js_address::{JsAddress, from_js};
use crate::node::threadsafe_function::ThreadsafeFunction;
use crate::node::value::{Pinned, Rooted};
use crate::v8::allocator;
use crate::v8::allocator_symbols::Symbols;
use crate::v8::symbols;

/// Sets the widths of the fences; false where the number is out of range. The first setting of the process counts.
#[napi]
pub fn set_fence_width(bytes: u32) -> bool {
    block::configure(bytes as usize)
}

/// The widths of the fences, before and after, and the distance from the start of a block to its data.
#[napi]
pub fn fence_widths() -> Vec<u32> {
    let widths = block::widths();
    vec![widths.before as u32, widths.after as u32, block::lead() as u32]
}

/// Sets the bounds of the quarantine.
#[napi]
pub fn set_quarantine(bytes: f64, count: f64) {
    quarantine::configure(bytes as usize, count as usize);
}

/// The bounds of the quarantine and its contents: bytes, count, held bytes, held count.
#[napi]
pub fn quarantine_state() -> Vec<f64> {
    let (bytes, count) = quarantine::bounds();
    let (held, held_bytes) = quarantine::held();
    vec![bytes as f64, count as f64, held_bytes as f64, held as f64]
}

/// Puts the stand-in in front of this isolate's allocator; a text says why it could not be.
#[napi]
pub fn install_fences() -> Option<String> {
    let install = || -> Result<(), &'static str> {
        let process = symbols::process().ok_or("the process cannot be searched for symbols")?;
        let symbols = Symbols::find(&process).ok_or("the executable does not export Node's allocator")?;
        if !crate::loader::library::keep_loaded() {
            return Err("the addon cannot be kept loaded");
        }
        // SAFETY: M11; the symbols are of the executable, and the addon is kept loaded.
        unsafe { allocator::install(&symbols) }.map(|_| ())
    };
    install().err().map(str::to_owned)
}

/// Checks every fence of the process to its full width, and repairs and reports breaches. Returns their number.
#[napi]
pub fn check_fences() -> u32 {
    let mut broken = 0;
    block_map::for_each(|data| {
        // SAFETY: M8; no block is freed while `for_each` runs.
        let block = unsafe { Fenced::at(data) };
        if block.is_abandoned() {
            return;
        }
        let given = || exposed::with(data, |known, length| (known == data).then_some(length)).flatten();
        let known = heap::known_length(data).or_else(|| block.length());
        let Some(length) = known.or_else(given).or_else(|| block.guess_length()) else {
            // A write before the block has destroyed its header, so its length is unknown until it is freed.
            let past = block::lead();
            report::push(Found::Checked, block, 0, Breach { side: Side::Before, first: -1, past });
            block.abandon();
            broken += 1;
            return;
        };
        if !block.is_whole(length)
            && let Some(breach) = block.breach(length)
        {
            report::push(Found::Checked, block, length, breach);
            block.repair(length);
            broken += 1;
        }
    });
    broken + quarantine::check() as u32
}

/// A breach that was found late.
#[napi(object)]
pub struct JsReport {
    /// `freed`, `quarantine` or `checked`.
    pub found: String,
    /// The bytes of the block.
    pub byte_length: f64,
    /// The first bad offset from the block's first byte.
    pub first_bad_offset: f64,
    /// The bytes past the end (before the start where the offset is negative).
    pub bytes_past: f64,
    /// Whether the write was before the block.
    pub before: bool,
    /// The function that received the address last.
    pub exposed_to: Option<String>,
}

impl From<Report> for JsReport {
    fn from(report: Report) -> Self {
        Self {
            found: match report.found {
                Found::Freed => "freed",
                Found::Quarantine => "quarantine",
                Found::Checked => "checked",
            }
            .into(),
            byte_length: report.length as f64,
            first_bad_offset: report.breach.first as f64,
            bytes_past: report.breach.past as f64,
            before: report.breach.side == Side::Before,
            exposed_to: report.exposed_to,
        }
    }
}

unsafe extern "C" fn forget_waker(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    report::remove_waker(data.addr());
}

/// Calls `callback` on this thread whenever a breach was found late, without keeping the process alive.
///
/// # Errors
/// Where the engine makes no threadsafe function.
#[napi]
pub fn on_report(env: Env, callback: Object<'_>) -> napi::Result<()> {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(1);
    let id = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let data = std::ptr::without_provenance_mut(id);
    let resource = resource(env.raw(), None);
    // SAFETY: M6 and M12; the finalizer removes the waker before the threadsafe function is gone.
    let waker = unsafe {
        ThreadsafeFunction::make(env.raw(), c"pinned-ffi report", resource, callback.raw(), None, data, forget_waker)
    };
    let Some(waker) = waker else {
        return Err(thrown(env, &FfiError::Internal { reason: "the engine refuses a threadsafe function".into() }));
    };
    report::add_waker(id, Box::new(move || waker.call()));
    Ok(())
}

/// Calls `listener` with the error of each call that has breached a fence, or whose process has ended, before it
/// is thrown.
///
/// # Errors
/// Where the environment is not attached.
#[napi]
pub fn on_failure(env: Env, listener: Object<'_>) -> napi::Result<()> {
    let environment = current(env)?;
    environment.failure_listener.set(environment.keep(listener.raw()));
    Ok(())
}

/// The breaches that were found late since the last time.
#[napi]
pub fn take_reports() -> Vec<JsReport> {
    report::take().into_iter().map(JsReport::from).collect()
}

/// Puts fences inside an ordinary ArrayBuffer, for engines without external buffers: where the data begins. The caller
/// keeps the buffer until [`forget_block`].
///
/// # Errors
/// Where the buffer is too small.
#[napi]
pub fn fence_inside(env: Env, buffer: Unknown<'_>, length: f64, align: u32) -> napi::Result<Option<u32>> {
    let (length, align) = (length as usize, (align as usize).max(16).next_power_of_two());
    let Ok(Pinned::Bytes(storage, _)) = Rooted::of(&buffer).storage() else { return Ok(None) };
    let raw = storage.view.start;
    let offset = (raw.get() + block::lead()).next_multiple_of(align) - raw.get();
    let end = offset.checked_add(length).and_then(|end| end.checked_add(block::widths().after));
    if end.is_none_or(|end| end > storage.view.length) {
        return Err(thrown(env, &FfiError::Internal { reason: "the buffer is too small for its fences".into() }));
    }
    // SAFETY: M8; checked above, and the caller keeps the buffer.
    let block = unsafe { Fenced::build(raw, offset, length) }.filter(|block| block_map::fits(block.data()));
    Ok(block.map(|block| {
        block_map::insert(block.data());
        exposed::note_inside();
        exposed::insert(block.data(), length);
        offset as u32
    }))
}

/// The bytes of fences, without the data.
#[napi]
pub fn fence_overhead() -> u32 {
    block::overhead() as u32
}

/// Forgets a block of [`fence_inside`], whose buffer may go now.
#[napi]
pub fn forget_block(address: JsAddress) {
    if let Some(data) = Address::new(from_js(address)) {
        drop(block_map::begin_free(data));
        exposed::remove(data);
    }
}

unsafe extern "C" fn free(env: sys::napi_env, data: *mut c_void, hint: *mut c_void) {
    let length = hint.addr();
    if let Some(data) = Address::new(data.expose_provenance()) {
        let mut total = 0;
        // SAFETY: M10; `alloc` gave exactly this block to exactly one finalizer.
        unsafe {
            sys::napi_adjust_external_memory(env, -(length as i64), &mut total);
            heap::free(Fenced::at(data), length);
        }
    }
}

/// An ArrayBuffer over a zeroed block of our own; null where the engine does not allow external buffers.
///
/// # Errors
/// Where there is no memory.
#[napi]
pub fn allocate<'env>(env: &'env Env, length: f64, align: u32) -> napi::Result<Option<Object<'env>>> {
    let length = length as usize;
    let Some(block) = heap::allocate(length, align as usize) else {
        return Err(thrown(*env, &FfiError::MemoryExhausted { wanted: length }));
    };
    let data = block.data().as_ptr().cast();
    let mut result = null_mut();
    // SAFETY: M8 and M10; the finalizer owns the block from here on.
    let status = unsafe {
        let hint = std::ptr::without_provenance_mut(length);
        sys::napi_create_external_arraybuffer(env.raw(), data, length, Some(free), hint, &mut result)
    };
    if status == sys::Status::napi_ok {
        let mut total = 0;
        // SAFETY: M6. V8 learns of the memory, so that it collects in time.
        unsafe { sys::napi_adjust_external_memory(env.raw(), length as i64, &mut total) };
        return Ok(Some(Object::from_raw(env.raw(), result)));
    }
    // SAFETY: M10; the engine did not take the block.
    unsafe { heap::free(block, length) };
    match status {
        sys::Status::napi_no_external_buffers_allowed => Ok(None),
        _ => Err(thrown(*env, &FfiError::MemoryExhausted { wanted: length })),
    }
}
