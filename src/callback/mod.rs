//! C to JavaScript, without JavaScript: the function pointers that C calls.

pub mod closure;
pub mod entry_aapcs64;
pub mod entry_sysv64;
pub mod entry_win64;
mod jump_x86_64;
pub mod stub;
