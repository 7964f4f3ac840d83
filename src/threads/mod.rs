//! The queues between JavaScript threads, dedicated threads, libuv's pool and foreign threads. Nothing here uses
//! Node-API.

pub mod attention;
pub mod callback_queue;
pub mod dedicated;
pub mod exit;
#[cfg(all(test, loom))]
pub mod models;
pub mod pool;
