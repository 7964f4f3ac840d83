//! Whether JavaScript is being ended from outside: by the timeout of `node:vm`, by SIGINT, by an inspector. To Node-API
//! that looks like an exception that is null.
#![expect(unsafe_code, reason = "calls Node-API")]

use std::ptr::null_mut;

use napi::sys;

use super::env::Environment;
use super::error::take_thrown;
use crate::v8::isolate::is_execution_terminating;

impl Environment {
    /// Passes on the exception of a JavaScript function that Node-API has called, or that JavaScript was terminated.
    #[cold]
    pub fn propagate_failure(&self, origin: usize) {
        // Before anything else: Node-API may lose it.
        let known = is_execution_terminating();
        let exception = take_thrown(self.raw);
        let is_terminating = known.unwrap_or_else(|| {
            let may_be = exception.is_none_or(|exception| self.is_null(exception));
            let is_terminating = may_be && self.calls.depth.get() > 0 && !self.runs_js();
            if is_terminating {
                take_thrown(self.raw);
            }
            is_terminating
        });
        match exception {
            _ if is_terminating => self.propagate_termination(),
            Some(exception) => self.propagate(exception, origin),
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
