//! Isolated libraries: they run in a process of their own, the host, which shares Buffers with this one at the same
//! addresses. When it ends, a call becomes an exception. Knows nothing of JavaScript; `host` is the other side.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

pub mod arena;
pub mod channel;
pub mod child;
pub mod control;
pub mod death;
pub mod function;
pub mod process;
pub mod remote_memory;
pub mod shared;
pub mod signature_code;
pub mod spawn;
pub mod stubs;
pub mod watcher;
pub mod wire;
