//! Which process an address is of: this one, or the host of an isolated library.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use super::arena::Range;
use super::child::Child;
use super::remote_memory;
use super::shared;
use crate::memory::other_memory::OtherMemory;

/// A host, and where its mappings lie.
type Host = (Weak<Child>, Option<Arc<Range>>);

/// The hosts there are, the youngest last, each with where its mappings lie.
static HOSTS: Mutex<Vec<Host>> = Mutex::new(Vec::new());
/// The mappings of this process when it was last looked.
static MAPPINGS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that a host has started, whose mappings lie in a window.
pub fn add(child: &Arc<Child>, window: Option<&Arc<Range>>) {
    let mut hosts = locked(&HOSTS);
    hosts.retain(|(host, _)| host.strong_count() > 0);
    hosts.push((Arc::downgrade(child), window.map(Arc::clone)));
}

/// Ends the hosts that other threads than JavaScript's wait for: at its end the process waits for these threads.
pub fn end_busy() {
    let hosts: Vec<Arc<Child>> = locked(&HOSTS).iter().filter_map(|(host, _)| host.upgrade()).collect();
    hosts.iter().filter(|host| host.is_busy()).for_each(|host| host.kill());
}

/// The host that has memory at an address, where this process has none.
pub fn owner_of(address: usize) -> Option<Arc<Child>> {
    if locked(&HOSTS).is_empty() || !Hosts.owns(address) {
        return None;
    }
    host_at(address)
}

fn is_in(window: Option<&Arc<Range>>, address: usize) -> bool {
    window.is_some_and(|window| window.contains(address, 1))
}

/// The living host that has memory at an address. One in whose window it lies is asked alone.
fn host_at(address: usize) -> Option<Arc<Child>> {
    let hosts: Vec<_> =
        locked(&HOSTS).iter().rev().filter_map(|(host, window)| Some((host.upgrade()?, window.clone()))).collect();
    let is_in_window = hosts.iter().any(|(_, window)| is_in(window.as_ref(), address));
    let mut alive = hosts.into_iter().filter(|(host, _)| host.is_alive());
    let found = alive.find(|(host, window)| {
        if is_in_window { is_in(window.as_ref(), address) } else { remote_memory::read(host.pid, address, &mut [0]) }
    });
    found.map(|(host, _)| host)
}

/// Whether an address lies in the window of a host, where this process has nothing.
fn is_in_window(address: usize) -> bool {
    let hosts = locked(&HOSTS);
    hosts.iter().any(|(host, window)| host.strong_count() > 0 && is_in(window.as_ref(), address))
}

/// Whether this process had memory at an address when it was last looked.
fn was_mapped(address: usize) -> bool {
    let mappings = locked(&MAPPINGS);
    let next = mappings.partition_point(|(start, _)| *start <= address);
    next > 0 && address < mappings[next - 1].1
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
        // Reserved addresses are nobody's yet.
        fields.next()?.starts_with('r').then_some((start, end))
    });
    *locked(&MAPPINGS) = mappings.collect();
    LOOKED.store(milliseconds(), Ordering::Relaxed);
    true
}

/// The memory of hosts. An address that both this process and a host have is this process's; one that nobody has is a
/// host's, which refuses it.
pub struct Hosts;

impl OtherMemory for Hosts {
    fn owns(&self, address: usize) -> bool {
        if shared::holds(address) {
            return false;
        }
        if is_in_window(address) {
            return true;
        }
        if was_mapped(address) {
            return false;
        }
        // Where a host has memory the answer may be of a moment ago; where nobody has, it must be of now.
        let is_recent = LOOKED.load(Ordering::Relaxed).wrapping_add(RECENT) > milliseconds();
        if !(is_recent && host_at(address).is_some()) {
            if !look() {
                return !remote_memory::read(std::process::id() as i32, address, &mut [0]);
            }
        }
        !was_mapped(address)
    }

    fn read(&self, address: usize, to: &mut [u8]) -> bool {
        host_at(address).is_some_and(|host| remote_memory::read(host.pid, address, to))
    }

    fn write(&self, address: usize, from: &[u8]) -> bool {
        host_at(address).is_some_and(|host| remote_memory::write(host.pid, address, from))
    }

    fn here(&self, address: usize, length: usize) -> Option<usize> {
        host_at(address)?.globals.home_of(address, length)
    }

    fn text(&self, address: usize, unit: usize) -> Option<Vec<u8>> {
        remote_memory::text_of_units(host_at(address)?.pid, address, unit)
    }
}
