//! Stacks of call threads in the arena: a callback that gets the address of a local variable of C reads it in place.
//!
//! A thread keeps its ordinary stack, on which libc has its thread-local variables, and switches to one in the arena
//! for as long as it serves calls. The ordinary stack is idle meanwhile, and `fork` runs on it (`fork.rs`).
//! `pthread_getattr_np` is exported so that code that asks for the bounds of its stack gets those of the stack it runs
//! on.
//!
//! Below a stack lie pages that cannot be accessed. Without them a stack overflow would run through the heap, and into
//! Buffers of JavaScript, and never fault.
#![expect(unsafe_code, reason = "switches stacks")]

use std::arch::{asm, naked_asm};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};

use super::heap::{HEAP, Heap};

const PAGE: usize = 4096;
/// Bytes below a stack that cannot be accessed: more than the frame of any sensible function. They cost addresses only.
const GUARD: usize = 1 << 20;
/// The first glibc whose `system` and `popen` do not call `fork` inside of libc, where it would use the arena's stack.
const SAFE_GLIBC: (u32, u32) = (2, 30);

/// A stack in the arena.
#[derive(Debug)]
pub struct ArenaStack {
    heap: &'static Heap,
    /// The first address, of the guard.
    start: usize,
    /// The bytes of the guard and the stack.
    bytes: usize,
}

/// The stack in the arena that a thread runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Current {
    /// The lowest address that can be used.
    pub low: usize,
    /// One past the highest.
    pub high: usize,
    /// The stack pointer of the thread's ordinary stack. What lies below is not used.
    pub ordinary: usize,
}

thread_local!(static CURRENT: Cell<Option<Current>> = const { Cell::new(None) });

impl ArenaStack {
    /// Takes the pages of a stack of at least `bytes` out of the heap. `None` if the heap has no region or no room, or
    /// if this libc forks internally on the stack of its caller: then the thread's ordinary stack is the one to use.
    pub fn new(bytes: usize) -> Option<Self> {
        if !is_libc_safe() {
            return None;
        }
        Self::in_heap(&HEAP, bytes)
    }

    fn in_heap(heap: &'static Heap, bytes: usize) -> Option<Self> {
        let bytes = bytes.checked_next_multiple_of(PAGE)?.checked_add(GUARD)?;
        if !heap.is_attached() {
            return None;
        }
        let start = heap.take_pages(bytes);
        if start == 0 {
            return None;
        }
        let stack = Self { heap, start, bytes };
        // SAFETY: H3; the pages are this stack's.
        let is_guarded = unsafe { libc::mprotect(pointer(start), GUARD, libc::PROT_NONE) } == 0;
        is_guarded.then_some(stack)
    }

    /// Calls a function on this stack. It must not unwind: a panic aborts the process.
    pub fn run<R>(&mut self, function: impl FnOnce() -> R) -> R {
        let (low, high) = (self.start + GUARD, self.start + self.bytes);
        // SAFETY: the stack is this value's, which is borrowed exclusively: no other call runs on it.
        unsafe {
            call_on(high, |ordinary| {
                let outer = CURRENT.replace(Some(Current { low, high, ordinary }));
                let result = function();
                CURRENT.set(outer);
                result
            })
        }
    }
}

impl Drop for ArenaStack {
    fn drop(&mut self) {
        // SAFETY: H3; no call runs on the stack, because run() borrows it. Its pages are used for other blocks from now
        // on.
        unsafe {
            let access = libc::PROT_READ | libc::PROT_WRITE;
            if libc::mprotect(pointer(self.start), GUARD, access) == 0 {
                self.heap.give_pages(self.start, self.bytes);
            }
        }
    }
}

/// The stack in the arena that the calling thread runs on right now.
pub fn current() -> Option<Current> {
    let sp: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rsp", out(reg) sp, options(nomem, nostack, preserves_flags)) };
    CURRENT.try_with(Cell::get).ok().flatten().filter(|stack| (stack.low..stack.high).contains(&sp))
}

/// The guard of the arena's stack that the calling thread has, also while it runs on its ordinary one: the first
/// address and the bytes.
pub fn guard_of_thread() -> Option<(usize, usize)> {
    let stack = CURRENT.try_with(Cell::get).ok().flatten()?;
    Some((stack.low - GUARD, GUARD))
}

type Begin = unsafe extern "C" fn(*mut c_void, usize);

/// Calls `begin(argument, stack pointer of before)` on the stack that ends at `top`, which is a multiple of 16.
///
/// # Safety
/// The stack is not in use, and `begin` accepts the argument.
#[unsafe(naked)]
unsafe extern "C" fn switch(argument: *mut c_void, begin: Begin, top: usize) {
    naked_asm!(
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "mov rsp, rdx",
        "mov rax, rsi",
        "mov rsi, rbp",
        "call rax",
        "mov rsp, rbp",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}

/// Calls a function on the stack that ends at `top`, a multiple of 16. It gets the stack pointer of before. A panic
/// aborts the process.
///
/// # Safety
/// The stack is not used otherwise until this returns.
unsafe fn call_on<R, F: FnOnce(usize) -> R>(top: usize, function: F) -> R {
    struct Call<F, R>(Option<F>, Option<R>);
    unsafe extern "C" fn begin<R, F: FnOnce(usize) -> R>(call: *mut c_void, before: usize) {
        // SAFETY: call_on() passes its local, which outlives this call.
        let call = unsafe { &mut *call.cast::<Call<F, R>>() };
        call.1 = call.0.take().map(|function| function(before));
    }
    let mut call = Call(Some(function), None);
    // SAFETY: by the contract of this function.
    unsafe { switch((&raw mut call).cast(), begin::<R, F>, top) };
    match call.1 {
        Some(result) => result,
        None => std::process::abort(),
    }
}

/// Calls a function on the idle part of the thread's ordinary stack, if the thread runs on one in the arena.
pub fn on_ordinary_stack<R>(function: impl FnOnce() -> R) -> R {
    match current() {
        // SAFETY: below its stack pointer, and the red zone under it, the ordinary stack is idle.
        Some(stack) => unsafe { call_on((stack.ordinary - 256) & !15, |_| function()) },
        None => function(),
    }
}

fn pointer(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

unsafe extern "C" {
    fn gnu_get_libc_version() -> *const c_char;
}

fn is_libc_safe() -> bool {
    // SAFETY: the function has no preconditions; the text is a constant.
    let version = unsafe { CStr::from_ptr(gnu_get_libc_version()) };
    version_of(version.to_str().unwrap_or_default()).is_none_or(|version| version >= SAFE_GLIBC)
}

fn version_of(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.split_once('.')?;
    let minor = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// `pthread_getattr_np` for all libraries of a host: of the calling thread's stack in the arena, its bounds.
///
/// # Safety
/// As that of libc.
unsafe extern "C" fn thread_attributes(thread: libc::pthread_t, attributes: *mut libc::pthread_attr_t) -> c_int {
    type Function = unsafe extern "C" fn(libc::pthread_t, *mut libc::pthread_attr_t) -> c_int;
    // SAFETY: libc's function comes after ours, and has this type. The rest by the contract of this function.
    unsafe {
        let function = libc::dlsym(libc::RTLD_NEXT, c"pthread_getattr_np".as_ptr());
        if function.is_null() {
            return libc::ENOSYS;
        }
        let result = std::mem::transmute::<*mut c_void, Function>(function)(thread, attributes);
        if result == 0
            && libc::pthread_self() == thread
            && let Some(stack) = current()
        {
            return libc::pthread_attr_setstack(attributes, pointer(stack.low), stack.high - stack.low);
        }
        result
    }
}

/// See [`thread_attributes`]. Naked, as the functions in `heap/exports.rs` are.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_getattr_np() {
    naked_asm!("jmp {}", sym thread_attributes)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;
    use crate::host::crash;
    use crate::host::heap::test_heap;
    use crate::host::test_process::{End, in_child, shared};
    use crate::isolate::death_report::{Cause, Death, DeathReport};

    fn stack(bytes: usize) -> ArenaStack {
        ArenaStack::in_heap(test_heap(64 << 20), bytes).unwrap()
    }

    fn is_inside(stack: &ArenaStack, address: usize) -> bool {
        (stack.start + GUARD..stack.start + stack.bytes).contains(&address)
    }

    #[test]
    fn locals_lie_in_the_arena_and_results_come_back() {
        let mut stack = stack(100_000);
        let text = String::from("moved in and out");
        assert_eq!(current(), None);
        let (address, text, here) = stack.run(|| {
            let local = black_box(7);
            ((&raw const local).addr(), text + "!", current().unwrap())
        });
        assert!(is_inside(&stack, address));
        assert_eq!((text.as_str(), here.low), ("moved in and out!", stack.start + GUARD));
        assert_eq!(current(), None);
    }

    #[test]
    fn what_runs_on_the_ordinary_stack_does_not_lie_in_the_arena() {
        let mut stack = stack(100_000);
        let (outer, inner, after) = stack.run(|| {
            let outer = black_box(1);
            let inner = on_ordinary_stack(|| {
                assert_eq!(current(), None);
                let local = black_box(2);
                (&raw const local).addr()
            });
            ((&raw const outer).addr(), inner, current().is_some())
        });
        assert!(is_inside(&stack, outer) && !is_inside(&stack, inner) && after);
    }

    #[test]
    fn libc_is_told_the_bounds_of_the_stack() {
        let mut stack = stack(100_000);
        let bounds = || {
            // SAFETY: the structures are locals.
            unsafe {
                let (mut attributes, mut low, mut bytes) = (std::mem::zeroed(), std::ptr::null_mut(), 0);
                assert_eq!(thread_attributes(libc::pthread_self(), &mut attributes), 0);
                libc::pthread_attr_getstack(&attributes, &mut low, &mut bytes);
                libc::pthread_attr_destroy(&mut attributes);
                (low.addr(), bytes)
            }
        };
        assert_eq!(stack.run(bounds), (stack.start + GUARD, stack.bytes - GUARD));
        assert_ne!(bounds().0, stack.start + GUARD);
    }

    #[test]
    fn an_overflow_is_a_fault_in_the_guard() {
        #[expect(unconditional_recursion, reason = "overflows the stack")]
        fn deeper(level: u64) -> u64 {
            let here = black_box([level; 64]);
            deeper(level + 1) + here[(level % 64) as usize]
        }
        let report = shared(DeathReport::EMPTY);
        let mut stack = stack(256 << 10);
        let end = in_child(|| {
            // SAFETY: the child is a process for this test.
            unsafe { crash::install(report) };
            stack.run(|| deeper(0)) as i32
        });
        assert_eq!(end, End::Killed(libc::SIGSEGV));
        // SAFETY: the report is mapped.
        let death = unsafe { Death::read(report) }.unwrap();
        let Cause::Signal { address: Some(address), .. } = death.cause else { panic!("{death:?}") };
        assert!((stack.start..stack.start + GUARD).contains(&(address as usize)), "{address:#x}");
        assert_eq!(death.frames.len(), crate::isolate::death_report::MAX_FRAMES);
    }

    #[test]
    fn a_crash_on_the_stack_has_the_frames_of_both_stacks() {
        let report = shared(DeathReport::EMPTY);
        let mut stack = stack(256 << 10);
        in_child(|| {
            // SAFETY: the child is a process for this test.
            unsafe { crash::install(report) };
            stack.run(|| std::process::abort())
        });
        // SAFETY: the report is mapped.
        let death = unsafe { Death::read(report) }.unwrap();
        // The frames of the harness thread that has called run() end in libc's start of threads.
        let last = death.frames.last().unwrap().to_string();
        assert!(death.frames.len() > 10 && last.contains("libc.so"), "{death:?}");
    }

    #[test]
    fn a_stack_is_given_back() {
        let heap = test_heap(8 << 20);
        for _ in 0..100 {
            let mut stack = ArenaStack::in_heap(heap, 2 << 20).unwrap();
            assert_eq!(stack.run(|| black_box([1u8; 100_000])[5]), 1);
        }
        assert!(ArenaStack::in_heap(heap, 20 << 20).is_none());
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(version_of("2.36"), Some((2, 36)));
        assert_eq!(version_of("2.9.1"), Some((2, 9)));
        assert!(version_of("2.28").unwrap() < SAFE_GLIBC && version_of("2.100").unwrap() > SAFE_GLIBC);
    }
}
