//! The heap of the host: `malloc` and its family in the arena, so that the parent reads what a library allocates at the
//! address that the library uses.
//!
//! Small blocks come from eight allocators (`dlmalloc`), each with a lock; a thread begins with the one that its own
//! address selects, and takes another if that is busy. Blocks of a mebibyte and more are runs of pages. Each block has
//! a head and a canary ([`block`]), which `free` and `realloc` check: a heap overflow or a double `free` ends the
//! process by SIGABRT with one line on stderr. All bookkeeping but the heads is outside of the arena.
#![expect(unsafe_code, reason = "is an allocator")]

mod block;
mod corruption;
#[cfg(not(test))]
mod exports;
pub mod lock;
pub mod next;
mod pages;
mod shard;

use std::arch::asm;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use block::{Damage, Head, LARGE};
use corruption::{fatal, overflow};
use lock::{Guard, Locked};
use pages::{PAGE, Pages, Taken};
use shard::Shard;

pub use block::ALIGN;

const SHARDS: usize = 8;
/// Blocks from here on, head and canary included, are runs of pages.
const LARGE_BLOCK: usize = 1 << 20;

/// Where the heap is.
#[derive(Clone, Copy, Debug)]
pub struct HeapRegion {
    /// The first address. The memory is mapped, readable, writable and zeroed.
    pub base: usize,
    /// Its bytes.
    pub len: usize,
    /// The first address and the bytes of the arena that the region is a part of. A pointer into it that is no block of
    /// this heap was never given by any `malloc`.
    pub arena: (usize, usize),
}

/// The heap of this process. Until [`Heap::attach`], and always in Node, the exported functions call those of libc.
pub static HEAP: Heap = Heap::new(&PAGES);
static PAGES: Locked<Pages> = Locked::new(Pages::new());

/// A heap.
#[derive(Debug)]
pub struct Heap {
    is_attached: AtomicBool,
    base: AtomicUsize,
    end: AtomicUsize,
    arena_base: AtomicUsize,
    arena_end: AtomicUsize,
    pages: &'static Locked<Pages>,
    shards: [Locked<Shard>; SHARDS],
}

/// The allocator of a pointer's block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This heap's, or of no heap.
    Heap,
    /// libc's: it was allocated before [`Heap::attach`], or by `__libc_malloc`.
    Libc,
}

impl Heap {
    /// A heap without memory.
    pub const fn new(pages: &'static Locked<Pages>) -> Self {
        Self {
            is_attached: AtomicBool::new(false),
            base: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            arena_base: AtomicUsize::new(0),
            arena_end: AtomicUsize::new(0),
            pages,
            shards: [const { Locked::new(Shard::new()) }; SHARDS],
        }
    }

    /// Takes over a region, once. False if it is too small, or there is no memory for the bookkeeping. Blocks that libc
    /// has allocated before stay libc's.
    ///
    /// # Safety
    /// H3: the region is mapped as [`HeapRegion`] says, and is this heap's until the process ends.
    pub unsafe fn attach(&self, region: HeapRegion) -> bool {
        if self.is_attached() || !self.pages.lock().attach(region) {
            return false;
        }
        block::set_secret();
        for shard in &self.shards {
            shard.lock().set_pages(self.pages);
        }
        self.base.store(region.base, Ordering::Relaxed);
        self.end.store(region.base + region.len, Ordering::Relaxed);
        self.arena_base.store(region.arena.0, Ordering::Relaxed);
        self.arena_end.store(region.arena.0.saturating_add(region.arena.1), Ordering::Relaxed);
        self.is_attached.store(true, Ordering::Release);
        true
    }

    /// Whether the heap has a region.
    #[inline]
    pub fn is_attached(&self) -> bool {
        self.is_attached.load(Ordering::Acquire)
    }

    /// The allocator that a pointer's block may be of.
    #[inline]
    pub fn owner_of(&self, address: usize) -> Owner {
        let is_arena =
            address >= self.arena_base.load(Ordering::Relaxed) && address < self.arena_end.load(Ordering::Relaxed);
        if is_arena { Owner::Heap } else { Owner::Libc }
    }

    /// Allocates; `align` is a power of two. Null if there is no memory.
    pub fn allocate(&self, size: usize, align: usize, is_zeroed: bool) -> *mut u8 {
        let head = Head { size, align: align.max(ALIGN), owner: LARGE };
        let Some(total) = head.total() else { return null_mut() };
        if total >= LARGE_BLOCK {
            return self.allocate_large(head, total, is_zeroed);
        }
        let first = own_number() % SHARDS;
        let numbers = (first..first + SHARDS).map(|number| number % SHARDS);
        let free = numbers.clone().find_map(|number| Some((number, self.shards[number].try_lock()?)));
        let (number, shard) = free.unwrap_or_else(|| (first, self.shards[first].lock()));
        let mut memory = allocate_in(shard, head.align, total);
        let mut owner = number;
        if memory.is_null() {
            // The region has no pages left. Another allocator may have free blocks.
            for number in numbers {
                memory = allocate_in(self.shards[number].lock(), head.align, total);
                owner = number;
                if !memory.is_null() {
                    break;
                }
            }
        }
        if memory.is_null() {
            return memory;
        }
        let head = Head { owner: owner as u8, ..head };
        // SAFETY: H3; the allocator has provided `total` bytes, of which head and canary are a part.
        unsafe {
            let user = memory.add(head.offset());
            if is_zeroed {
                user.write_bytes(0, size);
            }
            block::write(user, head);
            user
        }
    }

    fn allocate_large(&self, head: Head, total: usize, is_zeroed: bool) -> *mut u8 {
        let Some(taken) = self.take_run(total.next_multiple_of(PAGE), head.align.max(PAGE)) else {
            return null_mut();
        };
        // SAFETY: H3; the pages are `total` bytes long.
        unsafe {
            let user = std::ptr::with_exposed_provenance_mut::<u8>(taken.start).add(head.offset());
            if is_zeroed && !taken.is_clean {
                user.write_bytes(0, head.size);
            }
            block::write(user, head);
            user
        }
    }

    /// Takes a run of pages. If there is none, the allocators first return their unused pages.
    fn take_run(&self, bytes: usize, align: usize) -> Option<Taken> {
        let taken = self.pages.lock().take(bytes, align);
        taken.or_else(|| {
            for shard in &self.shards {
                let mut shard = shard.lock();
                for block in shard.take_delayed() {
                    shard = self.release(shard, block);
                }
                shard.trim();
            }
            self.pages.lock().take(bytes, align)
        })
    }

    /// Frees a block.
    ///
    /// # Safety
    /// [`Heap::owner_of`] gives [`Owner::Heap`]. What is no block, or was overwritten, ends the process.
    pub unsafe fn free(&self, user: *mut u8) {
        let head = self.checked(user, "free");
        // SAFETY: the block was checked, and is not used any more.
        unsafe {
            let memory = user.sub(head.offset());
            if head.owner == LARGE {
                block::mark_freed(user);
                let total = head.total().unwrap_or(0);
                self.pages.lock().give(memory.addr(), total.next_multiple_of(PAGE));
                return;
            }
            // The mark is set under the lock: of two threads that free a block one finds it.
            let mut shard = self.shards[usize::from(head.owner) % SHARDS].lock();
            if !block::mark_freed(user) {
                drop(shard);
                self.checked(user, "free");
                return;
            }
            let old = shard.delay(user);
            self.release(shard, old);
        }
    }

    /// Releases a block that was held back, or null.
    fn release<'a>(&self, mut shard: Guard<'a, Shard>, block: *mut u8) -> Guard<'a, Shard> {
        if block.is_null() {
            return shard;
        }
        // SAFETY: the block was this shard's when it was freed, and is released only if its head is what it was then.
        unsafe {
            if !block::is_marked(block) {
                drop(shard);
                fatal("free", block.addr(), "the block was written to after it was freed");
            }
            shard.release(block);
        }
        shard
    }

    /// Changes the size of a block, which may move. Null if there is no memory: the block is as it was.
    ///
    /// # Safety
    /// As [`Heap::free`].
    pub unsafe fn reallocate(&self, user: *mut u8, size: usize) -> *mut u8 {
        let old = self.checked(user, "realloc");
        let new = Head { size, ..old };
        let (Some(old_total), Some(total)) = (old.total(), new.total()) else { return null_mut() };
        let is_large = total >= LARGE_BLOCK;
        // SAFETY: the block was checked. Each branch writes a head and a canary into memory that belongs to the block.
        unsafe {
            if old.owner == LARGE && is_large && self.resize_large(user, old, old_total, total) {
                block::write(user, new);
                return user;
            }
            if old.owner != LARGE && !is_large && old.align == ALIGN {
                let moved = self.shards[usize::from(old.owner) % SHARDS].lock().resize(user, total);
                if !moved.is_null() {
                    block::write(moved, new);
                    return moved;
                }
            }
            let moved = self.allocate(size, ALIGN, false);
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(user, size.min(old.size));
                self.free(user);
            }
            moved
        }
    }

    /// Whether a run of pages could be resized in place.
    fn resize_large(&self, user: *mut u8, old: Head, old_total: usize, total: usize) -> bool {
        let (before, after) = (old_total.next_multiple_of(PAGE), total.next_multiple_of(PAGE));
        let end = user.addr() - old.offset() + before;
        let mut pages = self.pages.lock();
        if after < before {
            pages.give(end - (before - after), before - after);
        }
        after <= before || pages.extend(end, after - before).is_some()
    }

    /// The bytes that the user asked for.
    ///
    /// # Safety
    /// As [`Heap::free`].
    pub unsafe fn usable_size(&self, user: *mut u8) -> usize {
        self.checked(user, "malloc_usable_size").size
    }

    /// The head of a block. Ends the process if it is damaged.
    fn checked(&self, user: *mut u8, function: &str) -> Head {
        let (address, base, end) = (user.addr(), self.base.load(Ordering::Relaxed), self.end());
        if !address.is_multiple_of(ALIGN) || address < base + block::HEAD || address >= end {
            fatal(function, address, "no block of the heap begins here");
        }
        // SAFETY: every page of the region is mapped.
        match unsafe { block::check(user, end) } {
            Ok(head) => head,
            Err(Damage::Freed) => fatal(function, address, "the block was freed already"),
            Err(Damage::Overflow(size)) => overflow(function, address, size),
            Err(Damage::NoBlock) => {
                fatal(function, address, "no block of the heap begins here, or the bytes before it were overwritten")
            }
        }
    }

    fn end(&self) -> usize {
        self.end.load(Ordering::Relaxed)
    }

    /// The region: its first address, the end of what was used at some time, and the end. The rest is zero. All are 0
    /// without a region.
    ///
    /// # Safety
    /// The calling thread has called [`Heap::lock`], or did so before a `fork`.
    pub unsafe fn extent_locked(&self) -> (usize, usize, usize) {
        // SAFETY: by the contract of this function no other thread changes the pages.
        let used = unsafe { self.pages.peek() }.high_water();
        (self.base.load(Ordering::Relaxed), used, self.end())
    }

    /// Limits the heap to the first `bytes` of its region. More than that which is in use already stays.
    pub fn limit(&self, bytes: usize) {
        self.pages.lock().limit(self.base.load(Ordering::Relaxed).saturating_add(bytes));
    }

    /// Takes pages for another purpose, such as a stack: `bytes` is a multiple of 4096. They are zeroed. 0 if there are
    /// none.
    pub fn take_pages(&self, bytes: usize) -> usize {
        let Some(taken) = self.take_run(bytes, PAGE) else { return 0 };
        if !taken.is_clean {
            // SAFETY: H3; the pages were just taken for the caller.
            unsafe { std::ptr::with_exposed_provenance_mut::<u8>(taken.start).write_bytes(0, bytes) };
        }
        taken.start
    }

    /// Gives pages of [`Heap::take_pages`] back.
    ///
    /// # Safety
    /// They are no longer in use, and they are readable and writable.
    pub unsafe fn give_pages(&self, start: usize, bytes: usize) {
        self.pages.lock().give(start, bytes);
    }

    /// Takes all locks, before a `fork`.
    pub fn lock(&self) {
        for shard in &self.shards {
            shard.acquire();
        }
        self.pages.acquire();
    }

    /// Gives the locks back after [`Heap::lock`].
    pub fn unlock(&self) {
        self.pages.release();
        for shard in &self.shards {
            shard.release();
        }
    }

    /// Gives the locks back in the child of a `fork`.
    pub fn unlock_in_child(&self) {
        self.pages.reset();
        for shard in &self.shards {
            shard.reset();
        }
    }
}

fn allocate_in(mut shard: Guard<'_, Shard>, align: usize, total: usize) -> *mut u8 {
    shard.allocate(align, total)
}

/// A number that threads mostly differ in: their thread pointers are stacks apart.
fn own_number() -> usize {
    let thread: usize;
    // SAFETY: on x86-64 the thread pointer lies at its own address.
    unsafe { asm!("mov {}, fs:0", out(reg) thread, options(nostack, preserves_flags, readonly)) };
    (thread >> 12) ^ (thread >> 20)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub use tests::heap as test_heap;
