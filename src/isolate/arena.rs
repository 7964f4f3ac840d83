//! The arena: memory that this process and its hosts map at the same address. One sealed memory file, of which blocks
//! are handed out; what is known of them is kept outside of it, because a host may write all of it.
#![expect(unsafe_code, reason = "maps memory")]

use std::collections::VecDeque;
use std::io::Error;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::memory_file::sealed_file;
use crate::memory::address::Address;
use crate::memory::block_source::BlockSource;

const MIB: usize = 1 << 20;
const GIB: usize = 1 << 30;

/// The sizes that are tried, the largest first: a limit on the address space may refuse some.
const SIZES: [usize; 7] = [256 * GIB, 64 * GIB, 16 * GIB, 4 * GIB, GIB, 256 * MIB, 64 * MIB];

/// Where arenas lie: nothing else does, under the kernel's layouts, AddressSanitizer's and valgrind's.
const LOWEST: usize = 0x2000_0000_0000;
const HIGHEST: usize = 0x4f00_0000_0000;
const TRIES: usize = 64;

/// The part of an arena, as a fraction, that blocks of this process lie in; hosts have their heaps in the rest.
const OWN_PART: usize = 4;
/// The heaps of hosts in an arena: a heap is used again only after the others.
const HEAPS: usize = 24;

/// Free blocks of at least so many bytes are given back to the system at once, because to clear them takes longer.
const LARGE: usize = 16 * MIB;
/// Free blocks of at least [`MEDIUM`] bytes are given back while so many bytes of them are kept.
const MEDIUM: usize = 64 << 10;
const MOST_KEPT: usize = 128 * MIB;

/// A range of addresses that is kept free, or mapped by whoever reserved it.
#[derive(Debug)]
pub struct Range {
    pub base: usize,
    pub size: usize,
}

impl Range {
    /// Reserves addresses at a random place; `align` is a power of two. `None` where none is found.
    pub fn reserve(size: usize, align: usize) -> Option<Self> {
        for _ in 0..TRIES {
            let mut random = [0u8; 8];
            // SAFETY: there is room for as many bytes.
            if unsafe { libc::getrandom(random.as_mut_ptr().cast(), random.len(), 0) } != random.len() as isize {
                return None;
            }
            let room = HIGHEST - LOWEST - size;
            let base = (LOWEST + u64::from_le_bytes(random) as usize % room) & !(align - 1);
            let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
            // SAFETY: a new mapping, which takes no other's place.
            let mapped = unsafe { libc::mmap(pointer(base), size, libc::PROT_NONE, flags, -1, 0) };
            if mapped == libc::MAP_FAILED {
                if Error::last_os_error().raw_os_error() == Some(libc::EEXIST) {
                    continue;
                }
                return None;
            }
            if mapped.expose_provenance() == base {
                return Some(Self { base, size });
            }
            // An older kernel takes the address for a hint.
            // SAFETY: the mapping was made above.
            unsafe { libc::munmap(mapped, size) };
        }
        None
    }

    /// Whether a span lies in it.
    pub fn contains(&self, start: usize, length: usize) -> bool {
        start >= self.base && start <= self.base + self.size && length <= self.base + self.size - start
    }
}

impl Drop for Range {
    fn drop(&mut self) {
        // SAFETY: the range was reserved by this value, and whoever mapped something there is done with it.
        unsafe { libc::munmap(pointer(self.base), self.size) };
    }
}

fn pointer(address: usize) -> *mut libc::c_void {
    std::ptr::with_exposed_provenance_mut(address)
}

/// An arena.
#[derive(Debug)]
pub struct Arena {
    range: Range,
    fd: OwnedFd,
    blocks: Mutex<Blocks>,
    heaps: Mutex<FreeHeaps>,
}

/// The heaps that no host has.
#[derive(Debug)]
struct FreeHeaps {
    /// By number; the one that was given back first comes first.
    numbers: VecDeque<usize>,
    /// Whether a host has ever had it, by number.
    had_host: [bool; HEAPS],
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
        give_back(self.span());
        let mut free = self.arena.free_heaps();
        free.had_host[self.number] = true;
        free.numbers.push_back(self.number);
    }
}

impl Arena {
    /// Makes an arena, the largest that the system allows up to `most` bytes.
    pub fn new(most: usize) -> Result<Self, Error> {
        let mut refused = Error::from_raw_os_error(libc::ENOMEM);
        for size in SIZES.into_iter().filter(|size| *size <= most) {
            match Self::of_size(size) {
                Ok(arena) => return Ok(arena),
                Err(error) => refused = error,
            }
        }
        Err(refused)
    }

    fn of_size(size: usize) -> Result<Self, Error> {
        let fd = sealed_file(c"pinned-ffi arena", size)?;
        let range = Range::reserve(size, GIB).ok_or_else(Error::last_os_error)?;
        let flags = libc::MAP_SHARED | libc::MAP_NORESERVE | libc::MAP_FIXED;
        // SAFETY: the range is reserved for this.
        unsafe {
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            if libc::mmap(pointer(range.base), size, protection, flags, fd.as_raw_fd(), 0) == libc::MAP_FAILED {
                return Err(Error::last_os_error());
            }
            libc::madvise(pointer(range.base), size, libc::MADV_DONTDUMP);
        }
        // The first page stays unused: a NULL with an offset is no block.
        let blocks = Blocks::new(range.base + MIB, range.base + size / OWN_PART);
        let heaps = FreeHeaps { numbers: (0..HEAPS).collect(), had_host: [false; HEAPS] };
        Ok(Self { range, fd, blocks: Mutex::new(blocks), heaps: Mutex::new(heaps) })
    }

    /// Its first address and its bytes.
    pub fn span(&self) -> (usize, usize) {
        (self.range.base, self.range.size)
    }

    /// The memory file.
    pub fn fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    /// Whether bytes lie in it: every page of it can be read and written.
    pub fn holds(&self, start: usize, length: usize) -> bool {
        self.range.contains(start, length)
    }

    /// The bytes that blocks take up.
    pub fn used(&self) -> usize {
        self.locked().used
    }

    /// The start and the bytes of a heap, by its number.
    fn heap(&self, number: usize) -> (usize, usize) {
        let first = self.range.size / OWN_PART;
        let size = ((self.range.size - first) / HEAPS) & !(MIB - 1);
        (self.range.base + first + number * size, size)
    }

    /// A part of the arena that is to be the heap of a host, zeroed: the one that nobody has used for longest. `None`
    /// where hosts have all of them.
    pub fn take_heap(self: &Arc<Self>) -> Option<HostHeap> {
        let number = self.free_heaps().numbers.pop_front()?;
        let (start, size) = self.heap(number);
        Some(HostHeap { arena: Arc::clone(self), number, start, size })
    }

    /// Whether an address lies in the heap of a host that has ended, and of no other since. A number that happens to lie
    /// where no heap has been is nobody's pointer.
    pub fn is_in_free_heap(&self, address: usize) -> bool {
        let free = self.free_heaps();
        free.numbers.iter().any(|number| {
            let (start, size) = self.heap(*number);
            free.had_host[*number] && address.wrapping_sub(start) < size
        })
    }

    fn free_heaps(&self) -> MutexGuard<'_, FreeHeaps> {
        self.heaps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn locked(&self) -> MutexGuard<'_, Blocks> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives memory of an arena back to the system. It is zero from now on.
pub fn give_back((start, size): (usize, usize)) {
    // SAFETY: nobody uses the bytes, which are zero from now on.
    unsafe { libc::madvise(pointer(start), size, libc::MADV_REMOVE) };
}

impl BlockSource for Arena {
    fn allocate(&self, bytes: usize) -> Option<(Address, bool)> {
        let (start, is_zeroed) = self.locked().take(bytes)?;
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
        if goes_back {
            give_back((start, size));
        } else {
            self.kept += size;
        }
        if self.free.len() <= class {
            self.free.resize_with(class + 1, Vec::new);
        }
        self.free[class].push((start, goes_back));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_room_and_waste_less_than_a_quarter() {
        for bytes in [1, 63, 64, 65, 100, 4095, 4096, 65_000, 70_000, 1 << 20, (1 << 20) + 1, 5 << 30] {
            let (class, size) = class_of(bytes).unwrap();
            assert!(size >= bytes && size <= bytes.max(SMALLEST) * 5 / 4 + 4096, "{bytes}: {size}");
            // All that are rounded to a size share its class.
            assert_eq!(class_of(size), Some((class, size)));
            assert!(bytes <= SMALLEST || class_of(bytes / 2).unwrap().0 < class);
        }
        assert_eq!(class_of(usize::MAX), None);
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls the kernel")]
    fn blocks_do_not_overlap_and_are_used_again() {
        let arena = Arena::new(GIB).unwrap();
        let sizes = [10, 100, 5000, 100_000, 3 << 20, 40 << 20];
        let take = || sizes.map(|bytes| arena.allocate(bytes).unwrap());
        let first = take();
        let mut spans: Vec<_> = first.iter().zip(sizes).map(|((start, _), bytes)| (start.get(), bytes)).collect();
        spans.sort_unstable();
        assert!(spans.windows(2).all(|pair| pair[0].0 + pair[0].1 <= pair[1].0));
        for ((start, is_zeroed), bytes) in first.iter().zip(sizes) {
            assert!(*is_zeroed && arena.contains(*start));
            // SAFETY: the block is this test's.
            unsafe { start.as_ptr().write_bytes(7, bytes) };
            arena.release(*start, bytes);
        }
        assert_eq!(arena.used(), 0);
        for ((start, is_zeroed), (before, _)) in take().iter().zip(first) {
            assert_eq!(*start, before);
            // SAFETY: as above.
            assert_eq!(unsafe { start.as_ptr().read() }, if *is_zeroed { 0 } else { 7 });
        }
        assert!(arena.allocate(2 * GIB).is_none());
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls the kernel")]
    fn heaps_come_round_zeroed_and_none_is_two_hosts() {
        let arena = Arc::new(Arena::new(64 * MIB).unwrap());
        let first = arena.take_heap().unwrap();
        let start = first.start;
        assert!(!arena.is_in_free_heap(start + first.size), "no host has had that heap");
        // SAFETY: the heap is nobody's.
        unsafe { pointer(start).cast::<u8>().write(1) };
        let others: Vec<_> = (1..HEAPS).map(|_| arena.take_heap().unwrap()).collect();
        assert!(others.iter().all(|heap| heap.start != start && arena.holds(heap.start, heap.size)));
        assert!(arena.take_heap().is_none() && !arena.is_in_free_heap(start));
        drop(first);
        assert!(arena.is_in_free_heap(start));
        let again = arena.take_heap().unwrap();
        // SAFETY: as above.
        assert_eq!((again.start, unsafe { pointer(start).cast::<u8>().read() }), (start, 0));
    }
}
