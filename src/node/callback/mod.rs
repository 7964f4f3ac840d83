//! Callbacks: function pointers of C that reach a JavaScript function.

pub mod argument_source;
pub mod arguments;
pub mod dispatch;
pub mod env_handle;
pub mod foreign_thread;
pub mod free_list;
pub mod js_callback;
pub mod js_function;
pub mod kept_function;
pub mod own_thread;
pub mod slot;
