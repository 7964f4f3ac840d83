//! Globals of libraries in the arena: the parent reads and writes them in place, at a translated address.
//!
//! The writable segment of a library is copied into pages of the heap, which are then mapped over the segment as well.
//! So the library uses its addresses as before, and the same bytes lie in the arena. Left out is what the loader makes
//! read-only after relocation (`PT_GNU_RELRO`), and thread-local variables.
#![expect(unsafe_code, reason = "maps memory over the data of libraries")]

use std::ffi::{c_int, c_void};

use super::heap::HEAP;
use super::heap::lock::Locked;

const PAGE: usize = 4096;

/// A segment that is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// The library's address of it.
    pub address: usize,
    /// Its bytes, a multiple of 4096.
    pub bytes: usize,
    /// The address of the same bytes in the arena.
    pub home: usize,
}

/// The memory file of the arena.
#[derive(Clone, Copy, Debug)]
pub struct ArenaFile {
    /// The descriptor.
    pub fd: c_int,
    /// The address that the file's first byte is mapped at.
    pub base: usize,
}

/// The files that are loaded.
#[derive(Debug)]
struct Table {
    /// The load addresses of files that were looked at.
    files: Vec<usize>,
    segments: Vec<Segment>,
}

static TABLE: Locked<Table> = Locked::new(Table { files: Vec::new(), segments: Vec::new() });

/// Remembers the files that are loaded now: the host's own, libc. Their globals are never shared. Call it before the
/// first library is loaded.
pub fn remember_own_files() {
    let files = loaded_files();
    TABLE.lock().files.extend(files.iter().map(|file| file.base));
}

/// Shares the globals of files that were loaded since the last call, and forgets those of files that are gone. Returns
/// all segments that are shared now.
///
/// No thread may write the bytes while they are copied. So nothing is shared if `threads_before`, the number of threads
/// before the files were loaded ([`count_threads`]), is not that of now: a constructor has started one. Those globals
/// stay private.
///
/// # Safety
/// H1, H3. The heap is in the arena of `arena`. No other thread runs code of the new files, loads a library or closes
/// one.
pub unsafe fn share_new_files(arena: ArenaFile, threads_before: usize) -> Vec<Segment> {
    let files = loaded_files();
    let is_quiet = threads_before != 0 && count_threads() == threads_before;
    let gone = TABLE.lock().forget_unloaded(&files);
    for segment in gone {
        // SAFETY: the loader has unmapped the segment, so that its home is the only mapping.
        unsafe { HEAP.give_pages(segment.home, segment.bytes) };
    }
    for file in &files {
        if TABLE.lock().files.contains(&file.base) {
            continue;
        }
        TABLE.lock().files.push(file.base);
        for range in file.ranges.iter().filter(|_| is_quiet) {
            // SAFETY: by the contract of this function; the loader has mapped the range.
            if let Some(segment) = unsafe { share(arena, range) } {
                TABLE.lock().segments.push(segment);
            }
        }
    }
    TABLE.lock().segments.clone()
}

/// Calls a function with each shared segment, between [`lock`] and [`unlock`] or [`unlock_in_child`]. It allocates
/// nothing.
///
/// # Safety
/// The calling thread has the lock, or had it before a `fork`.
pub unsafe fn for_each_locked(mut visit: impl FnMut(Segment)) {
    // SAFETY: by the contract of this function.
    for segment in &unsafe { TABLE.peek() }.segments {
        visit(*segment);
    }
}

/// Takes the lock before a `fork`; that of the heap comes afterwards.
pub fn lock() {
    TABLE.acquire();
}

/// Gives the lock back after a `fork`.
pub fn unlock() {
    TABLE.release();
}

/// Gives the lock back in the child of a `fork`.
pub fn unlock_in_child() {
    TABLE.reset();
}

/// The threads of this process. 0, which is not known, where there is no `/proc`.
pub fn count_threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

impl Table {
    /// Forgets files that are not loaded any more, and returns their shared segments.
    fn forget_unloaded(&mut self, files: &[File]) -> Vec<Segment> {
        self.files.retain(|base| files.iter().any(|file| file.base == *base));
        let is_loaded = |segment: &Segment| {
            files.iter().flat_map(|file| &file.ranges).any(|range| range.address == segment.address)
        };
        let (loaded, gone) = self.segments.iter().copied().partition(is_loaded);
        self.segments = loaded;
        gone
    }
}

type Header = libc::Elf64_Phdr;

/// A loaded file.
struct File {
    /// Its load address.
    base: usize,
    /// Its writable ranges, by pages, without what is read-only after relocation.
    ranges: Vec<Range>,
}

#[derive(Debug, PartialEq, Eq)]
struct Range {
    address: usize,
    bytes: usize,
}

fn writable_ranges(base: usize, headers: &[Header]) -> Vec<Range> {
    let place = |header: &Header| {
        let start = base.wrapping_add(header.p_vaddr as usize);
        (start, start.wrapping_add(header.p_memsz as usize))
    };
    // A segment that is executable as well stays private.
    let is_writable =
        |header: &&Header| header.p_type == libc::PT_LOAD && header.p_flags & (libc::PF_W | libc::PF_X) == libc::PF_W;
    let read_only = headers.iter().filter(|header| header.p_type == libc::PT_GNU_RELRO).map(place);
    let without_read_only = |(start, end): (usize, usize)| {
        // The loader protects whole pages. A page that is read-only in part stays writable.
        read_only.clone().filter(|(from, to)| *from < end && *to > start).fold(start, |start, (_, to)| start.max(to))
    };
    let range = |header: &Header| {
        let (start, end) = place(header);
        let start = without_read_only((start, end)) & !(PAGE - 1);
        let end = end.next_multiple_of(PAGE);
        (start < end).then(|| Range { address: start, bytes: end - start })
    };
    headers.iter().filter(is_writable).filter_map(range).collect()
}

/// Copies a range into the arena and maps the copy over it. `None` if there is no room, or the kernel refuses: then the
/// range is as it was.
///
/// # Safety
/// H3; the range is mapped, and no thread writes it meanwhile.
unsafe fn share(arena: ArenaFile, range: &Range) -> Option<Segment> {
    let home = HEAP.take_pages(range.bytes);
    if home == 0 {
        return None;
    }
    let at = std::ptr::with_exposed_provenance_mut::<c_void>(range.address);
    // SAFETY: by the contract of this function; the pages at `home` were just taken for this.
    unsafe {
        std::ptr::with_exposed_provenance_mut::<u8>(home).copy_from_nonoverlapping(at.cast(), range.bytes);
        let (flags, offset) = (libc::MAP_SHARED | libc::MAP_FIXED, (home - arena.base) as libc::off_t);
        if libc::mmap(at, range.bytes, libc::PROT_READ | libc::PROT_WRITE, flags, arena.fd, offset) == libc::MAP_FAILED
        {
            HEAP.give_pages(home, range.bytes);
            return None;
        }
    }
    Some(Segment { address: range.address, bytes: range.bytes, home })
}

fn loaded_files() -> Vec<File> {
    unsafe extern "C" fn on_file(info: *mut libc::dl_phdr_info, _: usize, files: *mut c_void) -> c_int {
        // SAFETY: the loader passes a file and its headers, which stay while it iterates, and what is passed below.
        unsafe {
            let (info, files) = (&*info, &mut *files.cast::<Vec<File>>());
            if !info.dlpi_phdr.is_null() {
                let headers = &*std::ptr::slice_from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into());
                let base = info.dlpi_addr as usize;
                files.push(File { base, ranges: writable_ranges(base, headers) });
            }
        }
        0
    }
    let mut files = Vec::new();
    // SAFETY: the function is called before this returns.
    unsafe { libc::dl_iterate_phdr(Some(on_file), (&raw mut files).cast()) };
    files
}

#[cfg(test)]
mod tests;
