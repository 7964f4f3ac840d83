//! The storage of a view by V8's own functions, which take a third of the time of Node-API's. All call paths use them.
#![expect(unsafe_code, reason = "calls exported functions of V8")]
#![expect(clippy::missing_transmute_annotations, reason = "the fields that are filled have the types")]

use std::mem::MaybeUninit;

use super::handle::Local;
use super::symbols::{self, function};
use crate::memory::address::{Address, Span};

/// V8's functions.
#[derive(Debug)]
pub struct ViewStorage {
    is_view: unsafe extern "C" fn(Local) -> bool,
    way: Way,
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
    pub fn find() -> Option<Self> {
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
        Some(Self { is_view: function!(process, symbols::IS_VIEW), way })
    }

    /// The bytes of any value that is a view, as [`ViewStorage::storage`].
    ///
    /// # Safety
    /// M3: `value` is rooted while the result is used.
    #[inline]
    pub unsafe fn of(&self, value: Local) -> Option<Span> {
        // SAFETY: M3 and M11.
        unsafe { if (self.is_view)(value) { self.storage(value) } else { None } }
    }

    /// The bytes of a view, where they lie outside the engine's heap.
    ///
    /// # Safety
    /// M3: `view` is an ArrayBufferView, rooted while the result is used.
    #[inline]
    pub unsafe fn storage(&self, view: Local) -> Option<Span> {
        // SAFETY: M3 and M11; nothing here allocates in the engine's heap.
        let Slice { data, length } = unsafe {
            match &self.way {
                Way::Contents(contents) => {
                    // What lies in the engine's heap is copied there.
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
