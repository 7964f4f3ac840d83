//! Starts the fast calls of an environment, and makes the function of V8 for each signature.
#![cfg(v8_abi)]
#![expect(unsafe_code, reason = "is called by generated code")]

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::rc::Rc;

#[cfg(target_arch = "x86_64")]
use super::arguments::is_whole_by_avx2;
use super::arguments::{BROKEN, check_fences, copy_result, is_whole, store_text, store_view};
use super::state::{ADDRESSES, MOST_ARGUMENTS, PINS, Shared};
use crate::abi::calling_sequence::{CallingSequence, Load};
use crate::abi::ctype::CType;
use crate::abi::native::{self, float_register};
use crate::abi::signature::Signature;
use crate::call::function_table::FunctionTable;
use crate::loader::library::Library;
use crate::memory::address::Address;
use crate::memory::arg_buffer::{EPOCH, HEAD_BYTES};
use crate::memory::fence::block_cache::{self, BlockCache};
use crate::memory::fence::{block_map, exposed};
use crate::node::callback::slot::OPEN;
use crate::node::env::{BoundFunction, Environment, FastArguments, FastCalls};
use crate::node::value::{Pinned, Rooted};
use crate::node::verify;
use crate::v8::argument_moves::ViewContext;
use crate::v8::fast_signature::{FastSignature, FastType};
use crate::v8::handle::Local;
use crate::v8::trampoline::{TrampolineContext, assemble, resolver, with_context};

/// Code that is not optimised, or a string that is not flat: V8 made an ordinary call, which takes far longer.
const COLD: u32 = 3;
thread_local! {
    /// The word of this thread's environment that says how a call went.
    static STATE: Cell<*mut u32> = const { Cell::new(null_mut()) };
}

/// The function that V8 calls in code that is not optimised: the caller then takes the generic call.
unsafe extern "C" fn missed(_: *const c_void) {
    set_state(COLD);
}

/// A leaf function has called a callback during the fast call under way, whose result does not count.
pub fn refuse_result() {
    set_state(BROKEN);
}

/// Writes how the call under way on this thread went.
fn set_state(outcome: u32) {
    let state = STATE.get();
    if !state.is_null() {
        // SAFETY: M1 and M6; `attach_fast_calls` received the memory, on this thread.
        unsafe { state.write(outcome) };
    }
}

type IsWhole = unsafe extern "C" fn(*const BlockCache, *const BoundFunction) -> bool;

/// The function by which this processor compares the fences of a block.
fn is_whole_function() -> IsWhole {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") {
        return is_whole_by_avx2;
    }
    is_whole
}

impl FastCalls {
    /// The fast calls of this thread: the first environment of a thread has them. Another one (the package loaded
    /// into a second realm) would share the word for missed calls, and a callback of one would not close the gate of
    /// the other.
    fn make(environment: &Environment, shared: Shared) -> Option<Self> {
        let state = shared.state();
        if !STATE.get().is_null() {
            return None;
        }
        let context = TrampolineContext {
            open_callbacks: OPEN.with(|open| (&raw const *open).expose_provenance()),
            inside: environment.inside.address(),
            shared: state.expose_provenance(),
            pins_at: PINS as i32,
            addresses_at: ADDRESSES as i32,
            arg_buffer: environment.arg_buffer.base().expose_provenance(),
            epoch_at: EPOCH as i32,
            entries: environment.functions.base(),
            exposed_count: exposed::count_word(),
            slice_count: environment.pool_slices.count_word(),
            check_fences: (check_fences as unsafe extern "C" fn(*const BoundFunction) as *const ()).expose_provenance(),
            copy_result: (copy_result as unsafe extern "C" fn(*const BoundFunction) as *const ()).expose_provenance(),
            maps: verify::find_number_maps(environment.raw).ok()?,
            views: Self::views(environment)?,
        };
        let fast_calls = Self { context, passed: FastArguments::new(shared) };
        STATE.set(state);
        let works = fast_calls.runs_code(environment);
        if !works {
            STATE.set(null_mut());
        }
        works.then_some(fast_calls)
    }

    /// The addresses that trampolines need for views, without the addresses inside of [`FastArguments`].
    fn views(environment: &Environment) -> Option<ViewContext> {
        let store = (store_view as unsafe extern "C" fn(Local, Local, u32, *const Environment) as *const ()).addr();
        let code = resolver(store, (&raw const *environment).expose_provenance());
        let resolve = environment.v8.code.borrow_mut().put(&code)?;
        Some(ViewContext {
            layout: environment.v8.view_storage.get()?.layout,
            caches: 0,
            cache_bytes: size_of::<BlockCache>(),
            data_at: block_cache::DATA_AT as i32,
            length_at: block_cache::LENGTH_AT as i32,
            forgotten_at: block_cache::FORGOTTEN_AT as i32,
            last_blocks: 0,
            forgotten: block_map::forgotten_word(),
            resolve: resolve.get(),
            is_whole: (is_whole_function() as *const ()).expose_provenance(),
        })
    }

    /// The addresses that trampolines use, all of them.
    fn whole_context(&self) -> TrampolineContext {
        let FastArguments { blocks, last_blocks, .. } = &self.passed;
        let (caches, last_blocks) = (blocks.as_ptr().expose_provenance(), last_blocks.as_ptr().expose_provenance());
        TrampolineContext { views: ViewContext { caches, last_blocks, ..self.context.views }, ..self.context }
    }

    /// Whether generated code runs here, and returns the result of C.
    fn runs_code(&self, environment: &Environment) -> bool {
        extern "C" fn subtract(a: i32, b: i32) -> i32 {
            a - b
        }
        use crate::abi::ctype::CType::I32;
        let Some(sequence) =
            native::arrange(&[I32.into(), I32.into()], &[HEAD_BYTES, HEAD_BYTES + 8], None, &I32.into())
        else {
            return false;
        };
        let code = (subtract as extern "C" fn(i32, i32) -> i32 as *const ()).expose_provenance();
        let (Some(code), library, bound) = (Address::new(code), Library::linked("self-test"), FunctionTable::default())
        else {
            return false;
        };
        let number = bound.add(code, &library, Rc::new(()), 0);
        let fast_signature = FastSignature {
            arguments: vec![FastType::I32; 2],
            result: FastType::I32,
            returns_text: false,
            is_leaf: false,
        };
        let context = TrampolineContext { entries: bound.base(), ..self.context };
        let code = assemble(&sequence, &fast_signature, 0, context);
        let Some(at) = environment.v8.code.borrow_mut().put(&code) else { return false };
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
    is_leaf: bool,
) -> Option<FastSignature> {
    let types = arguments.iter().map(|code| FastType::from_code(*code)).collect::<Option<Vec<_>>>()?;
    let is_word = |at: usize| sequence.steps[at].load == Load::Word && float_register(sequence.steps[at]).is_none();
    if types.len() != sequence.steps.len()
        || types.len() > MOST_ARGUMENTS
        || types.iter().enumerate().any(|(at, fast_type)| fast_type.is_word() != is_word(at))
        || types.contains(&FastType::Buffer)
    {
        return None;
    }
    Some(FastSignature {
        arguments: types,
        result: FastType::from_code(result)?,
        returns_text: signature.result.scalar().and_then(CType::encoding).is_some(),
        is_leaf,
    })
}

/// Starts fast calls. `shared` is a Uint8Array over the memory that both sides use, which the environment keeps from
/// now on. Returns the function that puts texts between fences; `None` if there are no fast calls.
pub fn attach(environment: &Environment, shared: Rooted<'_>) -> Option<Local> {
    environment.keep(shared.raw());
    let Ok(Pinned::Bytes(storage, _)) = shared.storage() else { return None };
    let v8 = environment.v8.templates.get()?;
    let fast_calls = FastCalls::make(environment, Shared(storage.view))?;
    let context = (&raw const *environment).expose_provenance();
    let text = (store_text as unsafe extern "C" fn(Local, Local, u32, *const Environment) as *const ()).addr();
    let start = environment.v8.code.borrow_mut().put(&with_context(text, context))?;
    // SAFETY: M15; the scope of the native function under way is open.
    let store = unsafe { v8.function(start, [FastType::View, FastType::U32], FastType::Buffer, missed)? };
    let _ = environment.v8.fast_calls.set(fast_calls);
    Some(store)
}

/// The function of fast calls for all functions of a signature, which takes the number of one and then the arguments.
/// `arguments` and `result` are numbers of [`FastType`]; `is_leaf` makes that of leaf functions, which goes in while
/// callbacks are open. `None` if fast calls do not serve the signature.
pub fn function(
    environment: &Environment,
    signature: &Signature,
    arguments: &[u8],
    result: u8,
    is_leaf: bool,
) -> Option<Local> {
    let (fast_calls, v8) = (environment.v8.fast_calls.get()?, environment.v8.templates.get()?);
    let sequence = signature.sequence.as_ref()?;
    let fast_signature = fast_signature_of(signature, sequence, arguments, result, is_leaf)?;
    let result_at = i32::try_from(signature.layout.result).ok()?;
    let code = assemble(sequence, &fast_signature, result_at, fast_calls.whole_context());
    let code = environment.v8.code.borrow_mut().put(&code)?;
    let types = std::iter::once(FastType::U32).chain(fast_signature.arguments);
    // SAFETY: M15; the scope of the native function under way is open, and a `Local` is a `napi_value` in Node.
    unsafe { v8.function(code, types, fast_signature.result, missed) }
}
