//! JavaScript to C, without JavaScript: how C is called, and the table of bound functions.

pub mod bound_function;
pub mod enter_aapcs64;
pub mod enter_sysv64;
pub mod enter_win64;
pub mod function_table;
pub mod inside;
pub mod invoke;
pub mod pointer_shapes;
pub mod registers;
pub mod remote;
