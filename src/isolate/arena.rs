//! The arena: memory that this process and its hosts map at the same address. One memory file, of which blocks are
//! handed out; their bookkeeping is outside of it, because a host may write all of it.
#![expect(unsafe_code, reason = "maps memory")]

use std::io::Error;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::heaps::Heaps;
use super::memory_file;
use super::places;
use super::range::{self, Range, pointer};
use crate::memory::address::{Address, Span};
use crate::memory::block_source::BlockSource;

const MIB: usize = 1 << 20;
const GIB: usize = 1 << 30;

/// The sizes that are tried, the largest first: a limit on the size of files (ulimit -f) may refuse some. Under a limit
/// on the address space there is no such arena ([`super::limits`]).
const SIZES: [usize; 8] = [1024 * GIB, 256 * GIB, 64 * GIB, 16 * GIB, 4 * GIB, GIB, 256 * MIB, 64 * MIB];
/// The sizes of an arena for copies, the largest first: a limit on the address space may refuse some.
const COPY_SIZES: [usize; 3] = [GIB, 256 * MIB, 64 * MIB];

/// The part of an arena, as a fraction, that blocks of this process lie in; hosts have their heaps in the rest.
const OWN_PART: usize = 4;

/// Free blocks of at least so many bytes are given back to the system at once, because to clear them takes longer.
const LARGE: usize = 16 * MIB;
/// Free blocks of at least [`MEDIUM`] bytes are given back while so many bytes of them are kept.
const MEDIUM: usize = 64 << 10;
const MOST_KEPT: usize = 128 * MIB;

/// Behind an arena lie zeroes that can be read: a read of a text or a value in it does not run on
/// into other memory, whatever a host has written.
const BEHIND: usize = MIB;

/// An arena.
#[derive(Debug)]
pub struct Arena {
    range: Range,
    size: usize,
    /// The memory file; none once no further host is started with it.
    file: Mutex<Option<Arc<OwnedFd>>>,
    blocks: Mutex<Blocks>,
    heaps: Arc<Heaps>,
    /// Whether memory of the system is set aside for a block before it is given out: elsewhere the system may end the
    /// process when a page is touched that it has no memory for.
    sets_aside: bool,
}

/// The heap of one host. It is given back with this.
#[derive(Debug)]
pub struct HostHeap {
    arena: Arc<Arena>,
    number: usize,
    pub start: usize,
    pub size: usize,
}

impl HostHeap {
    /// Its start and its bytes.
    pub fn span(&self) -> (usize, usize) {
        (self.start, self.size)
    }
}

impl Drop for HostHeap {
    fn drop(&mut self) {
        if !give_back(self.span()) {
            // SAFETY: no host has the heap any more; its bytes stay.
            unsafe { libc::munlock(pointer(self.start), self.size) };
            give_back(self.span());
        }
        self.arena.heaps.give(self.number);
    }
}

impl Arena {
    /// Makes an arena, the largest that the system allows up to `most` bytes.
    ///
    /// # Errors
    /// Where the system shares no memory of any of the sizes.
    pub fn new(most: usize) -> Result<Self, Error> {
        let sizes = SIZES.into_iter().filter(|size| *size <= most);
        Self::of_first(sizes, |size| Self::with_parts(size, size / OWN_PART, false))
    }

    /// Makes a small one that only copies lie in, where [`super::limits`] allow no more.
    ///
    /// # Errors
    /// Where the system shares no memory of any of the sizes.
    pub fn for_copies() -> Result<Self, Error> {
        Self::of_first(COPY_SIZES, |size| Self::with_parts(size, size, true))
    }

    /// Makes an arena of the first size that the system allows.
    fn of_first(
        sizes: impl IntoIterator<Item = usize>,
        make: impl Fn(usize) -> Result<Self, Error>,
    ) -> Result<Self, Error> {
        let mut refused = Error::from_raw_os_error(libc::ENOMEM);
        for size in sizes {
            match make(size) {
                Ok(arena) => return Ok(arena),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    /// Of `size` bytes, the first `own` of which are for blocks of this process.
    fn with_parts(size: usize, own: usize, sets_aside: bool) -> Result<Self, Error> {
        let fd = memory_file::create(c"pinned-ffi arena", size)?;
        let range = places::reserve(size + BEHIND, GIB).ok_or_else(Error::last_os_error)?;
        let flags = libc::MAP_SHARED | libc::MAP_NORESERVE | libc::MAP_FIXED;
        // SAFETY: the range is reserved for this.
        unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            if libc::mmap(pointer(range.base), size, protection, flags, fd.as_raw_fd(), 0) == libc::MAP_FAILED {
                return Err(Error::last_os_error());
            }
            if libc::mprotect(pointer(range.base + size), BEHIND, protection) != 0 {
                return Err(Error::last_os_error());
            }
            libc::madvise(pointer(range.base), size, libc::MADV_DONTDUMP);
        }
        // The first page stays unused: a NULL with an offset is no block.
        let blocks = Blocks::new(range.base + MIB, range.base + own);
        let heaps = Arc::new(Heaps::new(range.base + own, size - own));
        Ok(Self { range, size, file: Mutex::new(Some(Arc::new(fd))), blocks: Mutex::new(blocks), heaps, sets_aside })
    }

    /// Its first address and its bytes.
    pub fn span(&self) -> (usize, usize) {
        (self.range.base, self.size)
    }

    /// The memory file, until [`Arena::close_file`].
    pub fn file(&self) -> Option<Arc<OwnedFd>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Closes the memory file: no further host is started with it. Its blocks stay, as they are mapped.
    pub fn close_file(&self) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Whether bytes lie in it: every page of it can be read and written.
    pub fn holds(&self, start: usize, length: usize) -> bool {
        range::contains(self.span(), start, length)
    }

    /// The bytes that blocks take up.
    pub fn used(&self) -> usize {
        self.locked().used
    }

    /// Takes a zeroed part of the arena for the heap of a host: the one that was unused for longest. `None` where hosts
    /// have all of them.
    pub fn take_heap(self: &Arc<Self>) -> Option<HostHeap> {
        let (number, start, size) = self.heaps.take()?;
        Some(HostHeap { arena: Arc::clone(self), number, start, size })
    }

    /// Whether an address lies where hosts have heaps.
    pub fn is_in_heap(&self, address: usize) -> bool {
        self.heaps.number_of(address).is_some()
    }

    /// Whether an address lies where hosts have heaps, and none has one now.
    pub fn is_in_free_heap(&self, address: usize) -> bool {
        self.heaps.is_free_at(address)
    }

    /// Has the system set memory aside for a block.
    fn set_aside(&self, start: usize, bytes: usize) -> bool {
        self.file().is_some_and(|file| memory_file::set_aside(&file, start - self.range.base, bytes))
    }

    fn locked(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        places::leave(&self.range);
    }
}

/// Gives memory of an arena back to the system: it is zero from now on. False where the kernel refuses that, because
/// pages of it are locked (`mlock`, `mlockall`): then it may have any bytes.
pub fn give_back((start, size): (usize, usize)) -> bool {
    // SAFETY: nothing uses the bytes.
    unsafe { libc::madvise(pointer(start), size, libc::MADV_REMOVE) == 0 }
}

impl BlockSource for Arena {
    fn allocate(&self, bytes: usize) -> Option<(Address, bool)> {
        let (start, is_zeroed) = self.locked().take(bytes)?;
        if self.sets_aside && !self.set_aside(start, bytes) {
            self.locked().put(start, bytes);
            return None;
        }
        Some((Address::new(start)?, is_zeroed))
    }

    fn release(&self, start: Address, bytes: usize) {
        self.locked().put(start.get(), bytes);
    }

    fn contains(&self, address: Address) -> bool {
        self.holds(address.get(), 1)
    }
}

/// The blocks of an arena, by size class: four classes for each power of two.
#[derive(Debug)]
struct Blocks {
    next: usize,
    end: usize,
    used: usize,
    /// The bytes of free blocks that were not given back.
    kept: usize,
    /// Free blocks, and whether they are zeroed.
    free: Vec<Vec<(usize, bool)>>,
}

const SMALLEST: usize = 64;

/// The class of a number of bytes, and the bytes of its blocks.
fn class_of(bytes: usize) -> Option<(usize, usize)> {
    let bytes = bytes.max(SMALLEST);
    let step = 1usize << (bytes.ilog2() - 2);
    let mut size = bytes.checked_next_multiple_of(step)?;
    if size >= MEDIUM {
        size = size.checked_next_multiple_of(4096)?;
    }
    let power = size.ilog2();
    Some((((power - SMALLEST.ilog2()) * 4) as usize + (size >> (power - 2) & 3), size))
}

impl Blocks {
    fn new(start: usize, end: usize) -> Self {
        Self { next: start, end, used: 0, kept: 0, free: Vec::new() }
    }

    fn take(&mut self, bytes: usize) -> Option<(usize, bool)> {
        let (class, size) = class_of(bytes)?;
        if let Some((start, is_zeroed)) = self.free.get_mut(class).and_then(Vec::pop) {
            self.used += size;
            if !is_zeroed {
                self.kept -= size;
            }
            return Some((start, is_zeroed));
        }
        let align = if size >= 4096 { 4096 } else { 16 };
        let start = self.next.next_multiple_of(align);
        if size > self.end.checked_sub(start)? {
            return None;
        }
        self.next = start + size;
        self.used += size;
        Some((start, true))
    }

    fn put(&mut self, start: usize, bytes: usize) {
        let Some((class, size)) = class_of(bytes) else { return };
        self.used -= size;
        let goes_back = size >= LARGE || (size >= MEDIUM && self.kept + size > MOST_KEPT);
        let is_zeroed = goes_back && give_back((start, size));
        if !is_zeroed {
            self.kept += size;
        }
        if self.free.len() <= class {
            self.free.resize_with(class + 1, Vec::new);
        }
        self.free[class].push((start, is_zeroed));
    }
}

/// Maps a memory file anywhere; for the memory of messages.
pub fn map_file(fd: i32, size: usize) -> Option<Span> {
    let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_NORESERVE);
    // SAFETY: a new mapping.
    let mapped = unsafe { libc::mmap(null_mut(), size, protection, flags, fd, 0) };
    if mapped == libc::MAP_FAILED {
        return None;
    }
    Span::new(Address::new(mapped.expose_provenance())?, size).ok()
}

/// Gives a mapping of [`map_file`] back.
///
/// # Safety
/// It is no longer in use.
pub unsafe fn unmap(span: Span) {
    // SAFETY: by the contract of this function.
    unsafe { libc::munmap(span.start.as_ptr().cast(), span.length) };
}

#[cfg(test)]
mod tests;
