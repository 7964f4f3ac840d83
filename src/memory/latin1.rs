//! Texts of V8's one-byte strings: characters of Latin-1, as UTF-8 with a NUL.
#![expect(unsafe_code, reason = "reads the engine's memory and writes a block")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw copies")]

use super::ascii::{self, is_plain};
use super::fence::block::Fenced;

/// Characters of Latin-1.
#[derive(Clone, Copy, Debug)]
pub struct Latin1<'a> {
    characters: &'a [u8],
    /// The characters from 0x80 on, which take two bytes (RFC 3629, section 3).
    wide: usize,
}

impl<'a> Latin1<'a> {
    /// Characters that lie in the engine's heap; `None` where one is NUL.
    ///
    /// # Safety
    /// M15: they stay where they are while the result is used, because no JavaScript runs.
    pub unsafe fn new(start: *const u8, length: usize) -> Option<Self> {
        // SAFETY: by the contract of this function.
        let characters: &[u8] = if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(start, length) } };
        if is_plain(characters) {
            return Some(Self { characters, wide: 0 });
        }
        let wide = characters.iter().filter(|character| **character >= 0x80).count();
        (!characters.contains(&0)).then_some(Self { characters, wide })
    }

    /// The characters.
    pub fn characters(self) -> &'a [u8] {
        self.characters
    }

    /// The bytes as UTF-8, with the NUL.
    pub fn size(self) -> usize {
        self.characters.len() + self.wide + 1
    }

    /// Writes it, with the NUL, into a block of [`Latin1::size`] bytes.
    ///
    /// # Safety
    /// M8: the block is of that size, and unused.
    pub unsafe fn put(self, block: Fenced) {
        // SAFETY: by the contract of this function.
        let to = unsafe { std::slice::from_raw_parts_mut(block.data().as_ptr(), self.size()) };
        if let Some(nul) = to.last_mut() {
            *nul = 0;
        }
        if self.wide == 0 {
            return ascii::copy(&mut to[..self.characters.len()], self.characters);
        }
        let mut at = 0;
        for character in self.characters.iter().copied() {
            if character < 0x80 {
                to[at] = character;
                at += 1;
            } else {
                to[at..at + 2].copy_from_slice(&[0xc0 | character >> 6, 0x80 | character & 0x3f]);
                at += 2;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::fence::heap;

    fn encoded(characters: &[u8]) -> Option<Vec<u8>> {
        // SAFETY: M15; the characters stay.
        let text = unsafe { Latin1::new(characters.as_ptr(), characters.len()) }?;
        let block = heap::allocate(text.size(), 16).unwrap();
        // SAFETY: M8 and M10; the block is this test's.
        unsafe {
            text.put(block);
            let bytes = std::slice::from_raw_parts(block.data().as_ptr(), text.size()).to_vec();
            assert!(block.is_whole(text.size()));
            heap::free(block, text.size());
            Some(bytes)
        }
    }

    #[test]
    fn every_character_is_what_the_standard_library_makes_of_it() {
        let all: Vec<u8> = (1..=255).collect();
        let text: String = all.iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(encoded(&all), Some([text.as_bytes(), &[0]].concat()));
        assert_eq!(encoded(b"plain"), Some(b"plain\0".to_vec()));
        assert_eq!(encoded(b""), Some(vec![0]));
    }

    #[test]
    fn a_nul_inside_is_refused() {
        assert_eq!((encoded(b"\0"), encoded(b"a\0b"), encoded(b"\xe9\0")), (None, None, None));
    }
}
