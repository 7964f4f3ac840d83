//! The binding to JavaScript: the only user of Node-API.
//!
//! `env` has the state of an environment. `exports` has every `#[napi]` function: it is what `lib/` calls.

pub mod async_call;
pub mod attach;
pub mod call;
pub mod callback;
pub mod env;
pub mod env_waker;
pub mod error;
pub mod event_loop;
pub mod exceptions;
pub mod exports;
pub mod exposed_views;
pub mod external_buffer;
pub mod fast_call;
pub mod isolated;
pub mod js_address;
pub mod native_fn;
pub mod pool_slices;
pub mod string;
pub mod termination;
pub mod text_argument;
pub mod threadsafe_function;
pub mod transfer_lock;
pub mod unwinding;
#[cfg(v8_abi)]
pub mod v8_state;
pub mod value;
#[cfg(v8_abi)]
pub mod verify;
pub mod waker;
pub mod work;
