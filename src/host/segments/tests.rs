#![expect(unsafe_code, reason = "loads a library and looks at its memory")]

use super::*;
use crate::host::test_process::{End, in_child, own_arena};

fn header(p_type: u32, p_flags: u32, p_vaddr: u64, p_memsz: u64) -> Header {
    Header { p_type, p_flags, p_vaddr, p_memsz, p_offset: 0, p_paddr: 0, p_filesz: 0, p_align: 0 }
}

#[test]
fn what_is_read_only_after_relocation_is_left_out() {
    use libc::{PF_R, PF_W, PF_X, PT_GNU_RELRO, PT_LOAD};
    let ranges = writable_ranges(
        0x10_0000,
        &[
            header(PT_LOAD, PF_R | PF_X, 0, 0x5000),
            // As GNU ld has it: the beginning of the segment is read-only afterwards.
            header(PT_LOAD, PF_R | PF_W, 0x6e00, 0x2300),
            header(PT_GNU_RELRO, PF_R, 0x6e00, 0x1200),
            // As lld has it: a segment that is read-only as a whole.
            header(PT_LOAD, PF_R | PF_W, 0x1_0000, 0x1800),
            header(PT_GNU_RELRO, PF_R, 0x1_0000, 0x2000),
            header(PT_LOAD, PF_R | PF_W | PF_X, 0x2_0010, 0x10),
        ],
    );
    assert_eq!(ranges, [Range { address: 0x10_8000, bytes: 0x2000 }]);
}

#[test]
fn the_globals_of_a_library_lie_in_the_arena_too() {
    let end = in_child(|| {
        let arena = own_arena(16 << 20, 0);
        remember_own_files();
        // SAFETY: part of libc's package, with data; no other test of this process uses it.
        unsafe {
            let library = libc::dlopen(c"libresolv.so.2".as_ptr(), libc::RTLD_NOW);
            if library.is_null() {
                return 1;
            }
            let files = loaded_files();
            let known = TABLE.lock().files.clone();
            let range = files.iter().find(|file| !known.contains(&file.base)).and_then(|file| file.ranges.first());
            let Some(range) = range else { return 2 };
            let at = std::ptr::with_exposed_provenance_mut::<u8>(range.address);
            let before = *at.add(range.bytes - 1);
            *at.add(range.bytes - 1) = 77;
            if !share_new_files(arena, usize::MAX).is_empty() {
                return 3;
            }
            // They are known now, and another thread count does not change that.
            TABLE.lock().files.pop();
            let segments = share_new_files(arena, count_threads());
            let Some(segment) = segments.iter().find(|segment| segment.address == range.address) else { return 4 };
            let home = std::ptr::with_exposed_provenance_mut::<u8>(segment.home);
            if *home.add(range.bytes - 1) != 77 {
                return 5;
            }
            *home.add(range.bytes - 1) = before;
            if *at.add(range.bytes - 1) != before || share_new_files(arena, count_threads()).len() != segments.len() {
                return 6;
            }
            libc::dlclose(library);
            i32::from(share_new_files(arena, count_threads()).contains(segment)) * 7
        }
    });
    assert_eq!(end, End::Exited(0));
}
