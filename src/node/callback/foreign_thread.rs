//! Calls of callbacks on a foreign thread, which wait in the queue for the JavaScript thread; and calls of closed
//! callbacks, which are reported to JavaScript later.
#![expect(unsafe_code, reason = "calls JavaScript functions from C callbacks")]

use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use napi::sys;

use super::argument_source::{CopiedArguments, Source};
use super::arguments::caller_of;
use super::slot::this_thread;
use crate::abi::ctype::CType;
use crate::call::inside::Inside;
use crate::callback::closure::Incoming;
use crate::loader::library::CallingBack;
use crate::memory::arg_buffer::{ArgBlock, address_in, set_address};
use crate::memory::fence::report;
use crate::memory::raw::{self, PointerCheck};
use crate::node::async_call::job;
use crate::node::env::{CallbackSlot, EnvHandle, Environment};
use crate::node::waker::{key_of, wake};
use crate::threads::attention::{FOR_ANSWER, spin};
use crate::threads::callback_queue::{Kind, Request};

impl CallbackSlot {
    /// Answers a call on a foreign thread, which waits.
    #[inline(never)] // JavaScript may nest calls, and inlining would make each level need more stack.
    pub fn call_from_foreign_thread(&self, env_handle: &EnvHandle, incoming: &Incoming<'_>) {
        let closed = self.closed.load(Ordering::Acquire);
        if !closed && let Some(here) = Inside::here().filter(Inside::is_leaf) {
            return self.refuse_leaf(&here);
        }
        if closed && self.warned.swap(true, Ordering::Relaxed) {
            return;
        }
        let waits = !closed && !self.threadsafe.load(Ordering::Relaxed);
        let _calling_back = (waits && !job::is_ours()).then(CallingBack::new);
        let kind = match (closed, waits) {
            (true, _) => Kind::Late,
            (false, true) => Kind::Waiting,
            (false, false) => Kind::Queued,
        };
        let is_attended = env_handle.queue.is_attended();
        let Some(request) = self.submit_call(env_handle, incoming, kind).filter(|_| waits) else { return };
        if is_attended {
            spin(FOR_ANSWER, || request.is_answered());
        }
        let mut patience = Some(stall_time());
        let answer = loop {
            if let Some(answer) = request.wait(HEARTBEAT) {
                break answer;
            }
            // Wakes the JavaScript thread, which may not be able to answer any more.
            wake(key_of(&env_handle.queue));
            patience = patience.and_then(|left| {
                let left = left.checked_sub(HEARTBEAT);
                if left.is_none() {
                    self.warn_of_stall(env_handle);
                }
                left
            });
        };
        if let Some(bytes) = answer {
            incoming.put_result_bytes(&bytes);
        }
    }

    /// Submits a call to the JavaScript thread; `None` if that accepts none.
    pub fn submit_call(&self, env_handle: &EnvHandle, incoming: &Incoming<'_>, kind: Kind) -> Option<Arc<Request>> {
        let mut block = incoming.block();
        // C does not wait, so it may free its text at once.
        let texts = if kind == Kind::Waiting { Vec::new() } else { self.copy_texts(&mut block) };
        let life = self.life.load(Ordering::Acquire);
        let slot = (&raw const *self).expose_provenance();
        let request = Request::new(slot, life, block, texts, job::current(), this_thread(), kind);
        if kind == Kind::Queued {
            self.queued.fetch_add(1, Ordering::AcqRel);
        }
        if env_handle.queue.submit(job::Work::Call(Arc::clone(&request))).is_err() {
            return None;
        }
        wake(key_of(&env_handle.queue));
        env_handle.queue.announce();
        Some(request)
    }

    /// Copies the texts that the arguments point to, and makes the arguments point to the copies.
    fn copy_texts(&self, block: &mut ArgBlock) -> Vec<Box<[u8]>> {
        let mut texts = Vec::new();
        for (value, at) in self.signature.arguments.iter().zip(&self.signature.layout.arguments) {
            if value.scalar() != Some(CType::CString) {
                continue;
            }
            // SAFETY: U1; C gives text where it is declared.
            if let Some(text) = unsafe { raw::any_text(address_in(block, *at), None, PointerCheck::LowPage) } {
                let copy: Box<[u8]> = [&*text, b"\0"].concat().into();
                set_address(block, *at, copy.as_ptr().expose_provenance());
                texts.push(copy);
            }
        }
        texts
    }

    /// The JavaScript thread cannot warn by itself: it is inside the call that waits.
    fn warn_of_stall(&self, env_handle: &EnvHandle) {
        let inside = env_handle.inside.function();
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

    /// The result that JavaScript has written into the argument buffer.
    pub fn result_bytes(&self, environment: &Environment) -> Box<[u8]> {
        let bytes = environment.arg_buffer.copy_out(self.signature.layout.result, self.signature.result_size());
        bytes.into_vec().into_boxed_slice()
    }

    /// The bit of a callback's number that says that it was opened again since C called it.
    const FORMER: u32 = 1 << 31;

    /// Runs a call from the queue, on the environment's thread.
    fn serve(&self, environment: &Environment, request: &Arc<Request>) {
        self.serve_call(environment, request);
        // The last call that was made before the close releases the function.
        if request.kind == Kind::Queued
            && self.queued.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(function) = self.leaving.take()
        {
            function.let_go(environment);
        }
    }

    fn serve_call(&self, environment: &Environment, request: &Arc<Request>) {
        let is_late = request.kind == Kind::Late;
        let held = self.held.get();
        if is_late && held > 0 {
            self.held.set(held - 1);
            environment.let_close();
        }
        let is_former = request.life != self.life.load(Ordering::Acquire);
        // JavaScript is being terminated: none runs until the outer call has returned.
        if is_former && !is_late || environment.is_terminating() {
            return request.answer(None);
        }
        let mut scope = null_mut();
        // SAFETY: M6; this is the environment's thread.
        unsafe {
            if sys::napi_open_handle_scope(environment.raw, &mut scope) != sys::Status::napi_ok {
                return request.answer(None);
            }
        }
        let function = match request.kind {
            Kind::Late => None,
            Kind::Queued => self.function.get().or(self.leaving.get()),
            Kind::Waiting => self.function.get(),
        };
        let closed = function.is_none();
        // No Promise can settle during a synchronous call.
        let may_wait = !closed && environment.calls.depth.get() == 0;
        let token = environment.work.waiting.borrow_mut().keep(Arc::clone(request));
        environment.transfer_locks.before_callback(environment.raw);
        environment.pause_borrows();
        let answered = if closed {
            let former = if is_former { Self::FORMER } else { 0 };
            let late = environment.callbacks.late.get();
            late.and_then(|late| late.call(environment, Some(self.id.get() | former), request.origin)).map(|_| false)
        } else {
            let who = caller_of(environment, request);
            let (block, size) = (&request.block, self.signature.layout.size);
            let arguments = CopiedArguments { block, size, who, token: may_wait.then_some(token) };
            let outer = environment.exceptions.origin.replace(request.origin);
            let answered = environment
                .with_arguments(Source::of_copy(&arguments), || function?.call(environment, None, request.origin));
            environment.exceptions.origin.set(outer);
            let answered = answered.filter(|_| !environment.exceptions.has_thrown.take());
            answered.map(|result| may_wait && is_true(environment, result))
        };
        environment.resume_borrows(|| self.result_in_buffer());
        match answered {
            Some(true) => {}
            answered => {
                environment.work.waiting.borrow_mut().take(token);
                request.answer(answered.filter(|_| !closed).map(|_| self.result_bytes(environment)));
            }
        }
        // SAFETY: the scope was opened above.
        unsafe { sys::napi_close_handle_scope(environment.raw, scope) };
    }
}

/// Whether a handler has returned that a Promise answers later.
fn is_true(environment: &Environment, result: sys::napi_value) -> bool {
    let mut is_so = false;
    // SAFETY: M6; the result is a handle of the scope that its caller has opened.
    unsafe { sys::napi_get_value_bool(environment.raw, result, &mut is_so) == sys::Status::napi_ok && is_so }
}

/// Runs a call from the queue.
pub fn serve(environment: &Environment, request: &Arc<Request>) {
    target_of(request).serve(environment, request);
}

/// The callback that a request calls.
pub fn target_of(request: &Request) -> &'static CallbackSlot {
    // SAFETY: M7; `call_from_foreign_thread` exposed the address of a slot, which lives as long as the process.
    unsafe { &*std::ptr::with_exposed_provenance::<CallbackSlot>(request.slot) }
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
/// The interval at which a waiting caller wakes the JavaScript thread again.
const HEARTBEAT: Duration = Duration::from_millis(50);
