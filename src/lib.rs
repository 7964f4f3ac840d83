//! The native core of pinned-ffi. `node` knows JavaScript and `v8` the engine; nothing else does.
// napi-derive registers nothing in the unit tests, which leaves what only JavaScript calls unused.
#![cfg_attr(test, allow(dead_code, reason = "the exports of node/ are not registered in unit tests"))]
#![cfg_attr(
    not(all(target_os = "linux", target_arch = "x86_64")),
    allow(dead_code, reason = "some is there for fast calls and the plans of calls alone")
)]

mod abi;
mod call;
mod callback;
mod error;
mod host;
mod isolate;
mod loader;
mod memory;
mod node;
mod sync;
mod threads;
mod trace;
mod v8;
