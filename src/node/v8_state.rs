//! An environment's part of V8's private binary interface. Each field is set once a trial has succeeded.
#![cfg(v8_abi)]

use std::cell::{OnceCell, RefCell};

use super::fast_call::state::FastCalls;
use crate::memory::exec::Code;
use crate::v8::array_buffer_view::ViewStorage;
use crate::v8::flat_string::FlatStrings;
use crate::v8::function_call::FunctionCaller;
use crate::v8::function_template::FunctionTemplates;

/// V8's functions and objects, by what they are used for.
pub struct V8State<E> {
    /// Makes functions that V8 calls without Node-API.
    pub templates: OnceCell<FunctionTemplates>,
    /// Finds the storage of views.
    pub view_storage: OnceCell<ViewStorage>,
    /// Reads flat texts where V8 keeps them.
    pub flat_strings: OnceCell<FlatStrings>,
    /// Calls JavaScript functions.
    pub function_caller: OnceCell<FunctionCaller>,
    /// Fast calls.
    pub fast_calls: OnceCell<FastCalls<E>>,
    /// The code that was generated for the environment.
    pub code: RefCell<Code>,
}

impl<E> Default for V8State<E> {
    fn default() -> Self {
        Self {
            templates: OnceCell::new(),
            view_storage: OnceCell::new(),
            flat_strings: OnceCell::new(),
            function_caller: OnceCell::new(),
            fast_calls: OnceCell::new(),
            code: RefCell::default(),
        }
    }
}
