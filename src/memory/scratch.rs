//! Text that lives for the length of a call: taken like a stack, so that calls may nest.
#![expect(unsafe_code, reason = "hands out addresses inside memory it owns")]
#![expect(clippy::disallowed_methods, reason = "this is the room of raw copies")]

use std::cell::Cell;
use std::ptr::NonNull;

use super::address::Address;

const CAPACITY: usize = 16 * 1024;

/// A stack of bytes, one per environment.
#[derive(Debug)]
pub struct Scratch {
    memory: NonNull<u8>,
    top: Cell<usize>,
}

/// Where the stack stood; given back by [`Scratch::release`].
#[derive(Clone, Copy, Debug)]
pub struct Mark(usize);

impl Scratch {
    /// An empty stack.
    pub fn new() -> Self {
        let memory = Box::leak(vec![0u8; CAPACITY].into_boxed_slice());
        Self { memory: NonNull::from(memory).cast(), top: Cell::new(0) }
    }

    /// Where the stack stands now.
    pub fn mark(&self) -> Mark {
        Mark(self.top.get())
    }

    /// Takes everything off that was put on since `mark`.
    pub fn release(&self, mark: Mark) {
        self.top.set(mark.0);
    }

    /// Lets `write` fill the free part and keeps as many bytes as it says it used. `None`, and nothing is kept, where
    /// `write` says `None`.
    pub fn fill(&self, write: impl FnOnce(&mut [u8]) -> Option<usize>) -> Option<Address> {
        let top = self.top.get();
        // SAFETY: M4 and M6; bytes above `top` belong to nobody, and `write` cannot reach this stack.
        let free = unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr().add(top), CAPACITY - top) };
        let used = write(free)?.min(free.len());
        self.top.set(top + used.next_multiple_of(16).min(free.len()));
        Address::new(self.memory.as_ptr().expose_provenance() + top)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: M4; `new` leaked exactly this box, and no call is under way when the state is dropped.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(self.memory.as_ptr(), CAPACITY)) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_calls_do_not_overwrite_each_other() {
        let scratch = Scratch::new();
        let put = |text: &'static [u8]| {
            scratch.fill(|free| {
                free[..text.len()].copy_from_slice(text);
                Some(text.len())
            })
        };
        let outer = scratch.mark();
        let first = put(b"outer").unwrap();
        let inner = scratch.mark();
        let second = put(b"inner").unwrap();
        assert!(second.get() >= first.get() + 5);
        scratch.release(inner);
        assert_eq!(put(b"again"), Some(second));
        scratch.release(outer);
        assert_eq!(put(b"outer"), Some(first));
    }

    #[test]
    fn what_does_not_fit_is_not_kept() {
        let scratch = Scratch::new();
        assert_eq!(scratch.fill(|_| None), None);
        assert_eq!(scratch.mark().0, 0);
    }
}
