//! An environment's part of V8's private binary interface. Each field is set once a trial has succeeded.
#![cfg(v8_abi)]

use std::cell::{OnceCell, RefCell};
#[cfg(not(fast_calls))]
use std::marker::PhantomData;

#[cfg(fast_calls)]
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
    #[cfg(fast_calls)]
    pub fast_calls: OnceCell<FastCalls<E>>,
    /// Only fast calls have a use for the environment's type.
    #[cfg(not(fast_calls))]
    pub fast_calls: PhantomData<E>,
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
            #[cfg(fast_calls)]
            fast_calls: OnceCell::new(),
            #[cfg(not(fast_calls))]
            fast_calls: PhantomData,
            code: RefCell::default(),
        }
    }
}
