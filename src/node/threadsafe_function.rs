//! Threadsafe functions of Node-API: other threads wake a JavaScript thread by them.
#![expect(unsafe_code, reason = "lets other threads call into Node-API")]

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;

use napi::sys;

/// A threadsafe function. It exists until its finalizer runs (M12).
#[derive(Clone, Copy, Debug)]
pub struct ThreadsafeFunction(sys::napi_threadsafe_function);

// SAFETY: M12; a threadsafe function may be called from any thread.
unsafe impl Send for ThreadsafeFunction {}

/// The native code that a threadsafe function runs on the JavaScript thread, in place of a JavaScript function.
pub type Serve = unsafe extern "C" fn(sys::napi_env, sys::napi_value, *mut c_void, *mut c_void);

impl ThreadsafeFunction {
    /// Makes one that does not keep the process alive. It calls `function`, or runs `serve` with `context`. `resource`
    /// is what asynchronous hooks see. `None` if the engine refuses; then `finalize` does not run.
    ///
    /// # Safety
    /// M6: this is the environment's thread, and the values are of the current scope. M12: `finalize` has every thread
    /// stop calling the function, and frees `context`.
    pub unsafe fn make(
        env: sys::napi_env,
        name: &CStr,
        resource: sys::napi_value,
        function: sys::napi_value,
        serve: Option<Serve>,
        context: *mut c_void,
        finalize: unsafe extern "C" fn(sys::napi_env, *mut c_void, *mut c_void),
    ) -> Option<Self> {
        let (mut js_name, mut made) = (null_mut(), null_mut());
        // SAFETY: M6, by the contract of this function; the out-parameters are locals.
        unsafe {
            sys::napi_create_string_utf8(env, name.as_ptr(), -1, &mut js_name);
            let status = sys::napi_create_threadsafe_function(
                env,
                function,
                resource,
                js_name,
                0,
                1,
                context,
                Some(finalize),
                context,
                serve,
                &mut made,
            );
            if status != sys::Status::napi_ok {
                return None;
            }
            sys::napi_unref_threadsafe_function(env, made);
        }
        Some(Self(made))
    }

    /// Calls the function on the JavaScript thread, later. Never waits.
    pub fn call(self) {
        // SAFETY: M12; the finalizer removes the function from the list of wakers, and waits for calls of it.
        unsafe { sys::napi_call_threadsafe_function(self.0, null_mut(), sys::ThreadsafeFunctionCallMode::nonblocking) };
    }

    /// Sets whether it keeps the process alive. On the JavaScript thread.
    pub fn keep_alive(self, env: sys::napi_env, is_kept: bool) {
        // SAFETY: M6, because only its own thread reaches an environment; M12, until the finalizer has removed it.
        unsafe {
            match is_kept {
                true => sys::napi_ref_threadsafe_function(env, self.0),
                false => sys::napi_unref_threadsafe_function(env, self.0),
            };
        }
    }
}
