//! Where arenas that are gone have been. What keeps track of the memory of an arena by its address stays for good, the
//! tables of [`crate::memory::fence::block_map`] for one. So that a process which opens and closes libraries for ever
//! does not grow, their arenas lie at few places, which come round.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::range::Range;

/// A place is used again only when so many others of its size have been left after it: until then, a pointer to the
/// arena that was there leads to no memory, and is refused.
const MOST_LEFT: usize = 64;

/// The first address and the bytes of each place, the one that was left first in front. They are not reserved: what is
/// waiting here takes up no address space.
static LEFT: Mutex<VecDeque<(usize, usize)>> = Mutex::new(VecDeque::new());

fn left() -> MutexGuard<'static, VecDeque<(usize, usize)>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reserves addresses for an arena: where one of that size was long ago, or at a random place. `None` where none is
/// found.
pub fn reserve(size: usize, align: usize) -> Option<Range> {
    again(size).or_else(|| Range::reserve(size, align))
}

/// The place of that size that was left first, if its turn has come. One where something else lies now, such as the
/// window of a host, gets another turn.
fn again(size: usize) -> Option<Range> {
    let mut left = left();
    let waiting = left.iter().filter(|(_, bytes)| *bytes == size).count();
    for _ in MOST_LEFT..waiting {
        let first = left.iter().position(|(_, bytes)| *bytes == size)?;
        let place = left.remove(first)?;
        if let Some(range) = Range::at(place.0, size) {
            return Some(range);
        }
        left.push_back(place);
    }
    None
}

/// Notes that an arena leaves its place.
pub fn leave(range: &Range) {
    left().push_back((range.base, range.size));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened_and_closed(size: usize) -> usize {
        let range = reserve(size, 1 << 20).unwrap();
        leave(&range);
        range.base
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls the kernel")]
    fn a_place_comes_round_after_many_others() {
        const SIZE: usize = 3 << 20;
        let arenas = |count: usize| (0..count).map(|_| opened_and_closed(SIZE)).collect::<Vec<_>>();
        let places = arenas(MOST_LEFT + 1);
        assert_eq!(arenas(MOST_LEFT + 1), places);
        // One that is in use is not given out, and not forgotten.
        let used = Range::at(places[0], SIZE).unwrap();
        let other = opened_and_closed(SIZE);
        assert!(!places.contains(&other));
        drop(used);
        assert_eq!(arenas(MOST_LEFT + 2), [&places[1..], &[places[0], other]].concat());
    }
}
