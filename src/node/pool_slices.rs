//! Slices of Node's Buffer pool. They lie side by side in one slab without fences in between, so a synchronous call
//! remembers the bytes around a slice, and compares them when C returns.
//!
//! A byte that has changed is an overflow only if nothing else may write it meanwhile. JavaScript does not run during
//! the call. What else can write into a slab is known:
//!
//! * asynchronous calls of this package, calls that this one is nested in, and C code that has an address from
//!   `ptr()`, `pin()`, a struct or a callback's result: their slices are recorded, and exempt. Where one of them was
//!   passed an address in the slab of which no more is known, no slice of it is borrowed;
//! * everything that libuv runs on its pool, also for Node itself and for other addons: [`Requests`] counts it, and
//!   while there is any, no slice is borrowed.
#![expect(unsafe_code, reason = "reads a counter of libuv, and holds weak references to buffers")]

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::ptr::{NonNull, null_mut};
use std::rc::Rc;

use napi::sys;
use smallvec::SmallVec;

use super::transfer_lock::ask;
use super::value::Rooted;
use crate::memory::address::{Address, Span};
use crate::memory::fence::block_map;
use crate::memory::fence::borrows::Storage;
use crate::memory::fence::pool_slice::{PoolSlab, Ranges, SlabState, meets, range};

/// The requests of libuv's event loop that are under way.
#[derive(Debug, Default)]
pub struct Requests {
    /// `uv_loop_t.active_reqs.count`.
    active: Cell<Option<NonNull<u32>>>,
    /// The asynchronous calls of this package that are under way.
    own: Cell<u32>,
}

/// Where `active_reqs` lies in a `uv_loop_t`, by the public header of libuv 1.x on 64-bit systems: behind a pointer, an
/// `unsigned int` and a queue of two pointers.
const ACTIVE_REQS: usize = 32;

impl Requests {
    /// Finds the counter of the environment's loop.
    fn find(&self, env: sys::napi_env) {
        let mut event_loop = null_mut();
        // SAFETY: M6; the out-parameter is a local.
        let status = unsafe { sys::napi_get_uv_event_loop(env, &mut event_loop) };
        if status == sys::Status::napi_ok && cfg!(target_pointer_width = "64") {
            self.active.set(NonNull::new(event_loop.cast::<u8>().wrapping_add(ACTIVE_REQS).cast()));
        }
    }

    /// Counts a request of this package's own that was queued.
    pub fn begin(&self) {
        self.own.set(self.own.get() + 1);
    }

    /// Counts the end of such a request. libuv counts it right before; only `before` hooks of `node:async_hooks` run in
    /// between.
    pub fn end(&self) {
        self.own.set(self.own.get().saturating_sub(1));
    }

    /// Whether nothing but this package has requests under way. False where that is not known.
    fn are_own(&self) -> bool {
        // SAFETY: M6; the loop lives as long as the environment. Only its own thread, this one, writes the counter.
        self.active.get().is_some_and(|active| unsafe { active.read() } <= self.own.get())
    }
}

/// The slabs of the pool, and which of their slices may be written during a call that was not passed them.
#[derive(Debug, Default)]
pub struct PoolSlices {
    /// The work on libuv's pool.
    pub requests: Requests,
    /// The sizes that slabs have had.
    sizes: RefCell<SmallVec<[usize; 2]>>,
    /// The slabs that are known, by their first byte.
    slabs: RefCell<BTreeMap<usize, Slab>>,
    /// The number of slabs with an exposed slice: a word that generated code reads.
    count: Cell<usize>,
    /// A JavaScript function: whether a buffer is a slab.
    asks_slab: OnceCell<sys::napi_ref>,
    /// The number of slabs at which those that were collected are dropped.
    limit: Cell<usize>,
    /// The memory that the asynchronous calls under way were passed, by the number of the job.
    jobs: RefCell<HashMap<usize, Ranges>>,
}

#[derive(Debug)]
struct Slab {
    length: usize,
    /// Its buffer, weakly.
    buffer: sys::napi_ref,
    /// The bytes of each slice whose address was exposed, by its start. Slabs are never filled twice: an entry stays
    /// true as long as its slab lives.
    slices: BTreeMap<usize, usize>,
    /// What is known of it beyond that.
    state: Rc<SlabState>,
}

const FIRST_LIMIT: usize = 64;

impl PoolSlices {
    /// The slab of a view: its buffer, where that is one.
    pub fn slab(&self, storage: Storage, buffer: Rooted<'_>, length: usize) -> Option<PoolSlab> {
        if !self.has_size(length) {
            return None;
        }
        let env = buffer.env();
        let start = Address::new(storage.view.start.get() - storage.offset)?;
        let span = Span::new(start, length).ok()?;
        let is_known = |slab: &&Slab| slab.is_still(env, span);
        let known = self.slabs.borrow().get(&start.get()).filter(is_known).map(|slab| slab.state.clone());
        let state = if let Some(state) = known {
            state
        } else {
            // SAFETY: `add_size` got the function, which the environment keeps.
            if unsafe { ask(*self.asks_slab.get()?, buffer) } != Some(true) {
                return None;
            }
            self.add(start.get(), length, buffer)
        };
        Some(PoolSlab { span, state })
    }

    /// Records the size of a slab. `asks` keeps the function that returns whether a buffer of this size is one.
    pub fn add_size(&self, env: sys::napi_env, bytes: usize, asks: impl FnOnce() -> sys::napi_ref) {
        self.asks_slab.get_or_init(|| {
            self.requests.find(env);
            asks()
        });
        let mut sizes = self.sizes.borrow_mut();
        if !sizes.contains(&bytes) {
            sizes.push(bytes);
        }
    }

    fn add(&self, start: usize, length: usize, buffer: Rooted<'_>) -> Rc<SlabState> {
        let env = buffer.env();
        let mut slabs = self.slabs.borrow_mut();
        if slabs.len() >= self.limit.get() {
            slabs.retain(|_, slab| {
                let is_alive = slab.is_alive(env);
                if !is_alive {
                    slab.forget(env);
                }
                is_alive
            });
            self.limit.set((slabs.len() * 2).max(FIRST_LIMIT));
        }
        let state = Rc::<SlabState>::default();
        let mut slab = Slab { length, buffer: null_mut(), slices: BTreeMap::new(), state: state.clone() };
        // SAFETY: the buffer is rooted. A count of 0 makes a weak reference.
        unsafe { sys::napi_create_reference(env, buffer.raw(), 0, &mut slab.buffer) };
        if let Some(collected) = slabs.insert(start, slab) {
            collected.forget(env);
        }
        self.count.set(slabs.values().filter(|slab| !slab.slices.is_empty()).count());
        state
    }

    /// Whether a part of a block of this length is a slice of a slab.
    #[inline(never)]
    pub fn has_size(&self, length: usize) -> bool {
        self.sizes.borrow().contains(&length)
    }

    /// Whether the address of any slice was exposed: one load.
    #[inline]
    pub fn any(&self) -> bool {
        self.count.get() > 0
    }

    /// The address of a word that is 0 while none was.
    pub fn count_word(&self) -> usize {
        self.count.as_ptr().expose_provenance()
    }

    /// Records that the address of a slice of a known slab is exposed: C may write there until the slab is collected.
    pub fn expose(&self, slice: Span, slab: Span) {
        if let Some(slab) = self.slabs.borrow_mut().get_mut(&slab.start.get()) {
            if slab.slices.is_empty() {
                self.count.set(self.count.get() + 1);
            }
            let length = slab.slices.entry(slice.start.get()).or_default();
            *length = slice.length.max(*length);
        }
    }

    /// Whether a number is an address in a slab, where addresses of slices were exposed.
    #[inline]
    pub fn holds(&self, address: usize) -> bool {
        self.any() && self.slab_around(address).is_some()
    }

    #[inline(never)]
    fn slab_around(&self, address: usize) -> Option<Span> {
        let slabs = self.slabs.borrow();
        let (start, slab) = slabs.range(..=address).next_back()?;
        (address - start < slab.length).then(|| Span::new(Address::new(*start)?, slab.length).ok())?
    }

    /// The slice that a number may mean, and its slab: the slices around it whose addresses were exposed; `None` where
    /// there are none.
    pub fn around(&self, env: sys::napi_env, address: Address) -> Option<(Span, PoolSlab)> {
        let slab = self.slab_around(address.get()).filter(|_| self.any())?;
        let slabs = self.slabs.borrow();
        let exposed = slabs.get(&slab.start.get()).filter(|exposed| exposed.is_still(env, slab))?;
        let inside =
            |(start, length): (&usize, &usize)| (address.get() - start < *length).then(|| *start..start + length);
        let slices = exposed.slices.range(..=address.get()).filter_map(inside);
        let Range { start, end } = slices.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end))?;
        let slab = PoolSlab { span: slab, state: exposed.state.clone() };
        Some((Span::new(Address::new(start)?, end - start).ok()?, slab))
    }

    /// The slab of a view that the call holds, if it is known and its header says that it has fences, or it has none.
    pub fn known(&self, env: sys::napi_env, view: Span) -> Option<PoolSlab> {
        let slabs = self.slabs.borrow();
        let (start, slab) = slabs.range(..=view.start.get()).next_back()?;
        let span = Span::new(Address::new(*start)?, slab.length).ok()?;
        let is_inside = range(view).end <= range(span).end;
        let is_valid = |slab: &PoolSlab| {
            let fence = &slab.state.fence;
            if block_map::contains(span.start) { fence.is_current(span.start) } else { fence.is_empty() }
        };
        (is_inside && slab.is_still(env, span)).then(|| PoolSlab { span, state: slab.state.clone() }).filter(is_valid)
    }

    /// Forgets what the headers of slabs said, after a breach: they are rewritten.
    pub fn forget_fences(&self) {
        self.slabs.borrow().values().for_each(|slab| slab.state.fence.forget());
    }

    /// Records what an asynchronous call may write; a range without an end where it was passed an address of which
    /// nothing is known.
    pub fn lend(&self, job: usize, ranges: Ranges) {
        if !ranges.is_empty() {
            self.jobs.borrow_mut().insert(job, ranges);
        }
    }

    /// The call is over.
    pub fn take_back(&self, job: usize) {
        self.jobs.borrow_mut().remove(&job);
    }

    /// The parts of a slab of a call that others may write during it; `None` if that is unknown.
    pub fn written_by_others(&self, slab: Span) -> Option<Ranges> {
        if !self.requests.are_own() {
            return None;
        }
        let jobs = self.jobs.borrow();
        let mut ranges: Ranges = jobs.values().flatten().filter(|range| meets(slab, range)).cloned().collect();
        if let Some(exposed) = self.slabs.borrow().get(&slab.start.get()) {
            ranges.extend(exposed.slices.iter().map(|(start, length)| *start..start + length));
        }
        Some(ranges)
    }

    /// Forgets everything: the environment ends.
    pub fn forget(&self, env: sys::napi_env) {
        for slab in self.slabs.take().into_values() {
            slab.forget(env);
        }
    }
}

impl Slab {
    /// Whether its buffer is alive: nothing was freed since it was asked last, or it is asked again. Its fences are
    /// current then, if it has some.
    fn is_still(&self, env: sys::napi_env, span: Span) -> bool {
        let fence = &self.state.fence;
        if fence.is_current(span.start) {
            return true;
        }
        let is_alive = self.is_alive(env);
        // SAFETY: M3; its buffer is alive, and no JavaScript runs before the caller is done.
        if is_alive && unsafe { fence.of(span) }.is_some_and(|(_, length)| length != span.length) {
            fence.forget();
        }
        is_alive
    }

    /// Whether its buffer has neither been collected nor detached.
    fn is_alive(&self, env: sys::napi_env) -> bool {
        let (mut scope, mut buffer) = (null_mut(), null_mut());
        // SAFETY: M6; the reference is this environment's, and the out-parameters are locals. The buffer is not used
        // after its scope.
        unsafe {
            sys::napi_open_handle_scope(env, &mut scope);
            sys::napi_get_reference_value(env, self.buffer, &mut buffer);
            let is_alive = !buffer.is_null() && Rooted::new(env, buffer).buffer_length() == Some(self.length);
            sys::napi_close_handle_scope(env, scope);
            is_alive
        }
    }

    /// Deletes its reference.
    fn forget(&self, env: sys::napi_env) {
        // SAFETY: M6; the entry is no longer used.
        unsafe { sys::napi_delete_reference(env, self.buffer) };
    }
}
