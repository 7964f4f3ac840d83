//! Types of C, their layouts, and the calling conventions. Pure: nothing here calls C or knows JavaScript.

#[cfg(any(test, aapcs64))]
pub mod aapcs64;
pub mod calling_sequence;
pub mod ctype;
pub mod encoded;
pub mod layout;
pub mod native;
pub mod signature;
#[cfg(any(test, not(any(aapcs64, win64))))]
pub mod sysv64;
#[cfg(any(test, win64))]
pub mod win64;
