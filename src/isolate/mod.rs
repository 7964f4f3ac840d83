//! The parent's side of isolation, and what it shares with the host (`src/host/`). An isolated library runs in the
//! host, a process that shares Buffers with this one at the same addresses. When it ends, a call becomes an exception.
//! Knows nothing of JavaScript.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

pub mod address_space;
pub mod arena;
pub mod callback_result;
pub mod channel;
pub mod child;
pub mod confinement;
pub mod control;
pub mod deadline;
pub mod death;
pub mod death_report;
pub mod function;
#[cfg(not(all(test, loom)))]
pub mod futex;
pub mod greeting;
pub mod heaps;
pub mod interrupt;
pub mod life;
pub mod limits;
pub mod lines;
pub mod listener;
pub mod lost_thread;
pub mod memory_file;
#[cfg(all(test, loom))]
mod modelled;
#[cfg(all(test, loom))]
mod models;
#[cfg(not(all(test, loom)))]
pub mod payload;
pub mod places;
pub mod private_memory;
pub mod process;
pub mod range;
pub mod remote_memory;
pub mod shared;
pub mod shared_globals;
pub mod signature_code;
pub mod spawn;
pub mod stubs;
pub mod thread_mark;
pub mod watcher;
pub mod wire;

#[cfg(all(test, loom))]
pub use modelled::{futex, payload};
