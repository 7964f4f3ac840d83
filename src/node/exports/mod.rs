//! The functions and classes of Node-API that JavaScript calls, and nothing else. The files below do the work.

pub mod async_call;
pub mod call;
pub mod callback;
pub mod environment;
#[cfg(v8_abi)]
pub mod fast_call;
pub mod fences;
pub mod inspect;
pub mod instances;
pub mod isolate;
pub mod layout;
pub mod library;
pub mod memory;
pub mod pool_slices;
pub mod signature;
pub mod stack_limit;
pub mod trace;
pub mod transfer_lock;
#[cfg(v8_abi)]
pub mod v8;
