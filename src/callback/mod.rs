//! C to JavaScript, without JavaScript: the function pointers that C calls.

pub mod closure;
pub mod stub;
