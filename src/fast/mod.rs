//! The V8 lane: functions that optimised code calls directly, without Node-API. Off where it was not verified
//! (`lib/lane.js`), and whenever JavaScript could run during the call: then, as in code that is not optimised, the function
//! only notes that it was missed, and the caller takes the frame lane.

pub mod entry;
pub mod flat;
pub mod info;
pub mod passing;
pub mod trampoline;
pub mod v8;
pub mod views;
