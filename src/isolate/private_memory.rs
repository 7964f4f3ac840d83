//! Memory that this process has and a host does not: pointers to it are refused where the host would get them.

use std::sync::atomic::Ordering;

use super::callback_result::CallbackResult;
use super::channel::Head;
use super::child::Child;
use super::{address_space, listener, remote_memory, shared, stubs};
use crate::memory::address::LOWEST;

impl Child {
    /// Whether an address is of memory that this process has and the host does not.
    pub fn is_private(&self, address: usize) -> bool {
        if address < LOWEST || self.arena.holds(address, 1) || stubs::is_stub(address) {
            return false;
        }
        // Where both have memory, the address may be of either.
        shared::holds(address) || (address_space::is_here(address) && !remote_memory::read(self.pid, address, &mut [0]))
    }

    /// The result of a callback, and whether the host may have it.
    pub(super) fn answer_of(&self, head: &Head, arguments: &[u8]) -> Option<(CallbackResult, bool)> {
        let mut result = listener::answer_of(head, arguments)?;
        let is_shared = !listener::pointer_in(head, &result.bytes).is_some_and(|address| self.is_private(address));
        if !is_shared {
            result.bytes.fill(0);
        }
        Some((result, is_shared))
    }

    /// The answer to a thread of the host, which no call waits for.
    pub fn answer_late(&self, head: &Head, arguments: &[u8]) -> Option<CallbackResult> {
        let (result, is_shared) = self.answer_of(head, arguments)?;
        if !is_shared {
            self.has_refused.store(true, Ordering::Relaxed);
        }
        Some(result)
    }
}
