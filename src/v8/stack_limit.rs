//! V8's stack limit. V8 lets JavaScript use 984 KB of the main thread's stack, which a hundred levels of JS -> C -> JS
//! fill. Where such levels nest, the limit is moved down once to seven eighths of what the thread really has
//! (`v8::Isolate::SetStackLimit`); the rest stays for C. Beyond it a recursion is a RangeError, as usual.
#![expect(unsafe_code, reason = "asks the system for the stack and calls an exported function of V8")]

use std::cell::Cell;
use std::ffi::c_void;

#[cfg(target_os = "linux")]
use super::isolate::current_isolate;
#[cfg(target_os = "linux")]
use super::symbols;
use crate::memory::address::Address;

/// The limit of an environment's stack, until it has been moved.
#[derive(Debug, Default)]
pub struct StackLimit {
    /// Below this address levels are nesting. Above all addresses until the stack is measured, 0 once nothing is left
    /// to do.
    deep: Cell<usize>,
    room: Cell<Option<StackRoom>>,
    /// The thread's own stack: its lowest address and its bytes, once a callback has come.
    bounds: Cell<(usize, usize)>,
}

#[derive(Clone, Copy, Debug)]
struct StackRoom {
    deep: usize,
    /// The limit to set then.
    limit: usize,
    isolate: Address,
    set_limit: Address,
}

/// Well above V8's own limit, so that the limit moves before V8 meets it.
const DEEP: usize = 384 * 1024;
/// No more than this is taken of a stack without a bound.
const MOST: usize = 8 << 20;

impl StackLimit {
    /// Allows the limit to be moved, if it is the main thread's. The stack is measured at the first callback.
    pub fn allow_move(&self) {
        self.deep.set(usize::MAX);
    }

    /// Whether this runs on the thread's own stack, if that is known, and not on that of a coroutine.
    #[inline]
    pub fn is_here(&self) -> bool {
        let here = 0u8;
        let here = (&raw const here).addr();
        let (lowest, size) = self.bounds.get();
        here.wrapping_sub(lowest) < size || self.is_in_bounds(here)
    }

    /// Measures again before anything is refused: the limit of the system may have been raised.
    #[cold]
    fn is_in_bounds(&self, here: usize) -> bool {
        let (lowest, size) = bounds().unwrap_or((0, usize::MAX));
        self.bounds.set((lowest, size));
        here.wrapping_sub(lowest) < size
    }

    /// Moves the limit if the callback that begins is deep in the stack.
    #[inline]
    pub fn deepen(&self) {
        let here = 0u8;
        let here = (&raw const here).addr();
        if here < self.deep.get() {
            self.move_limit(here);
        }
    }

    #[cold]
    fn move_limit(&self, here: usize) {
        if self.room.get().is_none() {
            self.room.set(measure());
        }
        let room = self.room.get();
        self.deep.set(room.map_or(0, |room| room.deep));
        if let Some(room) = room.filter(|room| here < room.deep) {
            self.deep.set(0);
            // SAFETY: M11; the symbol is `SetStackLimit` of the running executable, and the limit is inside the
            // thread's stack.
            unsafe {
                let set_limit: unsafe extern "C" fn(*mut c_void, usize) = std::mem::transmute(room.set_limit.as_ptr());
                set_limit(room.isolate.as_ptr().cast(), room.limit);
            }
        }
    }
}

#[cfg(target_os = "linux")]
fn measure() -> Option<StackRoom> {
    // SAFETY: U1; the functions have no preconditions.
    if unsafe { libc::gettid() != libc::getpid() } {
        return None;
    }
    let set_limit = symbols::process()?.find(symbols::ISOLATE_SET_STACK_LIMIT)?;
    let isolate = current_isolate()?;
    let (lowest, size) = bounds()?;
    let top = lowest.checked_add(size)?;
    let usable = size.min(MOST) / 8 * 7;
    (usable > 2 * DEEP).then_some(StackRoom { deep: top - DEEP, limit: top - usable, isolate, set_limit })
}

/// The lowest address and the bytes of this thread's stack.
#[cfg(target_os = "linux")]
fn bounds() -> Option<(usize, usize)> {
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::zeroed();
    let (mut lowest, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: M11; the out-parameters are locals, and the attributes are destroyed after they were filled.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let status = libc::pthread_attr_getstack(attributes.as_ptr(), &mut lowest, &mut size);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        (status == 0).then(|| grown(lowest.addr(), size))
    }
}

/// The bounds of a stack that grows, as it may become. musl tells what of the main thread's is mapped so far; glibc
/// tells the limit of the system.
#[cfg(all(target_os = "linux", target_env = "musl"))]
fn grown(lowest: usize, size: usize) -> (usize, usize) {
    let mut limit = std::mem::MaybeUninit::<libc::rlimit>::zeroed();
    // SAFETY: M11; the functions have no preconditions but that the structure is a local, which is filled.
    let limit = unsafe {
        if libc::gettid() != libc::getpid() || libc::getrlimit(libc::RLIMIT_STACK, limit.as_mut_ptr()) != 0 {
            return (lowest, size);
        }
        limit.assume_init().rlim_cur
    };
    let most = usize::try_from(limit).unwrap_or(usize::MAX).min(MOST).max(size);
    (lowest + size - most, most)
}

#[cfg(all(target_os = "linux", not(target_env = "musl")))]
const fn grown(lowest: usize, size: usize) -> (usize, usize) {
    (lowest, size)
}

#[cfg(not(target_os = "linux"))]
fn bounds() -> Option<(usize, usize)> {
    None
}

#[cfg(not(target_os = "linux"))]
fn measure() -> Option<StackRoom> {
    None
}
