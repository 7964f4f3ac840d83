//! Which process an address is of: this one, or the host of an isolated library.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::child::Child;
use super::range::Range;
use super::remote_memory;
use super::shared;
use crate::memory::address::{Address, Span};
use crate::memory::other_memory::OtherMemory;
use crate::memory::probe::{self, Access};

/// A host, and where its mappings lie, which nothing of this process does.
struct Host {
    child: Weak<Child>,
    ranges: Arc<Vec<Range>>,
    /// Whether all of its mappings lie there.
    are_all: bool,
}

impl Host {
    fn has_ended(&self) -> bool {
        self.child.strong_count() == 0
    }
}

/// All hosts, the youngest last. The last [`MOST_ENDED`] that have ended stay: while their ranges are reserved, a
/// pointer into one is known to be stale.
static HOSTS: Mutex<Vec<Host>> = Mutex::new(Vec::new());
/// The mappings of this process when it was last looked.
static MAPPINGS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The number of ended hosts that are kept.
const MOST_ENDED: usize = 32;

/// Reserves the addresses of a host's spans, each a start and a number of bytes. `None` where this process has memory
/// at some of them, or another host, also one that has ended. What it has reserved itself, such as room for WebAssembly
/// to grow, is left out.
pub fn reserve(spans: &[(usize, usize)]) -> Option<Vec<Range>> {
    let all: Vec<_> = spans.iter().map(|&(start, bytes)| Range::at(start, bytes)).collect();
    if all.iter().any(Option::is_none) {
        look();
    }
    let refused = spans.iter().zip(&all).filter(|(_, range)| range.is_none());
    let mappings = locked(&MAPPINGS);
    let has_memory = |&(start, bytes): &(usize, usize)| {
        let next = mappings.partition_point(|(_, end)| *end <= start);
        mappings.get(next).is_some_and(|(first, _)| *first < start + bytes)
    };
    let hosts = locked(&HOSTS);
    let is_of_another = |&(start, bytes): &(usize, usize)| {
        let mut ranges = hosts.iter().flat_map(|host| host.ranges.iter());
        ranges.any(|range| range.base < start + bytes && start < range.base + range.size)
    };
    if refused.map(|(span, _)| span).any(|span| has_memory(span) || is_of_another(span)) {
        None
    } else {
        Some(all.into_iter().flatten().collect())
    }
}

/// Notes that a host has started, whose mappings lie in a window and in ranges; without one of them, anywhere.
pub fn add(child: &Arc<Child>, window: Option<Range>, others: Option<Vec<Range>>) {
    let are_all = window.is_some() && others.is_some();
    let ranges = Arc::new(window.into_iter().chain(others.into_iter().flatten()).collect::<Vec<_>>());
    let mut hosts = locked(&HOSTS);
    // Without a range there is no address to know again.
    hosts.retain(|host| !host.has_ended() || !host.ranges.is_empty());
    let mut surplus = hosts.iter().filter(|host| host.has_ended()).count().saturating_sub(MOST_ENDED);
    hosts.retain(|host| {
        let goes = surplus > 0 && host.has_ended();
        surplus -= usize::from(goes);
        !goes
    });
    if !are_all {
        ANY_ANYWHERE.store(true, Ordering::Relaxed);
    }
    hosts.push(Host { child: Arc::downgrade(child), ranges, are_all });
}

/// The hosts that have not ended, for use without the lock: to drop the last reference to one waits for its end.
fn held_hosts() -> Vec<Arc<Child>> {
    locked(&HOSTS).iter().filter_map(|host| host.child.upgrade()).collect()
}

/// Whether an address was of memory of a host that has ended.
pub fn is_stale(address: usize) -> bool {
    if shared::holds(address) {
        return shared::is_stale(address);
    }
    // Not dropped under the lock: the last holder of a host waits for its end.
    let found = locked(&HOSTS).iter().find(|host| is_in(&host.ranges, address)).map(|host| host.child.clone());
    found.is_some_and(|host| !host.upgrade().is_some_and(|host| host.is_alive()))
}

/// Whether an address is of memory that a host has made: its heap, its mappings.
pub fn is_of_host(address: usize) -> bool {
    if shared::holds(address) { shared::is_in_heap(address) } else { Hosts.owns(address) }
}

/// Whether a value that is stored at an address would be a pointer which the host there does not share.
pub fn is_private_at(target: usize, value: usize) -> bool {
    let host = if shared::holds(target) {
        held_hosts().into_iter().find(|host| host.has_in_heap(target))
    } else {
        owner_of(target)
    };
    host.is_some_and(|host| host.is_private(value))
}

/// Ends the hosts that other threads than this one wait for: at its end the process waits for these threads.
pub fn end_busy() {
    held_hosts().iter().filter(|host| host.is_busy()).for_each(|host| host.kill());
}

/// The host that has memory at an address, where this process has none.
pub fn owner_of(address: usize) -> Option<Arc<Child>> {
    if locked(&HOSTS).is_empty() || !Hosts.owns(address) {
        return None;
    }
    host_at(address)
}

fn is_in(ranges: &[Range], address: usize) -> bool {
    ranges.iter().any(|range| range.contains(address, 1))
}

/// The living host that has memory at an address. If the address lies in a range of one, only that one is checked.
fn host_at(address: usize) -> Option<Arc<Child>> {
    let all = locked(&HOSTS);
    let is_in_range = all.iter().any(|host| is_in(&host.ranges, address));
    let hosts = all.iter().rev().filter_map(|host| Some((host.child.upgrade()?, Arc::clone(&host.ranges))));
    let hosts: Vec<_> = hosts.collect();
    drop(all);
    let mut alive = hosts.into_iter().filter(|(host, _)| host.is_alive());
    let found =
        alive.find(
            |(host, ranges)| {
                if is_in_range { is_in(ranges, address) } else { remote_memory::read(host.pid, address, &mut [0]) }
            },
        );
    found.map(|(host, _)| host)
}

/// Whether an address lies in a range of a host, where this process has nothing.
fn is_in_range(address: usize) -> bool {
    locked(&HOSTS).iter().any(|host| is_in(&host.ranges, address))
}

/// Whether any host has started whose mappings may lie anywhere.
static ANY_ANYWHERE: AtomicBool = AtomicBool::new(false);

/// Whether a host has memory at an address whose mappings may lie where this process has some: such an address means
/// nothing.
fn is_of_host_anywhere(address: usize) -> bool {
    if !ANY_ANYWHERE.load(Ordering::Relaxed) {
        return false;
    }
    let hosts: Vec<_> =
        locked(&HOSTS).iter().filter(|host| !host.are_all).filter_map(|host| host.child.upgrade()).collect();
    hosts.iter().any(|host| host.is_alive() && remote_memory::read(host.pid, address, &mut [0]))
}

/// The host of an address that [`Hosts`] own; none where this process has memory there as well, and where it is stale.
fn only_host_at(address: usize) -> Option<Arc<Child>> {
    let is_ours = shared::holds(address) || (was_mapped(address) && !is_in_range(address));
    if is_ours { None } else { host_at(address) }
}

/// Whether this process had memory at an address when it was last looked.
fn was_mapped(address: usize) -> bool {
    let mappings = locked(&MAPPINGS);
    let next = mappings.partition_point(|(start, _)| *start <= address);
    next > 0 && address < mappings[next - 1].1
}

/// Whether this process has memory at an address. It is called for every number that is passed as a pointer: an
/// unmapped address must not take longer than a mapped one.
pub fn is_here(address: usize) -> bool {
    let byte = Address::new(address).and_then(|start| Span::new(start, 1).ok());
    !is_in_range(address) && byte.is_some_and(|byte| probe::is_mapped(byte, Access::Read))
}

/// When that was, in milliseconds, and how long it counts as now.
static LOOKED: AtomicU64 = AtomicU64::new(0);
const RECENT: u64 = 50;

fn milliseconds() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_millis() as u64 + RECENT + 1
}

/// Looks which memory this process has. False where the system does not say so: there may be no `/proc`.
fn look() -> bool {
    let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return false };
    let number = |text: &str| usize::from_str_radix(text, 16).ok();
    let mappings = maps.lines().filter_map(|line| {
        let mut fields = line.split([' ', '-']);
        let (start, end) = (number(fields.next()?)?, number(fields.next()?)?);
        // Reserved addresses have no memory yet.
        fields.next()?.starts_with('r').then_some((start, end))
    });
    *locked(&MAPPINGS) = mappings.collect();
    LOOKED.store(milliseconds(), Ordering::Relaxed);
    true
}

/// The memory of hosts. Two kinds of address count as a host's and are refused: one that no process has, and one that
/// both this process and a host have, because it is ambiguous. (Mappings of hosts lie in ranges wherever that is
/// possible.)
pub struct Hosts;

impl OtherMemory for Hosts {
    fn owns(&self, address: usize) -> bool {
        if shared::holds(address) {
            return shared::is_stale(address);
        }
        if is_in_range(address) {
            return true;
        }
        if was_mapped(address) {
            return is_of_host_anywhere(address);
        }
        // Where a host has memory the answer may be of a moment ago; where no process has, it must be of now.
        let is_recent = LOOKED.load(Ordering::Relaxed).wrapping_add(RECENT) > milliseconds();
        let is_known = is_recent && host_at(address).is_some();
        if !is_known && !look() {
            return !remote_memory::read(std::process::id() as i32, address, &mut [0]);
        }
        !was_mapped(address)
    }

    fn read(&self, address: usize, to: &mut [u8]) -> bool {
        only_host_at(address).is_some_and(|host| remote_memory::read(host.pid, address, to))
    }

    fn write(&self, address: usize, from: &[u8]) -> bool {
        only_host_at(address).is_some_and(|host| remote_memory::write(host.pid, address, from))
    }

    fn here(&self, address: usize, length: usize) -> Option<usize> {
        only_host_at(address)?.globals.home_of(address, length)
    }

    fn is_cut(&self, address: usize, length: usize) -> bool {
        shared::is_cut(address, length)
    }

    fn text(&self, address: usize, unit: usize) -> Option<Vec<u8>> {
        remote_memory::text_of_units(only_host_at(address)?.pid, address, unit)
    }
}
