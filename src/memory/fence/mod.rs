//! Blocks with a fence (ASan: redzone) before and after their data: how they are laid out, which exist, and how an
//! overflow is found.

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
