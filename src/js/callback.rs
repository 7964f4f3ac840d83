//! JSCallback's native half: brings a call of C to a JavaScript function that decodes the frame and encodes the result.
#![expect(unsafe_code, reason = "calls JavaScript at C's word")]

use std::cell::Cell;
use std::ptr::null_mut;
use std::rc::Rc;
use std::thread::{self, ThreadId};

use napi::bindgen_prelude::{ClassInstance, Env, Object};
use napi::{JsValue, sys};
use napi_derive::napi;

use super::environment::{Environment, current, thrown};
use super::memory::{JsAddress, to_js};
use super::signature::JsSignature;
use crate::closure::{Closure, Handler, Incoming};
use crate::memory::watch::Watch;

/// What the closure and its JavaScript object share.
struct Target {
    environment: Rc<Environment>,
    thread: ThreadId,
    /// The function that decodes, calls and encodes; None once closed.
    function: Cell<sys::napi_ref>,
}

struct JsHandler(Rc<Target>);

/// A C function pointer that calls a JavaScript function.
#[napi(js_name = "Closure")]
pub struct JsClosure {
    closure: Closure,
    target: Rc<Target>,
}

#[napi]
impl JsClosure {
    /// Makes the pointer; `function` takes no arguments: it reads and writes the frame.
    #[napi(constructor)]
    pub fn new(env: Env, signature: ClassInstance<'_, JsSignature>, function: Object<'_>) -> napi::Result<Self> {
        let mut reference = null_mut();
        // SAFETY: M3; `function` is an argument of this call.
        unsafe { sys::napi_create_reference(env.raw(), function.raw(), 1, &mut reference) };
        let target = Rc::new(Target {
            environment: current(env)?,
            thread: thread::current().id(),
            function: Cell::new(reference),
        });
        let closure = Closure::new(Rc::clone(&signature.signature), Box::new(JsHandler(Rc::clone(&target))));
        Ok(Self { closure: closure.map_err(|error| thrown(env, &error))?, target })
    }

    /// The function pointer.
    #[napi(getter)]
    pub fn code(&self) -> JsAddress {
        to_js(self.closure.code().get())
    }

    /// Has the pointer call a function again that takes no arguments; the one it called is let go.
    #[napi]
    pub fn open(&self, function: Object<'_>) {
        self.close();
        let mut reference = null_mut();
        // SAFETY: M3; `function` is an argument of this call.
        unsafe { sys::napi_create_reference(self.target.environment.raw, function.raw(), 1, &mut reference) };
        self.target.function.set(reference);
    }

    /// Lets the JavaScript function go; calls of C that still come return zero.
    #[napi]
    pub fn close(&self) {
        let function = self.target.function.replace(null_mut());
        if !function.is_null() {
            // SAFETY: M6; the constructor made the reference.
            unsafe { sys::napi_delete_reference(self.target.environment.raw, function) };
        }
    }
}

impl Handler for JsHandler {
    fn call(&self, incoming: &Incoming<'_>) {
        let target = &*self.0;
        if thread::current().id() != target.thread || target.function.get().is_null() {
            return;
        }
        let environment = &*target.environment;
        environment.stack.deepen();
        if environment.ended.get() || environment.has_exception() {
            return;
        }
        let mut scope = null_mut();
        // SAFETY: M6; this is the environment's thread.
        unsafe {
            if sys::napi_open_handle_scope(environment.raw, &mut scope) != sys::Status::napi_ok {
                return;
            }
        }
        incoming.take_arguments(&environment.frame);
        environment.locks.before_callback(environment.raw);
        environment.watches.borrow_mut().iter_mut().for_each(Watch::pause);
        let answered = target.enter_js();
        environment.watches.borrow_mut().iter_mut().for_each(Watch::resume);
        if answered {
            incoming.put_result(&environment.frame);
        }
        // SAFETY: the scope was opened above.
        unsafe { sys::napi_close_handle_scope(environment.raw, scope) };
    }
}

impl Target {
    /// Calls the JavaScript function; false where it threw or could not run.
    fn enter_js(&self) -> bool {
        let env = self.environment.raw;
        let (mut function, mut this, mut result) = (null_mut(), null_mut(), null_mut());
        // SAFETY: M6; all out-parameters are locals, and the reference is not deleted (checked by the caller).
        unsafe {
            sys::napi_get_reference_value(env, self.function.get(), &mut function);
            sys::napi_get_undefined(env, &mut this);
            if sys::napi_call_function(env, this, function, 0, null_mut(), &mut result) == sys::Status::napi_ok {
                return true;
            }
            let mut exception = null_mut();
            let mut pending = false;
            sys::napi_is_exception_pending(env, &mut pending);
            if pending && sys::napi_get_and_clear_last_exception(env, &mut exception) == sys::Status::napi_ok {
                if self.environment.depth.get() > 0 {
                    self.environment.keep_exception(exception);
                } else {
                    sys::napi_fatal_exception(env, exception);
                }
            }
        }
        false
    }
}
