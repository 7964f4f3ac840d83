//! The V8 lane, as JavaScript has it: makes the functions, and looks at the fences after a call. A function that was
//! collected leaves its V8 function behind for another of the same shape: V8 keeps those for as long as the context.
#![cfg(all(target_arch = "x86_64", unix))]
#![expect(unsafe_code, reason = "is called by generated code")]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::rc::Rc;

use napi::bindgen_prelude::{Env, Object};
use napi::{JsValue, sys};
use napi_derive::napi;

use super::callback::OPEN;
use super::environment::{Environment, current, throw};
use super::function::Callable;
use crate::error::FfiError;
use crate::fast::trampoline::{MISSED, Passing, Shape, Surroundings, Target, assemble, with_context};
use crate::fast::v8::{Local, V8};
use crate::memory::address::{Address, Span};
use crate::memory::blocks;
use crate::memory::code::Code;
use crate::memory::fence::Fenced;
use crate::memory::frame::PIN_BYTES;
use crate::memory::pin::{self, Pinned};
use crate::memory::{given, watch};
use crate::sysv::{Load, Plan};

/// An overflow was found after the call; [`take_overflow`] throws it.
const BROKEN: u32 = 2;
/// Arguments of a function of this lane, at most: a pin's bit is in the first word of the frame.
const MOST_ARGUMENTS: usize = 32;

/// The lane of an environment.
#[derive(Debug)]
pub struct Lane {
    v8: V8,
    code: RefCell<Code>,
    around: Surroundings,
    /// Functions that nobody uses, by shape.
    unused: RefCell<HashMap<Shape, Vec<Slot>>>,
    /// The bytes of the views that a call is handed, by argument.
    lengths: [Cell<usize>; MOST_ARGUMENTS],
    overflow: RefCell<Option<FfiError>>,
}

/// A function of V8, and what it calls now.
#[derive(Debug)]
pub struct Slot {
    function: sys::napi_ref,
    target: &'static mut Target,
    shape: Shape,
}

/// What a target points to that belongs to nobody: a library that is closed.
static CLOSED: u8 = 0;

thread_local! {
    /// The word of this thread's environment that says how a call went.
    static STATE: Cell<*mut u32> = const { Cell::new(null_mut()) };
}

/// What V8 calls in code that is not optimised: the caller takes the frame lane.
unsafe extern "C" fn missed(_: *const c_void) {
    let state = STATE.get();
    if !state.is_null() {
        // SAFETY: M1 and M6; `attach_lane` was given the memory, on this thread.
        unsafe { state.write(MISSED) };
    }
}

impl Lane {
    /// The lane of this thread: the first environment of a thread that asks gets it. Another one (the package loaded into a
    /// second realm) would share the word for missed calls, and a callback of one would not close the gate of the other.
    fn make(environment: &Environment, state: *mut u32, modules: u32) -> Option<Self> {
        if !STATE.get().is_null() {
            return None;
        }
        let around = Surroundings {
            gate: OPEN.with(|open| (&raw const *open).expose_provenance()),
            state: state.expose_provenance(),
            frame: environment.frame.base().expose_provenance(),
            after: (after as unsafe extern "C" fn(*const Callable) as *const ()).expose_provenance(),
        };
        let lane = Self {
            v8: V8::find(modules)?,
            code: RefCell::default(),
            around,
            unused: RefCell::default(),
            lengths: [const { Cell::new(0) }; MOST_ARGUMENTS],
            overflow: RefCell::default(),
        };
        STATE.set(state);
        let works = lane.runs_code();
        if !works {
            STATE.set(null_mut());
        }
        works.then_some(lane)
    }

    /// Whether generated code runs here, and gives what C gives.
    fn runs_code(&self) -> bool {
        extern "C" fn subtract(a: i32, b: i32) -> i32 {
            a - b
        }
        use crate::ctype::CType::I32;
        static OPEN: u8 = 1;
        let Some(plan) = Plan::new(&[I32.into(), I32.into()], &[PIN_BYTES, PIN_BYTES + 8], &I32.into()) else {
            return false;
        };
        let shape = Shape { arguments: vec![Passing::I32; 2], result: Passing::I32, has_pointers: false };
        let target = Target {
            code: (subtract as extern "C" fn(i32, i32) -> i32 as *const ()).expose_provenance(),
            open: (&raw const OPEN).expose_provenance(),
            callable: 0,
        };
        let bytes = assemble(&plan, &shape, Load::I32, 0, (&raw const target).expose_provenance(), self.around);
        let mut code = self.code.borrow_mut();
        let Some(at) = code.put(&bytes) else { return false };
        if !code.seal() {
            return false;
        }
        // SAFETY: M15; the code was assembled for these parameters.
        let function = unsafe { std::mem::transmute::<*mut u8, extern "C" fn(Local, i32, i32) -> i32>(at.as_ptr()) };
        function(null_mut(), 50, 8) == 42
    }

    /// A function for a bound one, on its way to `callable`.
    fn slot(&self, env: sys::napi_env, callable: &Callable, plan: &Plan, shape: Shape) -> Option<Slot> {
        let unused = self.unused.borrow_mut().get_mut(&shape).and_then(Vec::pop);
        let slot = match unused {
            Some(slot) => slot,
            None => self.make_slot(env, callable, plan, shape)?,
        };
        *slot.target = Target {
            code: callable.code.get(),
            open: callable.library.open_flag().expose_provenance(),
            callable: (&raw const *callable).expose_provenance(),
        };
        Some(slot)
    }

    fn make_slot(&self, env: sys::napi_env, callable: &Callable, plan: &Plan, shape: Shape) -> Option<Slot> {
        let target =
            Box::leak(Box::new(Target { code: 0, open: (&raw const CLOSED).expose_provenance(), callable: 0 }));
        let result_at = i32::try_from(callable.signature.plan.result).ok()?;
        let address = (&raw const *target).expose_provenance();
        let bytes = assemble(plan, &shape, plan.returned, result_at, address, self.around);
        let code = self.code.borrow_mut().put(&bytes)?;
        let mut function = null_mut();
        // SAFETY: M15 and M6; the scope of this native function is open, and a `Local` is a `napi_value` in Node.
        unsafe {
            let made = self.v8.function(code, &shape, missed)?;
            sys::napi_create_reference(env, made.cast(), 1, &mut function);
        }
        Some(Slot { function, target, shape })
    }

    /// Takes back the function of one that was collected.
    pub fn take_back(&self, slot: Slot) {
        *slot.target = Target { code: 0, open: (&raw const CLOSED).expose_provenance(), callable: 0 };
        self.unused.borrow_mut().entry(slot.shape.clone()).or_default().push(slot);
    }
}

/// How the values of a function travel; `None` where JavaScript asks for what its types are not.
fn shape_of(callable: &Callable, arguments: &[u8], result: u8) -> Option<Shape> {
    let passings = arguments.iter().map(|code| Passing::from_code(*code)).collect::<Option<Vec<_>>>()?;
    let plan = callable.signature.direct.as_ref()?;
    let is_word = |at: usize| plan.steps[at].load == Load::Word;
    if passings.len() != plan.steps.len()
        || passings.len() > MOST_ARGUMENTS
        || passings.iter().enumerate().any(|(at, passing)| *passing == Passing::Frame && !is_word(at))
    {
        return None;
    }
    let has_pointers = !callable.signature.pins.is_empty();
    Some(Shape { arguments: passings, result: Passing::from_code(result)?, has_pointers })
}

/// Starts the lane, for a verified `NODE_MODULE_VERSION`. `state` is a Uint32Array whose first element says how the last
/// call went: 0 it went in, 1 it did not, 2 an overflow was found. A function (view, argument, offset) that puts the
/// address of a view into the frame; null where the lane cannot be had.
#[napi(ts_return_type = "Function | null")]
pub fn attach_lane<'env>(env: &'env Env, state: Object<'env>, modules: u32) -> napi::Result<Option<Object<'env>>> {
    let environment = current(*env)?;
    let mut reference = null_mut();
    // SAFETY: M3; the array is an argument of this call, and is kept by the reference.
    let storage = unsafe {
        sys::napi_create_reference(env.raw(), state.raw(), 1, &mut reference);
        pin::storage(env.raw(), state.raw())
    };
    let Ok(Pinned::Bytes(storage, _)) = storage else { return Ok(None) };
    let Some(lane) = Lane::make(&environment, storage.view.start.as_ptr().cast(), modules) else { return Ok(None) };
    let function =
        (place as unsafe extern "C" fn(Local, Local, u32, *const Environment) as *const ()).expose_provenance();
    let bytes = with_context(function, (&raw const *environment).expose_provenance());
    let code = lane.code.borrow_mut().put(&bytes);
    let placing = code.filter(|_| lane.code.borrow_mut().seal()).and_then(|code| {
        // SAFETY: M15; the scope of this native function is open.
        unsafe { lane.v8.function_of_view(code, missed) }
    });
    let Some(placing) = placing else { return Ok(None) };
    let _ = environment.lane.set(lane);
    Ok(Some(Object::from_raw(env.raw(), placing.cast())))
}

/// The function of the V8 lane for a bound function; null where there is none. `arguments` and `result` are numbers of
/// [`Passing`]. It may be called after `sealLane`.
pub fn function_of<'env>(env: &'env Env, callable: &Callable, arguments: &[u8], result: u8) -> Option<Object<'env>> {
    let lane = callable.environment.lane.get()?;
    // What is Node's own may run JavaScript.
    if lane.v8.owns(callable.code) {
        return None;
    }
    let plan = callable.signature.direct.as_ref()?;
    let slot = lane.slot(env.raw(), callable, plan, shape_of(callable, arguments, result)?)?;
    let mut function = null_mut();
    // SAFETY: M6; `make_slot` made the reference.
    unsafe { sys::napi_get_reference_value(env.raw(), slot.function, &mut function) };
    callable.fast.replace(Some(slot));
    Some(Object::from_raw(env.raw(), function))
}

/// Makes the code of new functions executable. False where the system refuses: those functions must not be called.
#[napi]
pub fn seal_lane(env: Env) -> napi::Result<bool> {
    Ok(current(env)?.lane.get().is_none_or(|lane| lane.code.borrow_mut().seal()))
}

/// Throws the overflow that the last call of the lane has found.
#[napi]
pub fn take_overflow(env: Env) -> napi::Result<()> {
    let environment = current(env)?;
    if let Some(error) = environment.lane.get().and_then(|lane| lane.overflow.take()) {
        throw(env.raw(), &error, None);
        return Err(napi::Error::new(napi::Status::PendingException, ""));
    }
    Ok(())
}

/// Puts the address of a Buffer into the frame, at the offset in the upper half of `place`, for the argument in the lower
/// one. What has no fence of its own is left to the frame lane.
unsafe extern "C" fn place(_: Local, view: Local, place: u32, environment: *const Environment) {
    // SAFETY: M6; the address is that of the environment's state, on its thread, which generated code was made with.
    let environment = unsafe { &*environment };
    let Some(lane) = environment.lane.get() else { return };
    let (argument, at) = ((place & 0xffff) as usize, (place >> 16) as usize);
    // SAFETY: M3; `view` is an argument of the function under way, which JavaScript has found to be a view.
    let view = unsafe { lane.v8.storage(view) }.filter(|view| is_whole_block(*view));
    match view {
        Some(view) => {
            environment.frame.put_word(at, view.start.get() as u64);
            environment.frame.put_word(0, environment.frame.pins() as u64 | 1 << argument);
            lane.lengths[argument].set(view.length);
        }
        // SAFETY: M1 and M6; `attach_lane` was given the memory.
        None => unsafe { std::ptr::with_exposed_provenance_mut::<u32>(lane.around.state).write(MISSED) },
    }
}

fn is_whole_block(view: Span) -> bool {
    // SAFETY: M3 and M8; the view is rooted, so its block is allocated.
    view.length > 0 && blocks::contains(view.start) && unsafe { Fenced::at(view.start) }.length() == Some(view.length)
}

/// Looks at the fences of what a call was handed; the frame still has its arguments, as no JavaScript has run.
unsafe extern "C" fn after(callable: *const Callable) {
    // SAFETY: M16; the target points to a callable that lives.
    let callable = unsafe { &*callable };
    // A panic must not unwind into generated code.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let environment = &*callable.environment;
        let Some(lane) = environment.lane.get() else { return };
        let pins = environment.frame.pins();
        let mut found = None;
        for argument in &callable.signature.pins {
            let word = environment.frame.word(callable.signature.plan.arguments[*argument]);
            let Some(address) = Address::new(word as usize) else { continue };
            if pins >> argument & 1 == 0 {
                if given::any() {
                    found = found.or(watch::number_overflow(*argument, address));
                }
                continue;
            }
            // SAFETY: M3 and M8; `place` has found the block, whose view the caller holds.
            let block = unsafe { Fenced::at(address) };
            block.give(callable.id);
            let length = lane.lengths[*argument].get();
            if block.length() != Some(length) || !block.is_whole_near(length) {
                found = found.or(watch::view_overflow(*argument, Span { start: address, length }, block));
            }
        }
        if let Some(overflow) = found {
            lane.overflow.replace(Some(FfiError::Overflow { symbol: callable.symbol.clone(), overflow }));
            // SAFETY: M1 and M6; `attach_lane` was given the memory.
            unsafe { std::ptr::with_exposed_provenance_mut::<u32>(lane.around.state).write(BROKEN) };
        }
    }));
}

/// Gives the function of a bound function that was collected back to its lane.
pub fn release(callable: &Rc<Callable>) {
    if let (Some(slot), Some(lane)) = (callable.fast.take(), callable.environment.lane.get()) {
        lane.take_back(slot);
    }
}
