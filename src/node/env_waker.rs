//! Makes wakers of an environment.
#![expect(unsafe_code, reason = "lets other threads call into Node-API")]

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::rc::Rc;

use napi::sys;

use super::env::Environment;
use super::threadsafe_function::{Serve, ThreadsafeFunction};
use super::waker::Waker;

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

/// The resource of a threadsafe function for asynchronous hooks: an object that says, as Node's own handles do, whether
/// it keeps the process alive. Tools that look for open handles ask for that. Null where the engine has no memory left.
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

/// Makes a waker of an environment. It does not keep the process alive.
pub fn make_waker(environment: &Rc<Environment>, key: usize, name: &CStr, serve: Serve) -> Option<Waker> {
    let env = environment.raw;
    let context = Rc::into_raw(Rc::clone(environment)).cast_mut().cast::<c_void>();
    let resource = resource(env, Some(environment));
    // SAFETY: M6 and M12; the finalizer drops the count that was leaked here.
    let function = unsafe {
        let function = ThreadsafeFunction::make(env, name, resource, null_mut(), Some(serve), context, drop_waker);
        if function.is_none() {
            drop_waker(env, context, null_mut());
        }
        function?
    };
    Some(Waker::register(key, function))
}
