//! A stack for signal handlers, one for each thread: after a stack overflow the thread has no other.
#![expect(unsafe_code, reason = "maps memory and registers it with the kernel")]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::null_mut;

/// The unwinder, the loader's tables, a nested fault and the handlers of others fit in with room to spare.
pub const STACK: usize = 64 * 1024;
/// Below the stack, not accessible: a handler that needs more faults. The largest page of any platform.
const GUARD: usize = 64 * 1024;

struct AlternateStack(*mut c_void);

thread_local!(static ALTERNATE: RefCell<Option<AlternateStack>> = const { RefCell::new(None) });

/// Gives the calling thread an alternate signal stack, if it has none of at least `enough` bytes (0: one of any size
/// does). It is unmapped when the thread ends. Nothing happens where there is no memory for it.
pub fn prepare_thread(enough: usize) {
    // In the destructors of a thread that ends there is nothing to prepare any more.
    let _ = ALTERNATE.try_with(|slot| {
        let mut slot = slot.borrow_mut();
        if slot.is_none() {
            *slot = AlternateStack::new(enough);
        }
    });
}

impl AlternateStack {
    fn new(enough: usize) -> Option<Self> {
        // SAFETY: M17; the structures are locals, and the mapping is new and this thread's own.
        unsafe {
            let mut current = std::mem::zeroed::<libc::stack_t>();
            if libc::sigaltstack(std::ptr::null(), &mut current) != 0
                || (current.ss_flags & libc::SS_DISABLE == 0 && current.ss_size >= enough)
            {
                return None;
            }
            let kind = libc::MAP_PRIVATE | libc::MAP_ANON;
            let memory = libc::mmap(null_mut(), GUARD + STACK, libc::PROT_NONE, kind, -1, 0);
            if memory == libc::MAP_FAILED {
                return None;
            }
            let mapping = Self(memory);
            let usable = memory.byte_add(GUARD);
            let stack = libc::stack_t { ss_sp: usable, ss_flags: 0, ss_size: STACK };
            let is_ready = libc::mprotect(usable, STACK, libc::PROT_READ | libc::PROT_WRITE) == 0
                && libc::sigaltstack(&stack, null_mut()) == 0;
            is_ready.then_some(mapping)
        }
    }
}

impl Drop for AlternateStack {
    fn drop(&mut self) {
        // SAFETY: M17; the mapping is given back only where the kernel does not use it.
        unsafe {
            let mut current = std::mem::zeroed::<libc::stack_t>();
            libc::sigaltstack(std::ptr::null(), &mut current);
            if current.ss_sp == self.0.byte_add(GUARD) {
                let none = libc::stack_t { ss_sp: null_mut(), ss_flags: libc::SS_DISABLE, ss_size: STACK };
                if libc::sigaltstack(&none, null_mut()) != 0 {
                    return;
                }
            }
            libc::munmap(self.0, GUARD + STACK);
        }
    }
}
