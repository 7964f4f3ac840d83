//! The window: addresses behind the arena at which this process gets its later mappings.
//!
//! The kernel places mappings below the highest free addresses of the mapping area. The host takes all of these that
//! lie above the window, without memory. Then libraries, thread stacks and large blocks land in the window, where the
//! parent has reserved the same addresses; so an address of the child is never one of the parent's own. The mappings
//! from before are reported to the parent, which reserves their addresses as well.
#![expect(unsafe_code, reason = "maps addresses")]

use std::ops::Range;

use crate::isolate::range::HIGHEST;

/// The range of a line of `/proc/self/maps`, and whether it is the main thread's stack.
fn mapping_of(line: &str) -> Option<(Range<usize>, bool)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let parse = |text| usize::from_str_radix(text, 16).ok();
    Some((parse(start)?..parse(end)?, rest.ends_with("[stack]")))
}

/// The gaps between the mappings of `maps` from an address on, up to the main thread's stack. The kernel grows that
/// downwards: it keeps the gap below it.
fn gaps(maps: &str, from: usize) -> Vec<(usize, usize)> {
    let mut gaps = Vec::new();
    let mut reached = from;
    for (mapping, is_stack) in maps.lines().filter_map(mapping_of) {
        if is_stack {
            break;
        }
        if mapping.start > reached {
            gaps.push((reached, mapping.start));
        }
        reached = reached.max(mapping.end);
    }
    gaps
}

/// The memory of `maps` from an address on, up to the main thread's stack. Neighbours are one span. Without the heap of
/// brk(): the system chooses its place from so few that those of two hosts would often meet.
fn spans(maps: &str, from: usize) -> Vec<(usize, usize)> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for line in maps.lines() {
        let Some((mapping, is_stack)) = mapping_of(line) else { continue };
        if is_stack {
            break;
        }
        let is_readable = line.split(' ').nth(1).is_some_and(|access| access.starts_with('r'));
        if mapping.start < from || !is_readable || line.ends_with("[heap]") {
            continue;
        }
        match spans.last_mut() {
            Some((_, end)) if *end == mapping.start => *end = mapping.end,
            _ => spans.push((mapping.start, mapping.end)),
        }
    }
    spans
}

/// Takes all free addresses from `end` on, so that later mappings lie below it. Returns the spans that have memory
/// there already, each from its start to its end. `None` where `/proc` is missing, or a limit on the address space
/// refuses: then mappings lie anywhere, as without this call.
///
/// # Safety
/// H1.
pub unsafe fn take_addresses_from(end: usize) -> Option<Vec<(usize, usize)>> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let mut are_taken = true;
    for (start, end) in gaps(&maps, end) {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
        let at = std::ptr::with_exposed_provenance_mut(start);
        // SAFETY: H1; a new mapping, which takes no other's place. Older kernels take the address for a hint.
        unsafe {
            let mapped = libc::mmap(at, end - start, libc::PROT_NONE, flags, -1, 0);
            if mapped != at {
                are_taken = false;
                if mapped != libc::MAP_FAILED {
                    libc::munmap(mapped, end - start);
                }
            }
        }
    }
    // Below are the arena and the stubs, which the parent has as well.
    are_taken.then(|| spans(&maps, HIGHEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::test_process::{End, in_child};

    #[test]
    fn gaps_end_at_the_stack() {
        let maps = "\
1000-2000 r-xp 00000000 00:00 0 /bin/x
4000-5000 rw-p 00000000 00:00 0
5000-6000 rw-p 00000000 00:00 0
9000-a000 rw-p 00000000 00:00 0          [stack]
c000-d000 r-xp 00000000 00:00 0          [vdso]
";
        assert_eq!(gaps(maps, 0x1800), [(0x2000, 0x4000)]);
        assert_eq!(gaps(maps, 0x3000), [(0x3000, 0x4000)]);
        assert_eq!(gaps(maps, 0x7000), []);
    }

    #[test]
    fn spans_have_memory_and_end_at_the_stack() {
        let maps = "\
1000-2000 r-xp 00000000 00:00 0 /bin/x
4000-5000 rw-p 00000000 00:00 0
5000-6000 r--p 00000000 00:00 0
6000-7000 ---p 00000000 00:00 0
7000-7800 rw-p 00000000 00:00 0          [heap]
8000-8800 rw-p 00000000 00:00 0
9000-a000 rw-p 00000000 00:00 0          [stack]
c000-d000 r-xp 00000000 00:00 0          [vdso]
";
        assert_eq!(spans(maps, 0x3000), [(0x4000, 0x6000), (0x8000, 0x8800)]);
    }

    #[test]
    fn later_mappings_lie_in_the_window() {
        const WINDOW: usize = 0x4000_0000_0000;
        let end = in_child(|| {
            // SAFETY: the child is a process for this test.
            if unsafe { take_addresses_from(WINDOW) }.is_none() {
                return 1;
            }
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
            for bytes in [4096, 1 << 20, 64 << 20, 8 << 30] {
                // SAFETY: a new mapping.
                let mapped = unsafe { libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0) };
                if mapped == libc::MAP_FAILED || mapped.addr() >= WINDOW || mapped.addr() < WINDOW - (64 << 30) {
                    return 2;
                }
            }
            // Threads and their stacks, and the heap, go on working.
            // libc has kept no stack as large as this one from before.
            let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(|| {
                let here = [0u8; 100_000];
                (format!("{}", here.len()), here.as_ptr().addr())
            });
            let Ok((text, address)) = thread.unwrap().join() else { return 3 };
            i32::from(text != "100000" || address >= WINDOW) * 4
        });
        assert_eq!(end, End::Exited(0));
    }
}
