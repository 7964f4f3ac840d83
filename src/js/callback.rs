//! JSCallback's native half: brings a call of C to a JavaScript function that decodes the frame and encodes the result,
//! at once on the environment's own thread, through the queue from any other.
#![expect(unsafe_code, reason = "calls JavaScript at C's word")]

use std::cell::{Cell, RefCell};
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::time::Duration;

use napi::bindgen_prelude::{ClassInstance, Env, Object, Unknown};
use napi::{JsValue, sys};
use napi_derive::napi;

use super::entry::Function;
use super::environment::{Environment, current, thrown};
use super::graves;
use super::home::Home;
use super::job;
use super::memory::{JsAddress, to_js};
use super::native::{entered, native_function};
use super::signature::JsSignature;
use super::waker::{key_of, wake};
use crate::closure::{Closure, Handler, Incoming};
use crate::ctype::CType;
#[cfg(all(target_arch = "x86_64", unix))]
use crate::fast::entry::{Entry, Kept};
use crate::memory::address::Address;
use crate::memory::frame::{Block, address_in, bytes, set_address};
use crate::memory::peek::{self, Care};
use crate::memory::report;
use crate::memory::watch::Watch;
use crate::queue::{Request, Work};
use crate::signature::Signature;

/// Tells threads apart, also in the destructors of a thread that ends, where std's own identity is gone.
#[inline]
pub fn this_thread() -> usize {
    #[cfg(unix)]
    // SAFETY: U1; the function has no preconditions.
    return unsafe { libc::pthread_self() } as usize;
    #[cfg(not(unix))]
    return {
        thread_local!(static HERE: u8 = const { 0 });
        HERE.with(|here| (&raw const *here).addr())
    };
}

thread_local! {
    /// Callbacks of this thread that are open: while there are any, a call may run JavaScript. Those of another realm of
    /// the thread count as well.
    pub static OPEN: Cell<u32> = const { Cell::new(0) };
}

/// What is behind a function pointer. It lives as long as the process (M7); a closed one is used again, much later, and one
/// of an environment that has ended by another environment.
pub struct Target {
    code: Cell<Option<Address>>,
    /// Its types.
    pub signature: Arc<Signature>,
    /// A [`Home`], which stays when another one takes its place.
    home: AtomicPtr<Home>,
    closed: AtomicBool,
    /// Counts how often it was opened: a call that was made before is not for the function of now.
    life: AtomicU32,
    /// Whether a call after the close was reported.
    warned: AtomicBool,
    /// Whether C does not wait for a result (bun's `threadsafe`).
    threadsafe: AtomicBool,
    /// What messages call it, in `report`.
    name: AtomicU32,
    /// Whether the process is kept alive until that report; used on the environment's thread only (M6).
    held: Cell<bool>,
    /// The function that decodes, calls and encodes, while it is open. Used on that thread only (M6).
    function: Cell<Option<Function>>,
    /// Its number in the environment. Used on that thread only (M6).
    id: Cell<u32>,
}

struct JsHandler(&'static Target);

/// The callbacks of an environment; used on its thread only (M6).
#[derive(Default)]
pub struct Callbacks {
    /// All of them, by number.
    targets: RefCell<Vec<&'static Target>>,
    /// The function that is called with the number of a closed one that C has called.
    late: Cell<Option<Function>>,
}

/// A C function pointer, before it was opened.
#[napi(object)]
pub struct JsPointer {
    /// Its number in this environment.
    pub id: u32,
    /// Its address.
    pub address: JsAddress,
}

/// Makes a C function pointer of the signature: a closed one.
#[napi]
pub fn make_callback(env: Env, signature: ClassInstance<'_, JsSignature>) -> napi::Result<JsPointer> {
    let environment = current(env)?;
    let mut targets = environment.callbacks.targets.borrow_mut();
    let id = u32::try_from(targets.len()).unwrap_or(u32::MAX);
    let target = Target::make(&environment, &signature.signature, id).map_err(|error| thrown(env, &error))?;
    targets.push(target);
    Ok(JsPointer { id, address: to_js(target.code.get().map_or(0, Address::get)) })
}

/// The number of a name, for messages.
#[napi]
pub fn number_of_name(name: String) -> u32 {
    report::intern(&name)
}

/// `[open, close]`, whose arguments lie in the frame: the number of a pointer; for the first one also that of its name, and
/// whether it is threadsafe. `open(function)` has the pointer call a function. On its own thread that takes no arguments: it
/// reads and writes the frame. For a call from another thread it takes a token, and may return true: then `answer` or `fail`
/// ends the call. `close()` lets the function go: C gets zero from now on, and when it calls all the same, `late` is called
/// with the number.
#[napi]
pub fn callbacks(env: Env, late: Object<'_>) -> napi::Result<Vec<Object<'static>>> {
    let environment = current(env)?;
    environment.callbacks.late.set(Some(Function::hold(&environment, late.raw())));
    Ok(vec![native_function(env, Some(open))?, native_function(env, Some(close))?])
}

/// The frame's words.
const ID: usize = 0;
const NAME: usize = 8;

impl Callbacks {
    /// The environment is gone; the callbacks outlive it.
    pub fn abandon(&self, environment: &Environment) -> Vec<&'static Target> {
        if let Some(late) = self.late.take() {
            late.let_go(environment);
        }
        let targets = self.targets.take();
        targets.iter().for_each(|target| target.abandon(environment));
        targets
    }

    /// The callback whose number is in the frame.
    fn named(&self, environment: &Environment) -> Option<&'static Target> {
        let id = environment.frame.word(ID) as u32;
        self.targets.borrow().get(id as usize).copied()
    }
}

unsafe extern "C" fn open(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: M6; this is a native function of the environment.
    let (environment, [function]) = unsafe { entered(env, info) };
    if let Some(target) = environment.callbacks.named(environment) {
        let (name, threadsafe) = (environment.frame.word(NAME) as u32, environment.frame.word(ID) >> 32 != 0);
        target.function.set(Some(Function::hold(environment, function)));
        target.open(name, threadsafe);
    }
    null_mut()
}

unsafe extern "C" fn close(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    // SAFETY: M6, as above.
    let (environment, []) = unsafe { entered(env, info) };
    if let Some(target) = environment.callbacks.named(environment)
        && target.shut()
        && let Some(function) = target.function.take()
    {
        function.let_go(environment);
    }
    null_mut()
}

impl Handler for JsHandler {
    fn call(&self, incoming: &Incoming<'_>) {
        // Looked at once: it may be another one at any time, where the call is late.
        let home = self.0.home();
        if this_thread() == home.thread {
            self.0.call_here(home, incoming);
        } else {
            self.0.call_from_afar(home, incoming);
        }
    }
}

impl Target {
    fn make(environment: &Environment, signature: &Arc<Signature>, id: u32) -> crate::error::Result<&'static Self> {
        let home = environment.home();
        if let Some(target) = graves::exhume(signature) {
            target.function.set(None);
            target.id.set(id);
            target.home.store(std::ptr::from_ref(home).cast_mut(), Ordering::Release);
            return Ok(target);
        }
        let target: &'static Self = Box::leak(Box::new(Self {
            code: Cell::new(None),
            signature: Arc::clone(signature),
            home: AtomicPtr::new(std::ptr::from_ref(home).cast_mut()),
            closed: AtomicBool::new(true),
            life: AtomicU32::new(0),
            warned: AtomicBool::new(false),
            held: Cell::new(false),
            threadsafe: AtomicBool::new(false),
            name: AtomicU32::new(0),
            function: Cell::new(None),
            id: Cell::new(id),
        }));
        let closure = Closure::new(Arc::clone(signature), Box::new(JsHandler(target)))?;
        target.code.set(Some(closure.code()));
        Ok(target)
    }

    fn home(&self) -> &'static Home {
        // SAFETY: M7; homes live as long as the process.
        unsafe { &*self.home.load(Ordering::Acquire) }
    }

    /// The environment is gone: calls give zero without a word, until another one opens it.
    pub fn abandon(&self, environment: &Environment) {
        self.shut();
        if let Some(function) = self.function.take() {
            function.let_go(environment);
        }
        self.warned.store(true, Ordering::Release);
        self.held.set(false);
    }

    /// Has calls go to JavaScript.
    fn open(&self, name: u32, threadsafe: bool) {
        self.name.store(name, Ordering::Relaxed);
        self.threadsafe.store(threadsafe, Ordering::Relaxed);
        self.warned.store(false, Ordering::Relaxed);
        self.life.fetch_add(1, Ordering::AcqRel);
        if self.closed.swap(false, Ordering::AcqRel) {
            OPEN.set(OPEN.get() + 1);
        }
    }

    /// Has calls give zero; false where they did already.
    fn shut(&self) -> bool {
        let was_open = !self.closed.swap(true, Ordering::AcqRel);
        if was_open {
            OPEN.set(OPEN.get() - 1);
        }
        was_open
    }

    fn call_here(&self, home: &Home, incoming: &Incoming<'_>) {
        let Some(environment) = home.environment() else { return };
        // A call of the V8 lane must not run JavaScript, which is why the warning of a closed one comes later.
        if self.closed.load(Ordering::Acquire) {
            if !environment.ended.get() && !self.warned.swap(true, Ordering::Relaxed) {
                environment.hold_open();
                self.held.set(true);
                self.hand_over(home, incoming, false);
            }
            return;
        }
        environment.stack.deepen();
        if environment.ended.get() || environment.has_exception() {
            return;
        }
        #[cfg(all(target_arch = "x86_64", unix))]
        if let (Some(Function::Global(function)), Some(entry)) = (self.function.get(), environment.entry.get()) {
            return self.call_by(environment, entry, function, incoming);
        }
        self.call_by_node_api(environment, incoming);
    }

    #[cfg(all(target_arch = "x86_64", unix))]
    #[inline]
    fn call_by(&self, environment: &Environment, entry: &Entry, function: sys::napi_value, incoming: &Incoming<'_>) {
        let mut kept = Kept::default();
        let scope = entry.scope(&mut kept);
        incoming.take_arguments(&environment.frame);
        environment.locks.before_callback(environment.raw);
        environment.innermost_watch(Watch::pause);
        // SAFETY: M6; the function is kept by its global handle.
        let called = unsafe { entry.call(&scope, function.cast()) };
        environment.innermost_watch(Watch::resume);
        match called {
            Ok(()) => incoming.put_result(&environment.frame),
            Err(exception) => environment.surface(exception.cast(), 0),
        }
    }

    fn call_by_node_api(&self, environment: &Environment, incoming: &Incoming<'_>) {
        let mut scope = null_mut();
        let has_scope = !environment.depth.spares_scope();
        // SAFETY: M6; this is the environment's thread.
        if has_scope && unsafe { sys::napi_open_handle_scope(environment.raw, &mut scope) } != sys::Status::napi_ok {
            return;
        }
        incoming.take_arguments(&environment.frame);
        environment.locks.before_callback(environment.raw);
        environment.innermost_watch(Watch::pause);
        let answered = self.enter_js(environment, self.function.get(), None, 0).is_some();
        environment.innermost_watch(Watch::resume);
        if answered {
            incoming.put_result(&environment.frame);
        }
        if has_scope {
            // SAFETY: the scope was opened above.
            unsafe { sys::napi_close_handle_scope(environment.raw, scope) };
        }
    }

    #[inline(never)] // As little stack as possible stays under JavaScript that calls on.
    fn call_from_afar(&self, home: &Home, incoming: &Incoming<'_>) {
        let closed = self.closed.load(Ordering::Acquire);
        if closed && self.warned.swap(true, Ordering::Relaxed) {
            return;
        }
        let waits = !closed && !self.threadsafe.load(Ordering::Relaxed);
        let Some(request) = self.hand_over(home, incoming, waits).filter(|_| waits) else { return };
        let mut patience = Some(stall_time());
        let answer = loop {
            if let Some(answer) = request.wait(HEARTBEAT) {
                break answer;
            }
            // Has the JavaScript thread look whether it still can answer.
            wake(key_of(&home.queue));
            patience = patience.and_then(|left| {
                let left = left.checked_sub(HEARTBEAT);
                if left.is_none() {
                    self.warn_of_stall(home);
                }
                left
            });
        };
        if let Some(bytes) = answer {
            incoming.put_result_bytes(&bytes);
        }
    }

    /// Hands a call to the JavaScript thread; `None` where nobody takes it.
    fn hand_over(&self, home: &Home, incoming: &Incoming<'_>, waits: bool) -> Option<Arc<Request>> {
        let mut block = incoming.block();
        // C may free its text once it goes on.
        let texts = if waits { Vec::new() } else { self.copy_texts(&mut block) };
        let life = self.life.load(Ordering::Acquire);
        let request = Request::new((&raw const *self).expose_provenance(), life, block, texts, job::current());
        if !home.queue.submit(Work::Call(Arc::clone(&request))) {
            return None;
        }
        wake(key_of(&home.queue));
        Some(request)
    }

    /// Copies the texts that the arguments point to, and has the arguments point to the copies.
    fn copy_texts(&self, block: &mut Block) -> Vec<Box<[u8]>> {
        let mut texts = Vec::new();
        for (value, at) in self.signature.arguments.iter().zip(&self.signature.plan.arguments) {
            if value.scalar() != Some(CType::CString) {
                continue;
            }
            // SAFETY: U1; C gives text where it is declared.
            if let Some(text) = unsafe { peek::text(address_in(block, *at), None, Care::LowPage) } {
                let copy: Box<[u8]> = [text, b"\0"].concat().into();
                set_address(block, *at, copy.as_ptr().expose_provenance());
                texts.push(copy);
            }
        }
        texts
    }

    /// The JavaScript thread cannot warn by itself: it is inside the call that waits.
    fn warn_of_stall(&self, home: &Home) {
        let inside = home.queue.inside.load(Ordering::Relaxed);
        let (Some(symbol), Some(callback)) = (report::name(inside), report::name(self.name.load(Ordering::Relaxed)))
        else {
            return;
        };
        eprintln!(
            "(pinned-ffi) Warning: {callback} was called on a foreign thread and waits for the JavaScript thread, which is \
             inside {symbol}. If {symbol} waits for that thread, neither goes on: declare it `threads: true` or \
             `nonblocking: true`."
        );
    }

    /// Calls a JavaScript function with a number, or without arguments. `Some(true)` where it will answer later, `None`
    /// where it threw or could not run.
    fn enter_js(
        &self,
        environment: &Environment,
        function: Option<Function>,
        number: Option<u32>,
        origin: usize,
    ) -> Option<bool> {
        let env = environment.raw;
        let (mut argument, mut result) = (null_mut(), null_mut());
        // An arrow function, to which its receiver is nothing: any value will do.
        let function = function?.value(environment);
        // SAFETY: M6; all out-parameters are locals.
        unsafe {
            if let Some(number) = number {
                sys::napi_create_uint32(env, number, &mut argument);
            }
            let count = usize::from(number.is_some());
            if sys::napi_call_function(env, function, function, count, &argument, &mut result) == sys::Status::napi_ok {
                let mut later = false;
                return Some(
                    number.is_some()
                        && sys::napi_get_value_bool(env, result, &mut later) == sys::Status::napi_ok
                        && later,
                );
            }
            let (mut pending, mut exception) = (false, null_mut());
            sys::napi_is_exception_pending(env, &mut pending);
            if pending && sys::napi_get_and_clear_last_exception(env, &mut exception) == sys::Status::napi_ok {
                environment.surface(exception, origin);
            }
        }
        None
    }

    fn result_bytes(&self, environment: &Environment) -> Box<[u8]> {
        let bytes = environment.frame.copy_out(self.signature.plan.result, self.signature.result_size());
        bytes.into_vec().into_boxed_slice()
    }

    /// Serves a call that came through the queue, on the environment's thread.
    fn serve(&self, environment: &Environment, request: &Arc<Request>) {
        if self.held.take() {
            environment.let_close();
        }
        if request.life != self.life.load(Ordering::Acquire) {
            return request.answer(None);
        }
        let mut scope = null_mut();
        // SAFETY: M6; this is the environment's thread.
        unsafe {
            if sys::napi_open_handle_scope(environment.raw, &mut scope) != sys::Status::napi_ok {
                return request.answer(None);
            }
        }
        environment.frame.put(0, &bytes(&request.block)[..self.signature.plan.size]);
        let closed = self.closed.load(Ordering::Acquire);
        // No Promise settles before a synchronous call that is under way.
        let may_wait = !closed && environment.depth.get() == 0;
        let token = environment.waiting.borrow_mut().keep(Arc::clone(request));
        environment.locks.before_callback(environment.raw);
        environment.innermost_watch(Watch::pause);
        let answered = if closed {
            self.enter_js(environment, environment.callbacks.late.get(), Some(self.id.get()), request.origin)
        } else {
            self.enter_js(environment, self.function.get(), may_wait.then_some(token), request.origin)
        };
        environment.innermost_watch(Watch::resume);
        match answered {
            Some(true) => {}
            answered => {
                environment.waiting.borrow_mut().take(token);
                request.answer(answered.filter(|_| !closed).map(|_| self.result_bytes(environment)));
            }
        }
        // SAFETY: the scope was opened above.
        unsafe { sys::napi_close_handle_scope(environment.raw, scope) };
    }
}

/// Serves a call that came through the queue.
pub fn serve(environment: &Environment, request: &Arc<Request>) {
    target_of(request).serve(environment, request);
}

fn target_of(request: &Request) -> &'static Target {
    // SAFETY: M7; `call_from_afar` exposed the address of a target, which lives as long as the process.
    unsafe { &*std::ptr::with_exposed_provenance::<Target>(request.target) }
}

/// A callback's Promise has settled: the result is in the frame.
#[napi]
pub fn answer(env: Env, token: u32) -> napi::Result<()> {
    let environment = current(env)?;
    if let Some(request) = environment.waiting.borrow_mut().take(token) {
        request.answer(Some(target_of(&request).result_bytes(&environment)));
    }
    Ok(())
}

/// A callback's Promise was rejected, or its value does not fit: C gets zero.
#[napi]
pub fn fail(env: Env, token: u32, error: Unknown<'_>) -> napi::Result<()> {
    let environment = current(env)?;
    let request = environment.waiting.borrow_mut().take(token);
    if let Some(request) = request {
        request.answer(None);
        environment.surface(error.raw(), request.origin);
    }
    Ok(())
}

/// After this time a callback that waits while JavaScript is inside a call is reported; `PINNED_FFI_STALL_MS`.
fn stall_time() -> Duration {
    static TIME: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    let time = TIME.get_or_init(|| {
        std::env::var("PINNED_FFI_STALL_MS").ok().and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_STALL)
    });
    Duration::from_millis(*time)
}

const DEFAULT_STALL: u64 = 2000;
/// How often a caller that waits makes itself heard.
const HEARTBEAT: Duration = Duration::from_millis(50);
