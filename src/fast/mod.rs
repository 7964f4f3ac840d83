//! What goes by V8's own functions and objects, where those were verified (`lib/engine.js`): how V8 calls native functions
//! (`info`), how callbacks enter JavaScript (`entry`), what views and texts are (`views`, `flat`); and the V8 lane.
//!
//! That is functions that optimised code calls directly, without Node-API. It is off whenever JavaScript could run during
//! the call: then, as in code that is not optimised, the function only notes that it was missed, and the caller takes the
//! frame lane.

pub mod entry;
pub mod flat;
pub mod info;
pub mod passing;
pub mod trampoline;
pub mod v8;
pub mod views;
