//! Bound functions, and the generic call: the native entry that does whatever the register call cannot.
#![expect(unsafe_code, reason = "is called by the engine and calls C")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{ClassInstance, Env, FromNapiValue, Object};
use napi::sys;
use napi_derive::napi;

use super::prepared::PreparedCall;
use super::register_call::Outcome;
use crate::abi::ctype::CType;
use crate::call::bound_function::MOST_PINS;
use crate::call::bound_function::Options;
use crate::call::invoke::{self, ResultBlock};
use crate::error::{FfiError, Result};
use crate::memory::address::{Address, Span};
use crate::memory::arg_buffer::{ArgBlock, address_in, bytes, set_address};
use crate::memory::fence::borrows::Borrows;
use crate::memory::fence::pool_slice::{Ranges, range};
use crate::memory::fence::report;
use crate::memory::raw::{self, PointerCheck};
use crate::memory::string_arena::StringArena;
use crate::node::async_call::dedicated_thread::JsThread;
use crate::node::async_call::start::{enter_on_helper, start as start_job};
use crate::node::env::{BoundFunction, Environment, current};
use crate::node::error::{thrown, to_error};
use crate::node::exports::library::JsLibrary;
use crate::node::exports::signature::JsSignature;
use crate::node::js_address::{JsAddress, from_js};
use crate::node::native_fn::{
    Arguments, JsResult, NativeFn, PendingException, native_functions, throw_value, thrown_by, unless_thrown,
};
use crate::node::nesting::Nesting;
use crate::node::string::to_string;
use crate::node::unwinding::Unwinding;
use crate::node::value::{self, Pinned, Unpinned};

/// Binds an address to a signature: the number of the function, which `library` keeps.
#[napi]
pub fn bind(
    env: Env,
    symbol: String,
    address: JsAddress,
    signature: ClassInstance<'_, JsSignature>,
    library: ClassInstance<'_, JsLibrary>,
    options: u32,
) -> napi::Result<u32> {
    let internal = |reason: &str| thrown(env, &FfiError::Internal { reason: reason.into() });
    let options = Options(options);
    let environment = current(env)?;
    if options.has(Options::GUARD) {
        environment.exposed_views.guard();
    }
    let code = Address::new(from_js(address)).ok_or_else(|| internal("the JavaScript side let a NULL through"))?;
    let mut callable = BoundFunction {
        code,
        signature: Arc::clone(&signature.signature),
        library: Rc::clone(&library.library),
        environment: Rc::clone(&environment),
        id: report::intern(&symbol),
        symbol,
        options,
        may_be_of_numbers: false,
        has_direct: false,
        gives_text: signature.signature.result.scalar() == Some(CType::CString),
    };
    callable.may_be_of_numbers = callable.may_be_of_numbers();
    callable.has_direct = callable.has_direct();
    let number = environment.functions.add(code, &library.library, Rc::new(callable));
    library.note(&environment, number);
    Ok(number)
}

/// `[enter, enterWithFew, enterWithMany, start]`, which take the number of a function out of the argument buffer. The
/// first is for calls without pins, the second for functions of at most [`FEW_PINS`]. What rides along are the pins,
/// what else has to stay alive, and the library. `start` hands the call to another thread; its first two values are
/// what settles it, and the thread or null.
#[napi]
pub fn entries(env: Env) -> napi::Result<Vec<Object<'static>>> {
    let (few, many) =
        (NativeFn::with_own_boundary(enter_with::<FEW_PINS>), NativeFn::with_own_boundary(enter_with::<MOST_PINS>));
    Ok(native_functions(env, [NativeFn::with_own_boundary(enter), few, many, NativeFn::with_own_boundary(start)])?
        .into())
}

/// JavaScript has written the arguments into the argument buffer, and none of them is a pin.
#[inline(never)] // As part of what calls it, it would save more registers, and be slower.
fn enter(environment: &Environment, arguments: Arguments) -> JsResult {
    let Some(callable) = environment.functions.get(environment.arg_buffer.number()) else {
        return unbound(environment);
    };
    if !callable.is_of_numbers() {
        return enter_with_numbers(callable, arguments);
    }
    // A panic must not unwind into the engine.
    match catch_unwind(AssertUnwindSafe(|| callable.enter_numbers())) {
        Ok(true) if callable.gives_text => end_with_text(callable),
        Ok(true) if !environment.has_work_after_call() => Ok(null_mut()),
        Ok(true) => end(callable, Ok(Ok(null_mut()))),
        Ok(false) => enter_generally(callable, arguments),
        // C may have been called: it is not called again.
        Err(panic) => end(callable, Err(panic)),
    }
}

/// Gives the text whose address C has returned: it is in the argument buffer.
#[inline(never)]
fn end_with_text(callable: &BoundFunction) -> JsResult {
    let address = callable.environment.arg_buffer.word(callable.signature.plan.result) as usize;
    match catch_unwind(AssertUnwindSafe(|| callable.text(address))) {
        Ok(Ok(text)) if !callable.environment.has_work_after_call() => Ok(text),
        outcome => end(callable, outcome),
    }
}

/// So many pins most functions have: the engine gives values one by one.
const FEW_PINS: usize = 2;

/// The same for a call with pins, of a function of at most `COUNT`: the values that must stay alive are the arguments
/// here (M3).
#[inline(never)] // As `enter`.
fn enter_with<const COUNT: usize>(environment: &Environment, arguments: Arguments) -> JsResult {
    let Some(callable) = environment.functions.get(environment.arg_buffer.number()) else {
        return unbound(environment);
    };
    if !callable.has_direct {
        return enter_generally(callable, arguments);
    }
    let values = arguments.first::<COUNT>();
    let outcome = catch_unwind(AssertUnwindSafe(|| callable.enter_direct_with(&values)));
    conclude(callable, arguments, outcome)
}

#[inline(always)]
fn conclude(callable: &BoundFunction, arguments: Arguments, outcome: std::thread::Result<Outcome>) -> JsResult {
    match outcome {
        Ok(Outcome::Done(result)) if !callable.environment.has_work_after_call() => Ok(result),
        Ok(Outcome::Leave) => enter_generally(callable, arguments),
        Ok(Outcome::Done(result)) => end(callable, Ok(Ok(result))),
        Ok(Outcome::Failed(error)) => end(callable, Ok(Err(*error))),
        Err(panic) => end(callable, Err(panic)),
    }
}

// What is rare has a stack frame of its own, so that as little as possible stays under C, under which calls may nest.

#[inline(never)]
fn enter_with_numbers(callable: &BoundFunction, arguments: Arguments) -> JsResult {
    if !callable.has_direct {
        return enter_generally(callable, arguments);
    }
    conclude(callable, arguments, catch_unwind(AssertUnwindSafe(|| callable.enter_direct())))
}

#[inline(never)]
fn enter_generally(callable: &BoundFunction, arguments: Arguments) -> JsResult {
    let values = arguments.many(callable.signature.pins.len());
    end(callable, catch_unwind(AssertUnwindSafe(|| callable.call(&values))))
}

/// Gives a result to JavaScript, or throws: what a callback has thrown, an error, or that it panicked.
#[inline(never)]
fn end(callable: &BoundFunction, outcome: std::thread::Result<Result<sys::napi_value>>) -> JsResult {
    let env = callable.environment.raw;
    let cause = match callable.environment.pop_exception() {
        // Nothing is thrown: the engine would go on with that instead. What was lent is let go of here, for no
        // JavaScript does.
        Some(Unwinding::Terminated) => {
            callable.environment.callbacks.close_lent(&callable.environment);
            return Err(PendingException);
        }
        Some(Unwinding::OtherStack(name)) => {
            let callback = report::name(name).unwrap_or_default();
            let error = FfiError::OtherStack { symbol: callable.symbol.clone(), callback };
            return Err(thrown_by(&callable.environment, &error));
        }
        Some(Unwinding::Thrown(exception)) => Some(exception),
        None => None,
    };
    match (outcome, cause) {
        (Ok(Ok(result)), None) => unless_thrown(&callable.environment, result),
        (Ok(Ok(_)), Some(exception)) => Err(throw_value(&callable.environment, exception)),
        (Ok(Err(error)), cause) => Err(throw_value(&callable.environment, to_error(env, &error, cause))),
        (Err(_), cause) => Err(throw_value(&callable.environment, to_error(env, &callable.panicked(), cause))),
    }
}

#[cold]
fn unbound(environment: &Environment) -> JsResult {
    Err(thrown_by(environment, &FfiError::Internal { reason: "no function has this number".into() }))
}

/// As [`enter`], but the call goes to another thread.
fn start(environment: &Environment, arguments: Arguments) -> JsResult {
    let Some(callable) = environment.functions.share(environment.arg_buffer.number()) else {
        return unbound(environment);
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let values = arguments.many(2 + callable.signature.pins.len());
        callable.check_open()?;
        let mut prepared = PreparedCall::default();
        callable.prepare(&values[2..], None, &mut prepared)?;
        // SAFETY: M3; the value is an argument of this call.
        let thread = unsafe { ClassInstance::<JsThread>::from_napi_value(environment.raw, values[1]) }.ok();
        start_job(&callable, prepared, values[0], thread.as_deref())
    }));
    match outcome {
        Ok(Ok(())) => unless_thrown(environment, null_mut()),
        Ok(Err(error)) => Err(thrown_by(environment, &error)),
        Err(_) => Err(thrown_by(environment, &callable.panicked())),
    }
}

impl BoundFunction {
    /// Counts a call that frees a handle, at the point where C is certain to be entered.
    pub fn record_free(&self) {
        if self.options.has(Options::FREES) {
            self.environment.frees.set(self.environment.frees.get().wrapping_add(1));
        }
    }

    /// Keeps errno for `errno()`, where the declaration says so.
    pub fn record_errno(&self, errno: i32) {
        if self.options.has(Options::ERRNO) {
            self.environment.errno.set(errno);
        }
    }

    /// The error of a panic.
    pub fn panicked(&self) -> FfiError {
        FfiError::Internal { reason: format!("{} panicked", self.symbol) }
    }

    fn check_open(&self) -> Result<()> {
        if self.library.is_open() {
            return Ok(());
        }
        Err(FfiError::LibraryClosed { symbol: self.symbol.clone(), library: self.library.name().to_owned() })
    }

    fn call(&self, values: &[sys::napi_value]) -> Result<sys::napi_value> {
        self.check_open()?;
        let environment = &*self.environment;
        let _inside = self.library.enter();
        let (text, locks) = (environment.strings.mark(), environment.transfer_locks.mark());
        // Not on the stack, under which calls may nest.
        let mut prepared = Box::new(PreparedCall::default());
        let mut outcome = self.prepare(values, Some(&environment.strings), &mut prepared).map(|()| null_mut());
        if outcome.is_ok() {
            let pauses = prepared.borrows.pauses();
            let depth = environment.nesting.get();
            if pauses {
                let borrows = std::mem::take(&mut prepared.borrows);
                environment.borrows.borrow_mut().push((depth + 1, borrows));
            }
            environment.nesting.set(depth + 1);
            // A call that serves callbacks keeps nobody waiting.
            let serves = self.options.has(Options::THREADS);
            let outer = environment.record_inside(if serves { 0 } else { self.id });
            let result = self.enter(&prepared.block);
            environment.record_inside(outer);
            environment.nesting.set(depth);
            if pauses && let Some((_, borrows)) = environment.borrows.borrow_mut().pop() {
                prepared.borrows = borrows;
            }
            outcome = result.and_then(|result| self.finish(&mut prepared, &result));
        }
        environment.transfer_locks.end(environment.raw, locks);
        environment.strings.release(text);
        outcome
    }

    fn enter(&self, block: &ArgBlock) -> Result<ResultBlock> {
        let environment = &*self.environment;
        self.record_free();
        if self.options.has(Options::THREADS) {
            let (result, errno) = enter_on_helper(environment, &self.signature, self.code, block)?;
            self.record_errno(errno);
            return Ok(result);
        }
        self.clear_errno();
        // SAFETY: U1; the spans in the block live until the call returns by M3, the text by M4.
        let result = unsafe { invoke::enter(&self.signature, self.code, block) };
        self.record_errno(invoke::last_errno());
        Ok(result)
    }

    /// Takes the arguments out of the argument buffer, and the addresses of the pins. Without an arena, text gets
    /// blocks of its own, and JavaScript goes on while C runs.
    #[inline(never)] // Its stack is given back before C runs, under which calls may nest.
    fn prepare(
        &self,
        values: &[sys::napi_value],
        strings: Option<&StringArena>,
        prepared: &mut PreparedCall,
    ) -> Result<()> {
        prepared.block = self.environment.arg_buffer.take(self.signature.plan.size);
        self.pin(values, strings, prepared).inspect_err(|_| {
            prepared.borrows.end();
        })
    }

    /// Puts the result into the argument buffer; text is returned as well, because it may lie in an argument that ends
    /// with the call. An overflow is an error.
    #[inline(never)] // As `prepare`.
    pub fn finish(&self, prepared: &mut PreparedCall, result: &ResultBlock) -> Result<sys::napi_value> {
        let arg_buffer = &self.environment.arg_buffer;
        arg_buffer.put(self.signature.plan.result, bytes(result));
        let text = if self.gives_text { self.text(address_in(result, 0)) } else { Ok(null_mut()) };
        match prepared.borrows.end() {
            Some(overflow) => Err(FfiError::Overflow { symbol: self.symbol.clone(), overflow }),
            None => text,
        }
    }

    fn pointer_check(&self) -> PointerCheck {
        if self.options.has(Options::GUARD) { PointerCheck::Mapped } else { self.environment.pointer_check.get() }
    }

    /// The text that C has returned; null for NULL.
    pub fn text(&self, address: usize) -> Result<sys::napi_value> {
        let mut null = null_mut();
        if address == 0 {
            // SAFETY: M6.
            unsafe { sys::napi_get_null(self.environment.raw, &mut null) };
            return Ok(null);
        }
        // SAFETY: U1; the function returns text.
        match unsafe { raw::text(address, None, self.pointer_check()) } {
            Some(bytes) => to_string(&self.environment, bytes),
            None => Err(FfiError::InvalidPointer { symbol: self.symbol.clone(), address }),
        }
    }

    /// Writes the addresses of the pins into the block. The bits at its start say which arguments are pins; the others
    /// are numbers.
    fn pin(
        &self,
        values: &[sys::napi_value],
        strings: Option<&StringArena>,
        prepared: &mut PreparedCall,
    ) -> Result<()> {
        let PreparedCall { block, owned, borrows, lent } = prepared;
        let bits = block[0];
        let environment = &*self.environment;
        for (value, argument) in values.iter().zip(&self.signature.pins) {
            let at = self.signature.plan.arguments[*argument];
            if bits >> argument & 1 == 0 {
                if let Some(address) = Address::new(address_in(block, at)) {
                    let slice = environment.pool_slices.around(environment.raw, address);
                    borrows.number(*argument, address, slice.map(|(view, _)| view));
                    match slice {
                        Some((view, slab)) if strings.is_some() => self.watch_slice(*argument, view, slab, borrows),
                        Some(_) => {}
                        None => lent.push(address.get()..usize::MAX),
                    }
                    self.step(*argument, address, strings.is_some(), borrows);
                }
                continue;
            }
            let is_text = self.signature.arguments[*argument].scalar() == Some(CType::CString)
                // SAFETY: M3.
                && unsafe { value::is_string(environment.raw, *value) };
            let address = if is_text {
                // SAFETY: M3.
                unsafe { value::text(environment.raw, *value, strings, owned) }.map(|(block, length)| {
                    borrows.block(*argument, Span { start: block.data(), length }, block, self.id);
                    block.data()
                })
            } else {
                self.storage(*argument, *value, strings.is_some(), borrows, lent)
            };
            let address = address.map_err(|fault| {
                let (symbol, argument) = (self.symbol.clone(), *argument);
                match fault {
                    Unpinned::Detached => FfiError::Detached { symbol, argument },
                    Unpinned::Resizable => FfiError::Resizable { symbol, argument },
                    Unpinned::NotAView => FfiError::NotAView { symbol, argument },
                    Unpinned::HasNul => FfiError::HasNul { symbol, argument },
                    Unpinned::NoMemory(wanted) => FfiError::MemoryExhausted { wanted },
                }
            })?;
            set_address(block, at, address.get());
        }
        if self.options.has(Options::GUARD) {
            let made = borrows.copies(|argument, address| {
                set_address(block, self.signature.plan.arguments[argument], address.get());
            });
            if !made {
                return Err(FfiError::MemoryExhausted { wanted: 0 });
            }
        }
        Ok(())
    }

    /// Has a number mean the copy of what it lies in, where that is or will be copied.
    fn step(&self, argument: usize, address: Address, is_sync: bool, borrows: &mut Borrows) {
        if !self.options.has(Options::GUARD) {
            return;
        }
        let environment = &*self.environment;
        // Nobody would hold the buffer of a job's number.
        let found = if is_sync { environment.exposed_views.memory(environment.raw, address) } else { None };
        if found.is_some_and(|found| found.is_native) && self.may_free() {
            return;
        }
        if let Some(found) = found {
            environment.transfer_locks.hand(found.buffer, None);
        }
        borrows.want_step(argument, address, found.map(|found| found.memory));
    }

    /// Whether the function is of the shape of `free`: it may want the address itself.
    fn may_free(&self) -> bool {
        self.signature.arguments.len() == 1 && self.signature.result.scalar() == Some(CType::Void)
    }

    /// The address of a view's storage, watched as far as it can be.
    fn storage(
        &self,
        argument: usize,
        value: sys::napi_value,
        is_sync: bool,
        borrows: &mut Borrows,
        lent: &mut Ranges,
    ) -> std::result::Result<Address, Unpinned> {
        let environment = &*self.environment;
        // SAFETY: M3.
        let (storage, buffer) = match unsafe { value::storage(environment.raw, value) }? {
            Pinned::Bytes(storage, buffer) => (storage, buffer),
            Pinned::Empty => {
                let view = Span { start: environment.empty_block.data(), length: 0 };
                borrows.block(argument, view, environment.empty_block, self.id);
                return Ok(view.start);
            }
        };
        if environment.transfer_locks.is_resizable(environment.raw, buffer) {
            return Err(Unpinned::Resizable);
        }
        if is_sync {
            environment.transfer_locks.hand(buffer, None);
        }
        let block = storage.block();
        // SAFETY: M3.
        let whole = || unsafe { value::buffer_length(environment.raw, buffer) };
        let length = block.map_or_else(whole, |block| block.length()).unwrap_or(0);
        // A part of a buffer has no fence of its own either.
        let has_fence = block.is_some_and(|block| block.data() == storage.view.start) && length == storage.view.length;
        let is_kept = || environment.exposed_views.is_kept(environment.raw, storage.view.start);
        if self.options.has(Options::GUARD) && !has_fence && !is_kept() {
            borrows.want_copy(argument, storage.view);
            return Ok(storage.view.start);
        }
        // Meanwhile JavaScript may write the neighbours of a job's slice, which is not an overflow.
        match environment.pool_slices.slab(environment.raw, storage, buffer, length) {
            Some(slab) if is_sync => self.watch_slice(argument, storage.view, slab, borrows),
            Some(_) => lent.push(range(storage.view)),
            // Memory of others may be a part of a slab.
            None if block.is_none() => lent.push(range(storage.view)),
            None => {}
        }
        match block {
            Some(block) => borrows.block(argument, storage.view, block, self.id),
            None => borrows.grant(storage.view),
        }
        Ok(storage.view.start)
    }

    fn watch_slice(&self, argument: usize, view: Span, slab: Span, borrows: &mut Borrows) {
        let environment = &*self.environment;
        let calls = Nesting::level(environment.nesting.get());
        borrows.slice(argument, view, slab, environment.written_by_others(slab, &environment.borrows.borrow(), calls));
    }
}
