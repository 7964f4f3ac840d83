//! Wakers: functions that other threads call by a key, until they are removed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A list of them. A waker is called under a separate lock, not under that of the list, so that a slow one
/// delays only the threads that call or remove it.
#[derive(Debug)]
pub struct Wakers<T> {
    list: Mutex<Vec<(usize, Shared<T>)>>,
}

/// A waker; nothing once it was removed.
type Shared<T> = Arc<Mutex<Option<T>>>;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Send> Wakers<T> {
    /// An empty list.
    pub const fn new() -> Self {
        Self { list: Mutex::new(Vec::new()) }
    }

    /// Adds one under a key.
    pub fn add(&self, key: usize, waker: T) {
        locked(&self.list).push((key, Arc::new(Mutex::new(Some(waker)))));
    }

    /// Removes one; it is not called any more once this returns.
    pub fn remove(&self, key: usize) {
        let mut removed = Vec::new();
        locked(&self.list).retain(|(other, waker)| {
            if *other == key {
                removed.push(Arc::clone(waker));
            }
            *other != key
        });
        removed.iter().for_each(|waker| drop(locked(waker).take()));
    }

    /// Calls the one with a key, if it still is.
    pub fn wake(&self, key: usize, call: impl FnOnce(&T)) {
        let found = locked(&self.list).iter().find(|(other, _)| *other == key).map(|(_, waker)| Arc::clone(waker));
        Self::call(found, call);
    }

    /// Calls any one of them.
    pub fn wake_first(&self, call: impl FnOnce(&T)) {
        let found = locked(&self.list).first().map(|(_, waker)| Arc::clone(waker));
        Self::call(found, call);
    }

    fn call(found: Option<Shared<T>>, call: impl FnOnce(&T)) {
        if let Some(waker) = found
            && let Some(waker) = &*locked(&waker)
        {
            call(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn one_that_was_removed_is_not_called() {
        let (wakers, calls) = (Wakers::new(), AtomicUsize::new(0));
        let count = |by: &usize| {
            calls.fetch_add(*by, Ordering::Relaxed);
        };
        wakers.add(1, 10);
        wakers.add(2, 100);
        wakers.wake(1, count);
        wakers.wake(3, count);
        wakers.remove(1);
        wakers.wake(1, count);
        wakers.wake_first(count);
        assert_eq!(calls.into_inner(), 110);
    }

    #[test]
    fn others_can_be_woken_and_added_meanwhile() {
        let wakers = Wakers::new();
        wakers.add(1, ());
        wakers.wake(1, |()| {
            wakers.add(2, ());
            wakers.wake(2, |()| {});
            wakers.remove(2);
        });
    }
}
