//! Synchronous calls: the native entries, and the preparation of arguments and results.

pub mod borrowed;
pub mod calls;
pub mod entries;
pub mod generic_call;
pub mod intrinsics;
pub mod pinned_arguments;
pub mod prepared;
pub mod register_call;
pub mod remote_arguments;
pub mod slice_call;
pub mod texts;
