//! What runs on the event loop for other threads: wakers of an environment, and the work that is served when they wake it.
#![expect(unsafe_code, reason = "lets other threads call into Node-API")]

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::Env;
use napi::sys;
use napi_derive::napi;

use super::async_call::completions;
use super::callback::env_handle::EnvHandle;
use super::callback::foreign_thread;
use super::callback::slot::this_thread;
use super::env::{Environment, Queue, Work, current};
use super::native_fn::contained;
use super::waker::{WAKERS, Wake, Waker, key_of};

impl Environment {
    /// The queue of work from other threads, made when first needed.
    pub fn queue(&self) -> Arc<Queue> {
        let (queue, _) = self.queue.get_or_init(|| {
            let queue = Queue::new();
            let make = |this| make_waker(&this, key_of(&queue), c"pinned-ffi callbacks", serve_one);
            let waker = self.this().and_then(make);
            (queue, waker)
        });
        Arc::clone(queue)
    }

    /// What its callbacks know of it, made when first needed.
    pub fn env_handle(&self) -> &'static EnvHandle {
        self.env_handle.get_or_init(|| EnvHandle::make(self, this_thread()))
    }
}

/// Serves one piece of work on the JavaScript thread.
pub fn serve(environment: &Environment, work: Work) {
    match work {
        // The thread that made the call must not wait for ever.
        Work::Call(request) => {
            if !contained(|| foreign_thread::serve(environment, &request)) {
                request.answer(None);
            }
        }
        Work::Done(job) => {
            environment.let_close();
            completions::settle_one(environment, job);
        }
    }
}

/// Serves a queue: the callback of its waker.
pub unsafe extern "C" fn serve_one(env: sys::napi_env, _: sys::napi_value, context: *mut c_void, _: *mut c_void) {
    // SAFETY: M12; `make_waker` gave the state, which the finalizer gives back.
    let environment = unsafe { &*context.cast::<Environment>() };
    if env.is_null() {
        return environment.end();
    }
    // One for each wake: what a Promise's continuation does comes before the next.
    match environment.take_work() {
        Some(work) => serve(environment, work),
        None => environment.check_alive(),
    }
}

unsafe extern "C" fn drop_waker(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: M12; `make_waker` leaked exactly this count.
    let environment = unsafe { Rc::from_raw(data.cast_const().cast::<Environment>()) };
    environment.end();
}

/// `hasRef()` of the resource of a threadsafe function: whether it keeps the process alive. `data` is the state; null
/// where it never does.
unsafe extern "C" fn has_ref(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (mut data, mut count, mut answer) = (null_mut(), 0, null_mut());
    // SAFETY: M6; `data` is the state, which outlives its functions.
    unsafe {
        sys::napi_get_cb_info(env, info, &mut count, null_mut(), null_mut(), &mut data);
        let is_held = data.cast::<Environment>().as_ref().is_some_and(Environment::is_held_open);
        sys::napi_get_boolean(env, is_held, &mut answer);
    }
    answer
}

/// What asynchronous hooks see of a threadsafe function: an object that says, as Node's own handles do, whether it
/// keeps the process alive. Tools that look for open handles ask for that. Null where the engine has no memory left.
pub fn resource(env: sys::napi_env, environment: Option<&Rc<Environment>>) -> sys::napi_value {
    let data = environment.map_or(null_mut(), |environment| Rc::as_ptr(environment).cast_mut().cast::<c_void>());
    let (mut object, mut function) = (null_mut(), null_mut());
    // SAFETY: M6; the out-parameters are locals.
    unsafe {
        let is_made = sys::napi_create_object(env, &mut object) == sys::Status::napi_ok
            && sys::napi_create_function(env, null_mut(), 0, Some(has_ref), data, &mut function)
                == sys::Status::napi_ok
            && sys::napi_set_named_property(env, object, c"hasRef".as_ptr(), function) == sys::Status::napi_ok;
        if is_made { object } else { null_mut() }
    }
}

/// What a waker runs on the JavaScript thread; its context is the environment.
type Serve = unsafe extern "C" fn(sys::napi_env, sys::napi_value, *mut c_void, *mut c_void);

/// Makes a threadsafe function of an environment. It does not keep the process alive.
pub fn make_waker(environment: &Rc<Environment>, key: usize, name: &CStr, serve: Serve) -> Option<Waker> {
    let env = environment.raw;
    let context = Rc::into_raw(Rc::clone(environment)).cast_mut().cast::<c_void>();
    let (mut js_name, mut function) = (null_mut(), null_mut());
    // SAFETY: M6 and M12.
    unsafe {
        sys::napi_create_string_utf8(env, name.as_ptr(), -1, &mut js_name);
        let no_function = null_mut();
        let status = sys::napi_create_threadsafe_function(
            env,
            no_function,
            resource(env, Some(environment)),
            js_name,
            0,
            1,
            context,
            Some(drop_waker),
            context,
            Some(serve),
            &mut function,
        );
        if status != sys::Status::napi_ok {
            drop_waker(env, context, null_mut());
            return None;
        }
        sys::napi_unref_threadsafe_function(env, function);
    }
    WAKERS.add(key, Wake(function));
    Some(Waker { function, held: Cell::new(0) })
}

/// Keeps the process alive while a callback is expected; taken back by `unrefQueue`.
#[napi]
pub fn ref_queue(env: Env) -> napi::Result<()> {
    let environment = current(env)?;
    environment.queue();
    environment.hold_open();
    Ok(())
}

/// Takes one `refQueue` back.
#[napi]
pub fn unref_queue(env: Env) -> napi::Result<()> {
    current(env)?.let_close();
    Ok(())
}

/// The process goes on after an `exit` event: other threads are answered again.
#[napi]
pub fn reopen_queue(env: Env) -> napi::Result<()> {
    current(env)?.reopen_queue();
    Ok(())
}

/// Whether other threads have called, and wait for the event loop to turn.
#[napi]
pub fn has_work(env: Env) -> napi::Result<bool> {
    Ok(current(env)?.has_work())
}
