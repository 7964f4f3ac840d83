//! Slices of Node's Buffer pool. They lie side by side in one slab without fences in between, so a synchronous call
//! remembers the bytes around a slice, and compares them when C returns.
//!
//! A byte that has changed is an overflow only if nobody else may write it meanwhile. JavaScript does not run during the
//! call. What else can write into a slab is known:
//!
//! * asynchronous calls of this package and C code that was given an address by `ptr()`, `pin()` or a struct: their slices
//!   are recorded here, and exempt;
//! * everything that libuv runs on its pool, also for Node itself and for other addons: [`Requests`] counts it, and while
//!   there is any, no slice is watched.
#![expect(unsafe_code, reason = "reads a counter of libuv, and holds weak references to buffers")]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::ptr::{NonNull, null_mut};

use napi::bindgen_prelude::Env;
use napi::sys;
use napi_derive::napi;
use smallvec::SmallVec;

use super::environment::current;
use crate::memory::address::{Address, Span};
use crate::memory::pin;
use crate::memory::slice::{Ranges, meets};

/// The requests of libuv's event loop that are under way.
#[derive(Debug, Default)]
pub struct Requests {
    /// `uv_loop_t.active_reqs.count`.
    active: Cell<Option<NonNull<u32>>>,
    /// Those that are asynchronous calls of this package.
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

    /// Notes that a request of this package's own was queued.
    pub fn begin(&self) {
        self.own.set(self.own.get() + 1);
    }

    /// Notes that it is done.
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
pub struct Slices {
    /// What runs on libuv's pool.
    pub requests: Requests,
    /// The sizes that slabs have had.
    sizes: RefCell<SmallVec<[usize; 2]>>,
    /// The slabs of which a slice's address was given out, by their first byte.
    slabs: RefCell<BTreeMap<usize, Exposed>>,
    /// How many those are: a word that generated code reads.
    count: Cell<usize>,
    /// The slabs there may be before those are dropped that were collected.
    limit: Cell<usize>,
    /// What the asynchronous calls under way were passed, by the number of the job.
    jobs: RefCell<HashMap<usize, Ranges>>,
}

#[derive(Debug)]
struct Exposed {
    length: usize,
    /// The slab's buffer, weakly.
    buffer: sys::napi_ref,
    /// The bytes of each slice, by its start. Slabs are never filled twice: an entry stays true as long as its slab lives.
    slices: BTreeMap<usize, usize>,
}

const FIRST_LIMIT: usize = 64;

impl Slices {
    /// The slab of a view, where its buffer is of the size of one and the view a part of it. `buffer_length` is asked for
    /// where slabs are known.
    pub fn slab(&self, view: Span, offset: usize, buffer_length: impl FnOnce() -> Option<usize>) -> Option<Span> {
        if self.sizes.borrow().is_empty() {
            return None;
        }
        let length = buffer_length().filter(|length| view.length < *length && self.has_size(*length))?;
        Span::new(Address::new(view.start.get() - offset)?, length).ok()
    }

    /// Whether a part of a block of this length is a slice of a slab.
    #[inline(never)]
    pub fn has_size(&self, length: usize) -> bool {
        self.sizes.borrow().contains(&length)
    }

    /// Whether the address of any slice was given out: one load.
    #[inline]
    pub fn any(&self) -> bool {
        self.count.get() > 0
    }

    /// The address of a word that is 0 while none was.
    pub fn count_word(&self) -> usize {
        self.count.as_ptr().expose_provenance()
    }

    /// Records that the address of a slice is given out: C may write there until the slab is collected.
    pub fn expose(&self, env: sys::napi_env, slice: Span, slab: Span, buffer: sys::napi_value) {
        let mut slabs = self.slabs.borrow_mut();
        let start = slab.start.get();
        if !slabs.get(&start).is_some_and(|exposed| exposed.is_alive(env)) {
            if slabs.len() >= self.limit.get() {
                slabs.retain(|_, exposed| exposed.is_alive(env) || exposed.forget(env));
                self.limit.set((slabs.len() * 2).max(FIRST_LIMIT));
            }
            let mut exposed = Exposed { length: slab.length, buffer: null_mut(), slices: BTreeMap::new() };
            // SAFETY: M3 and M6. A count of 0 makes a weak reference.
            unsafe { sys::napi_create_reference(env, buffer, 0, &mut exposed.buffer) };
            if let Some(collected) = slabs.insert(start, exposed) {
                collected.forget(env);
            }
            self.count.set(slabs.len());
        }
        if let Some(exposed) = slabs.get_mut(&start) {
            let length = exposed.slices.entry(slice.start.get()).or_default();
            *length = slice.length.max(*length);
        }
    }

    /// Whether a number is an address in a slab of which addresses were given out.
    #[inline]
    pub fn holds(&self, address: usize) -> bool {
        self.any() && self.slab_around(address).is_some()
    }

    #[inline(never)]
    fn slab_around(&self, address: usize) -> Option<Span> {
        let slabs = self.slabs.borrow();
        let (start, exposed) = slabs.range(..=address).next_back()?;
        (address - start < exposed.length).then(|| Span::new(Address::new(*start)?, exposed.length).ok())?
    }

    /// What a number may mean, and the slab of it: the slices around it whose addresses were given out; `None` where there
    /// are none.
    pub fn around(&self, env: sys::napi_env, address: Address) -> Option<(Span, Span)> {
        let slab = self.slab_around(address.get()).filter(|_| self.any())?;
        let slabs = self.slabs.borrow();
        let exposed = slabs.get(&slab.start.get()).filter(|exposed| exposed.is_alive(env))?;
        let inside =
            |(start, length): (&usize, &usize)| (address.get() - start < *length).then(|| *start..start + length);
        let slices = exposed.slices.range(..=address.get()).filter_map(inside);
        let Range { start, end } = slices.reduce(|one, other| one.start.min(other.start)..one.end.max(other.end))?;
        Some((Span::new(Address::new(start)?, end - start).ok()?, slab))
    }

    /// Records what an asynchronous call may write; a range without an end where it was passed an address of which nothing
    /// is known.
    pub fn lend(&self, job: usize, ranges: Ranges) {
        if !ranges.is_empty() {
            self.jobs.borrow_mut().insert(job, ranges);
        }
    }

    /// The call is over.
    pub fn take_back(&self, job: usize) {
        self.jobs.borrow_mut().remove(&job);
    }

    /// What others than the call may write in a slab during it; `None` where that is not known.
    pub fn written_by_others(&self, env: sys::napi_env, slab: Span) -> Option<Ranges> {
        if !self.requests.are_own() {
            return None;
        }
        let jobs = self.jobs.borrow();
        let mut ranges: Ranges = jobs.values().flatten().filter(|range| meets(slab, range)).cloned().collect();
        if let Some(exposed) = self.slabs.borrow().get(&slab.start.get()).filter(|exposed| exposed.is_alive(env)) {
            ranges.extend(exposed.slices.iter().map(|(start, length)| *start..start + length));
        }
        Some(ranges)
    }

    /// Forgets all: the environment is going.
    pub fn forget(&self, env: sys::napi_env) {
        for exposed in self.slabs.take().into_values() {
            exposed.forget(env);
        }
    }
}

impl Exposed {
    /// Whether its slab has neither been collected nor detached.
    fn is_alive(&self, env: sys::napi_env) -> bool {
        let (mut scope, mut buffer) = (null_mut(), null_mut());
        // SAFETY: M6; the reference is this environment's, and the out-parameters are locals. The buffer is not used after its
        // scope.
        unsafe {
            sys::napi_open_handle_scope(env, &mut scope);
            sys::napi_get_reference_value(env, self.buffer, &mut buffer);
            let is_alive = !buffer.is_null() && pin::buffer_length(env, buffer) == Some(self.length);
            sys::napi_close_handle_scope(env, scope);
            is_alive
        }
    }

    /// Gives its reference back; always false.
    fn forget(&self, env: sys::napi_env) -> bool {
        // SAFETY: M6; nobody has the entry any more.
        unsafe { sys::napi_delete_reference(env, self.buffer) };
        false
    }
}

/// Records the size of a slab of Node's Buffer pool: a slice of a buffer of this size has neighbours.
#[napi]
pub fn add_slab_size(env: Env, bytes: u32) -> napi::Result<()> {
    let environment = current(env)?;
    environment.slices.requests.find(env.raw());
    environment.slices.sizes.borrow_mut().push(bytes as usize);
    Ok(())
}
