//! The native entries that all calls share: they find the bound function by its number, and choose between the register
//! call and the generic call.
#![expect(unsafe_code, reason = "says how long the engine keeps the arguments")]

use std::ptr::null_mut;

use napi::sys;

use super::register_call::Outcome;
use crate::call::bound_function::MOST_PINS;
use crate::error::{self, FfiError};
use crate::memory::fence::report;
use crate::memory::text::encoding::Encoding;
use crate::node::env::{BoundFunction, Environment};
use crate::node::error::{leaf_called_back, to_error};
use crate::node::native_fn::{
    Arguments, JsResult, NativeFn, PendingException, error_of, throw_value, thrown_by, unless_thrown,
};
use crate::node::unwinding::Unwinding;
use crate::node::value::RootedValues;
use crate::panics::{Panicked, contain};

/// The entries: for calls without pins, for functions of at most [`FEW_PINS`], and for all others.
pub fn native_entries() -> [NativeFn; 3] {
    [
        NativeFn::with_own_boundary(enter),
        NativeFn::with_own_boundary(enter_with::<FEW_PINS>),
        NativeFn::with_own_boundary(enter_with::<MOST_PINS>),
    ]
}

/// JavaScript has written the arguments into the argument buffer, and none of them is a pin.
#[inline(never)] // Inlined, the caller would save more registers on the hot path.
fn enter(environment: &Environment, arguments: Arguments) -> JsResult {
    let Some(function) = environment.functions.get(environment.arg_buffer.number()) else {
        return unbound(environment);
    };
    if !function.is_of_numbers() {
        return enter_with_numbers(function, arguments);
    }
    match contain(|| function.enter_numbers()) {
        Ok(true) if function.returned_text.is_some() => end_with_text(function),
        Ok(true) if !environment.has_work_after_call() => Ok(null_mut()),
        Ok(true) => end(function, Ok(Ok(null_mut()))),
        Ok(false) => enter_generally(function, arguments),
        // C may have been called: it is not called again.
        Err(Panicked) => end(function, Err(Panicked)),
    }
}

/// Returns the text whose address C has returned: the address is in the argument buffer.
#[inline(never)]
fn end_with_text(function: &BoundFunction) -> JsResult {
    let encoding = function.returned_text.unwrap_or(Encoding::Utf8);
    let address = function.environment.arg_buffer.word(function.signature.layout.result) as usize;
    match contain(|| function.text(address, encoding)) {
        Ok(Ok(text)) if !function.environment.has_work_after_call() => Ok(text),
        outcome => end(function, outcome),
    }
}

/// Most functions have no more pins than this: the engine passes values one by one.
const FEW_PINS: usize = 2;

/// The same for a call with pins, of a function of at most `COUNT`: the values that must stay alive are the arguments
/// here (M3).
#[inline(never)] // As `enter`.
fn enter_with<const COUNT: usize>(environment: &Environment, arguments: Arguments) -> JsResult {
    let Some(function) = environment.functions.get(environment.arg_buffer.number()) else {
        return unbound(environment);
    };
    if !function.has_register_call {
        return enter_generally(function, arguments);
    }
    let values = arguments.first::<COUNT>();
    // SAFETY: M3; they are the arguments of this native function, which returns after C has. M6: it runs on the thread
    // of its environment.
    let values = unsafe { RootedValues::new(&values) };
    let outcome = contain(|| function.enter_registers_with(values));
    conclude(function, arguments, outcome)
}

#[inline(always)]
fn conclude(function: &BoundFunction, arguments: Arguments, outcome: Result<Outcome, Panicked>) -> JsResult {
    match outcome {
        Ok(Outcome::Done(result)) if !function.environment.has_work_after_call() => Ok(result),
        Ok(Outcome::Leave) => enter_generally(function, arguments),
        Ok(Outcome::Done(result)) => end(function, Ok(Ok(result))),
        Ok(Outcome::Failed(error)) => end(function, Ok(Err(*error))),
        Err(Panicked) => end(function, Err(Panicked)),
    }
}

// Cold paths are outlined: the stack frame of an entry stays live while C runs, and calls may nest there.

#[inline(never)]
fn enter_with_numbers(function: &BoundFunction, arguments: Arguments) -> JsResult {
    if !function.has_register_call {
        return enter_generally(function, arguments);
    }
    conclude(function, arguments, contain(|| function.enter_registers()))
}

#[inline(never)]
fn enter_generally(function: &BoundFunction, arguments: Arguments) -> JsResult {
    let values = arguments.many(function.signature.pins.len());
    // SAFETY: as in `enter_with`.
    let values = unsafe { RootedValues::new(&values) };
    end(function, contain(|| function.call(values)))
}

/// Returns a result to JavaScript, or throws: the exception of a callback, an error, or a panic as an error.
#[inline(never)]
fn end(function: &BoundFunction, outcome: Result<error::Result<sys::napi_value>, Panicked>) -> JsResult {
    let env = function.environment.raw;
    let cause = match function.environment.pop_exception() {
        // Nothing is thrown: the engine would go on with that instead of the termination. The callbacks that were
        // opened for the call are closed here, because no JavaScript runs.
        Some(Unwinding::Terminated) => {
            function.environment.callbacks.close_scoped(&function.environment);
            return Err(PendingException);
        }
        Some(Unwinding::OtherStack(name)) => {
            let callback = report::name(name).unwrap_or_default();
            let error = FfiError::OtherStack { symbol: function.symbol.clone(), callback };
            return Err(thrown_by(&function.environment, &error));
        }
        Some(Unwinding::LeafCalledBack(called_back)) => {
            Some(error_of(&function.environment, &leaf_called_back(called_back), None))
        }
        Some(Unwinding::Thrown(exception)) => Some(exception),
        None => None,
    };
    match (outcome, cause) {
        (Ok(Ok(result)), None) => unless_thrown(&function.environment, result),
        (Ok(Ok(_)), Some(exception)) => Err(throw_value(&function.environment, exception)),
        (Ok(Err(error)), cause) => {
            Err(throw_value(&function.environment, error_of(&function.environment, &error, cause)))
        }
        (Err(Panicked), cause) => Err(throw_value(&function.environment, to_error(env, &function.panicked(), cause))),
    }
}

/// Throws: no function has the number in the argument buffer.
#[cold]
pub fn unbound(environment: &Environment) -> JsResult {
    Err(thrown_by(environment, &FfiError::Internal { reason: "no function has this number".into() }))
}
