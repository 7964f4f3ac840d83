//! Limits of resources.
#![expect(unsafe_code, reason = "calls the kernel")]

use super::super::heap::HEAP;
use crate::errno::Errno;

/// Limits private memory (RLIMIT_DATA), and the heap in the arena, to `bytes` each. The address space is not limited:
/// the arena and the window take up hundreds of gigabytes of it without using memory.
///
/// # Errors
/// The errno of `setrlimit`.
pub fn limit_memory(bytes: u64) -> Result<(), i32> {
    HEAP.limit(usize::try_from(bytes).unwrap_or(usize::MAX));
    limit(libc::RLIMIT_DATA, bytes, bytes)
}

/// Limits processor time. SIGXCPU comes first, because it names the cause; SIGKILL follows a second later.
///
/// # Errors
/// The errno of `setrlimit`.
pub fn limit_cpu(seconds: u64) -> Result<(), i32> {
    limit(libc::RLIMIT_CPU, seconds, seconds.saturating_add(1))
}

/// Lowers a limit; one that is lower stays.
fn limit(resource: libc::__rlimit_resource_t, soft: u64, hard: u64) -> Result<(), i32> {
    let mut now = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: H4; both structures are locals.
    unsafe {
        if libc::getrlimit(resource, &mut now) != 0 {
            return Err(Errno::here().get());
        }
        let wanted = libc::rlimit { rlim_cur: soft.min(now.rlim_cur), rlim_max: hard.min(now.rlim_max) };
        if libc::setrlimit(resource, &wanted) == 0 { Ok(()) } else { Err(Errno::here().get()) }
    }
}
