//! The binding skin: the only place, with memory/pin.rs and memory/view.rs, that knows Node-API.

mod callback;
mod copies;
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
mod pool;
mod quick;
mod signature;
mod stack;
mod taken;
mod thread;
mod trace;
mod waker;
