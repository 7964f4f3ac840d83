//! The host's side of isolation: code that runs in the child process, in which the library is loaded. It is this same
//! file, started as a program; it begins at `entry`.
//!
//! There is no JavaScript and no Node-API here. The invariants that SAFETY comments of this folder cite:
//!
//! * **H1** The process is a host: it was started for one library, so process-wide state (handlers, limits, the memory
//!   map) is ours to set before the library's code runs.
//! * **H2** A signal handler of ours uses what the kernel gave it, its own stack, and static atomics. The process ends
//!   with it: what is not async-signal-safe may fail or hang there, which a nested fault and an alarm end.
//! * **H3** Memory that is mapped over was ours: it lies in the arena's part of this process, or in a mapping that this
//!   folder has made.
//! * **H4** Structures that system calls fill are locals, zeroed, and as large as the kernel writes.
// Not under Miri: nearly all of it calls the kernel.
#![cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64", not(miri)))]

pub mod callbacks;
pub mod crash;
pub mod entry;
pub mod fork;
pub mod heap;
pub mod memory;
pub mod sandbox;
pub mod segments;
pub mod serve;
pub mod served;
pub mod stack;
pub mod threads;
mod unwind;
pub mod window;

#[cfg(test)]
mod test_process;
