//! Shadow copies: native code gets a fenced copy of memory that has no fence. What JavaScript or other threads write to
//! the memory meanwhile stays, where native code has not written the same bytes of the copy.
#![expect(unsafe_code, reason = "copies the bytes of views")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw reads and writes")]

use std::sync::Arc;

use super::block::Fenced;
use super::heap;
use crate::memory::address::{Address, Span};
use crate::memory::block_source::BlockSource;

/// Which way the bytes of a copy go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// Into the copy, and the bytes that changed there back.
    #[default]
    Both,
    /// Into the copy only.
    In,
    /// Back only: all bytes of the copy, which begins zeroed.
    Out,
}

impl Flow {
    /// The direction for memory that two arguments share.
    pub fn joined(self, other: Self) -> Self {
        if self == other { self } else { Self::Both }
    }
}

/// A copy of some memory; gone when dropped.
#[derive(Debug)]
pub struct ShadowCopy {
    view: Span,
    block: Fenced,
    flow: Flow,
    /// The bytes when they were copied, where they are compared afterwards.
    before: Box<[u8]>,
}

/// A copy of the bytes of a span; `None` where there is no memory for it.
///
/// # Safety
/// M3: the span is allocated.
unsafe fn bytes_of(span: Span) -> Option<Box<[u8]>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(span.length).ok()?;
    // SAFETY: M3 by the contract of this function; there is room for as many bytes, all of which are written.
    unsafe {
        span.start.as_ptr().copy_to_nonoverlapping(bytes.as_mut_ptr(), span.length);
        bytes.set_len(span.length);
    }
    Some(bytes.into())
}

/// Bytes that are compared at once.
const CHUNK: usize = 64;

impl ShadowCopy {
    /// Copies memory as `flow` says, into that of a source where there is one; `None` where there is none for the copy.
    ///
    /// # Safety
    /// M3: the memory stays allocated while the copy is used.
    pub unsafe fn new(view: Span, source: Option<&Arc<dyn BlockSource>>, flow: Flow) -> Option<Self> {
        // SAFETY: by the contract of this function.
        let before = if flow == Flow::Both { unsafe { bytes_of(view) }? } else { Box::default() };
        let block = match (source, flow) {
            (Some(source), _) => heap::allocate_from(source, view.length, 16),
            // A copy that only goes back begins zeroed.
            (None, Flow::Out) => heap::allocate(view.length, 16),
            (None, _) => heap::allocate_uninitialized(view.length),
        }?;
        let copy = Self { view, block, flow, before };
        // SAFETY: by the contract of this function.
        unsafe { copy.fill() };
        Some(copy)
    }

    /// Writes the bytes of the memory into the copy, if they go into it.
    ///
    /// # Safety
    /// M3: the memory is allocated.
    unsafe fn fill(&self) {
        let from = match self.flow {
            Flow::Both => self.before.as_ptr(),
            Flow::In => self.view.start.as_ptr().cast_const(),
            Flow::Out => return,
        };
        // SAFETY: M3 for the memory, M8 for the block; both have as many bytes as the view.
        unsafe { from.copy_to_nonoverlapping(self.block.data().as_ptr(), self.view.length) };
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

    /// Which way its bytes go.
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// Updates the copy from the memory. One that only goes back has been written back before, so that from now on both
    /// have the same bytes: it goes both ways.
    ///
    /// # Safety
    /// M3: the memory is allocated.
    pub unsafe fn refresh(&mut self) {
        // SAFETY: M3 by the contract of this function; `before` has as many bytes as the view.
        unsafe {
            match self.flow {
                Flow::Out => {
                    let Some(before) = bytes_of(self.view) else { return };
                    (self.flow, self.before) = (Flow::Both, before);
                }
                Flow::Both => {
                    self.view.start.as_ptr().copy_to_nonoverlapping(self.before.as_mut_ptr(), self.view.length);
                }
                Flow::In => {}
            }
            self.fill();
        }
    }

    /// Writes the bytes that changed in the copy to the memory, and no others: it may be read-only, and others may have
    /// written to it. If the copy only goes back, all bytes are written, because C may have written the old values
    /// again.
    ///
    /// # Safety
    /// M3: the memory is allocated.
    pub unsafe fn write_back(&self) {
        match self.flow {
            Flow::In => return,
            Flow::Out => {
                // SAFETY: M3 by the contract of this function, and M8 for the block.
                unsafe {
                    self.block.data().as_ptr().copy_to_nonoverlapping(self.view.start.as_ptr(), self.view.length)
                };
                return;
            }
            Flow::Both => {}
        }
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
        let copy = unsafe { ShadowCopy::new(Span { start, length: 200 }, None, Flow::Both) }.unwrap();
        let seen = copy.block().data().as_ptr();
        // SAFETY: M8; inside the copy and the vector.
        unsafe {
            seen.add(130).write(2);
            start.as_ptr().add(3).write(4);
            copy.write_back();
        }
        assert_eq!((bytes[3], bytes[130], bytes[4]), (4, 2, 1));
    }

    #[test]
    fn bytes_go_one_way_where_that_is_declared() {
        let mut bytes = vec![1u8; 100];
        let start = Address::new(bytes.as_mut_ptr().expose_provenance()).unwrap();
        let view = Span { start, length: 100 };
        // SAFETY: M3; the vector outlives the copies, whose blocks are as long (M8).
        unsafe {
            let only_in = ShadowCopy::new(view, None, Flow::In).unwrap();
            assert_eq!(only_in.block().data().as_ptr().read(), 1);
            only_in.block().data().as_ptr().write(2);
            only_in.write_back();
            assert_eq!(bytes[0], 1);
            let mut only_out = ShadowCopy::new(view, None, Flow::Out).unwrap();
            let copy = only_out.block().data().as_ptr();
            assert_eq!(copy.read(), 0);
            copy.write(3);
            only_out.write_back();
            assert_eq!((bytes[0], bytes[99]), (3, 0));
            // JavaScript has run.
            bytes[99] = 4;
            only_out.refresh();
            assert_eq!(copy.add(99).read(), 4);
            copy.add(1).write(5);
            bytes[2] = 6;
            only_out.write_back();
        }
        assert_eq!(bytes[..3], [3, 5, 6]);
    }
}
