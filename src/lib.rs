//! The native core of pinned-ffi. `node` knows JavaScript and `v8` the engine; nothing else does.
// napi-derive registers nothing in the unit tests, which leaves what only JavaScript calls unused.
#![cfg_attr(test, allow(dead_code, reason = "the exports of node/ are not registered in unit tests"))]
#![cfg_attr(
    not(any(test, all(sysv64, glibc))),
    allow(dead_code, reason = "some code serves calling sequences, callback stubs, V8 and isolated libraries alone")
)]

mod abi;
mod call;
mod callback;
mod errno;
mod error;
mod host;
mod isolate;
mod loader;
mod memory;
mod node;
mod panics;
mod sync;
mod threads;
mod trace;
mod v8;
