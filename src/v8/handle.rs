//! `v8::Local`: the handle of a value.

use std::ffi::c_void;

/// A `v8::Local` of any kind; null where it is empty. It is passed as the pointer that it is (Itanium C++ ABI, section
/// 3.1.2.3: trivially copyable for the purposes of calls), and in Node a `napi_value` is that pointer.
pub type Local = *mut c_void;
