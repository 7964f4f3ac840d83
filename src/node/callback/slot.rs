//! Callback slots: the state behind a C function pointer that reaches JavaScript.
#![expect(unsafe_code, reason = "points to handles that are never freed")]

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};

use super::env_handle::EnvHandle;
use super::kept_function::JsFunction;
use crate::abi::signature::Signature;
use crate::memory::address::Address;

/// Identifies threads, also in the destructors of a thread that ends, where std's own identity is gone.
#[inline]
pub fn this_thread() -> usize {
    #[cfg(unix)]
    // SAFETY: U1; the function has no preconditions.
    return unsafe { libc::pthread_self() } as usize;
    #[cfg(not(unix))]
    return {
        thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| (&raw const *here).addr())
    };
}

thread_local! {
    /// Callbacks of this thread that are open: while there are any, a call may run JavaScript. Those of another realm
    /// of the thread count as well.
    pub static OPEN: Cell<u32> = const { Cell::new(0) };
}

/// The state behind a C function pointer. It is never freed (M7). A closed one is reused much later; after the end of
/// its environment, by another one.
pub struct CallbackSlot<E> {
    code: Cell<Option<Address>>,
    /// Its types.
    pub signature: Arc<Signature>,
    /// An [`EnvHandle`]; it is not freed when another one replaces it.
    env_handle: AtomicPtr<EnvHandle<E>>,
    pub closed: AtomicBool,
    /// Counts how often it was opened: an earlier call is not for the present function.
    pub life: AtomicU32,
    /// Whether a call after the close was reported.
    pub warned: AtomicBool,
    /// Whether C does not wait for a result (bun's `threadsafe`).
    pub threadsafe: AtomicBool,
    /// Its name in messages, a number of `report`.
    pub name: AtomicU32,
    /// The calls after a close that keep the process alive until they are reported; one that is opened again may have
    /// several. Used on the environment's thread only (M6).
    pub held: Cell<u32>,
    /// The function that decodes, calls and encodes, while it is open. Used on that thread only (M6).
    pub function: Cell<Option<JsFunction>>,
    /// The calls that C does not wait for and that have not run yet.
    pub queued: AtomicU32,
    /// The function of those that were made before the close. Used on the environment's thread only (M6).
    pub leaving: Cell<Option<JsFunction>>,
    /// Its number in the environment. Used on that thread only (M6).
    pub id: Cell<u32>,
    /// The number of nested calls when it was scoped to one; `None` if it is open until it is closed. As above.
    pub scoped: Cell<Option<usize>>,
}

impl<E> CallbackSlot<E> {
    /// A closed one.
    pub fn new(signature: &Arc<Signature>, env_handle: &'static EnvHandle<E>, id: u32) -> Self {
        Self {
            code: Cell::new(None),
            signature: Arc::clone(signature),
            env_handle: AtomicPtr::new(std::ptr::from_ref(env_handle).cast_mut()),
            closed: AtomicBool::new(true),
            life: AtomicU32::new(0),
            warned: AtomicBool::new(false),
            held: Cell::new(0),
            threadsafe: AtomicBool::new(false),
            name: AtomicU32::new(0),
            function: Cell::new(None),
            queued: AtomicU32::new(0),
            leaving: Cell::new(None),
            id: Cell::new(id),
            scoped: Cell::new(None),
        }
    }

    /// Sets the address of its code.
    pub fn set_code(&self, code: Address) {
        self.code.set(Some(code));
    }

    /// Makes it belong to another environment.
    pub fn set_env_handle(&self, env_handle: &'static EnvHandle<E>) {
        self.env_handle.store(std::ptr::from_ref(env_handle).cast_mut(), Ordering::Release);
    }

    /// The range of a result in the argument buffer.
    pub fn result_in_buffer(&self) -> std::ops::Range<usize> {
        let at = self.signature.layout.result;
        at..at + self.signature.result_size()
    }

    /// The function pointer.
    pub fn code(&self) -> Option<Address> {
        self.code.get()
    }

    /// The handle of its environment.
    pub fn env_handle(&self) -> &'static EnvHandle<E> {
        // SAFETY: M7; handles live as long as the process.
        unsafe { &*self.env_handle.load(Ordering::Acquire) }
    }
}

/// The callbacks of an environment; used on its thread only (M6).
pub struct Callbacks<E: 'static> {
    /// All of them, by number.
    pub slots: RefCell<Vec<&'static CallbackSlot<E>>>,
    /// A function that is called with the number of each closed callback that C calls.
    pub late: Cell<Option<JsFunction>>,
    /// Those that are open for the length of a call, innermost last.
    pub scoped: RefCell<Vec<&'static CallbackSlot<E>>>,
}

impl<E> Default for Callbacks<E> {
    fn default() -> Self {
        Self { slots: RefCell::default(), late: Cell::new(None), scoped: RefCell::default() }
    }
}
