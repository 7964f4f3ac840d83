//! `pthread_create`, exported: threads that a library starts get an alternate signal stack, so that a stack overflow of
//! theirs is reported as that of a call is.
#![expect(unsafe_code, reason = "defines a function that C calls, and starts threads")]

use std::arch::naked_asm;
use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::trace::alternate_stack;

type Start = extern "C" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(*mut libc::pthread_t, *const libc::pthread_attr_t, Start, *mut c_void) -> c_int;

/// libc's function.
static CREATE: AtomicUsize = AtomicUsize::new(0);
/// Whether this process is a host.
static IS_HOST: AtomicBool = AtomicBool::new(false);

/// The start function of a thread, and its argument.
#[repr(C)]
struct Beginning {
    start: Start,
    argument: *mut c_void,
}

/// Prepares threads that are created from now on.
pub fn prepare_new_threads() {
    IS_HOST.store(true, Ordering::Release);
}

fn libc_create() -> Option<Create> {
    let mut address = CREATE.load(Ordering::Relaxed);
    if address == 0 {
        // SAFETY: the name is a C string.
        address = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) }.addr();
        CREATE.store(address, Ordering::Relaxed);
    }
    // SAFETY: libc's function of this name has this type.
    (address != 0).then(|| unsafe { std::mem::transmute::<usize, Create>(address) })
}

/// `pthread_create`.
unsafe extern "C" fn create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Start,
    argument: *mut c_void,
) -> c_int {
    let Some(create) = libc_create() else { return libc::ENOSYS };
    // SAFETY: by the contract of pthread_create(). The beginning is the new thread's, or freed here.
    unsafe {
        if !IS_HOST.load(Ordering::Acquire) {
            return create(thread, attributes, start, argument);
        }
        let beginning = libc::malloc(size_of::<Beginning>()).cast::<Beginning>();
        if beginning.is_null() {
            return libc::EAGAIN;
        }
        *beginning = Beginning { start, argument };
        let entry = std::mem::transmute::<unsafe extern "C" fn(), Start>(begin);
        let result = create(thread, attributes, entry, beginning.cast());
        if result != 0 {
            libc::free(beginning.cast());
        }
        result
    }
}

/// Where a thread begins: prepares it and jumps to its function. No frame of ours stays on the stack: `pthread_exit`
/// and cancellation unwind it, which code of Rust must not take part in.
#[unsafe(naked)]
unsafe extern "C" fn begin() {
    naked_asm!(
        ".cfi_startproc",
        "push rbx",
        ".cfi_def_cfa_offset 16",
        "call {prepare}",
        "mov rdi, rdx",
        "pop rbx",
        ".cfi_def_cfa_offset 8",
        "jmp rax",
        ".cfi_endproc",
        prepare = sym prepare,
    )
}

/// Prepares this thread. The result is returned in rax and rdx.
unsafe extern "C" fn prepare(beginning: *mut Beginning) -> Beginning {
    alternate_stack::prepare_thread(alternate_stack::STACK);
    // SAFETY: create() has made it for this thread.
    unsafe {
        let Beginning { start, argument } = *beginning;
        libc::free(beginning.cast());
        Beginning { start, argument }
    }
}

/// See [`create`]. Naked, as the functions in `heap/exports.rs` are.
#[cfg(not(test))]
#[unsafe(naked)]
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create() {
    naked_asm!("jmp {}", sym create)
}

#[cfg(test)]
mod tests {
    use std::ptr::{null, null_mut};

    use super::*;
    use crate::host::crash;
    use crate::host::test_process::{End, in_child, shared};
    use crate::isolate::death_report::{Death, DeathReport, MAX_FRAMES};

    /// The result of a thread of [`create`].
    fn run(start: Start, argument: usize) -> usize {
        // SAFETY: as pthread_create() and pthread_join().
        unsafe {
            let (mut thread, mut result) = (0, null_mut());
            assert_eq!(create(&mut thread, null(), start, std::ptr::without_provenance_mut(argument)), 0);
            assert_eq!(libc::pthread_join(thread, &mut result), 0);
            result.addr()
        }
    }

    extern "C" fn has_signal_stack(argument: *mut c_void) -> *mut c_void {
        // SAFETY: the structure is a local.
        let size = unsafe {
            let mut current = std::mem::zeroed::<libc::stack_t>();
            libc::sigaltstack(null(), &mut current);
            if current.ss_flags & libc::SS_DISABLE == 0 { current.ss_size } else { 0 }
        };
        std::ptr::without_provenance_mut(argument.addr() + size)
    }

    extern "C" fn overflow(_: *mut c_void) -> *mut c_void {
        #[expect(unconditional_recursion, reason = "overflows the stack")]
        fn deeper(level: u64) -> u64 {
            let here = std::hint::black_box([level; 64]);
            deeper(level + 1) + here[(level % 64) as usize]
        }
        std::ptr::without_provenance_mut(deeper(0) as usize)
    }

    #[test]
    fn a_thread_gets_its_argument_and_a_signal_stack() {
        let end = in_child(|| {
            let before = run(has_signal_stack, 7);
            prepare_new_threads();
            i32::from(before != 7 || run(has_signal_stack, 7) <= 32 * 1024)
        });
        assert_eq!(end, End::Exited(0));
    }

    #[test]
    fn an_overflow_of_a_thread_is_reported() {
        let report = shared(DeathReport::EMPTY);
        let end = in_child(|| {
            // SAFETY: the child is a process for this test.
            unsafe { crash::install(report) };
            prepare_new_threads();
            run(overflow, 0) as i32
        });
        assert_eq!(end, End::Killed(libc::SIGSEGV));
        // SAFETY: the report is mapped.
        assert_eq!(unsafe { Death::read(report) }.unwrap().frames.len(), MAX_FRAMES);
    }
}
