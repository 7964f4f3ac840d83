//! The memory that a host shares with its parent.
#![expect(unsafe_code, reason = "maps memory that another process shares")]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use super::heap::{HEAP, HeapRegion};
use super::segments::ArenaFile;
use crate::isolate::arena::map_file;
use crate::isolate::death_report::DeathReport;
use crate::isolate::process::build;
use crate::isolate::stubs::UNIT;
use crate::isolate::thread_mark::ThreadMark;
use crate::isolate::wire::{ARENA_FD, CONTROL_FD, Channel, Control, Settings};

/// All of it. There is one, which lives as long as the process.
pub struct HostMemory {
    control: &'static Control,
    /// The pages that are mapped in this process.
    pub stub_pages: AtomicU32,
    /// The memory from before the window was in use, each span from its start to its end.
    pub early_spans: OnceLock<Vec<(usize, usize)>>,
}

impl HostMemory {
    /// Maps the memory; `None` where the process was not started as a host of this build.
    pub fn map() -> Option<&'static Self> {
        let mut found: libc::stat = unsafe_zeroed();
        // SAFETY: the out-parameter is a local.
        let is_file =
            unsafe { libc::fstat(CONTROL_FD, &mut found) } == 0 && found.st_size == size_of::<Control>() as i64;
        let span = is_file.then(|| map_file(CONTROL_FD, size_of::<Control>())).flatten()?;
        // SAFETY: the mapping is that long and is never given back; the parent wrote the settings before this process
        // began, and everything else is atomics and cells.
        let control: &'static Control = unsafe { &*span.start.as_ptr().cast() };
        let memory: &'static Self =
            Box::leak(Box::new(Self { control, stub_pages: AtomicU32::new(0), early_spans: OnceLock::new() }));
        let settings = memory.settings();
        if settings.build != build() {
            return None;
        }
        if settings.arena != 0 && !map_arena(settings) {
            eprintln!("pinned-ffi: the arena's addresses are taken in this process");
            return None;
        }
        if settings.heap_size != 0 && !attach_heap(settings) {
            eprintln!("pinned-ffi: there is no memory for a heap");
            return None;
        }
        if settings.stubs != 0 && !reserve_stubs(settings.stubs as usize) {
            eprintln!("pinned-ffi: the addresses of function pointers are taken in this process");
            return None;
        }
        Some(memory)
    }

    /// The mark of the thread that serves a channel.
    pub fn thread(&self, number: usize) -> &ThreadMark {
        &self.control.threads[number]
    }

    /// The settings that the parent has written.
    pub fn settings(&self) -> &Settings {
        &self.control.settings
    }

    /// The arena's file, and where it is mapped.
    pub fn arena(&self) -> ArenaFile {
        ArenaFile { fd: ARENA_FD, base: self.settings().arena as usize }
    }

    /// Where the report of this process's end goes.
    pub fn report(&self) -> *mut DeathReport {
        self.control.report.get()
    }

    /// A channel.
    pub fn channel(&self, number: usize) -> &'static Channel {
        &self.control.channels[number]
    }

    /// The pages of function pointers that the parent uses.
    pub fn wanted_stub_pages(&self) -> u32 {
        self.control.stub_pages.load(Ordering::Acquire)
    }
}

/// A structure of the system's that a call fills.
fn unsafe_zeroed<T: Copy>() -> T {
    // SAFETY: used for structures of the C library, of which all zeroes are valid bytes.
    unsafe { std::mem::zeroed() }
}

fn map_arena(settings: &Settings) -> bool {
    let at: *mut libc::c_void = std::ptr::with_exposed_provenance_mut(settings.arena as usize);
    let flags = libc::MAP_SHARED | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: a new mapping, which takes no other's place.
    unsafe {
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let mapped = libc::mmap(at, settings.arena_size as usize, protection, flags, ARENA_FD, 0);
        if mapped != at {
            return false;
        }
        libc::madvise(at, settings.arena_size as usize, libc::MADV_DONTDUMP);
    }
    true
}

/// Has libraries allocate in the arena.
fn attach_heap(settings: &Settings) -> bool {
    let arena = (settings.arena as usize, settings.arena_size as usize);
    let region = HeapRegion { base: settings.heap as usize, len: settings.heap_size as usize, arena };
    // SAFETY: H3; the parent has set the region aside for this process, and it is mapped.
    unsafe { HEAP.attach(region) }
}

fn reserve_stubs(base: usize) -> bool {
    let at: *mut libc::c_void = std::ptr::with_exposed_provenance_mut(base);
    let size = crate::isolate::stubs::MOST_PAGES * UNIT;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: a new mapping, which takes no other's place.
    unsafe { libc::mmap(at, size, libc::PROT_NONE, flags, -1, 0) == at }
}
