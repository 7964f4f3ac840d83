//! The processes of isolated libraries that this thread has started, and the memory that its calls use for them.
#![cfg_attr(
    not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")),
    allow(dead_code, reason = "there are none elsewhere")
)]

use crate::call::remote::Remote;

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod here {
    use std::cell::RefCell;
    use std::rc::{Rc, Weak as RcWeak};
    use std::sync::{Arc, Weak};

    use super::Remote;
    use crate::call::remote::{RemoteArguments, RemoteMemory};
    use crate::isolate::address_space;
    use crate::isolate::function::function_at;
    use crate::isolate::process::Process;

    type Started = (RcWeak<RemoteMemory>, Weak<Process>);

    thread_local! {
        static PROCESSES: RefCell<Vec<Started>> = const { RefCell::new(Vec::new()) };
    }

    /// Notes a process.
    pub fn add(process: &Arc<Process>, memory: &Rc<RemoteMemory>) {
        PROCESSES.with_borrow_mut(|all| {
            all.retain(|(memory, _)| memory.strong_count() > 0);
            all.push((Rc::downgrade(memory), Arc::downgrade(process)));
        });
    }

    /// The function at an address, where that is of the process of an isolated library.
    pub fn foreign_function(address: u64) -> Option<Remote> {
        let host = address_space::owner_of(address as usize)?;
        let (memory, process) = PROCESSES.with_borrow(|all| {
            let mut all = all.iter().filter_map(|(memory, process)| Some((memory.upgrade()?, process.upgrade()?)));
            all.find(|(_, process)| process.last().is_some_and(|last| Arc::ptr_eq(&last, &host)))
        })?;
        Some(Remote { function: function_at(&process, address)?, memory, arguments: RemoteArguments::default() })
    }

    /// The environment of this thread is going, and with it what has started processes.
    pub fn end_processes() {
        let all: Vec<_> =
            PROCESSES.with_borrow(|all| all.iter().filter_map(|(_, process)| process.upgrade()).collect());
        all.iter().for_each(|process| process.kill());
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub use here::{add, end_processes, foreign_function};

/// There are none.
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
pub fn end_processes() {}

/// There are no other processes.
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
pub fn foreign_function(_: u64) -> Option<Remote> {
    None
}
