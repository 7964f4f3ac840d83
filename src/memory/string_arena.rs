//! The arena of strings that live for the length of a call, with fences around each: used like a stack, so that calls
//! may nest. Long texts have a second stack, which is allocated when the first one is passed, and kept.
#![expect(unsafe_code, reason = "hands out addresses inside memory it owns")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw copies")]

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;

use super::address::Address;
use super::ascii;
use super::block_source::BlockSource;
use super::fence::block::{self, Fenced};
use super::fence::block_cache::CachedBlock;
use super::text::characters::Characters;
use super::text::encoding::Encoding;

const CAPACITY: usize = 16 * 1024;
/// Of the stack of long texts: the least and the most that is kept. A text of a million characters fits, whatever they
/// are.
const LEAST_LONG: usize = 128 * 1024;
const MOST_LONG: usize = 4 << 20;
/// Texts that may take no more bytes than these are encoded first, and then put into a block of their length: the
/// fences of the block before stay, where that had the same length.
const SHORT: usize = 4096;

/// A stack of bytes, one per environment.
pub struct StringArena {
    memory: NonNull<u8>,
    /// Where the memory came from, if not from the C library's heap.
    source: Option<Arc<dyn BlockSource>>,
    top: Cell<usize>,
    /// The last block at the very bottom: as long as no other is put there, it stays as it is.
    bottom: Cell<Option<CachedBlock>>,
    long: LongTexts,
}

/// The memory of long texts, of which the system provides the pages that are used.
#[derive(Default)]
struct LongTexts {
    memory: Cell<Option<(NonNull<u8>, Layout)>>,
    top: Cell<usize>,
}

/// The heights of the stacks, for [`StringArena::release`].
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize, usize);

impl Default for StringArena {
    /// An empty stack.
    fn default() -> Self {
        let memory = Box::leak(vec![0u128; CAPACITY / 16].into_boxed_slice());
        Self::new(NonNull::from(memory).cast(), None)
    }
}

impl StringArena {
    /// An empty stack in a source's memory; `None` where that has none left.
    pub fn from_source(source: Arc<dyn BlockSource>) -> Option<Self> {
        let memory = NonNull::new(source.allocate(CAPACITY)?.0.as_ptr())?;
        Some(Self::new(memory, Some(source)))
    }

    fn new(memory: NonNull<u8>, source: Option<Arc<dyn BlockSource>>) -> Self {
        Self { memory, source, top: Cell::new(0), bottom: Cell::default(), long: LongTexts::default() }
    }

    /// The height of the stack.
    #[inline]
    pub fn mark(&self) -> Mark {
        Mark(self.top.get(), self.long.top.get())
    }

    /// Frees everything above `mark`.
    #[inline]
    pub fn release(&self, mark: Mark) {
        self.top.set(mark.0);
        self.long.top.set(mark.1);
    }

    /// A block with the characters in an encoding and a NUL; `None` if there is no space, or a NUL among them.
    #[inline]
    pub fn put(&self, characters: Characters<'_>, encoding: Encoding) -> Option<CachedBlock> {
        if let (Characters::Latin1(characters), Encoding::Utf8) = (characters, encoding)
            && characters.len() < SHORT
            && ascii::is_plain(characters)
        {
            let cached = self.take(characters.len() + 1)?;
            // SAFETY: M8 and M4; the block is of that size, and this call's.
            let to = unsafe { std::slice::from_raw_parts_mut(cached.block.data().as_ptr(), characters.len() + 1) };
            ascii::copy_with_nul(to, characters);
            return Some(cached);
        }
        self.put_encoded(characters, encoding)
    }

    #[inline(never)]
    fn put_encoded(&self, characters: Characters<'_>, encoding: Encoding) -> Option<CachedBlock> {
        if let Some(size) = characters.bytes(encoding)
            && size <= SHORT
        {
            let top = self.top.get();
            let cached = self.take(size)?;
            // SAFETY: M8 and M4; the block is of that size, and this call's.
            let to = unsafe { std::slice::from_raw_parts_mut(cached.block.data().as_ptr(), size) };
            return characters.encode(encoding, to).is_ok().then_some(cached).or_else(|| {
                self.top.set(top);
                None
            });
        }
        let most = characters.most_bytes(encoding);
        if most > SHORT || self.top.get() + block::overhead() + 2 * most > CAPACITY {
            return self.fill(most, |to| characters.encode(encoding, to).ok());
        }
        let encoded = self.encode(characters, encoding)?;
        let cached = self.take(encoded.len())?;
        // SAFETY: M8 and M4; the block is of that size, this call's, and in front of the text.
        unsafe { cached.block.data().as_ptr().copy_from_nonoverlapping(encoded.as_ptr(), encoded.len()) };
        Some(cached)
    }

    /// The characters in an encoding and a NUL, at the end of the memory, where they stay until the next text is put
    /// here; `None` if they are too many, or a NUL is among them.
    pub fn encode(&self, characters: Characters<'_>, encoding: Encoding) -> Option<&[u8]> {
        let most = characters.most_bytes(encoding);
        if most > SHORT || self.top.get() + most > CAPACITY {
            return None;
        }
        // SAFETY: M4; the end of the memory belongs to no block.
        let to = unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr().add(CAPACITY - most), most) };
        let used = characters.encode(encoding, to).ok()?;
        Some(&to[..used])
    }

    /// Lends so many bytes that belong to no text, aligned for sixteen, and with any content; `None` if there is no
    /// space.
    pub fn lend<T>(&self, bytes: usize, to: impl FnOnce(&mut [u8]) -> T) -> Option<T> {
        let bytes = bytes.checked_next_multiple_of(16)?;
        let start = if self.top.get().checked_add(bytes)? <= CAPACITY {
            self.memory.as_ptr().wrapping_add(CAPACITY - bytes)
        } else {
            let (memory, top, _) = self.long.reserve(bytes).filter(|_| self.source.is_none())?;
            memory.as_ptr().wrapping_add(top)
        };
        // SAFETY: M4; bytes above the tops belong to no block. A text that is put here meanwhile has other content
        // then, and nothing else.
        Some(to(unsafe { std::slice::from_raw_parts_mut(start, bytes) }))
    }

    /// Lets `write` fill the start of so many bytes, and makes a fenced block of as many as it says it used. `None`,
    /// and nothing is kept, where `write` says `None` or there is no space.
    pub fn fill(&self, most: usize, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<CachedBlock> {
        let top = self.top.get();
        if let Some(end) = end_of(top, most, CAPACITY) {
            if top == 0 {
                self.forget();
            }
            // SAFETY: M4; bytes above `top` belong to no block.
            let (cached, used) = unsafe { fill_at(self.memory, top, most, write) }?;
            self.top.set(end - (most - used) / 16 * 16);
            return Some(cached);
        }
        if self.source.is_some() {
            return None;
        }
        let (memory, top, end) = self.long.reserve(most)?;
        // SAFETY: M4; as above. `write` cannot reach this stack.
        let (cached, used) = unsafe { fill_at(memory, top, most, write) }?;
        self.long.top.set(end - (most - used) / 16 * 16);
        Some(cached)
    }

    /// A block of `size` bytes with any content; `None` if there is no space. The block at the bottom is reused if it
    /// is as long, because calls have checked its fences.
    #[inline]
    pub fn take(&self, size: usize) -> Option<CachedBlock> {
        let top = self.top.get();
        let end = top.checked_add(size)?.checked_add(block::overhead())?.next_multiple_of(16);
        if end > CAPACITY {
            return None;
        }
        let known = self.bottom.get().filter(|bottom| top == 0 && bottom.length() == size);
        let handed = match known {
            Some(bottom) => bottom,
            None => self.build(top, size)?,
        };
        self.top.set(end);
        Some(handed)
    }

    #[inline(never)]
    fn build(&self, top: usize, size: usize) -> Option<CachedBlock> {
        let raw = Address::new(self.memory.as_ptr().expose_provenance() + top)?;
        // SAFETY: M4, M6 and M8; bytes above `top` belong to no block, and there are as many as the block needs.
        let handed = CachedBlock::new(unsafe { Fenced::build(raw, block::lead(), size) }?)?;
        if top == 0 {
            self.bottom.set(Some(handed));
        }
        Some(handed)
    }

    /// Has the next block rebuilt, after a breach.
    pub fn forget(&self) {
        self.bottom.set(None);
    }
}

impl LongTexts {
    /// Memory for a block of so many bytes above the others: its start, and the offsets of the block and of its end.
    fn reserve(&self, most: usize) -> Option<(NonNull<u8>, usize, usize)> {
        let top = self.top.get();
        if let Some((memory, layout)) = self.memory.get()
            && let Some(end) = end_of(top, most, layout.size())
        {
            return Some((memory, top, end));
        }
        if top > 0 {
            return None;
        }
        let end = end_of(0, most, MOST_LONG)?;
        self.free();
        let layout = Layout::from_size_align(end.next_power_of_two().max(LEAST_LONG), 16).ok()?;
        // SAFETY: the size is not 0.
        let memory = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        self.memory.set(Some((memory, layout)));
        Some((memory, 0, end))
    }

    fn free(&self) {
        if let Some((memory, layout)) = self.memory.take() {
            // SAFETY: M4; `reserve` allocated it so, and no text is in it.
            unsafe { dealloc(memory.as_ptr(), layout) };
        }
    }
}

/// The end of a block of so many bytes that begins at `top`, where the memory is long enough.
fn end_of(top: usize, bytes: usize, capacity: usize) -> Option<usize> {
    let end = top.checked_add(bytes)?.checked_add(block::overhead())?.checked_next_multiple_of(16)?;
    (end <= capacity).then_some(end)
}

/// Lets `write` fill the start of so many bytes behind `top`, and makes a block of those that it says it used.
///
/// # Safety
/// M4 and M8: the memory up to [`end_of`] the block belongs to no other, and stays allocated while it is used.
unsafe fn fill_at(
    memory: NonNull<u8>,
    top: usize,
    most: usize,
    write: impl FnOnce(&mut [u8]) -> Option<usize>,
) -> Option<(CachedBlock, usize)> {
    // SAFETY: by the contract of this function.
    let free = unsafe { std::slice::from_raw_parts_mut(memory.as_ptr().add(top + block::lead()), most) };
    let used = write(free)?.min(most);
    let raw = Address::new(memory.as_ptr().expose_provenance() + top)?;
    // SAFETY: by the contract of this function.
    let block = unsafe { Fenced::build(raw, block::lead(), used) }?;
    Some((CachedBlock::new(block)?, used))
}

impl Drop for StringArena {
    fn drop(&mut self) {
        self.long.free();
        if let Some(source) = &self.source {
            if let Some(start) = Address::new(self.memory.as_ptr().expose_provenance()) {
                source.release(start, CAPACITY);
            }
            return;
        }
        // SAFETY: M4; `new` leaked exactly this box, and no call is under way when the state is dropped.
        drop(unsafe {
            Box::from_raw(std::ptr::slice_from_raw_parts_mut(self.memory.as_ptr().cast::<u128>(), CAPACITY / 16))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(arena: &StringArena, text: &[u8]) -> Option<CachedBlock> {
        arena.fill(text.len(), |free| {
            free.copy_from_slice(text);
            Some(text.len())
        })
    }

    fn bytes(cached: CachedBlock) -> Vec<u8> {
        // SAFETY: M4; the block is in an arena of the test.
        unsafe { std::slice::from_raw_parts(cached.block.data().as_ptr(), cached.length()) }.to_vec()
    }

    fn address(found: Option<CachedBlock>) -> usize {
        found.unwrap().block.data().get()
    }

    #[test]
    fn nested_calls_do_not_overwrite_each_other() {
        let arena = StringArena::default();
        let outer = arena.mark();
        let first = address(put(&arena, b"outer"));
        let inner = arena.mark();
        let second = address(put(&arena, b"inner"));
        assert!(second >= first + 5 + block::overhead());
        arena.release(inner);
        assert_eq!(address(put(&arena, b"again")), second);
        arena.release(outer);
        let found = put(&arena, b"outer").unwrap();
        assert_eq!((address(Some(found)), found.length(), found.block.is_whole(5)), (first, 5, true));
    }

    #[test]
    fn a_block_at_the_bottom_is_built_anew_where_another_was_there() {
        let arena = StringArena::default();
        let empty = arena.mark();
        let is_whole = |size| {
            let handed = arena.take(size).unwrap();
            arena.take(size).unwrap();
            arena.release(empty);
            handed.block.is_whole(size) && handed.length() == size
        };
        assert!(is_whole(6) && is_whole(6) && is_whole(300) && is_whole(6));
        arena.fill(400, |free| {
            free.fill(1);
            Some(6)
        });
        arena.release(empty);
        assert!(is_whole(6));
        arena.fill(400, |free| {
            free.fill(1);
            None
        });
        assert!(is_whole(6) && arena.take(CAPACITY).is_none());
    }

    #[test]
    fn what_is_not_written_is_not_kept() {
        let arena = StringArena::default();
        assert!(arena.fill(10, |_| None).is_none());
        assert!(arena.fill(20_000, |_| None).is_none());
        assert_eq!((arena.mark().0, arena.mark().1), (0, 0));
    }

    #[test]
    fn long_texts_are_kept_apart_until_they_are_released() {
        let arena = StringArena::default();
        let empty = arena.mark();
        let long = |byte: u8| vec![byte; CAPACITY];
        let first = put(&arena, &long(b'a')).unwrap();
        let nested = arena.mark();
        let second = put(&arena, &long(b'b')).unwrap();
        assert!(address(Some(second)) >= address(Some(first)) + CAPACITY + block::overhead());
        // There is no room, and what is in use does not move.
        assert!(put(&arena, &vec![b'c'; LEAST_LONG]).is_none());
        arena.release(nested);
        assert_eq!(address(put(&arena, &long(b'd'))), address(Some(second)));
        assert!(bytes(first) == long(b'a') && first.block.is_whole(CAPACITY));
        arena.release(empty);
        assert!(put(&arena, &vec![b'c'; MOST_LONG / 2]).unwrap().block.is_whole(MOST_LONG / 2));
        arena.release(empty);
        assert!(put(&arena, &vec![b'c'; MOST_LONG]).is_none());
    }

    #[test]
    fn strings_of_all_lengths_and_encodings_get_whole_blocks() {
        let arena = StringArena::default();
        let empty = arena.mark();
        for length in [0, 1, 5, 340, 341, 1000, 2000, 2040, 5000, 8000, 20_000] {
            for character in ['x', 'é', 'ж', '你'] {
                let text: String = std::iter::repeat_n(character, length).collect();
                let units: Vec<u16> = text.encode_utf16().collect();
                let latin1: Option<Vec<u8>> = units.iter().map(|unit| u8::try_from(*unit).ok()).collect();
                let all = [Some(Characters::Utf16(&units)), latin1.as_deref().map(Characters::Latin1)];
                for characters in all.into_iter().flatten() {
                    let nested = put(&arena, b"nested").unwrap();
                    let found = arena.put(characters, Encoding::Utf8).unwrap();
                    assert!(found.block.is_whole(text.len() + 1) && nested.block.is_whole(6));
                    assert_eq!(bytes(found), [text.as_bytes(), &[0]].concat());
                    arena.release(empty);
                    let found = arena.put(characters, Encoding::Utf16).unwrap();
                    assert!(found.block.is_whole(2 * length + 2));
                    arena.release(empty);
                }
            }
        }
        for characters in [Characters::Latin1(b"a\0b"), Characters::Utf16(&[0x436, 0])] {
            assert!(arena.put(characters, Encoding::Utf8).is_none() && arena.mark().0 == 0);
        }
    }
}
