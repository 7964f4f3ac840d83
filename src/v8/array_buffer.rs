//! ArrayBuffers by V8's own functions: their detach keys, and the storage that another buffer keeps alive.
#![expect(unsafe_code, reason = "calls exported functions of V8")]

use std::mem::transmute;

use super::handle::Local;
use super::isolate::current_isolate;
use super::symbols;
use crate::loader::library::Library;
use crate::memory::address::Address;

/// A function `bool v8::ArrayBuffer::...() const`, or of `v8::Value`.
#[derive(Clone, Copy, Debug)]
pub struct Question(Address);

impl Question {
    /// `IsResizableByUserJavaScript`
    pub fn is_resizable(process: &Library) -> Option<Self> {
        process.find(symbols::BUFFER_IS_RESIZABLE).map(Self)
    }

    /// `IsDetachable`
    pub fn is_detachable(process: &Library) -> Option<Self> {
        process.find(symbols::BUFFER_IS_DETACHABLE).map(Self)
    }

    /// The function's answer for an ArrayBuffer or SharedArrayBuffer.
    ///
    /// # Safety
    /// M3: `buffer` is rooted.
    pub unsafe fn ask(self, buffer: Local) -> bool {
        // SAFETY: M11, by the name it was found by, and the contract of this function.
        unsafe { transmute::<*mut u8, unsafe extern "C" fn(Local) -> bool>(self.0.as_ptr())(buffer) }
    }
}

/// `v8::ArrayBuffer::SetDetachKey(Local<Value>)`
#[derive(Clone, Copy, Debug)]
pub struct DetachKey(Address);

impl DetachKey {
    /// `None` where the executable does not export the function.
    pub fn find(process: &Library) -> Option<Self> {
        process.find(symbols::BUFFER_SET_DETACH_KEY).map(Self)
    }

    /// Sets the key without which V8 does not detach an ArrayBuffer; undefined removes it.
    ///
    /// # Safety
    /// M3: both values are rooted, and `buffer` is an ArrayBuffer.
    pub unsafe fn set(self, buffer: Local, key: Local) {
        // SAFETY: M11, by the name it was found by, and the contract of this function.
        unsafe { transmute::<*mut u8, unsafe extern "C" fn(Local, Local)>(self.0.as_ptr())(buffer, key) }
    }
}

/// V8's functions that make another ArrayBuffer of the storage of one: as long as that is there, so is the storage,
/// whatever becomes of the first one.
#[derive(Clone, Copy, Debug)]
pub struct BackingStores {
    isolate: Address,
    is_shared: Question,
    of: Address,
    new: Address,
}

/// Space for a `std::shared_ptr`, which C++ returns through memory: larger than a result in registers.
#[repr(C)]
struct SharedPointer([usize; 4]);

impl BackingStores {
    /// `None` where they are not found; on Windows C++ has other names, and other ways to return this.
    pub fn find(process: &Library) -> Option<Self> {
        Some(Self {
            isolate: current_isolate()?,
            is_shared: Question(process.find(symbols::IS_SHARED_BUFFER)?),
            of: process.find(symbols::BUFFER_GET_BACKING_STORE)?,
            new: process.find(symbols::BUFFER_NEW_OF_STORE)?,
        })
    }

    /// Whether a buffer is a SharedArrayBuffer.
    ///
    /// # Safety
    /// M3: `buffer` is rooted.
    pub unsafe fn is_shared(self, buffer: Local) -> bool {
        // SAFETY: by the contract of this function.
        unsafe { self.is_shared.ask(buffer) }
    }

    /// Another ArrayBuffer over the storage of one; null where V8 makes none.
    ///
    /// # Safety
    /// M3 and M6: `buffer` is a rooted ArrayBuffer, and a handle scope is open.
    pub unsafe fn share(self, buffer: Local) -> Local {
        type Of = unsafe extern "C" fn(Local) -> SharedPointer;
        type New = unsafe extern "C" fn(*mut u8, *mut SharedPointer) -> Local;
        // SAFETY: M11, by their names, and the contract of this function; `new` takes the pointer out of the room.
        unsafe {
            let mut pointer = transmute::<*mut u8, Of>(self.of.as_ptr())(buffer);
            transmute::<*mut u8, New>(self.new.as_ptr())(self.isolate.as_ptr(), &mut pointer)
        }
    }
}
