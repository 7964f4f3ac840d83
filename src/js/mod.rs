//! The binding skin: the only place, with memory/pin.rs and memory/view.rs, that knows Node-API.

mod afar;
mod arguments;
mod callback;
mod copies;
mod depth;
mod direct;
mod entry;
mod environment;
mod fast;
mod fast_read;
mod fences;
mod function;
mod graves;
mod home;
mod inspect;
mod job;
mod layout;
mod library;
mod memory;
mod native;
mod pin;
mod placing;
mod pool;
mod quick;
mod signature;
mod slices;
mod stack;
mod taken;
mod target;
mod termination;
mod thread;
mod trace;
mod unwinding;
#[cfg(all(target_arch = "x86_64", unix))]
mod verify;
mod waker;
