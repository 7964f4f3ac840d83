//! Whether JavaScript is being ended from outside: by the timeout of `node:vm`, by SIGINT, by an inspector. To Node-API that
//! looks like an exception that is null.
#![expect(unsafe_code, reason = "calls exported functions of V8")]

use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::OnceLock;

use napi::sys;

use super::env::{Environment, take_thrown};
use crate::loader::library::Library;
use crate::memory::address::Address;
use crate::v8::isolate::current_isolate;

#[cfg(not(windows))]
const IS_TERMINATING: &str = "_ZN2v87Isolate22IsExecutionTerminatingEv";
#[cfg(windows)]
const IS_TERMINATING: &str = "?IsExecutionTerminating@Isolate@v8@@QEAA_NXZ";

/// Whether V8 is ending the JavaScript of this thread; `None` where the engine does not export the function that tells.
fn is_execution_terminating() -> Option<bool> {
    static FUNCTION: OnceLock<Option<Address>> = OnceLock::new();
    let find = || {
        // SAFETY: U4; the process runs no constructor again.
        let process = unsafe { Library::open(None, 0) }.ok()?;
        process.find(IS_TERMINATING)
    };
    let function = (*FUNCTION.get_or_init(find))?;
    let isolate = current_isolate()?;
    // SAFETY: M6 and M11; the symbol is a method of the isolate without parameters, and this is the isolate's thread.
    Some(unsafe { transmute::<*mut u8, unsafe extern "C" fn(*mut u8) -> bool>(function.as_ptr())(isolate.as_ptr()) })
}

impl Environment {
    /// A call of a JavaScript function by Node-API has failed: passes on what it has thrown, or that it was ended.
    #[cold]
    pub fn pass_on(&self, origin: usize) {
        // Before anything else: Node-API may lose it.
        let known = is_execution_terminating();
        let exception = take_thrown(self.raw);
        let is_terminating = known.unwrap_or_else(|| {
            let may_be = exception.is_none_or(|exception| self.is_null(exception));
            let is_terminating = may_be && self.depth.get() > 0 && !self.runs_js();
            if is_terminating {
                take_thrown(self.raw);
            }
            is_terminating
        });
        match exception {
            _ if is_terminating => self.terminated(),
            Some(exception) => self.surface(exception, origin),
            None => {}
        }
    }

    fn is_null(&self, value: sys::napi_value) -> bool {
        let (mut null, mut is_same) = (null_mut(), false);
        // SAFETY: M6; the out-parameters are locals.
        value.is_null()
            || unsafe {
                sys::napi_get_null(self.raw, &mut null);
                sys::napi_strict_equals(self.raw, value, null, &mut is_same);
                is_same
            }
    }
}
