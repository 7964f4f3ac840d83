//! Files of strangers, read as libraries: each is read or refused, whatever its bytes are.
#![no_main]

use core_of_pinned_ffi::loader::inspect;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(reports) = inspect::parse(data) {
        for report in reports {
            assert!(report.bits == 32 || report.bits == 64);
        }
    }
});
