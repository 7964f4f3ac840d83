//! The native core of pinned-ffi. `js` is the binding skin; everything below it knows no JavaScript.

mod call;
mod closure;
mod ctype;
mod error;
mod js;
mod library;
mod memory;
mod signature;
