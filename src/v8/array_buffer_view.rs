//! The storage of a view by V8's own functions, which take a third of the time of Node-API's. All call paths use them.
#![expect(unsafe_code, reason = "calls exported functions of V8")]
#![expect(clippy::missing_transmute_annotations, reason = "the fields that are filled have the types")]

use std::mem::MaybeUninit;

use super::handle::Local;
use super::symbols::{self, function};
use super::verify::{WORDS, Words, content, object};
use crate::memory::address::{Address, Span};
use crate::memory::raw;

/// V8's functions.
#[derive(Debug)]
pub struct ViewStorage {
    is_view: unsafe extern "C" fn(Local) -> bool,
    way: Way,
    /// Where generated code finds the parts of a view.
    pub layout: ViewLayout,
}

#[derive(Debug)]
enum Way {
    /// `ArrayBufferView::GetContents`, which makes no handle.
    Contents(unsafe extern "C" fn(Local, *mut u8, usize) -> Slice),
    /// The buffer's data and the view's offset, in a handle scope.
    Buffer(Buffer),
}

#[derive(Debug)]
struct Buffer {
    current: unsafe extern "C" fn() -> Local,
    open: unsafe extern "C" fn(*mut [usize; 8], Local),
    close: unsafe extern "C" fn(*mut [usize; 8]),
    has_buffer: unsafe extern "C" fn(Local) -> bool,
    buffer: unsafe extern "C" fn(Local) -> Local,
    data: unsafe extern "C" fn(Local) -> *mut u8,
    offset: unsafe extern "C" fn(Local) -> usize,
    length: unsafe extern "C" fn(Local) -> usize,
}

/// `v8::MemorySpan<uint8_t>`.
#[repr(C)]
struct Slice {
    data: *mut u8,
    length: usize,
}

impl ViewStorage {
    /// Looks everything up; `None` where anything is missing.
    pub fn find(layout: ViewLayout) -> Option<Self> {
        let process = symbols::process()?;
        let way = if process.find(symbols::VIEW_GET_CONTENTS).is_some() {
            Way::Contents(function!(process, symbols::VIEW_GET_CONTENTS))
        } else {
            Way::Buffer(Buffer {
                current: function!(process, symbols::ISOLATE_GET_CURRENT),
                open: function!(process, symbols::HANDLE_SCOPE_OPEN),
                close: function!(process, symbols::HANDLE_SCOPE_CLOSE),
                has_buffer: function!(process, symbols::VIEW_HAS_BUFFER),
                buffer: function!(process, symbols::VIEW_BUFFER),
                data: function!(process, symbols::BUFFER_DATA),
                offset: function!(process, symbols::VIEW_OFFSET),
                length: function!(process, symbols::VIEW_LENGTH),
            })
        };
        Some(Self { is_view: function!(process, symbols::IS_VIEW), way, layout })
    }

    /// The bytes of any value that is a view, as [`ViewStorage::storage`].
    ///
    /// # Safety
    /// M3: `value` is rooted while the result is used.
    #[inline]
    pub unsafe fn of(&self, value: Local) -> Option<Span> {
        // SAFETY: M3, by the contract of this function; M11, because `find` looked the function up by its name.
        unsafe { if (self.is_view)(value) { self.storage(value) } else { None } }
    }

    /// The bytes of a view, where they lie outside the engine's heap.
    ///
    /// # Safety
    /// M3: `view` is an ArrayBufferView, rooted while the result is used.
    #[inline]
    pub unsafe fn storage(&self, view: Local) -> Option<Span> {
        // SAFETY: by the contract of this function.
        unsafe { self.layout.storage(view).or_else(|| self.rare_storage(view)) }
    }

    /// The same for a view that has none at the time, or whose length follows that of its buffer.
    ///
    /// # Safety
    /// As [`ViewStorage::storage`].
    #[inline(never)]
    unsafe fn rare_storage(&self, view: Local) -> Option<Span> {
        // SAFETY: M3 and M11; nothing here allocates in the engine's heap.
        let Slice { data, length } = unsafe {
            match &self.way {
                Way::Contents(contents) => {
                    // A view in the engine's heap is copied there.
                    let mut copy = MaybeUninit::<[u8; 64]>::uninit();
                    let found = contents(view, copy.as_mut_ptr().cast(), size_of_val(&copy));
                    if found.data == copy.as_mut_ptr().cast() {
                        return None;
                    }
                    found
                }
                Way::Buffer(buffer) => buffer.contents(view)?,
            }
        };
        Some(Span { start: Address::new(data.expose_provenance())?, length })
    }
}

/// Where V8 keeps the parts of a view, in bytes from the start of an object. Generated code reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ViewLayout {
    /// The buffer of a view.
    pub buffer: i32,
    /// The bytes of a view; 0 where that follows the buffer's length.
    pub length: i32,
    /// Where a view begins in its buffer.
    offset: i32,
    /// The storage of a buffer. A buffer that is detached has another one, or none; so has one in the engine's heap.
    pub store: i32,
    /// The bytes of a buffer; 0 where it is detached.
    buffer_length: i32,
}

/// A view whose parts are known.
#[derive(Clone, Copy, Debug)]
pub struct ViewSample {
    pub view: Local,
    pub buffer: Local,
    pub storage: Span,
    /// Where the view begins in its buffer.
    pub offset: usize,
    /// How many bytes that has.
    pub buffer_length: usize,
}

/// The objects of a sample, word by word.
struct Parts {
    view: Words,
    buffer: Words,
    /// The word that refers to the buffer.
    buffer_value: usize,
}

impl Parts {
    fn of(sample: &ViewSample) -> Option<Self> {
        let [view, buffer] = [sample.view, sample.buffer].map(|value| object(value).map(Words::of));
        Some(Self { view: view?, buffer: buffer?, buffer_value: content(sample.buffer)? })
    }
}

impl ViewLayout {
    /// Finds the parts in samples: a typed array and a DataView of different lengths and offsets. `None` where they do
    /// not agree.
    pub fn find(samples: &[ViewSample]) -> Option<Self> {
        let parts: Vec<Parts> = samples.iter().map(Parts::of).collect::<Option<_>>()?;
        let at = |fits: &dyn Fn(&ViewSample, &Parts, usize) -> bool| {
            let mut numbers = 1..WORDS;
            let number =
                numbers.find(|number| samples.iter().zip(&parts).all(|(sample, parts)| fits(sample, parts, *number)));
            number.map(|number| number as i32 * 8)
        };
        Some(Self {
            buffer: at(&|_, parts, number| parts.view.get(number) == Some(parts.buffer_value))?,
            length: at(&|sample, parts, number| parts.view.get(number) == Some(sample.storage.length))?,
            offset: at(&|sample, parts, number| parts.view.get(number) == Some(sample.offset))?,
            store: at(&|sample, parts, number| {
                let start = sample.storage.start.get() - sample.offset;
                parts.buffer.get(number) == Some(start)
            })?,
            buffer_length: at(&|sample, parts, number| parts.buffer.get(number) == Some(sample.buffer_length))?,
        })
    }

    /// The bytes of a view that has some, outside of the engine's heap; `None` for every other.
    ///
    /// # Safety
    /// M3: `view` is an ArrayBufferView, rooted while the result is used.
    #[inline(always)]
    unsafe fn storage(&self, view: Local) -> Option<Span> {
        let part = |object: Address, offset: i32| {
            // SAFETY: M15; the object has this part.
            unsafe { raw::word(object, offset as usize) }
        };
        // SAFETY: M3; in Node a `Local` is the address of a word that refers to the object.
        let view = Address::new(unsafe { raw::word(Address::new(view.addr())?, 0) } - 1)?;
        let buffer = Address::new(part(view, self.buffer) - 1)?;
        let (offset, length) = (part(view, self.offset), part(view, self.length));
        let store = Address::new(part(buffer, self.store))?;
        let is_inside = length > 0 && offset.checked_add(length)? <= part(buffer, self.buffer_length);
        is_inside.then(|| Address::new(store.get() + offset))?.map(|start| Span { start, length })
    }
}

impl Buffer {
    /// # Safety
    /// As [`ViewStorage::storage`].
    #[inline(never)]
    unsafe fn contents(&self, view: Local) -> Option<Slice> {
        // SAFETY: M3 and M11; a view whose buffer is still to be made is left alone.
        unsafe {
            if !(self.has_buffer)(view) {
                return None;
            }
            let mut scope = [0usize; 8];
            (self.open)(&mut scope, (self.current)());
            let data = (self.data)((self.buffer)(view)).wrapping_add((self.offset)(view));
            let length = (self.length)(view);
            (self.close)(&mut scope);
            Some(Slice { data, length })
        }
    }
}
