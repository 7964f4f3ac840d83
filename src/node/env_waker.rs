//! Makes wakers of an environment.
#![expect(unsafe_code, reason = "lets other threads call into Node-API")]

use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::rc::Rc;

use napi::sys;

use super::env::Environment;
use super::waker::{WAKERS, Wake, Waker};

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
