//! JSCallback's native half: brings a call of C to a JavaScript function that decodes the frame and encodes the result,
//! at once on the environment's own thread, through the queue from any other.
#![expect(unsafe_code, reason = "calls JavaScript at C's word")]

use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use std::time::Duration;

use napi::bindgen_prelude::{ClassInstance, Env, Object, Unknown};
use napi::{JsValue, sys};
use napi_derive::napi;

use super::environment::{Environment, current, thrown};
use super::graves;
use super::home::Home;
use super::job;
use super::memory::{JsAddress, to_js};
use super::signature::JsSignature;
use super::waker::{key_of, wake};
use crate::closure::{Closure, Handler, Incoming};
use crate::ctype::CType;
use crate::memory::address::Address;
use crate::memory::frame::{Block, address_in, bytes, set_address};
use crate::memory::peek::{self, Care};
use crate::memory::report;
use crate::memory::watch::Watch;
use crate::queue::{Request, Work};
use crate::signature::Signature;

/// Tells threads apart, also in the destructors of a thread that ends, where std's own identity is gone.
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
    /// The function that decodes, calls and encodes; once closed one that warns. Used on that thread only (M6).
    function: Cell<sys::napi_ref>,
}

struct JsHandler(&'static Target);

/// A C function pointer that calls a JavaScript function.
#[napi(js_name = "Closure")]
pub struct JsClosure {
    target: &'static Target,
}

#[napi]
impl JsClosure {
    /// Makes the pointer. `function` takes no arguments on its own thread: it reads and writes the frame. For a call from
    /// another thread it takes a token, and may return true: then `answer` or `fail` ends the call.
    #[napi(constructor)]
    pub fn new(
        env: Env,
        signature: ClassInstance<'_, JsSignature>,
        function: Object<'_>,
        name: String,
        threadsafe: bool,
    ) -> napi::Result<Self> {
        let environment = current(env)?;
        let mut reference = null_mut();
        // SAFETY: M3; `function` is an argument of this call.
        unsafe { sys::napi_create_reference(env.raw(), function.raw(), 1, &mut reference) };
        let made = Target::make(&environment, &signature.signature, reference);
        let target = made.map_err(|error| thrown(env, &error))?;
        target.open(Some(&name), threadsafe);
        Ok(Self { target })
    }

    /// The function pointer.
    #[napi(getter)]
    pub fn code(&self) -> JsAddress {
        to_js(self.target.code.get().map_or(0, Address::get))
    }

    /// Has the pointer of a closed callback call a function again; `name` where it is another one than before.
    #[napi]
    pub fn open(&self, env: Env, function: Object<'_>, name: Option<String>, threadsafe: bool) {
        self.target.call_instead(env, function);
        self.target.open(name.as_deref(), threadsafe);
    }

    /// Lets the JavaScript function go: C gets zero from now on, and `tombstone` is called when it still calls.
    #[napi]
    pub fn close(&self, env: Env, tombstone: Object<'_>) {
        if self.target.shut() {
            self.target.call_instead(env, tombstone);
        }
    }
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
    fn make(
        environment: &Environment,
        signature: &Arc<Signature>,
        function: sys::napi_ref,
    ) -> crate::error::Result<&'static Self> {
        let home = environment.home();
        if let Some(target) = graves::exhume(signature) {
            target.function.set(function);
            target.home.store(std::ptr::from_ref(home).cast_mut(), Ordering::Release);
            environment.note_callback(target);
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
            function: Cell::new(function),
        }));
        let closure = Closure::new(Arc::clone(signature), Box::new(JsHandler(target)))?;
        target.code.set(Some(closure.code()));
        environment.note_callback(target);
        Ok(target)
    }

    fn home(&self) -> &'static Home {
        // SAFETY: M7; homes live as long as the process.
        unsafe { &*self.home.load(Ordering::Acquire) }
    }

    /// The environment is gone: calls give zero without a word, until another one opens it.
    pub fn abandon(&self, environment: &Environment) {
        self.shut();
        // SAFETY: M6; the reference is always one that was made.
        unsafe { sys::napi_delete_reference(environment.raw, self.function.replace(null_mut())) };
        self.warned.store(true, Ordering::Release);
        self.held.set(false);
    }

    /// Has calls go to JavaScript.
    fn open(&self, name: Option<&str>, threadsafe: bool) {
        if let Some(name) = name {
            self.name.store(report::intern(name), Ordering::Relaxed);
        }
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

    fn call_instead(&self, env: Env, function: Object<'_>) {
        let mut reference = null_mut();
        // SAFETY: M3 and M6; `make` was given the first reference.
        unsafe {
            sys::napi_create_reference(env.raw(), function.raw(), 1, &mut reference);
            sys::napi_delete_reference(env.raw(), self.function.replace(reference));
        }
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
        let mut scope = null_mut();
        // SAFETY: M6; this is the environment's thread.
        unsafe {
            if sys::napi_open_handle_scope(environment.raw, &mut scope) != sys::Status::napi_ok {
                return;
            }
        }
        incoming.take_arguments(&environment.frame);
        environment.locks.before_callback(environment.raw);
        environment.innermost_watch(Watch::pause);
        let answered = self.enter_js(environment, None, 0).is_some();
        environment.innermost_watch(Watch::resume);
        if answered {
            incoming.put_result(&environment.frame);
        }
        // SAFETY: the scope was opened above.
        unsafe { sys::napi_close_handle_scope(environment.raw, scope) };
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

    /// Calls the JavaScript function. `Some(true)` where it will answer later, `None` where it threw or could not run.
    fn enter_js(&self, environment: &Environment, token: Option<u32>, origin: usize) -> Option<bool> {
        let env = environment.raw;
        let (mut function, mut this, mut argument, mut result) = (null_mut(), null_mut(), null_mut(), null_mut());
        // SAFETY: M6; all out-parameters are locals, and the function's reference is always one that was made.
        unsafe {
            sys::napi_get_reference_value(env, self.function.get(), &mut function);
            sys::napi_get_undefined(env, &mut this);
            if let Some(token) = token {
                sys::napi_create_uint32(env, token, &mut argument);
            }
            let count = usize::from(token.is_some());
            if sys::napi_call_function(env, this, function, count, &argument, &mut result) == sys::Status::napi_ok {
                let mut later = false;
                return Some(
                    token.is_some()
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
        let answered = self.enter_js(environment, may_wait.then_some(token), request.origin);
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
