//! What JavaScript has of the other folders: functions and classes of Node-API.

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
