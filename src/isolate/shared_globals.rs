//! Globals of a host's libraries that lie in the arena as well: where this process has them.

use std::sync::{Mutex, PoisonError};

#[derive(Clone, Copy, Debug)]
struct Segment {
    address: usize,
    bytes: usize,
    home: usize,
}

/// The shared globals of one host.
#[derive(Debug, Default)]
pub struct SharedGlobals(Mutex<Vec<Segment>>);

impl SharedGlobals {
    /// Takes note of all that there are now, as the host tells them: address, bytes, address in the arena. What does
    /// not lie in the arena is left out.
    pub fn set(&self, words: &[u8], is_in_arena: impl Fn(usize, usize) -> bool) {
        let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        let segments = words.chunks_exact(24).map(|words| Segment {
            address: word(&words[..8]),
            bytes: word(&words[8..16]),
            home: word(&words[16..]),
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            segments.filter(|segment| is_in_arena(segment.home, segment.bytes)).collect();
    }

    /// Where bytes of the host's globals lie in the arena.
    pub fn home_of(&self, address: usize, length: usize) -> Option<usize> {
        let segments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        segments.iter().find_map(|segment| {
            let offset = address.checked_sub(segment.address)?;
            (offset < segment.bytes && length <= segment.bytes - offset).then(|| segment.home + offset)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_where_the_arena_has_it() {
        let globals = SharedGlobals::default();
        let words: Vec<u8> = [0x7000, 0x100, 0x2000_0000, 0x9000, 0x100, 0x10]
            .iter()
            .flat_map(|word: &u64| word.to_le_bytes())
            .chain([1, 2])
            .collect();
        globals.set(&words, |home, bytes| home >= 0x2000_0000 && bytes < 0x1000);
        assert_eq!(globals.home_of(0x7010, 0xf0), Some(0x2000_0010));
        assert_eq!(
            (globals.home_of(0x7010, 0xf1), globals.home_of(0x7100, 0), globals.home_of(0x9000, 1)),
            (None, None, None)
        );
    }
}
