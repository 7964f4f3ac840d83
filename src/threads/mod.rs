//! What JavaScript threads, dedicated threads and libuv's pool hand to each other. Knows no JavaScript.

pub mod callback_queue;
pub mod dedicated;
pub mod exit;
#[cfg(all(test, loom))]
pub mod models;
pub mod pool;
