//! The native core of pinned-ffi. `js` is the binding skin; everything below it knows no JavaScript.
// napi-derive registers nothing in the unit tests, which leaves what only JavaScript calls unused.
#![cfg_attr(test, allow(dead_code, reason = "the exports of js/ are not registered in unit tests"))]
#![cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64")),
    allow(dead_code, reason = "some is there for the V8 lane and the plans of calls alone")
)]

mod abi;
mod call;
mod callback;
mod error;
mod js;
mod loader;
mod memory;
mod sync;
mod threads;
mod trace;
mod v8;
