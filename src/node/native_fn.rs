//! Native functions of an environment, which find everything else in the argument buffer. V8 calls them itself where
//! that was verified (`v8::callback_info`); elsewhere Node-API does, which takes some 5 ns more.
#![expect(unsafe_code, reason = "is called by the engine")]

use std::ptr::{NonNull, null_mut};

use napi::bindgen_prelude::{Env, Object};
use napi::sys;
use smallvec::SmallVec;

use super::env::{Environment, current};
use super::error::{clear_exception, thrown, to_error};
use crate::error::FfiError;
use crate::panics::contain;
#[cfg(v8_abi)]
use crate::v8::callback_info::CallbackInfo;

/// An exception is pending in Node-API, or JavaScript is being ended.
pub struct PendingException;

/// The result of a native function: a value, or null for undefined.
pub type JsResult = Result<sys::napi_value, PendingException>;

/// Throws an error of the native side.
pub fn thrown_by(environment: &Environment, error: &FfiError) -> PendingException {
    throw_value(environment, error_of(environment, error, None))
}

/// The JavaScript error of an error of the native side; `cause` is the exception that it replaces. The listener for
/// breached fences and processes that have ended gets those.
pub fn error_of(environment: &Environment, error: &FfiError, cause: Option<sys::napi_value>) -> sys::napi_value {
    let js_error = to_error(environment.raw, error, cause);
    if matches!(
        error,
        FfiError::Overflow { .. }
            | FfiError::LibraryDied { .. }
            | FfiError::TimedOut { .. }
            | FfiError::IsolateProtocol { .. }
    ) {
        tell_of_failure(environment, js_error);
    }
    js_error
}

#[cold]
fn tell_of_failure(environment: &Environment, error: sys::napi_value) {
    let listener = environment.failure_listener.get();
    if listener.is_null() {
        return;
    }
    let (mut this, mut function, mut ignored) = (null_mut(), null_mut(), null_mut());
    // SAFETY: M3 and M6; the error is a value of the current scope, the listener is kept as long as the environment,
    // and what it throws takes the place of nothing.
    unsafe {
        sys::napi_get_undefined(environment.raw, &mut this);
        sys::napi_get_reference_value(environment.raw, listener, &mut function);
        sys::napi_call_function(environment.raw, this, function, 1, &error, &mut ignored);
    }
    clear_exception(environment.raw);
}

/// Throws a value once the native function returns: where V8 calls it without Node-API, under whose own handler
/// `--abort-on-uncaught-exception` takes every exception for an uncaught one.
pub fn throw_value(environment: &Environment, value: sys::napi_value) -> PendingException {
    environment.exceptions.to_throw.set(value);
    PendingException
}

/// Returns the value, unless JavaScript of the package that ran meanwhile has thrown (for example a stack overflow).
///
/// # Errors
/// [`PendingException`] if something was thrown meanwhile.
pub fn unless_thrown(environment: &Environment, value: sys::napi_value) -> JsResult {
    let mut is_pending = false;
    // SAFETY: M6; the out-parameter is a local.
    unsafe { sys::napi_is_exception_pending(environment.raw, &mut is_pending) };
    if is_pending { Err(PendingException) } else { Ok(value) }
}

/// The arguments of a native function.
#[derive(Clone, Copy)]
pub enum Arguments {
    /// By Node-API.
    NodeApi(sys::napi_env, sys::napi_callback_info),
    /// By V8.
    #[cfg(v8_abi)]
    V8(CallbackInfo),
}

impl Arguments {
    /// The first ones. All are values of the engine.
    #[inline(always)]
    pub fn first<const COUNT: usize>(self) -> [sys::napi_value; COUNT] {
        match self {
            Self::NodeApi(env, info) => {
                let mut values = [null_mut(); COUNT];
                fill(env, info, &mut values);
                values
            }
            // Word by word: a wider load that spans recent stores would wait for them.
            #[cfg(v8_abi)]
            Self::V8(info) => std::array::from_fn(info.arguments()),
        }
    }

    /// The first `count` arguments.
    pub fn many(self, count: usize) -> SmallVec<[sys::napi_value; 8]> {
        match self {
            Self::NodeApi(env, info) => {
                let mut values = SmallVec::from_elem(null_mut(), count);
                fill(env, info, &mut values);
                values
            }
            #[cfg(v8_abi)]
            Self::V8(info) => (0..count).map(info.arguments()).collect(),
        }
    }
}

fn fill(env: sys::napi_env, info: sys::napi_callback_info, values: &mut [sys::napi_value]) {
    let (mut count, start) = (values.len(), values.as_mut_ptr());
    // SAFETY: M6; the function is under way, and there is space for so many.
    unsafe { sys::napi_get_cb_info(env, info, &mut count, start, null_mut(), null_mut()) };
}

#[cold]
fn panicked(environment: &Environment) -> PendingException {
    thrown_by(environment, &FfiError::Internal { reason: "a native function panicked".into() })
}

/// A function in Rust that becomes a native one. Its type identifies it, so that no value has to be stored.
pub trait NativeFnImpl: Fn(&'static Environment, Arguments) -> JsResult + Copy {}
impl<F: Fn(&'static Environment, Arguments) -> JsResult + Copy> NativeFnImpl for F {}

#[inline(always)]
fn run<F: NativeFnImpl>(environment: &'static Environment, arguments: Arguments) -> JsResult {
    const { assert!(size_of::<F>() == 0) };
    // SAFETY: `NativeFn::with_own_boundary` was given a value of the type, which has no bytes and may be copied.
    let function = unsafe { NonNull::<F>::dangling().read() };
    function(environment, arguments)
}

/// A native function, by the ways in which it is called.
#[derive(Clone, Copy)]
pub struct NativeFn {
    by_node_api: unsafe extern "C" fn(sys::napi_env, sys::napi_callback_info) -> sys::napi_value,
    #[cfg(v8_abi)]
    by_v8: by_v8::Function,
}

impl NativeFn {
    /// Makes one of a function in Rust. A panic in it becomes an exception, and does not unwind into the engine.
    pub fn new<F: NativeFnImpl>(function: F) -> Self {
        Self::with_own_boundary(move |environment: &'static Environment, arguments: Arguments| {
            contain(|| function(environment, arguments)).unwrap_or_else(|_| Err(panicked(environment)))
        })
    }

    /// Makes one of a function that catches its panics itself.
    pub fn with_own_boundary<F: NativeFnImpl>(_: F) -> Self {
        Self {
            by_node_api: by_node_api::<F>,
            #[cfg(v8_abi)]
            by_v8: by_v8::called::<F>,
        }
    }
}

unsafe extern "C" fn by_node_api<F: NativeFnImpl>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let mut data = null_mut();
    // SAFETY: M6; `make` gave the state as the data, which outlives its functions.
    let environment = unsafe {
        sys::napi_get_cb_info(env, info, null_mut(), null_mut(), null_mut(), &mut data);
        &*data.cast::<Environment>()
    };
    // Node-API throws the pending exception.
    run::<F>(environment, Arguments::NodeApi(env, info)).unwrap_or_else(|PendingException| {
        let value = environment.exceptions.to_throw.replace(null_mut());
        if !value.is_null() {
            // SAFETY: M6; the value is one of the current scope.
            unsafe { sys::napi_throw(env, value) };
        }
        null_mut()
    })
}

/// Makes functions of the environment.
///
/// # Errors
/// If the engine refuses a function.
pub fn native_functions<const COUNT: usize>(
    env: Env,
    natives: [NativeFn; COUNT],
) -> napi::Result<[Object<'static>; COUNT]> {
    let environment = current(env)?;
    #[cfg(v8_abi)]
    if let Some(functions) = by_v8::make(&environment, natives) {
        return Ok(functions);
    }
    // The state lives as long as the environment, which is as long as its functions.
    let data = (&raw const *environment).cast_mut().cast();
    let mut functions = [null_mut(); COUNT];
    for (function, native) in functions.iter_mut().zip(natives) {
        // SAFETY: M6; napi-rs hands `Env` to native functions only, on its thread. `data` outlives the
        // function, as said above.
        let status =
            unsafe { sys::napi_create_function(env.raw(), null_mut(), 0, Some(native.by_node_api), data, function) };
        if status != sys::Status::napi_ok {
            return Err(thrown(env, &FfiError::Internal { reason: "the engine refuses a function".into() }));
        }
    }
    Ok(functions.map(|function| Object::from_raw(env.raw(), function)))
}

#[cfg(v8_abi)]
pub mod by_v8 {
    //! The same for V8.

    use super::*;
    use crate::node::error::take_thrown;
    use crate::v8::function_template::FunctionTemplates;
    use crate::v8::handle::Local;
    use crate::v8::trampoline::with_context;

    /// Generated code passes the environment as the fourth argument. V8 passes the first; the two in between are
    /// undefined.
    pub type Function = unsafe extern "C" fn(*mut usize, usize, usize, *const Environment);

    /// The function that V8 calls by the generated code, which adds the environment.
    ///
    /// # Safety
    /// M18: V8 calls it, with the address of the environment that the generated code was made with.
    pub unsafe extern "C" fn called<F: NativeFnImpl>(
        info: *mut usize,
        _: usize,
        _: usize,
        environment: *const Environment,
    ) {
        // SAFETY: M6; the address is that of the environment's state, on its thread, which generated code was made
        // with.
        let environment = unsafe { &*environment };
        let Some(v8) = environment.v8.templates.get() else { return };
        // SAFETY: M18; V8 has called this function with it.
        let info = unsafe { CallbackInfo::new(info, v8.layout) };
        match run::<F>(environment, Arguments::V8(info)) {
            Ok(value) if value.is_null() => {}
            // SAFETY: M3; the value is one of the scope that V8 has opened for this function.
            Ok(value) => unsafe { info.set_return_value(value.cast()) },
            Err(PendingException) => rethrow(environment, v8),
        }
    }

    /// Throws the pending exception of Node-API, as Node-API does when its own functions return.
    #[cold]
    fn rethrow(environment: &Environment, v8: &FunctionTemplates) {
        let value = environment.exceptions.to_throw.replace(null_mut());
        let exception = if value.is_null() { take_thrown(environment.raw) } else { Some(value) };
        if let Some(exception) = exception {
            // SAFETY: M3 and M6; the exception is one of the scope that V8 has opened for this function.
            unsafe { v8.throw(exception.cast()) };
        }
    }

    /// `None` where V8 does not call functions of this environment, or there is no memory for code.
    pub fn make<const COUNT: usize>(
        environment: &Environment,
        natives: [NativeFn; COUNT],
    ) -> Option<[Object<'static>; COUNT]> {
        let v8 = environment.v8.templates.get()?;
        let context = (&raw const *environment).expose_provenance();
        let stubs = natives.map(|native| with_context((native.by_v8 as *const ()).addr(), context));
        let starts = environment.v8.code.borrow_mut().put_all(stubs)?;
        let mut functions = [null_mut(); COUNT];
        for (function, code) in functions.iter_mut().zip(starts) {
            // SAFETY: M15; the scope of the native function under way is open.
            *function = unsafe { v8.plain_function(code) }?;
        }
        Some(functions.map(|function: Local| Object::from_raw(environment.raw, function.cast())))
    }

    /// Returns its second argument.
    unsafe extern "C" fn second(info: *mut usize, _: usize, _: usize, v8: *const FunctionTemplates) {
        // SAFETY: M18; V8 has called this function with it, and `works` has the pointer's V8.
        let info = unsafe { CallbackInfo::new(info, (*v8).layout) };
        // SAFETY: M3; the value is an argument.
        unsafe { info.set_return_value(info.arguments()(1)) };
    }

    /// Whether a function that V8 calls gets its arguments and can return one.
    fn works(environment: &Environment, v8: &FunctionTemplates) -> bool {
        let stub = with_context((second as *const ()).addr(), (&raw const *v8).expose_provenance());
        let code = environment.v8.code.borrow_mut().put(&stub);
        // SAFETY: M15; the scope of the native function under way is open.
        let Some(function) = code.and_then(|code| unsafe { v8.plain_function(code) }) else { return false };
        let (env, mut values, mut result, mut is_same) = (environment.raw, [null_mut(); 2], null_mut(), false);
        // SAFETY: M6; the out-parameters are locals.
        unsafe {
            for value in &mut values {
                sys::napi_create_object(env, value);
            }
            let [this, argument] = values;
            sys::napi_call_function(env, this, function.cast(), 2, values.as_ptr(), &mut result);
            if !result.is_null() {
                sys::napi_strict_equals(env, argument, result, &mut is_same);
            }
        }
        is_same
    }

    /// Makes V8 call native functions of this environment itself, if everything is found and a trial works. For a
    /// verified `NODE_MODULE_VERSION`.
    pub fn attach(environment: &Environment, modules: u32) {
        // SAFETY: M6; this is called by a native function of the environment, whose isolate is the thread's.
        if let Some(v8) = unsafe { FunctionTemplates::find(modules) }.filter(|v8| works(environment, v8)) {
            let _ = environment.v8.templates.set(v8);
        }
    }
}
