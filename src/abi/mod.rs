//! Types of C, their layouts, and the calling conventions. Pure: nothing here calls C or knows JavaScript.

pub mod ctype;
pub mod encoded;
pub mod layout;
pub mod signature;
pub mod sysv64;
