//! Bound functions: the one native entry that every call of every symbol goes through.
#![expect(unsafe_code, reason = "is called by Node-API and calls C")]

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::Rc;

use napi::bindgen_prelude::{ClassInstance, Env, Function, Unknown};
use napi::sys;
use napi_derive::napi;
use smallvec::SmallVec;

use super::environment::{Environment, current, throw, thrown};
use super::library::JsLibrary;
use super::memory::{JsAddress, from_js, to_string};
use super::signature::JsSignature;
use crate::call;
use crate::ctype::CType;
use crate::error::{FfiError, Result};
use crate::library::Library;
use crate::memory::address::{Address, Span};
use crate::memory::frame::{Block, address_in, bytes, set_address};
use crate::memory::peek::{self, Care};
use crate::memory::pin::{self, OwnedText, Pinned, Unpinned};
use crate::memory::report;
use crate::memory::watch::Watch;
use crate::signature::Signature;

struct Callable {
    symbol: String,
    /// The symbol's number in `report`.
    id: usize,
    code: Address,
    signature: Rc<Signature>,
    library: Rc<Library>,
    environment: Rc<Environment>,
    /// Whether arguments without a fence of their own get one by copy.
    guard: bool,
}

/// Binds an address to a signature: the native entry of one symbol.
#[napi]
pub fn bind<'env>(
    env: &'env Env,
    symbol: String,
    address: JsAddress,
    signature: ClassInstance<'env, JsSignature>,
    library: ClassInstance<'env, JsLibrary>,
    guard: bool,
) -> napi::Result<Function<'env, (), Unknown<'env>>> {
    let internal = |reason: &str| thrown(*env, &FfiError::Internal { reason: reason.into() });
    let callable = Callable {
        code: Address::new(from_js(address)).ok_or_else(|| internal("the JavaScript side let a NULL through"))?,
        signature: Rc::clone(&signature.signature),
        library: Rc::clone(&library.library),
        environment: current(*env)?,
        guard,
        id: report::intern(&symbol),
        symbol,
    };
    let data = Box::into_raw(Box::new(callable)).cast::<c_void>();
    let mut function = null_mut();
    // SAFETY: M6; the finalizer frees the box once the engine has collected the function.
    let status = unsafe {
        let status = sys::napi_create_function(env.raw(), null_mut(), 0, Some(entry), data, &mut function);
        if status == sys::Status::napi_ok {
            sys::napi_add_finalizer(env.raw(), function, data, Some(drop_callable), null_mut(), null_mut())
        } else {
            status
        }
    };
    if status != sys::Status::napi_ok {
        // SAFETY: no function or finalizer has taken the box.
        drop(unsafe { Box::from_raw(data.cast::<Callable>()) });
        return Err(internal("the engine refuses a function"));
    }
    // SAFETY: M3; the function was made above in the current scope.
    unsafe { napi::bindgen_prelude::FromNapiValue::from_napi_value(env.raw(), function) }
}

unsafe extern "C" fn drop_callable(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `bind` leaked exactly this box for exactly one finalizer.
    drop(unsafe { Box::from_raw(data.cast::<Callable>()) });
}

/// JavaScript has written the arguments into the frame; the values that must stay alive are the arguments here (M3).
unsafe extern "C" fn entry(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let mut data = null_mut();
    let mut values: SmallVec<[sys::napi_value; 8]> = SmallVec::new();
    // SAFETY: M6; `data` is the callable that `bind` gave, alive as long as the function; `count` says how many values
    // there is room for.
    let callable = unsafe {
        sys::napi_get_cb_info(env, info, null_mut(), null_mut(), null_mut(), &mut data);
        let callable = &*data.cast::<Callable>();
        let mut count = callable.signature.pins.len();
        if count > 0 {
            values.resize(count, null_mut());
            sys::napi_get_cb_info(env, info, &mut count, values.as_mut_ptr(), null_mut(), null_mut());
        }
        callable
    };
    // A panic must not unwind into the engine.
    let outcome = catch_unwind(AssertUnwindSafe(|| callable.call(&values)));
    let environment = &callable.environment;
    let exception = environment.take_exception();
    match (outcome, exception) {
        (Ok(Ok(result)), None) => return result,
        // SAFETY: M6.
        (Ok(Ok(_)), Some(exception)) => unsafe {
            sys::napi_throw(env, exception);
        },
        (Ok(Err(error)), cause) => throw(env, &error, cause),
        (Err(_), cause) => {
            let reason = format!("{} panicked", callable.symbol);
            throw(env, &FfiError::Internal { reason }, cause);
        }
    }
    null_mut()
}

impl Callable {
    /// The result is in the frame, and text is returned as well: it may lie in an argument that ends with the call.
    fn call(&self, values: &[sys::napi_value]) -> Result<sys::napi_value> {
        let environment = &*self.environment;
        if !self.library.is_open() {
            let library = self.library.name().to_owned();
            return Err(FfiError::LibraryClosed { symbol: self.symbol.clone(), library });
        }
        let _inside = self.library.enter();
        let mut block = environment.frame.take(self.signature.plan.size);
        let text = environment.scratch.mark();
        let locks = environment.locks.mark();
        let mut owned = Vec::new();
        let mut watch = Watch::default();
        let outcome = self.pin(values, &mut block, &mut owned, &mut watch);
        let pauses = watch.pauses();
        if pauses {
            environment.watches.borrow_mut().push(std::mem::take(&mut watch));
        }
        let mut text_result = Ok(null_mut());
        if outcome.is_ok() {
            environment.depth.set(environment.depth.get() + 1);
            // SAFETY: U1; the spans in the block live until the call returns by M3, the text by M4.
            let result = unsafe { call::enter(&self.signature, self.code, &block) };
            environment.depth.set(environment.depth.get() - 1);
            environment.frame.put(self.signature.plan.result, bytes(&result));
            if self.signature.result.scalar() == Some(CType::CString) {
                text_result = self.text(address_in(&result, 0));
            }
        }
        environment.scratch.release(text);
        environment.locks.end(environment.raw, locks);
        if pauses && let Some(paused) = environment.watches.borrow_mut().pop() {
            watch = paused;
        }
        match watch.end() {
            Some(overflow) => Err(FfiError::Overflow { symbol: self.symbol.clone(), overflow }),
            None => outcome.and(text_result),
        }
    }

    fn care(&self) -> Care {
        if self.guard { Care::Mapped } else { self.environment.care.get() }
    }

    /// The text that C has returned; null for NULL.
    fn text(&self, address: usize) -> Result<sys::napi_value> {
        let mut null = null_mut();
        if address == 0 {
            // SAFETY: M6.
            unsafe { sys::napi_get_null(self.environment.raw, &mut null) };
            return Ok(null);
        }
        // SAFETY: U1; the function returns text.
        match unsafe { peek::text(address, None, self.care()) } {
            Some(bytes) => to_string(self.environment.raw, bytes),
            None => Err(FfiError::InvalidPointer { symbol: self.symbol.clone(), address }),
        }
    }

    /// Writes the addresses of the pins into the block. The bits at its start say which arguments are pins; the others
    /// are numbers.
    fn pin(
        &self,
        values: &[sys::napi_value],
        block: &mut Block,
        owned: &mut Vec<OwnedText>,
        watch: &mut Watch,
    ) -> Result<()> {
        let bits = block[0];
        let environment = &*self.environment;
        for (value, argument) in values.iter().zip(&self.signature.pins) {
            let at = self.signature.plan.arguments[*argument];
            if bits >> argument & 1 == 0 {
                if let Some(address) = Address::new(address_in(block, at)) {
                    watch.number(*argument, address);
                }
                continue;
            }
            let is_text = self.signature.arguments[*argument].scalar() == Some(CType::CString)
                // SAFETY: M3.
                && unsafe { pin::is_string(environment.raw, *value) };
            let address = if is_text {
                // SAFETY: M3.
                unsafe { pin::text(environment.raw, *value, &environment.scratch, owned) }
            } else {
                self.storage(*argument, *value, watch)
            };
            let address = address.map_err(|fault| {
                let (symbol, argument) = (self.symbol.clone(), *argument);
                match fault {
                    Unpinned::Detached => FfiError::Detached { symbol, argument },
                    Unpinned::NotAView => FfiError::NotAView { symbol, argument },
                }
            })?;
            set_address(block, at, address.get());
        }
        if self.guard {
            let made = watch.copies(|argument, address| {
                set_address(block, self.signature.plan.arguments[argument], address.get());
            });
            if !made {
                return Err(FfiError::MemoryExhausted { wanted: 0 });
            }
        }
        Ok(())
    }

    /// The address of a view's storage, watched as far as it can be.
    fn storage(
        &self,
        argument: usize,
        value: sys::napi_value,
        watch: &mut Watch,
    ) -> std::result::Result<Address, Unpinned> {
        let environment = &*self.environment;
        // SAFETY: M3.
        let (storage, buffer) = match unsafe { pin::storage(environment.raw, value) }? {
            Pinned::Bytes(storage, buffer) => (storage, buffer),
            Pinned::Empty => {
                let view = Span { start: environment.nowhere.data(), length: 0 };
                watch.block(argument, view, environment.nowhere, self.id);
                return Ok(view.start);
            }
        };
        environment.locks.hand(buffer);
        let block = storage.block();
        let is_slice = |whole: usize| whole == environment.pool_size.get() && storage.view.length < whole;
        // SAFETY: M3.
        let whole = || unsafe { pin::buffer_length(environment.raw, buffer) };
        let length = block.map_or_else(whole, |block| block.length()).unwrap_or(0);
        // A part of a buffer has no fence of its own either.
        let has_fence = block.is_some_and(|block| block.data() == storage.view.start) && length == storage.view.length;
        if self.guard && !has_fence {
            watch.want_copy(argument, storage.view);
            return Ok(storage.view.start);
        }
        if is_slice(length)
            && let Some(start) = Address::new(storage.view.start.get() - storage.offset)
        {
            watch.slice(argument, storage.view, Span { start, length });
        }
        match block {
            Some(block) => watch.block(argument, storage.view, block, self.id),
            None => watch.grant(storage.view),
        }
        Ok(storage.view.start)
    }
}
