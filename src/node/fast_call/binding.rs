//! Makes the function of V8 for each signature that fast calls serve.
#![cfg(v8_abi)]
#![expect(unsafe_code, reason = "is called by generated code")]

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;

use napi::bindgen_prelude::{ClassInstance, Env, Object};
use napi::{JsString, JsValue};
use napi_derive::napi;

use super::arguments::{after, bring, place_text, place_view, take_text};
use super::state::{MOST_ARGUMENTS, Shared};
use crate::abi::ctype::CType;
use crate::abi::signature::Signature;
use crate::abi::sysv64::{CallingSequence, Load};
use crate::call::function_table::FunctionTable;
use crate::loader::library::Library;
use crate::memory::address::Address;
use crate::memory::arg_buffer::HEAD_BYTES;
use crate::memory::fence::exposed;
use crate::node::callback::slot::OPEN;
use crate::node::env::{BoundFunction, Environment, FastArguments, FastCalls, current};
use crate::node::exports::signature::JsSignature;
use crate::node::js_address::{JsAddress, from_js};
use crate::node::native_fn::{NativeFn, native_functions};
use crate::node::value::{self, Pinned};
use crate::node::verify;
use crate::v8::array_buffer_view::ViewStorage;
use crate::v8::fast_signature::{FastSignature, FastType};
use crate::v8::flat_string::{FlatStrings, Samples};
use crate::v8::function_template::OneByteString;
use crate::v8::handle::Local;
use crate::v8::trampoline::{TrampolineContext, assemble, with_context};

/// Code that is not optimised, or a string that is not flat: V8 made an ordinary call, which takes far longer.
const COLD: u32 = 3;
thread_local! {
    /// The word of this thread's environment that says how a call went.
    static STATE: Cell<*mut u32> = const { Cell::new(null_mut()) };
}

/// What V8 calls in code that is not optimised: the caller takes the generic call.
unsafe extern "C" fn missed(_: *const c_void) {
    let state = STATE.get();
    if !state.is_null() {
        // SAFETY: M1 and M6; `attach_lane` was given the memory, on this thread.
        unsafe { state.write(COLD) };
    }
}

impl FastCalls {
    /// The fast calls of this thread: the first environment of a thread that asks gets it. Another one (the package loaded
    /// into a second realm) would share the word for missed calls, and a callback of one would not close the gate of
    /// the other.
    fn make(environment: &Environment, shared: Shared) -> Option<Self> {
        let state = shared.state();
        if !STATE.get().is_null() {
            return None;
        }
        let context = TrampolineContext {
            open_callbacks: OPEN.with(|open| (&raw const *open).expose_provenance()),
            state: state.expose_provenance(),
            arg_buffer: environment.arg_buffer.base().expose_provenance(),
            entries: environment.functions.base(),
            exposed_count: exposed::count_word(),
            slice_count: environment.pool_slices.count_word(),
            check_fences: (after as unsafe extern "C" fn(*const BoundFunction) as *const ()).expose_provenance(),
            copy_result: (bring as unsafe extern "C" fn(*const BoundFunction) as *const ()).expose_provenance(),
            maps: verify::find_number_maps(environment.raw).ok()?,
        };
        let fast_calls = Self { context, passed: FastArguments::new(shared) };
        STATE.set(state);
        let works = fast_calls.runs_code(environment);
        if !works {
            STATE.set(null_mut());
        }
        works.then_some(fast_calls)
    }

    /// Whether generated code runs here, and gives what C gives.
    fn runs_code(&self, environment: &Environment) -> bool {
        extern "C" fn subtract(a: i32, b: i32) -> i32 {
            a - b
        }
        use crate::abi::ctype::CType::I32;
        let Some(sequence) =
            CallingSequence::new(&[I32.into(), I32.into()], &[HEAD_BYTES, HEAD_BYTES + 8], &I32.into())
        else {
            return false;
        };
        let code = (subtract as extern "C" fn(i32, i32) -> i32 as *const ()).expose_provenance();
        let (Some(code), library, bound) = (Address::new(code), Library::linked("self-test"), FunctionTable::default())
        else {
            return false;
        };
        let number = bound.add(code, &library, Rc::new(()));
        let fast_signature = FastSignature {
            arguments: vec![FastType::I32; 2],
            result: FastType::I32,
            has_pins: false,
            returns_text: false,
        };
        let context = TrampolineContext { entries: bound.base(), ..self.context };
        let code = assemble(&sequence, &fast_signature, 0, context);
        let Some(at) = environment.code.borrow_mut().put(&code) else { return false };
        // SAFETY: M15; the code was assembled for these parameters.
        let function =
            unsafe { std::mem::transmute::<*mut u8, extern "C" fn(Local, u32, i32, i32) -> i32>(at.as_ptr()) };
        function(null_mut(), number, 50, 8) == 42
    }
}

/// The fast signature of a signature; `None` if the fast types that JavaScript names do not fit its types.
fn fast_signature_of(
    signature: &Signature,
    sequence: &CallingSequence,
    arguments: &[u8],
    result: u8,
) -> Option<FastSignature> {
    let types = arguments.iter().map(|code| FastType::from_code(*code)).collect::<Option<Vec<_>>>()?;
    let is_word = |at: usize| sequence.steps[at].load == Load::Word && sequence.steps[at].float_register().is_none();
    if types.len() != sequence.steps.len()
        || types.len() > MOST_ARGUMENTS
        || types.iter().enumerate().any(|(at, fast_type)| fast_type.is_word() != is_word(at))
    {
        return None;
    }
    Some(FastSignature {
        arguments: types,
        result: FastType::from_code(result)?,
        has_pins: !signature.pins.is_empty(),
        returns_text: signature.result.scalar() == Some(CType::CString),
    })
}

/// What JavaScript puts the pointers of a call into the argument buffer with.
#[napi(object)]
pub struct JsPlacers<'env> {
    /// (view, argument and offset in the argument buffer): the address of a view.
    pub view: Object<'env>,
    /// (text, argument, place and offset in the argument buffer): the address of a copy of a flat text of Latin-1.
    pub text: Object<'env>,
    /// The text that was returned, where it is not short ASCII.
    pub take_text: Object<'env>,
}

/// Has both lanes find the storage of views by V8's own functions, which are tried on two views over memory outside of
/// the engine's heap first; for a verified `NODE_MODULE_VERSION`. False where they are not there.
#[napi]
pub fn attach_views(env: Env, array: Object<'_>, view: Object<'_>) -> napi::Result<bool> {
    let environment = current(env)?;
    let Some(views) = ViewStorage::find() else { return Ok(false) };
    let is_same = [array, view].iter().all(|value| {
        // SAFETY: M3; the values are arguments of this call.
        unsafe { views.of(value.raw().cast()).is_some_and(|found| value::view(env.raw(), value.raw()) == Some(found)) }
    });
    let _ = is_same.then(|| environment.view_storage.set(views));
    Ok(is_same)
}

/// Has the generic call read flat texts where V8 keeps them, which is tried on samples first, all of them of Latin-1: a
/// literal, a text that was made, one that was put together and flattened; for a verified `NODE_MODULE_VERSION`. False
/// where they are kept otherwise.
#[napi]
pub fn attach_texts(env: Env, literal: JsString<'_>, made: JsString<'_>, joined: JsString<'_>) -> napi::Result<bool> {
    let environment = current(env)?;
    let empty = env.create_string("")?;
    let local = |text: JsString<'_>| text.raw().cast();
    let bytes = [literal.into_latin1()?, made.into_latin1()?, joined.into_latin1()?];
    let samples = Samples {
        literal: (local(literal), bytes[0].as_slice()),
        made: (local(made), bytes[1].as_slice()),
        joined: (local(joined), bytes[2].as_slice()),
        empty: local(empty),
    };
    // SAFETY: M3; the texts are arguments of this call, or its own.
    let found = unsafe { FlatStrings::find(&samples) };
    Ok(found.is_some_and(|found| environment.flat_strings.set(found).is_ok()))
}

/// Starts fast calls. `shared` is a Uint8Array over the memory that both use. Null where there are none.
#[napi(ts_return_type = "JsPlacers | null")]
pub fn attach_lane<'env>(env: &'env Env, shared: Object<'env>) -> napi::Result<Option<JsPlacers<'env>>> {
    let environment = current(*env)?;
    environment.keep(shared.raw());
    // SAFETY: M3; the array is an argument of this call, and is kept.
    let storage = unsafe { value::storage(env.raw(), shared.raw()) };
    let Ok(Pinned::Bytes(storage, _)) = storage else { return Ok(None) };
    let Some(v8) = environment.templates.get() else { return Ok(None) };
    let Some(fast_calls) = FastCalls::make(&environment, Shared(storage.view)) else { return Ok(None) };
    let context = (&raw const *environment).expose_provenance();
    let view = (place_view as unsafe extern "C" fn(Local, Local, u32, *const Environment) as *const ()).addr();
    let text =
        (place_text as unsafe extern "C" fn(Local, *const OneByteString, u32, *const Environment) as *const ()).addr();
    let pieces = [view, text].map(|function| with_context(function, context));
    let starts = environment.code.borrow_mut().put_all(pieces);
    let Some([view, text]) = starts.as_deref() else { return Ok(None) };
    // SAFETY: M15; the scope of this native function is open.
    let placers = unsafe { [v8.function_of_view(*view, missed), v8.function_of_text(*text, missed)] };
    let [Some(view), Some(text)] = placers else { return Ok(None) };
    let _ = environment.fast_calls.set(fast_calls);
    let object = |function: Local| Object::from_raw(env.raw(), function.cast());
    let [take_text] = native_functions(*env, [NativeFn::new(take_text)])?;
    Ok(Some(JsPlacers { view: object(view), text: object(text), take_text }))
}

/// The function of fast calls for all functions of a signature, which takes the number of one and then what is passed;
/// null where there is none. `arguments` and `result` are numbers of [`FastType`].
#[napi(ts_return_type = "Function | null")]
pub fn fast_function<'env>(
    env: &'env Env,
    signature: ClassInstance<'env, JsSignature>,
    arguments: Vec<u8>,
    result: u8,
) -> napi::Result<Option<Object<'env>>> {
    let environment = current(*env)?;
    let make = || {
        let (fast_calls, v8) = (environment.fast_calls.get()?, environment.templates.get()?);
        let signature = &signature.signature;
        let sequence = signature.sequence.as_ref()?;
        let fast_signature = fast_signature_of(signature, sequence, &arguments, result)?;
        let result_at = i32::try_from(signature.plan.result).ok()?;
        let code = assemble(sequence, &fast_signature, result_at, fast_calls.context);
        let code = environment.code.borrow_mut().put(&code)?;
        // SAFETY: M15; the scope of this native function is open, and a `Local` is a `napi_value` in Node.
        unsafe {
            v8.function(
                code,
                std::iter::once(FastType::U32).chain(fast_signature.arguments),
                fast_signature.result,
                missed,
            )
        }
    };
    Ok(make().map(|function| Object::from_raw(env.raw(), function.cast())))
}

/// Whether a function may be called by fast calls: what is Node's own, and what is in no library, may run JavaScript.
#[napi]
pub fn runs_no_script(env: Env, address: JsAddress) -> napi::Result<bool> {
    let environment = current(env)?;
    let code = Address::new(from_js(address));
    Ok(environment.templates.get().zip(code).is_some_and(|(v8, code)| !v8.owns(code)))
}
