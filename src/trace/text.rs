//! Text of fixed capacity, which a signal handler may read and write: it never allocates.

use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};

/// A text of at most `N` bytes. A reader during a write gets a mixture of both texts, but never reads out of bounds.
#[derive(Debug)]
pub struct Text<const N: usize> {
    length: AtomicU16,
    bytes: [AtomicU8; N],
}

impl<const N: usize> Text<N> {
    /// An empty text.
    pub const fn new() -> Self {
        Self { length: AtomicU16::new(0), bytes: [const { AtomicU8::new(0) }; N] }
    }

    /// Keeps the start of a text.
    pub fn set_start(&self, text: &str) {
        self.set(&text.as_bytes()[..text.floor_char_boundary(N)]);
    }

    /// Keeps the end of a text: the end of a path is more useful.
    pub fn set_end(&self, text: &str) {
        self.set(&text.as_bytes()[text.ceil_char_boundary(text.len().saturating_sub(N))..]);
    }

    fn set(&self, bytes: &[u8]) {
        for (slot, byte) in self.bytes.iter().zip(bytes) {
            slot.store(*byte, Ordering::Relaxed);
        }
        self.length.store(bytes.len() as u16, Ordering::Relaxed);
    }

    /// The bytes.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let length = usize::from(self.length.load(Ordering::Relaxed)).min(N);
        self.bytes[..length].iter().map(|byte| byte.load(Ordering::Relaxed))
    }
}

/// A text that is being composed; it ends where the capacity ends.
#[derive(Debug)]
pub struct Line<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> Line<N> {
    /// An empty text.
    pub fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    /// Appends bytes, as many as there is room for.
    pub fn add(&mut self, bytes: impl IntoIterator<Item = u8>) -> &mut Self {
        for byte in bytes {
            if let Some(slot) = self.bytes.get_mut(self.length) {
                *slot = byte;
                self.length += 1;
            }
        }
        self
    }

    /// Appends a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.add(text.bytes())
    }

    /// Appends a number in a base of at most 16.
    pub fn number(&mut self, number: u64, base: u64) -> &mut Self {
        let mut digits = [0; 20];
        let mut first = digits.len();
        let mut rest = number;
        loop {
            first -= 1;
            digits[first] = b"0123456789abcdef"[(rest % base) as usize];
            rest /= base;
            if rest == 0 {
                break self.add(digits[first..].iter().copied());
            }
        }
    }

    /// The bytes that were appended.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_keeps_whole_characters_of_one_end() {
        let text = Text::<8>::new();
        let read = |text: &Text<8>| String::from_utf8(text.bytes().collect()).unwrap();
        text.set_start("abcdefgßh");
        assert_eq!(read(&text), "abcdefg");
        text.set_end("ßcdefghi");
        assert_eq!(read(&text), "cdefghi");
        text.set_end("x");
        assert_eq!(read(&text), "x");
    }

    #[test]
    fn a_line_is_cut_at_its_end() {
        let mut line = Line::<8>::new();
        line.text("n=").number(0, 10).text(" ").number(0xbeef_beef, 16);
        assert_eq!(line.as_bytes(), b"n=0 beef");
        assert_eq!(Line::<24>::new().number(u64::MAX, 10).as_bytes(), u64::MAX.to_string().as_bytes());
    }
}
