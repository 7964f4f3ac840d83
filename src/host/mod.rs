//! The process that isolated libraries run in: this same file, started as a program. Nothing of this process's side
//! uses it; it begins at `entry`.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]

pub mod callbacks;
pub mod entry;
pub mod memory;
pub mod serve;
