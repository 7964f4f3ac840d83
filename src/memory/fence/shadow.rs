//! Shadow copies: native code gets a fenced copy of memory that has no fence. What JavaScript or other threads write to
//! the memory meanwhile stays, where native code has not written the same bytes of the copy.
#![expect(unsafe_code, reason = "copies the bytes of views")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw reads and writes")]

use std::sync::Arc;

use super::block::Fenced;
use super::heap;
use crate::memory::address::{Address, Span};
use crate::memory::block_source::BlockSource;

/// A copy of some memory; gone when dropped.
#[derive(Debug)]
pub struct ShadowCopy {
    view: Span,
    block: Fenced,
    /// The bytes when they were copied.
    before: Box<[u8]>,
}

/// Bytes that are compared at once.
const CHUNK: usize = 64;

impl ShadowCopy {
    /// Copies memory, into that of a source where there is one; `None` where there is none for the copy.
    ///
    /// # Safety
    /// M3: the memory stays allocated while the copy is used.
    pub unsafe fn new(view: Span, source: Option<&Arc<dyn BlockSource>>) -> Option<Self> {
        let mut before = Vec::new();
        before.try_reserve_exact(view.length).ok()?;
        before.resize(view.length, 0);
        let block = match source {
            Some(source) => heap::allocate_from(source, view.length, 16),
            None => heap::allocate(view.length, 16),
        }?;
        let mut copy = Self { view, block, before: before.into() };
        // SAFETY: by the contract of this function.
        unsafe { copy.refresh() };
        Some(copy)
    }

    /// The memory.
    pub fn view(&self) -> Span {
        self.view
    }

    /// The copy.
    pub fn block(&self) -> Fenced {
        self.block
    }

    /// Where an address of the memory, or its end, lies in the copy.
    pub fn address(&self, original: Address) -> Address {
        let offset = original.get() - self.view.start.get();
        Address::new(self.block.data().get() + offset).unwrap_or(self.block.data())
    }

    /// Updates the copy from the memory.
    ///
    /// # Safety
    /// M3: the memory is allocated.
    pub unsafe fn refresh(&mut self) {
        // SAFETY: M3 for the memory, M8 for the block.
        unsafe {
            self.view.start.as_ptr().copy_to_nonoverlapping(self.before.as_mut_ptr(), self.view.length);
            self.before.as_ptr().copy_to_nonoverlapping(self.block.data().as_ptr(), self.view.length);
        }
    }

    /// Writes what has changed in the copy to the memory, and nothing else: it may be read-only, and others may have
    /// written to it.
    ///
    /// # Safety
    /// M3: the memory is allocated.
    pub unsafe fn write_back(&self) {
        // SAFETY: M8; the block has as many bytes, and native code is done with it.
        let now = unsafe { std::slice::from_raw_parts(self.block.data().as_ptr(), self.view.length) };
        for (chunk, (now, before)) in now.chunks(CHUNK).zip(self.before.chunks(CHUNK)).enumerate() {
            if now == before {
                continue;
            }
            for (at, (byte, _)) in now.iter().zip(before).enumerate().filter(|(_, (now, before))| now != before) {
                // SAFETY: M3 by the contract of this function.
                unsafe { self.view.start.as_ptr().add(chunk * CHUNK + at).write(*byte) };
            }
        }
    }
}

impl Drop for ShadowCopy {
    fn drop(&mut self) {
        // SAFETY: M10; the call is over, and the copy was made for it.
        unsafe { heap::free(self.block, self.view.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changed_in_the_copy_is_written_back() {
        let mut bytes = vec![1u8; 200];
        let start = Address::new(bytes.as_mut_ptr().expose_provenance()).unwrap();
        // SAFETY: M3; the vector outlives the copy.
        let copy = unsafe { ShadowCopy::new(Span { start, length: 200 }, None) }.unwrap();
        let seen = copy.block().data().as_ptr();
        // SAFETY: M8; inside the copy and the vector.
        unsafe {
            seen.add(130).write(2);
            start.as_ptr().add(3).write(4);
            copy.write_back();
        }
        assert_eq!((bytes[3], bytes[130], bytes[4]), (4, 2, 1));
    }
}
