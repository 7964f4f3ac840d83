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
    use crate::isolate::interrupt;
    use crate::isolate::process::Process;
    use crate::node::env::Environment;
    use crate::node::error::take_thrown;
    use crate::v8::isolate::is_execution_terminating;

    type Started = (RcWeak<RemoteMemory>, Weak<Process>);

    thread_local! {
        static ENVIRONMENT: RefCell<RcWeak<Environment>> = const { RefCell::new(RcWeak::new()) };
        static PROCESSES: RefCell<Vec<Started>> = const { RefCell::new(Vec::new()) };
    }

    /// Whether JavaScript of this thread is being ended: its worker, by `terminate()` or the exit of the process, or
    /// what runs under the timeout of `node:vm`. Then the host that it waits for is ended as well.
    fn is_ending() -> bool {
        let Some(environment) = ENVIRONMENT.with_borrow(RcWeak::upgrade) else { return false };
        if environment.ended.get() || environment.runs_js() {
            return false;
        }
        // Not where the stack is too short for a call, which throws.
        let is_ending = is_execution_terminating() == Some(true) || take_thrown(environment.raw).is_none();
        if is_ending {
            environment.propagate_termination();
        }
        is_ending
    }

    /// Notes a process.
    pub fn add(environment: &Rc<Environment>, process: &Arc<Process>, memory: &Rc<RemoteMemory>) {
        ENVIRONMENT.set(Rc::downgrade(environment));
        interrupt::ask_by(is_ending);
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

    /// The processes that this thread has started.
    fn processes() -> Vec<Arc<Process>> {
        PROCESSES.with_borrow(|all| all.iter().filter_map(|(_, process)| process.upgrade()).collect())
    }

    /// Ends the hosts of this thread that other threads wait for: the environment of this one waits for them at its
    /// end.
    pub fn end_busy() {
        let hosts = processes().into_iter().filter_map(|process| process.last());
        hosts.filter(|host| host.is_busy()).for_each(|host| host.kill());
    }

    /// Called when the environment of this thread, which has started processes, ends.
    pub fn end_processes() {
        processes().iter().for_each(|process| process.kill());
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
pub use here::{add, end_busy, end_processes, foreign_function};

/// There are none.
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
pub fn end_processes() {}

/// There are no other processes.
#[cfg(not(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")))]
pub fn foreign_function(_: u64) -> Option<Remote> {
    None
}
