//! Asynchronous calls: on libuv's pool, or on a separate thread.

pub mod completions;
pub mod dedicated_thread;
pub mod job;
pub mod pool;
pub mod start;
pub mod threaded_work;
