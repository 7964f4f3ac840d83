//! Calls a JavaScript function by V8's own functions, for callbacks: `v8::Function::Call` in a handle scope and a
//! `v8::TryCatch` on the stack. Node-API's does the same with more around it, and allocates its handle scopes. Tried on
//! `NODE_MODULE_VERSION` 115, 127, 137 and 147.
#![expect(unsafe_code, reason = "calls exported functions of V8")]
#![expect(clippy::missing_transmute_annotations, reason = "the fields that are filled have the types")]

use std::mem::MaybeUninit;
use std::ptr::null_mut;

use super::handle::Local;
use super::symbols::{self, function};
use crate::loader::library::Library;

/// V8's functions, for one environment.
#[derive(Debug)]
pub struct FunctionCaller {
    isolate: Local,
    /// A global handle.
    context: Local,
    undefined: Local,
    scopes: Scopes,
    call: Call,
    begin: unsafe extern "C" fn(*mut TryCatch, Local),
    end: unsafe extern "C" fn(*mut TryCatch),
    exception: unsafe extern "C" fn(*const TryCatch) -> Local,
    has_terminated: unsafe extern "C" fn(*const TryCatch) -> bool,
    globalize: unsafe extern "C" fn(Local, usize) -> Local,
    /// Whether `globalize` takes a handle; else it takes what the handle's slot holds.
    takes_handle: bool,
    dispose: unsafe extern "C" fn(Local),
}

/// `v8::TryCatch`: 48 bytes on every version.
type TryCatch = MaybeUninit<[usize; 8]>;

/// `v8::Function::Call`.
#[derive(Debug)]
enum Call {
    /// Of a context.
    Context(unsafe extern "C" fn(Local, Local, Local, i32, *mut Local) -> Local),
    /// The same with the isolate, which need not be looked for then.
    Isolate(unsafe extern "C" fn(Local, Local, Local, Local, i32, *mut Local) -> Local),
}

/// The functions that open and close a `v8::HandleScope`.
#[derive(Debug)]
enum Scopes {
    Functions {
        open: unsafe extern "C" fn(*mut Kept, Local),
        close: unsafe extern "C" fn(*mut Kept),
    },
    /// As V8's header does it since 14: [`Scope`] keeps the state of `v8::HandleScope`.
    Inline {
        data: *mut ScopeData,
        shrink: unsafe extern "C" fn(*mut Kept, Local),
    },
}

/// `v8::internal::HandleScopeData`.
#[repr(C)]
#[derive(Debug)]
struct ScopeData {
    next: usize,
    limit: usize,
    level: i32,
    sealed_level: i32,
}

/// `v8::internal::Internals::kIsolateHandleScopeDataOffset` of Node 26, from v8-internal.h.
const SCOPE_DATA: usize = 560;

impl FunctionCaller {
    /// Looks everything up, for this `NODE_MODULE_VERSION`; `None` where anything is missing. `undefined` is a handle
    /// of that value, which V8 keeps in its roots.
    ///
    /// # Safety
    /// M6: this is the isolate's thread, in a function of the environment's context, with an open handle scope.
    pub unsafe fn find(undefined: Local, modules: u32) -> Option<Self> {
        let process = symbols::process()?;
        let current: unsafe extern "C" fn() -> Local = function!(process, symbols::ISOLATE_GET_CURRENT);
        let context_of: unsafe extern "C" fn(Local) -> Local = function!(process, symbols::ISOLATE_GET_CONTEXT);
        // SAFETY: M11, by their names.
        let (isolate, context) = unsafe {
            let isolate = current();
            (isolate, context_of(isolate))
        };
        let takes_handle = modules <= WITH_HANDLES;
        let mut entry = Self {
            isolate,
            context: null_mut(),
            undefined,
            scopes: Scopes::find(&process, isolate, modules)?,
            call: if modules < WITH_ISOLATE {
                Call::Context(function!(process, symbols::FUNCTION_CALL))
            } else {
                Call::Isolate(function!(process, symbols::FUNCTION_CALL_WITH_ISOLATE))
            },
            begin: function!(process, symbols::TRY_CATCH_BEGIN),
            end: function!(process, symbols::TRY_CATCH_END),
            exception: function!(process, symbols::TRY_CATCH_EXCEPTION),
            has_terminated: function!(process, symbols::TRY_CATCH_HAS_TERMINATED),
            globalize: if takes_handle {
                function!(process, symbols::GLOBALIZE_HANDLE)
            } else {
                function!(process, symbols::GLOBALIZE_VALUE)
            },
            takes_handle,
            dispose: function!(process, symbols::DISPOSE_GLOBAL),
        };
        // SAFETY: M3; the handle was just made.
        entry.context = unsafe { entry.hold(context) };
        Some(entry)
    }

    /// A global handle of a value: it is kept until [`FunctionCaller::let_go`], and is used like a local one.
    ///
    /// # Safety
    /// M3 and M6: `value` is an open handle, on its thread.
    pub unsafe fn hold(&self, value: Local) -> Local {
        // SAFETY: M11; an open handle points to its slot.
        unsafe {
            let value = if self.takes_handle { value.addr() } else { value.cast::<usize>().read() };
            (self.globalize)(self.isolate, value)
        }
    }

    /// Frees a global handle.
    ///
    /// # Safety
    /// M6; `hold` made the handle.
    pub unsafe fn let_go(&self, handle: Local) {
        // SAFETY: M11, by the contract of this function.
        unsafe { (self.dispose)(handle) };
    }

    /// The number of open handle scopes; `None` where V8 counts them inside its functions.
    pub fn level(&self) -> Option<i32> {
        match &self.scopes {
            Scopes::Functions { .. } => None,
            // SAFETY: M6 and M11; the isolate is longer than that on every version.
            Scopes::Inline { data, .. } => Some(unsafe { (**data).level }),
        }
    }

    /// Opens a handle scope. It is in `kept`, which is not moved: to move what was just written waits for the writes.
    #[inline]
    pub fn scope<'a>(&'a self, kept: &'a mut Kept) -> Scope<'a> {
        // SAFETY: M6 and M11; scopes nest as calls do.
        unsafe {
            match &self.scopes {
                Scopes::Functions { open, .. } => open(kept, self.isolate),
                Scopes::Inline { data, .. } => {
                    (kept[0], kept[1]) = ((**data).next, (**data).limit);
                    (**data).level += 1;
                }
            }
        }
        Scope { entry: self, kept }
    }

    /// Calls a function without arguments. What it has thrown is a handle of the scope.
    ///
    /// # Errors
    /// The exception of the function, or `None` if JavaScript was terminated.
    ///
    /// # Safety
    /// M6; `function` is a handle of a function.
    #[inline]
    pub unsafe fn call(&self, _: &Scope<'_>, function: Local) -> Result<(), Option<Local>> {
        let mut catcher = TryCatch::uninit();
        // SAFETY: M11; the catcher stays where it is until it ends.
        unsafe {
            (self.begin)(&mut catcher, self.isolate);
            let (isolate, context, undefined) = (self.isolate, self.context, self.undefined);
            // V8 reads the handle before the function runs, which may close its callback.
            let result = match self.call {
                Call::Context(call) => call(function, context, undefined, 0, null_mut()),
                Call::Isolate(call) => call(function, isolate, context, undefined, 0, null_mut()),
            };
            let thrown = match result.is_null() {
                true => Err((!(self.has_terminated)(&catcher)).then(|| (self.exception)(&catcher))),
                false => Ok(()),
            };
            (self.end)(&mut catcher);
            thrown
        }
    }
}

/// `v8::HandleScope`, or its fields.
pub type Kept = [usize; 4];

/// An open handle scope.
pub struct Scope<'a> {
    entry: &'a FunctionCaller,
    kept: &'a mut Kept,
}

impl Drop for Scope<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: M6 and M11; `scope` has opened it, and those inside are closed.
        unsafe {
            match &self.entry.scopes {
                Scopes::Functions { close, .. } => close(self.kept),
                Scopes::Inline { data, shrink } => {
                    let data = *data;
                    (*data).next = self.kept[0];
                    (*data).level -= 1;
                    if (*data).limit != self.kept[1] {
                        (*data).limit = self.kept[1];
                        shrink(self.kept, self.entry.isolate);
                    }
                }
            }
        }
    }
}

impl Scopes {
    fn find(process: &Library, isolate: Local, modules: u32) -> Option<Self> {
        if modules < WITH_INLINE_SCOPES {
            let open = function!(process, symbols::HANDLE_SCOPE_OPEN);
            return Some(Self::Functions { open, close: function!(process, symbols::HANDLE_SCOPE_CLOSE) });
        }
        Some(Self::Inline {
            data: isolate.wrapping_byte_add(SCOPE_DATA).cast(),
            shrink: function!(process, symbols::HANDLE_SCOPE_SHRINK),
        })
    }
}

/// `NODE_MODULE_VERSION` of Node 20, whose `GlobalizeReference` takes a handle.
const WITH_HANDLES: u32 = 115;
/// That of Node 26, from which on handle scopes are opened by V8's header.
const WITH_INLINE_SCOPES: u32 = 147;
/// That of Node 24, from which on `Function::Call` takes the isolate as well.
const WITH_ISOLATE: u32 = 137;
