//! Fast calls: functions that V8's optimised code calls directly, without Node-API.

pub mod arguments;
pub mod binding;
pub mod read;
pub mod state;
