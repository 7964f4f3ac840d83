//! Blocks with a fence (ASan: redzone) before and after their data: their layout, their registry, and the
//! checks for overflows.

pub mod block;
pub mod block_cache;
pub mod block_map;
pub mod borrows;
pub mod canary;
pub mod exposed;
pub mod header;
pub mod heap;
pub mod pool_slice;
pub mod quarantine;
pub mod report;
pub mod shadow;
