//! Limits of the system under which Buffers must not be born in the arena: a page of it that is touched may then be
//! refused by a signal, where `malloc` would return NULL, and its addresses are missing elsewhere. Or its file could be
//! cut short.
#![expect(unsafe_code, reason = "asks for limits")]

use std::fs;

use super::memory_file;

/// Why there must be no arena; `None` where there may be one.
pub fn reason() -> Option<&'static str> {
    if is_address_space_limited() {
        return Some("the address space of the process is limited (ulimit -v)");
    }
    if commits_strictly() {
        return Some("the system commits no more memory than it has (vm.overcommit_memory is 2)");
    }
    (!memory_file::is_sealed()).then_some("the system refuses memory files (memfd_create)")
}

fn is_address_space_limited() -> bool {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the out-parameter is a local.
    unsafe { libc::getrlimit(libc::RLIMIT_AS, &mut limit) == 0 && limit.rlim_cur != libc::RLIM_INFINITY }
}

/// Whether the system refuses memory that it may not have.
fn commits_strictly() -> bool {
    fs::read_to_string("/proc/sys/vm/overcommit_memory").is_ok_and(|text| text.trim() == "2")
}
