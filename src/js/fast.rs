//! The V8 lane, as JavaScript has it: makes a function for each signature, and looks at the fences after a call.
#![cfg(all(target_arch = "x86_64", unix))]
#![expect(unsafe_code, reason = "is called by generated code")]

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};
use std::rc::Rc;

use napi::bindgen_prelude::{ClassInstance, Env, Object};
use napi::{JsString, JsValue, sys};
use napi_derive::napi;

use super::environment::{Environment, current, throw};
use super::function::Callable;
use super::memory::{JsAddress, from_js};
use super::native::{entered, native_function};
use super::signature::JsSignature;
use super::target::OPEN;
use crate::bound::Bound;
use crate::ctype::CType;
use crate::error::FfiError;
use crate::fast::flat::{FlatTexts, Samples};
use crate::fast::passing::{Passing, Shape};
use crate::fast::trampoline::{MISSED, Maps, Surroundings, assemble, with_context};
use crate::fast::v8::{Local, Text, V8};
use crate::fast::views::Views;
use crate::library::Library;
use crate::memory::address::{Address, Span};
use crate::memory::code::Code;
use crate::memory::fence::{self, Fenced};
use crate::memory::frame::HEAD_BYTES;
use crate::memory::handed::{Handed, LastBlock};
use crate::memory::peek::{self, Care};
use crate::memory::pin::{self, Pinned};
use crate::memory::text::Latin1;
use crate::memory::{given, watch};
use crate::signature::Signature;
use crate::sysv::{Load, Plan};

/// An overflow was found after the call; [`take_overflow`] throws it.
const BROKEN: u32 = 2;
/// Code that is not optimised, or a string that is not flat: V8 made an ordinary call, which takes far longer.
const COLD: u32 = 3;
/// Arguments of a function of this lane, at most (lib/lane.js has the reason). Their pins' bits fit the frame's first word.
const MOST_ARGUMENTS: usize = 16;
/// The places for texts: the most texts of a call.
const PLACES: usize = 8;

/// The lane of an environment.
#[derive(Debug)]
pub struct Lane {
    v8: V8,
    code: RefCell<Code>,
    around: Surroundings,
    /// The blocks that were handed last: of views by argument, then of texts by place.
    blocks: [LastBlock; MOST_ARGUMENTS + PLACES],
    /// Which of them each argument was handed.
    handed: [Cell<u8>; MOST_ARGUMENTS],
    overflow: RefCell<Option<FfiError>>,
    /// The memory it shares with JavaScript.
    shared: Shared,
    /// Whose text has come back, where it is not plain.
    returning: Cell<*const Callable>,
}

/// What JavaScript and the lane both read and write: two words (how the last call went, and the length of the text it gave),
/// that text, and from [`TEXTS`] on the places of the texts of a call, one after the other.
#[derive(Clone, Copy, Debug)]
struct Shared(Span);

/// Where the text that C has returned is, and where the places of texts begin.
const GIVEN: usize = 16;
const TEXTS: usize = 64;
/// In place of the length of a text: there is none, and it has to be asked for.
const NO_TEXT: u32 = u32::MAX;
const NOT_PLAIN: u32 = u32::MAX - 1;
/// The longest text that is put into a place, in bytes.
const LONGEST: usize = 1024;
/// The longest text that is brought along: JavaScript makes a string of each of its bytes.
const SHORT: usize = 32;

impl Shared {
    fn state(self) -> *mut u32 {
        self.0.start.as_ptr().cast()
    }

    fn set_state(self, state: u32) {
        // SAFETY: M1 and M6; `attach_lane` was given the memory, for words of 32 bits.
        unsafe { self.state().write(state) };
    }

    /// Tells how long the text is that came back.
    fn set_text(self, length: u32) {
        // SAFETY: as above.
        unsafe { self.state().add(1).write(length) };
    }

    /// Room for a text of [`SHORT`] bytes.
    fn given(self) -> *mut u8 {
        self.0.start.as_ptr().wrapping_add(GIVEN)
    }

    /// The start of a place for a text: a whole block fits there.
    fn place(self, number: usize, bytes: usize) -> Option<Address> {
        let stride = (self.0.length - TEXTS) / PLACES;
        let fits = number < PLACES && bytes.checked_add(fence::overhead())? <= stride;
        fits.then(|| Address::new(self.0.start.get() + TEXTS + number * stride))?
    }
}

thread_local! {
    /// The word of this thread's environment that says how a call went.
    static STATE: Cell<*mut u32> = const { Cell::new(null_mut()) };
}

/// What V8 calls in code that is not optimised: the caller takes the frame lane.
unsafe extern "C" fn missed(_: *const c_void) {
    let state = STATE.get();
    if !state.is_null() {
        // SAFETY: M1 and M6; `attach_lane` was given the memory, on this thread.
        unsafe { state.write(COLD) };
    }
}

impl Lane {
    /// The lane of this thread: the first environment of a thread that asks gets it. Another one (the package loaded into a
    /// second realm) would share the word for missed calls, and a callback of one would not close the gate of the other.
    fn make(environment: &Environment, shared: Shared, modules: u32) -> Option<Self> {
        let state = shared.state();
        if !STATE.get().is_null() {
            return None;
        }
        let around = Surroundings {
            gate: OPEN.with(|open| (&raw const *open).expose_provenance()),
            state: state.expose_provenance(),
            frame: environment.frame.base().expose_provenance(),
            rows: environment.bound.base(),
            given: given::count_word(),
            after: (after as unsafe extern "C" fn(*const Callable) as *const ()).expose_provenance(),
            bring: (bring as unsafe extern "C" fn(*const Callable) as *const ()).expose_provenance(),
            // SAFETY: M6; the scope of a native function is open.
            maps: unsafe { maps(environment.raw)? },
        };
        let lane = Self {
            v8: V8::find(modules)?,
            code: RefCell::default(),
            around,
            blocks: Default::default(),
            handed: Default::default(),
            overflow: RefCell::default(),
            shared,
            returning: Cell::new(null()),
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
        let Some(plan) = Plan::new(&[I32.into(), I32.into()], &[HEAD_BYTES, HEAD_BYTES + 8], &I32.into()) else {
            return false;
        };
        let code = (subtract as extern "C" fn(i32, i32) -> i32 as *const ()).expose_provenance();
        let (Some(code), library, bound) = (Address::new(code), Library::linked("self-test"), Bound::default()) else {
            return false;
        };
        let number = bound.add(code, &library, Rc::new(()));
        let shape =
            Shape { arguments: vec![Passing::I32; 2], result: Passing::I32, has_pins: false, gives_text: false };
        let around = Surroundings { rows: bound.base(), ..self.around };
        let Some(at) = self.put(&assemble(&plan, &shape, 0, around)) else { return false };
        // SAFETY: M15; the code was assembled for these parameters.
        let function =
            unsafe { std::mem::transmute::<*mut u8, extern "C" fn(Local, u32, i32, i32) -> i32>(at.as_ptr()) };
        function(null_mut(), number, 50, 8) == 42
    }

    /// Puts code where it can be run.
    fn put(&self, bytes: &[u8]) -> Option<Address> {
        self.code.borrow_mut().put(bytes)
    }
}

/// How the values of a signature travel; `None` where JavaScript asks for what its types are not.
fn shape_of(signature: &Signature, plan: &Plan, arguments: &[u8], result: u8) -> Option<Shape> {
    let passings = arguments.iter().map(|code| Passing::from_code(*code)).collect::<Option<Vec<_>>>()?;
    let is_word = |at: usize| plan.steps[at].load == Load::Word && plan.steps[at].float_register().is_none();
    if passings.len() != plan.steps.len()
        || passings.len() > MOST_ARGUMENTS
        || passings.iter().enumerate().any(|(at, passing)| passing.is_word() != is_word(at))
    {
        return None;
    }
    Some(Shape {
        arguments: passings,
        result: Passing::from_code(result)?,
        has_pins: !signature.pins.is_empty(),
        gives_text: signature.result.scalar() == Some(CType::CString),
    })
}

/// The maps of V8's numbers, where its objects are as `trampoline` reads them; `None` where they are not.
///
/// # Safety
/// M6: a handle scope is open.
unsafe fn maps(env: sys::napi_env) -> Option<Maps> {
    // SAFETY: M15; what is read is an object that the scope keeps, and nothing is allocated meanwhile.
    let word = |at: Address, offset: usize| unsafe { peek::word(at, offset) };
    // In Node a `napi_value` is the address of a word with the value.
    let content = |value: sys::napi_value| Address::new(value.addr()).map(|at| word(at, 0));
    let object = |value| content(value).filter(|word| word & 1 == 1).and_then(|word| Address::new(word - 1));
    let made = |make: &dyn Fn(*mut sys::napi_value)| {
        let mut value = null_mut();
        make(&mut value);
        value
    };
    // SAFETY: M6 by the contract of this function, here and below; the out-parameters are locals.
    let small = made(&|value| unsafe {
        sys::napi_create_int32(env, -7, value);
    });
    // SAFETY: as above.
    let number = object(made(&|value| unsafe {
        sys::napi_create_double(env, 0.75, value);
    }))?;
    if content(small)? != (-7isize << 32) as usize || word(number, 8) != 0.75f64.to_bits() as usize {
        return None;
    }
    let mut bigint = None;
    for (sign, digits) in [(0, &[][..]), (0, &[5]), (1, &[1 << 63]), (0, &[u64::MAX]), (1, &[7, 9])] {
        // SAFETY: as above.
        let make = |value| unsafe {
            sys::napi_create_bigint_words(env, sign, digits.len(), digits.as_ptr(), value);
        };
        let object = object(made(&make))?;
        let fits = word(object, 8) as u32 as usize == digits.len() << 1 | sign as usize
            && digits.iter().enumerate().all(|(at, digit)| word(object, 16 + at * 8) as u64 == *digit)
            && *bigint.get_or_insert(word(object, 0)) == word(object, 0);
        if !fits {
            return None;
        }
    }
    Some(Maps { number: word(number, 0), bigint: bigint? })
}

/// What JavaScript puts the pointers of a call into the frame with.
#[napi(object)]
pub struct JsPlacers<'env> {
    /// (view, argument and offset in the frame): the address of a view.
    pub view: Object<'env>,
    /// (text, argument, place and offset in the frame): the address of a copy of a flat text of Latin-1.
    pub text: Object<'env>,
    /// The text that was returned, where it is not short ASCII.
    pub take_text: Object<'env>,
}

/// Has both lanes find the storage of views by V8's own functions, which are tried on two views over memory outside of the
/// engine's heap first; for a verified `NODE_MODULE_VERSION`. False where they are not there.
#[napi]
pub fn attach_views(env: Env, array: Object<'_>, view: Object<'_>) -> napi::Result<bool> {
    let environment = current(env)?;
    let Some(views) = Views::find() else { return Ok(false) };
    let is_same = [array, view].iter().all(|value| {
        // SAFETY: M3; the values are arguments of this call.
        unsafe { views.of(value.raw().cast()).is_some_and(|found| pin::view(env.raw(), value.raw()) == Some(found)) }
    });
    let _ = is_same.then(|| environment.views.set(views));
    Ok(is_same)
}

/// Has the frame lane read flat texts where V8 keeps them, which is tried on samples first, all of them of Latin-1: a literal,
/// a text that was made, one that was put together and flattened; for a verified `NODE_MODULE_VERSION`. False where they are
/// kept otherwise.
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
    let found = unsafe { FlatTexts::find(&samples) };
    Ok(found.is_some_and(|found| environment.flat_texts.set(found).is_ok()))
}

/// Starts the lane, for a verified `NODE_MODULE_VERSION`. `shared` is a Uint8Array over the memory that both use. Null where
/// the lane cannot be had.
#[napi(ts_return_type = "JsPlacers | null")]
pub fn attach_lane<'env>(env: &'env Env, shared: Object<'env>, modules: u32) -> napi::Result<Option<JsPlacers<'env>>> {
    let environment = current(*env)?;
    environment.keep(shared.raw());
    // SAFETY: M3; the array is an argument of this call, and is kept.
    let storage = unsafe { pin::storage(env.raw(), shared.raw()) };
    let Ok(Pinned::Bytes(storage, _)) = storage else { return Ok(None) };
    let Some(lane) = Lane::make(&environment, Shared(storage.view), modules) else { return Ok(None) };
    let context = (&raw const *environment).expose_provenance();
    let view = (place_view as unsafe extern "C" fn(Local, Local, u32, *const Environment) as *const ()).addr();
    let text = (place_text as unsafe extern "C" fn(Local, *const Text, u32, *const Environment) as *const ()).addr();
    let code = [view, text].map(|function| lane.put(&with_context(function, context)));
    let [Some(view), Some(text)] = code else { return Ok(None) };
    // SAFETY: M15; the scope of this native function is open.
    let placers = unsafe { [lane.v8.function_of_view(view, missed), lane.v8.function_of_text(text, missed)] };
    let [Some(view), Some(text)] = placers else { return Ok(None) };
    let _ = environment.lane.set(lane);
    let object = |function: Local| Object::from_raw(env.raw(), function.cast());
    Ok(Some(JsPlacers { view: object(view), text: object(text), take_text: native_function(*env, Some(take_text))? }))
}

/// The function of the V8 lane for all functions of a signature, which takes the number of one and then what is passed;
/// null where there is none. `arguments` and `result` are numbers of [`Passing`].
#[napi(ts_return_type = "Function | null")]
pub fn fast_function<'env>(
    env: &'env Env,
    signature: ClassInstance<'env, JsSignature>,
    arguments: Vec<u8>,
    result: u8,
) -> napi::Result<Option<Object<'env>>> {
    let environment = current(*env)?;
    let make = || {
        let lane = environment.lane.get()?;
        let signature = &signature.signature;
        let plan = signature.direct.as_ref()?;
        let shape = shape_of(signature, plan, &arguments, result)?;
        let result_at = i32::try_from(signature.plan.result).ok()?;
        let code = lane.put(&assemble(plan, &shape, result_at, lane.around))?;
        // SAFETY: M15; the scope of this native function is open, and a `Local` is a `napi_value` in Node.
        unsafe { lane.v8.function(code, std::iter::once(Passing::U32).chain(shape.arguments), shape.result, missed) }
    };
    Ok(make().map(|function| Object::from_raw(env.raw(), function.cast())))
}

/// Whether a function may be called by the lane: what is Node's own, and what is in no library, may run JavaScript.
#[napi]
pub fn runs_no_script(env: Env, address: JsAddress) -> napi::Result<bool> {
    let environment = current(env)?;
    let code = Address::new(from_js(address));
    Ok(environment.lane.get().zip(code).is_some_and(|(lane, code)| !lane.v8.owns(code)))
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

/// Throws, or gives, the text that the last call of the lane has returned, where JavaScript could not read it itself.
unsafe extern "C" fn take_text(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: M6; this is a native function of the environment.
    let (environment, []) = unsafe { entered(env, info) };
    let callable = environment.lane.get().map_or(null(), |lane| lane.returning.replace(null()));
    // SAFETY: M16; the call has just returned, and its function is alive.
    let Some(callable) = (unsafe { callable.as_ref() }) else { return null_mut() };
    let text = callable.text(environment.frame.word(callable.signature.plan.result) as usize);
    text.unwrap_or_else(|error| {
        throw(env, &error, None);
        null_mut()
    })
}

/// Puts the address of a Buffer into the frame, at the offset in the upper half of `to`, for the argument in the lowest
/// byte. What has no fence of its own is left to the frame lane.
unsafe extern "C" fn place_view(_: Local, view: Local, to: u32, environment: *const Environment) {
    // SAFETY: M6; the address is that of the environment's state, on its thread, which generated code was made with.
    let environment = unsafe { &*environment };
    let Some(lane) = environment.lane.get() else { return };
    // SAFETY: M3; `view` is an argument of the function under way, which JavaScript has found to be a view.
    let view = environment.views.get().and_then(|views| unsafe { views.storage(view) });
    let number = (to & 0xff) as usize;
    // SAFETY: M3, as above.
    let found = view.and_then(|view| unsafe { lane.blocks[number].of(view) });
    match found.filter(|(_, length)| view.is_some_and(|view| view.length == *length)) {
        Some((block, _)) => lane.hand(environment, to, block.data(), number),
        None => lane.shared.set_state(MISSED),
    }
}

/// The same for a text: a copy as UTF-8 at the place whose number is in the second byte of `to`. What is too long or has a NUL
/// in it is left to JavaScript.
unsafe extern "C" fn place_text(_: Local, text: *const Text, to: u32, environment: *const Environment) {
    // SAFETY: M6 for the environment, as above; M15 for the text, which stays where it is during this call.
    let (environment, text) = unsafe { (&*environment, &*text) };
    let Some(lane) = environment.lane.get() else { return };
    let length = text.length as usize;
    // SAFETY: M15, as above.
    let text = (length <= LONGEST).then(|| unsafe { Latin1::new(text.characters, length) }).flatten();
    let number = MOST_ARGUMENTS + (to >> 8 & 0xff) as usize;
    match text.and_then(|text| lane.place_text(&text, number)) {
        Some(data) => lane.hand(environment, to, data, number),
        None => lane.shared.set_state(MISSED),
    }
}

impl Lane {
    /// Puts the address of a block into the frame, and notes which block it is.
    #[inline]
    fn hand(&self, environment: &Environment, to: u32, data: Address, number: usize) {
        let argument = (to & 0xff) as usize;
        environment.frame.put_word((to >> 16) as usize, data.get() as u64);
        environment.frame.add_pin(argument);
        self.handed[argument].set(number as u8);
    }

    /// The block that an argument was handed last.
    #[inline]
    fn last(&self, argument: usize) -> &LastBlock {
        &self.blocks[usize::from(self.handed[argument].get())]
    }

    /// Notes whom the block of an argument was given to, and says whether it is whole.
    ///
    /// # Safety
    /// M8: the address is that of the block, which is allocated.
    #[inline]
    unsafe fn is_whole(&self, callable: &Callable, argument: usize, data: Address) -> bool {
        // SAFETY: M8, by the contract of this function.
        unsafe {
            Fenced::at(data).give(callable.id);
            self.last(argument).is_whole_at(data)
        }
    }

    /// Copies a text to a place, between fences: those of the text before, where it was as long.
    #[inline]
    fn place_text(&self, text: &Latin1<'_>, number: usize) -> Option<Address> {
        let last = self.blocks.get(number)?;
        let size = text.size();
        let block = match last.block_of(size) {
            Some(block) => block,
            None => {
                let raw = self.shared.place(number - MOST_ARGUMENTS, size)?;
                // SAFETY: M8; the block is of that size, and fits the place, which lives as long as the lane.
                let handed = Handed::new(unsafe { Fenced::build(raw, fence::lead(), size)? })?;
                last.note(handed);
                handed.block
            }
        };
        // SAFETY: M8; the block is as long as the text.
        unsafe { text.put(block) };
        Some(block.data())
    }

    /// Copies the text that C has returned to where JavaScript reads it, if it is ASCII and not too long.
    fn bring(&self, callable: &Callable) {
        let environment = &*callable.environment;
        let address = environment.frame.word(callable.signature.plan.result) as usize;
        if address == 0 {
            return self.shared.set_text(NO_TEXT);
        }
        let care = environment.care.get();
        // SAFETY: U1; the function returns text. Where pages have to be looked at first, `take_text` does.
        let text = (care == Care::LowPage).then(|| unsafe { peek::short_text(address, SHORT) }).flatten();
        match text.filter(|text| text.is_ascii()) {
            Some(text) => {
                // SAFETY: M1; there is room for it. The text is not there, unless it is that of an argument, which `copy`
                // allows.
                unsafe { self.shared.given().copy_from(text.as_ptr(), text.len()) };
                self.shared.set_text(text.len() as u32);
            }
            None => {
                self.returning.set(callable);
                self.shared.set_text(NOT_PLAIN);
            }
        }
    }
}

impl Lane {
    /// Keeps the overflow of an argument, the first one of the call; all are put right.
    fn look(&self, callable: &Callable, argument: usize, address: Address, is_pin: bool) {
        let found = if is_pin {
            let view = Span { start: address, length: self.last(argument).length() };
            // Headers are written anew.
            self.blocks.iter().for_each(LastBlock::forget);
            // SAFETY: M3 and M8; the view of the block is held by the caller.
            watch::view_overflow(argument, view, unsafe { Fenced::at(address) })
        } else {
            watch::number_overflow(argument, address)
        };
        if let Some(overflow) = found {
            let error = FfiError::Overflow { symbol: callable.symbol.clone(), overflow };
            self.overflow.borrow_mut().get_or_insert(error);
            self.shared.set_state(BROKEN);
        }
    }
}

/// Looks at the fences of what a call was handed; the frame still has its arguments, as no JavaScript has run.
unsafe extern "C" fn after(callable: *const Callable) {
    // SAFETY: M16; the row points to a callable that lives.
    let callable = unsafe { &*callable };
    let environment = &*callable.environment;
    let Some(lane) = environment.lane.get() else { return };
    let pins = environment.frame.low_pins();
    let any_given = given::any();
    for argument in &callable.signature.pins {
        let is_pin = pins >> argument & 1 == 1;
        if !is_pin && !any_given {
            continue;
        }
        let word = environment.frame.word(callable.signature.plan.arguments[*argument]);
        let Some(address) = Address::new(word as usize) else { continue };
        // SAFETY: M3 and M8; the address was put there by `hand`, and the caller holds the view of the block.
        if is_pin && unsafe { lane.is_whole(callable, *argument, address) } {
            continue;
        }
        // A panic must not unwind into generated code.
        let _ = catch_unwind(AssertUnwindSafe(|| lane.look(callable, *argument, address, is_pin)));
    }
}

/// Brings the text that C has returned.
unsafe extern "C" fn bring(callable: *const Callable) {
    // SAFETY: M16; the row points to a callable that lives.
    let callable = unsafe { &*callable };
    // A panic must not unwind into generated code.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        if let Some(lane) = callable.environment.lane.get() {
            lane.bring(callable);
        }
    }));
}
