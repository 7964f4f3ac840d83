//! Exceptions of callbacks, and callbacks that were ended: the call that a callback was made under passes that on.
#![expect(unsafe_code, reason = "keeps Node-API references")]

use std::ptr::{NonNull, null_mut};

use napi::sys;

use super::env::Environment;
use super::unwinding::{Held, KEEPS_RESULTS, THROWS, Unwinding};
use crate::call::inside;

const EXCEPTION: &std::ffi::CStr = c"exception";

impl Environment {
    /// Keeps what a callback has thrown until the outer call returns; a second one while one is kept is dropped.
    fn record_exception(&self, exception: sys::napi_value) {
        if self.exceptions.pending.get().is_none() {
            self.exceptions.pending.set(self.hold(exception).map(Unwinding::Thrown));
            self.calls.after_call.set(self.calls.after_call.get() | THROWS);
        }
    }

    /// Passes what a callback has thrown to its call: the asynchronous one (`origin`) or the synchronous one it
    /// was made under. Without either it is an uncaught exception.
    pub fn propagate(&self, exception: sys::napi_value, origin: usize) {
        // A call of another environment cannot be given an exception of this one.
        if let Some((_, thrown)) = self.work.jobs.borrow_mut().get_mut(&origin) {
            if thrown.is_none() {
                *thrown = self.hold(exception);
            }
        } else if self.calls.depth.get() > 0 {
            self.record_exception(exception);
        } else {
            // SAFETY: M6; the exception is a handle of the scope that the callback was called in.
            unsafe { sys::napi_fatal_exception(self.raw, exception) };
        }
    }

    /// A callback was ended from outside, which is no exception: the synchronous call that it was made under passes
    /// that on.
    pub fn propagate_termination(&self) {
        if self.calls.depth.get() == 0 {
            return;
        }
        self.calls.after_call.set(self.calls.after_call.get() | THROWS);
        if let Some(Unwinding::Thrown(held)) = self.exceptions.pending.replace(Some(Unwinding::Terminated)) {
            self.let_go(held);
        }
    }

    /// C has called a callback on the stack of a coroutine, where the engine cannot run. The synchronous call that led
    /// to it throws.
    #[cold]
    pub fn refuse_stack(&self, name: u32) {
        if self.calls.depth.get() > 0 && self.exceptions.pending.get().is_none() {
            self.exceptions.pending.set(Some(Unwinding::OtherStack(name)));
            self.calls.after_call.set(self.calls.after_call.get() | THROWS);
        }
    }

    /// A leaf function has returned. If it has called a callback, its call throws.
    #[inline]
    pub fn end_leaf(&self) {
        if let Some(called_back) = inside::take_called_back()
            && self.exceptions.pending.get().is_none()
        {
            self.exceptions.pending.set(Some(Unwinding::LeafCalledBack(called_back)));
            self.calls.after_call.set(self.calls.after_call.get() | THROWS);
        }
    }

    /// Whether an exception, or the end of JavaScript, is waiting for the outer call.
    #[inline]
    pub fn has_exception(&self) -> bool {
        self.exceptions.pending.get().is_some()
    }

    /// Whether JavaScript is being ended under the innermost call.
    pub fn is_terminating(&self) -> bool {
        matches!(self.exceptions.pending.get(), Some(Unwinding::Terminated))
    }

    /// Whether a call that returns has more to do than to return.
    #[inline]
    pub fn has_work_after_call(&self) -> bool {
        self.calls.after_call.get() != 0
    }

    /// Takes what is waiting for the outer call, which returns; the outermost one keeps nothing of its callbacks any
    /// more.
    pub fn pop_exception(&self) -> Option<Unwinding<sys::napi_value>> {
        let after = self.calls.after_call.get() & !THROWS;
        let is_outermost = self.calls.depth.get() == 0;
        if after & KEEPS_RESULTS != 0 && is_outermost {
            self.arg_buffer.end_outermost();
        }
        self.calls.after_call.set(if is_outermost { 0 } else { after });
        self.exceptions.pending.take().map(|unwinding| match unwinding {
            Unwinding::Thrown(held) => Unwinding::Thrown(self.let_go(held)),
            Unwinding::Terminated => Unwinding::Terminated,
            Unwinding::OtherStack(name) => Unwinding::OtherStack(name),
            Unwinding::LeafCalledBack(called_back) => Unwinding::LeafCalledBack(called_back),
        })
    }

    fn hold(&self, exception: sys::napi_value) -> Option<Held> {
        let (mut reference, mut holder, mut scope) = (null_mut(), null_mut(), null_mut());
        // SAFETY: M6; the exception is in an object, because a reference may hold objects only before Node-API 10.
        unsafe {
            sys::napi_open_handle_scope(self.raw, &mut scope);
            sys::napi_create_object(self.raw, &mut holder);
            sys::napi_set_named_property(self.raw, holder, EXCEPTION.as_ptr(), exception);
            sys::napi_create_reference(self.raw, holder, 1, &mut reference);
            sys::napi_close_handle_scope(self.raw, scope);
        }
        NonNull::new(reference)
    }

    /// The exception of a reference, which is deleted.
    pub fn let_go(&self, held: Held) -> sys::napi_value {
        let (mut holder, mut exception) = (null_mut(), null_mut());
        // SAFETY: M6; `hold` made the reference and the property.
        unsafe {
            sys::napi_get_reference_value(self.raw, held.as_ptr(), &mut holder);
            sys::napi_get_named_property(self.raw, holder, EXCEPTION.as_ptr(), &mut exception);
            sys::napi_delete_reference(self.raw, held.as_ptr());
        }
        exception
    }
}
