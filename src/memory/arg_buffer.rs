//! The argument buffer: memory that JavaScript writes with a DataView and native code reads, so that a call converts
//! nothing.
//!
//! The layout of a call, at the offsets of its signature's layout:
//!
//! ```text
//! [ pins: u32 x 4 | number: u32 | epoch: u32 | returns: u32 | who: u32 | result | argument 0 | argument 1 | ... ]
//! ```
//!
//! The number is that of the bound function (`call::function_table`), or of a callback's request (`begin_callback`).
//! The epoch shows who writes (lib/memory/arg-buffer.js). `returns` and `who` tell how long the texts are kept that
//! callbacks return (lib/memory/callback-results.js).
#![expect(unsafe_code, reason = "copies between the argument buffer and native memory")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw copies")]

use std::ptr::NonNull;

use smallvec::SmallVec;

/// Bytes at the start of the argument buffer that say which arguments are pins: one bit an argument.
pub const PIN_BYTES: usize = 16;
/// Where the number of the bound function lies.
const NUMBER: usize = PIN_BYTES;
/// Where the epoch lies.
pub const EPOCH: usize = NUMBER + 4;
/// The offsets of the number of outermost calls that have returned since one of their callbacks returned text, and of
/// the caller of a callback.
const RETURNS: usize = EPOCH + 4;
const WHO: usize = RETURNS + 4;
/// JavaScript writes this over the caller: the result of the callback has to be retained.
const KEEPS: u32 = u32::MAX;
/// The bit of the epoch that is set while the values are the arguments of a callback that native code has put there.
const OF_CALLBACK: u32 = 1 << 31;
/// In the place of a token: the callback has to be answered at once.
const NO_TOKEN: u32 = u32::MAX;
/// Where the values begin.
pub const HEAD_BYTES: usize = PIN_BYTES + 16;
/// The most arguments a signature may have: the bits of the pins.
pub const MOST_ARGUMENTS: usize = PIN_BYTES * 8;

/// The environment's argument buffer.
#[derive(Clone, Copy, Debug)]
pub struct ArgBuffer {
    base: NonNull<u8>,
    length: usize,
}

/// A part of the argument buffer that is written word by word; its length was compared once.
#[derive(Clone, Copy, Debug)]
pub struct WordsToPut(NonNull<u8>);

impl WordsToPut {
    /// Writes a word at the offset `at`.
    ///
    /// # Safety
    /// M1, and M2: the word is within the size that [`ArgBuffer::words_to_put`] was given.
    #[inline]
    pub unsafe fn put(self, at: usize, word: u64) {
        // SAFETY: by the contract of this function.
        unsafe { self.0.add(at).cast::<u64>().write_unaligned(word) };
    }

    /// Writes half a word at the offset `at`.
    ///
    /// # Safety
    /// As [`WordsToPut::put`].
    #[inline]
    pub unsafe fn put_half(self, at: usize, half: u32) {
        // SAFETY: by the contract of this function.
        unsafe { self.0.add(at).cast::<u32>().write_unaligned(half) };
    }
}

/// A copy of a call's part of the argument buffer, aligned to 16 bytes, which callbacks cannot overwrite.
pub type ArgBlock = SmallVec<[u128; 8]>;

impl ArgBuffer {
    /// The argument buffer over `length` bytes at `base`.
    ///
    /// # Safety
    /// M1: the memory outlives every use of the argument buffer.
    pub unsafe fn new(base: NonNull<u8>, length: usize) -> Self {
        Self { base, length }
    }

    /// The number of bytes.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Its first byte. Reads through it are bounds-checked by the layout of a signature that fits the argument
    /// buffer (M2).
    #[inline]
    pub fn base(&self) -> *const u8 {
        self.base.as_ptr()
    }

    /// Which of the first 32 arguments are pins: one bit an argument.
    #[inline]
    pub fn low_pins(&self) -> u32 {
        // SAFETY: M1 and M2; every buffer begins with these bytes, and is aligned as ArrayBuffers are.
        unsafe { self.base.cast::<u32>().read_unaligned() }
    }

    /// Marks one of the first 32 arguments as a pin.
    #[inline]
    pub fn add_pin(&self, argument: usize) {
        // SAFETY: M1 and M2, as above.
        unsafe { self.base.cast::<u32>().write_unaligned(self.low_pins() | 1 << argument) };
    }

    /// The number of the bound function that is called.
    #[inline]
    pub fn number(&self) -> u32 {
        // SAFETY: M1 and M2; every buffer begins with the head, and is aligned as ArrayBuffers are.
        unsafe { self.base.add(NUMBER).cast::<u32>().read_unaligned() }
    }

    /// The arguments of a callback lie in the argument buffer: JavaScript clears the mark when it begins to write.
    /// `who` is the kind of caller. `token` is the number under which a call of another thread may be answered later;
    /// it takes the place of the bound function's number, which nothing reads during a callback.
    #[inline]
    pub fn begin_callback(&self, who: u32, token: Option<u32>) {
        // SAFETY: M1 and M2; every buffer begins with the head.
        unsafe {
            self.base.add(NUMBER).cast::<u32>().write_unaligned(token.unwrap_or(NO_TOKEN));
            self.base.add(WHO).cast::<u32>().write_unaligned(who);
            let epoch = self.base.add(EPOCH).cast::<u32>();
            epoch.write_unaligned(epoch.read_unaligned().wrapping_add(1) | OF_CALLBACK);
        }
    }

    /// An outermost call has returned: the results of its callbacks are no longer retained.
    pub fn end_outermost(&self) {
        // SAFETY: M1 and M2; every buffer begins with the head.
        unsafe {
            let returns = self.base.add(RETURNS).cast::<u32>();
            returns.write_unaligned(returns.read_unaligned().wrapping_add(1));
        }
    }

    /// The callback has returned: whether its result has to be retained for its outermost call.
    #[inline]
    pub fn end_callback(&self) -> bool {
        // SAFETY: M1 and M2; every buffer begins with the head.
        unsafe {
            let who = self.base.add(WHO).cast::<u32>();
            let keeps = who.read_unaligned() == KEEPS;
            if keeps {
                who.write_unaligned(0);
            }
            let epoch = self.base.add(EPOCH).cast::<u32>();
            epoch.write_unaligned(epoch.read_unaligned() & !OF_CALLBACK);
            keeps
        }
    }

    /// Reads the `u32` at the byte offset `at`. A load as wide as JavaScript's store forwards from it; a wider one
    /// waits.
    ///
    /// # Panics
    /// If the word is outside of the argument buffer (M2).
    #[inline]
    pub fn half(&self, at: usize) -> u32 {
        assert!(at <= self.length && size_of::<u32>() <= self.length - at, "a read past the argument buffer");
        // SAFETY: M1; M2, by the assertion above.
        unsafe { self.base.add(at).cast::<u32>().read_unaligned() }
    }

    /// Reads a word at the offset `at`.
    ///
    /// # Panics
    /// If the word is outside of the argument buffer (M2).
    #[inline]
    pub fn word(&self, at: usize) -> u64 {
        assert!(at <= self.length && size_of::<u64>() <= self.length - at, "a read past the argument buffer");
        // SAFETY: M1; M2, by the assertion above.
        unsafe { self.base.add(at).cast::<u64>().read_unaligned() }
    }

    /// Writes a word at the offset `at`.
    ///
    /// # Panics
    /// If the word is outside of the argument buffer (M2).
    #[inline]
    pub fn put_word(&self, at: usize, word: u64) {
        assert!(at <= self.length && size_of::<u64>() <= self.length - at, "a write past the argument buffer");
        // SAFETY: M1; M2, by the assertion above.
        unsafe { self.base.add(at).cast::<u64>().write_unaligned(word) };
    }

    /// The first `size` bytes, to be written word by word.
    ///
    /// # Panics
    /// If the argument buffer is shorter (M2).
    #[inline]
    pub fn words_to_put(&self, size: usize) -> WordsToPut {
        assert!(size <= self.length, "the layout is larger than the argument buffer");
        WordsToPut(self.base)
    }

    /// Copies the first `size` bytes out.
    ///
    /// # Panics
    /// If the argument buffer is shorter (M2).
    pub fn take(&self, size: usize) -> ArgBlock {
        assert!(size <= self.length, "the layout is larger than the argument buffer");
        let mut block = ArgBlock::new();
        block.resize(size.div_ceil(16), 0);
        // SAFETY: M1 and M2; the block is a fresh allocation of at least `size` bytes.
        unsafe { self.base.copy_to_nonoverlapping(NonNull::from(block.as_mut_slice()).cast(), size) };
        block
    }

    /// Copies `length` bytes from the offset `at` out.
    pub fn copy_out(&self, at: usize, length: usize) -> SmallVec<[u8; 16]> {
        let mut bytes = SmallVec::from_elem(0, length);
        // SAFETY: the vector is as long.
        unsafe { self.take_to(at, NonNull::from(bytes.as_mut_slice()).cast(), length) };
        bytes
    }

    /// Copies `bytes` to the offset `at`.
    ///
    /// # Panics
    /// If the bytes are outside of the argument buffer (M2).
    pub fn put(&self, at: usize, bytes: &[u8]) {
        assert!(at <= self.length && bytes.len() <= self.length - at, "a write past the argument buffer");
        // SAFETY: M1 and M2; a Rust slice never overlaps the argument buffer, which JavaScript owns.
        unsafe { self.base.add(at).copy_from_nonoverlapping(NonNull::from(bytes).cast(), bytes.len()) };
    }

    /// Copies `length` bytes from native memory to the offset `at`.
    ///
    /// # Panics
    /// If the bytes are outside of the argument buffer (M2).
    ///
    /// # Safety
    /// `source` is readable for `length` bytes (U1 where a C caller gave it).
    pub unsafe fn put_from(&self, at: usize, source: NonNull<u8>, length: usize) {
        assert!(at <= self.length && length <= self.length - at, "a write past the argument buffer");
        // SAFETY: M1 and M2 for the argument buffer, the caller's promise for the source; regions may overlap.
        unsafe { self.base.add(at).copy_from(source, length) };
    }

    /// Copies `length` bytes at the offset `at` to native memory.
    ///
    /// # Panics
    /// If the bytes are outside of the argument buffer (M2).
    ///
    /// # Safety
    /// `target` is writable for `length` bytes (U1 where a C caller gave it).
    pub unsafe fn take_to(&self, at: usize, target: NonNull<u8>, length: usize) {
        assert!(at <= self.length && length <= self.length - at, "a read past the argument buffer");
        // SAFETY: M1 and M2 for the argument buffer, the caller's promise for the target; regions may overlap.
        unsafe { self.base.add(at).copy_to(target, length) };
    }
}

/// The bytes of a block.
pub fn bytes(block: &ArgBlock) -> &[u8] {
    // SAFETY: M4; u128 has no padding and any byte is a valid u8.
    unsafe { std::slice::from_raw_parts(block.as_ptr().cast(), block.len() * 16) }
}

/// Reads an address out of a block.
pub fn address_in(block: &ArgBlock, at: usize) -> usize {
    let mut address = [0; size_of::<usize>()];
    address.copy_from_slice(&bytes(block)[at..at + size_of::<usize>()]);
    usize::from_ne_bytes(address)
}

/// Writes an address into a block.
pub fn set_address(block: &mut ArgBlock, at: usize, address: usize) {
    set_bytes(block, at, &address.to_ne_bytes());
}

/// Writes bytes into a block.
pub fn set_bytes(block: &mut ArgBlock, at: usize, bytes: &[u8]) {
    // SAFETY: M4; u128 has no padding and any byte is a valid u8; the slice is bounds-checked below.
    let all = unsafe { std::slice::from_raw_parts_mut(block.as_mut_ptr().cast::<u8>(), block.len() * 16) };
    all[at..at + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_is_taken() {
        let mut memory = [0u8; 64];
        // SAFETY: M1; the array outlives the argument buffer.
        let arg_buffer = unsafe { ArgBuffer::new(NonNull::from(&mut memory).cast(), 64) };
        arg_buffer.put(16, &[1, 2, 3]);
        let mut block = arg_buffer.take(40);
        assert_eq!(&bytes(&block)[16..20], &[1, 2, 3, 0]);
        set_address(&mut block, 24, 0x1122_3344);
        assert_eq!(&bytes(&block)[24..32], &0x1122_3344usize.to_ne_bytes());
    }

    #[test]
    #[should_panic(expected = "past the argument buffer")]
    fn a_write_past_the_buffer_is_refused() {
        let mut memory = [0u8; 16];
        // SAFETY: M1; the array outlives the argument buffer.
        let arg_buffer = unsafe { ArgBuffer::new(NonNull::from(&mut memory).cast(), 16) };
        arg_buffer.put(10, &[0; 8]);
    }
}
