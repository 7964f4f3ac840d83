//! Whether JavaScript is being ended from outside: by the timeout of `node:vm`, by SIGINT, by an inspector. To Node-API that
//! looks like an exception that is null.
#![expect(unsafe_code, reason = "calls exported functions of V8")]

use std::mem::transmute;
use std::ptr::null_mut;
use std::sync::OnceLock;

use napi::sys;

use super::environment::{Environment, take_thrown};
use crate::library::Library;

/// `v8::Isolate::GetCurrent` and `v8::Isolate::IsExecutionTerminating`, whose parameters their names tell.
struct Isolate {
    current: extern "C" fn() -> *mut u8,
    is_terminating: unsafe extern "C" fn(*mut u8) -> bool,
}

#[cfg(not(windows))]
const NAMES: [&str; 2] = ["_ZN2v87Isolate10GetCurrentEv", "_ZN2v87Isolate22IsExecutionTerminatingEv"];
#[cfg(windows)]
const NAMES: [&str; 2] = ["?GetCurrent@Isolate@v8@@SAPEAV12@XZ", "?IsExecutionTerminating@Isolate@v8@@QEAA_NXZ"];

/// Those of this process; `None` where the engine does not export them.
fn isolate() -> Option<&'static Isolate> {
    static ISOLATE: OnceLock<Option<Isolate>> = OnceLock::new();
    let find = || {
        // SAFETY: U4; the process runs no constructor again.
        let process = unsafe { Library::open(None, 0) }.ok()?;
        let [current, is_terminating] = NAMES.map(|name| process.find(name));
        // SAFETY: M11; the mangled names tell the parameters.
        unsafe {
            Some(Isolate {
                current: transmute::<*mut u8, extern "C" fn() -> *mut u8>(current?.as_ptr()),
                is_terminating: transmute::<*mut u8, unsafe extern "C" fn(*mut u8) -> bool>(is_terminating?.as_ptr()),
            })
        }
    };
    ISOLATE.get_or_init(find).as_ref()
}

impl Environment {
    /// A call of a JavaScript function by Node-API has failed: passes on what it has thrown, or that it was ended.
    #[cold]
    pub fn pass_on(&self, origin: usize) {
        // First of all, as Node-API may lose it.
        let known = isolate().map(|isolate| {
            let current = (isolate.current)();
            // SAFETY: M6 and M11; this is a thread of the engine.
            !current.is_null() && unsafe { (isolate.is_terminating)(current) }
        });
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
