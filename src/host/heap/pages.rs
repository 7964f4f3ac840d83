//! Runs of pages of the heap's region: what the allocators of small blocks and large blocks are made of.
//!
//! Free runs are listed outside of the region, so that they cost no page of it and cannot be overwritten by a block
//! that overflows. A run is *clean* if its bytes are zero, which saves `calloc` the work.
#![expect(unsafe_code, reason = "maps the list of free runs, and gives pages back to the kernel")]

use std::ptr::null_mut;

use super::HeapRegion;

/// x86-64 has pages of this size.
pub const PAGE: usize = 4096;
/// A free run that is not clean and as long as this is given back to the kernel: to clear it would take longer.
const LARGE_RUN: usize = 16 << 20;
/// All free runs are given back when more than this is free and not clean.
const MOST_DIRTY: usize = 64 << 20;
/// The most free runs that can be listed. The list is mapped at once; its pages cost nothing until they are used.
const MOST_RUNS: usize = 1 << 16;

/// A run of free pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    start: usize,
    bytes: usize,
    is_clean: bool,
}

/// Pages that were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    pub start: usize,
    /// Whether all bytes are zero.
    pub is_clean: bool,
}

/// The pages of a region.
#[derive(Debug)]
pub struct Pages {
    /// Pages from here to `end` were never taken.
    next: usize,
    end: usize,
    runs: *mut Run,
    run_count: usize,
    dirty_bytes: usize,
}

// SAFETY: the list of runs is this value's own mapping.
unsafe impl Send for Pages {}

impl Pages {
    /// No pages at all.
    pub const fn new() -> Self {
        Self { next: 0, end: 0, runs: null_mut(), run_count: 0, dirty_bytes: 0 }
    }

    /// Takes over a region. False if there is no memory for the list of runs, or the region is empty.
    pub fn attach(&mut self, region: HeapRegion) -> bool {
        let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping.
        let list =
            unsafe { libc::mmap(null_mut(), MOST_RUNS * size_of::<Run>(), access, kind | libc::MAP_NORESERVE, -1, 0) };
        if list == libc::MAP_FAILED {
            return false;
        }
        self.runs = list.cast();
        self.next = region.base.next_multiple_of(PAGE);
        self.end = region.base.saturating_add(region.len) & !(PAGE - 1);
        self.next < self.end
    }

    /// Takes no more pages from an address on.
    pub fn limit(&mut self, end: usize) {
        self.end = self.end.min(end & !(PAGE - 1)).max(self.next);
    }

    /// One past the last page that was ever taken.
    pub fn high_water(&self) -> usize {
        self.next
    }

    fn run(&self, index: usize) -> Run {
        debug_assert!(index < self.run_count);
        // SAFETY: the list has MOST_RUNS entries, and those below `run_count` were written.
        unsafe { *self.runs.add(index) }
    }

    fn set_run(&mut self, index: usize, run: Run) {
        debug_assert!(index < self.run_count);
        if !self.run(index).is_clean {
            self.dirty_bytes -= self.run(index).bytes;
        }
        if !run.is_clean {
            self.dirty_bytes += run.bytes;
        }
        // SAFETY: as above.
        unsafe { *self.runs.add(index) = run };
    }

    /// Puts a run into the list. False if the list is full: the pages are lost.
    fn insert_run(&mut self, index: usize, run: Run) -> bool {
        if self.run_count == MOST_RUNS {
            return false;
        }
        // SAFETY: the entries from `index` on move by one, and there is room for one more.
        unsafe {
            let at = self.runs.add(index);
            at.copy_to(at.add(1), self.run_count - index);
            *at = run;
        }
        self.run_count += 1;
        if !run.is_clean {
            self.dirty_bytes += run.bytes;
        }
        true
    }

    fn remove_run(&mut self, index: usize) {
        let run = self.run(index);
        if !run.is_clean {
            self.dirty_bytes -= run.bytes;
        }
        // SAFETY: the entries behind `index` move by one.
        unsafe {
            let at = self.runs.add(index);
            at.copy_from(at.add(1), self.run_count - index - 1);
        }
        self.run_count -= 1;
    }

    /// The index of the first run that begins at or behind an address.
    fn position(&self, start: usize) -> usize {
        let (mut low, mut high) = (0, self.run_count);
        while low < high {
            let middle = low.midpoint(high);
            if self.run(middle).start < start {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// Takes pages; `bytes` is a multiple of [`PAGE`], `align` a power of two of at least that.
    pub fn take(&mut self, bytes: usize, align: usize) -> Option<Taken> {
        for index in 0..self.run_count {
            let run = self.run(index);
            let start = run.start.checked_next_multiple_of(align)?;
            let before = start - run.start;
            if run.bytes < before || run.bytes - before < bytes {
                continue;
            }
            let after = run.bytes - before - bytes;
            match (before, after) {
                (0, 0) => self.remove_run(index),
                (0, _) => self.set_run(index, Run { start: start + bytes, bytes: after, ..run }),
                (_, 0) => self.set_run(index, Run { bytes: before, ..run }),
                _ => {
                    self.set_run(index, Run { bytes: before, ..run });
                    self.insert_run(index + 1, Run { start: start + bytes, bytes: after, ..run });
                }
            }
            return Some(Taken { start, is_clean: run.is_clean });
        }
        let start = self.next.checked_next_multiple_of(align)?;
        if bytes > self.end.checked_sub(start)? {
            return None;
        }
        let skipped = self.next;
        self.next = start + bytes;
        if skipped < start {
            self.put(Run { start: skipped, bytes: start - skipped, is_clean: true });
        }
        Some(Taken { start, is_clean: true })
    }

    /// Takes the pages that follow `end`, for a block that grows in place. Whether they were clean; `None` if they are
    /// not free.
    pub fn extend(&mut self, end: usize, bytes: usize) -> Option<bool> {
        let index = self.position(end);
        if index < self.run_count && self.run(index).start == end {
            let run = self.run(index);
            if run.bytes < bytes {
                return None;
            }
            if run.bytes == bytes {
                self.remove_run(index);
            } else {
                self.set_run(index, Run { start: end + bytes, bytes: run.bytes - bytes, ..run });
            }
            return Some(run.is_clean);
        }
        if end == self.next && bytes <= self.end - end {
            self.next = end + bytes;
            return Some(true);
        }
        None
    }

    /// Gives pages back that were taken.
    pub fn give(&mut self, start: usize, bytes: usize) {
        self.put(Run { start, bytes, is_clean: false });
        if self.dirty_bytes > MOST_DIRTY {
            for index in 0..self.run_count {
                self.clean(index);
            }
        }
    }

    /// Adds a free run, and joins it with its neighbours.
    fn put(&mut self, mut run: Run) {
        let mut index = self.position(run.start);
        if index < self.run_count && run.start + run.bytes == self.run(index).start {
            let next = self.run(index);
            run = Run { bytes: run.bytes + next.bytes, is_clean: run.is_clean && next.is_clean, ..run };
            self.remove_run(index);
        }
        if index > 0 && self.run(index - 1).start + self.run(index - 1).bytes == run.start {
            let before = self.run(index - 1);
            let is_clean = run.is_clean && before.is_clean;
            run = Run { start: before.start, bytes: before.bytes + run.bytes, is_clean };
            index -= 1;
            self.remove_run(index);
        }
        if self.insert_run(index, run) && run.bytes >= LARGE_RUN {
            self.clean(index);
        }
    }

    /// Gives the memory of a free run back to the kernel, which zeroes it.
    fn clean(&mut self, index: usize) {
        let run = self.run(index);
        if run.is_clean {
            return;
        }
        // SAFETY: H3; the pages of a free run are not in use.
        let result =
            unsafe { libc::madvise(std::ptr::with_exposed_provenance_mut(run.start), run.bytes, libc::MADV_REMOVE) };
        if result == 0 {
            self.set_run(index, Run { is_clean: true, ..run });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: usize = 0x10_0000_0000;

    /// Pages of addresses that are never read or written.
    fn pages(count: usize) -> Pages {
        let mut pages = Pages::new();
        assert!(pages.attach(HeapRegion { base: BASE, len: count * PAGE, arena: (BASE, count * PAGE) }));
        pages
    }

    fn start(taken: Option<Taken>) -> usize {
        (taken.unwrap().start - BASE) / PAGE
    }

    #[test]
    fn runs_are_split_and_joined() {
        let mut pages = pages(16);
        let [a, b, c, d] = [1, 2, 3, 4].map(|count| start(pages.take(count * PAGE, PAGE)));
        assert_eq!([a, b, c, d], [0, 1, 3, 6]);
        pages.give(BASE + PAGE, 2 * PAGE);
        pages.give(BASE + 6 * PAGE, 4 * PAGE);
        assert_eq!(pages.run_count, 2);
        pages.give(BASE + 3 * PAGE, 3 * PAGE);
        assert_eq!((pages.run_count, pages.run(0).bytes), (1, 9 * PAGE));
        assert_eq!(start(pages.take(5 * PAGE, PAGE)), 1);
        assert_eq!(pages.dirty_bytes, 4 * PAGE);
        assert_eq!(pages.take(7 * PAGE, PAGE), None);
        assert!(pages.take(6 * PAGE, PAGE).unwrap().is_clean);
        assert_eq!(start(pages.take(4 * PAGE, PAGE)), 6);
        assert_eq!((pages.take(PAGE, PAGE), pages.dirty_bytes), (None, 0));
    }

    #[test]
    fn aligned_runs_leave_what_is_before_them() {
        let mut pages = pages(16);
        pages.take(PAGE, PAGE);
        assert_eq!(start(pages.take(PAGE, 8 * PAGE)), 8);
        assert_eq!(start(pages.take(7 * PAGE, PAGE)), 1);
    }

    #[test]
    fn a_run_grows_where_the_next_pages_are_free() {
        let mut pages = pages(8);
        pages.take(2 * PAGE, PAGE);
        assert_eq!(pages.extend(BASE + 2 * PAGE, PAGE), Some(true));
        pages.take(PAGE, PAGE);
        assert_eq!(pages.extend(BASE + 3 * PAGE, PAGE), None);
        pages.give(BASE + 3 * PAGE, PAGE);
        assert_eq!(pages.extend(BASE + 3 * PAGE, PAGE), Some(false));
        assert_eq!(pages.extend(BASE + 4 * PAGE, 5 * PAGE), None);
        assert_eq!(pages.extend(BASE + 4 * PAGE, 4 * PAGE), Some(true));
    }

    #[test]
    fn random_runs_never_overlap() {
        let mut pages = pages(1000);
        let mut taken: Vec<(usize, usize)> = Vec::new();
        let mut seed = 1usize;
        for _ in 0..20_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (choice, bytes) = (seed >> 33, ((seed >> 40) % 20 + 1) * PAGE);
            if choice % 2 == 0 || taken.is_empty() {
                if let Some(run) = pages.take(bytes, PAGE << (choice % 4)) {
                    let overlaps =
                        |(other, length): &(usize, usize)| run.start < other + length && *other < run.start + bytes;
                    assert!(!taken.iter().any(overlaps));
                    taken.push((run.start, bytes));
                }
            } else {
                let (start, bytes) = taken.swap_remove(choice % taken.len());
                pages.give(start, bytes);
            }
        }
        for (start, bytes) in taken.drain(..) {
            pages.give(start, bytes);
        }
        assert_eq!(pages.run_count, 1);
    }
}
