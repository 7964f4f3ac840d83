//! Libraries, as JavaScript holds them.
#![expect(unsafe_code, reason = "opens a library at the user's word")]

use std::rc::Rc;

use napi::bindgen_prelude::{Either, Env, Null};
use napi_derive::napi;

use super::environment::thrown;
use super::memory::{JsAddress, to_js};
use crate::library::Library;

/// A library that is open, or was.
#[napi(js_name = "Library")]
pub struct JsLibrary {
    pub(super) library: Rc<Library>,
}

#[napi]
impl JsLibrary {
    /// Opens the library at a path; the process itself for null.
    #[napi(constructor)]
    pub fn new(env: Env, path: Either<String, Null>, flags: i32) -> napi::Result<Self> {
        let path = match &path {
            Either::A(path) => Some(path.as_str()),
            Either::B(_) => None,
        };
        // SAFETY: U4; the user has named the library.
        let opened = unsafe { Library::open(path, flags) };
        Ok(Self { library: Rc::new(opened.map_err(|error| thrown(env, &error))?) })
    }

    /// A library of functions that are bound by their addresses.
    #[napi(factory)]
    pub fn linked(name: String) -> Self {
        Self { library: Rc::new(Library::linked(&name)) }
    }

    /// The address of a symbol, or null.
    #[napi]
    pub fn find(&self, symbol: String) -> Either<JsAddress, Null> {
        match self.library.find(&symbol) {
            Some(address) => Either::A(to_js(address.get())),
            None => Either::B(Null),
        }
    }

    /// What messages call it.
    #[napi(getter)]
    pub fn name(&self) -> String {
        self.library.name().to_owned()
    }

    /// Whether nobody has closed it.
    #[napi(getter)]
    pub fn is_open(&self) -> bool {
        self.library.is_open()
    }

    /// Unloads the library.
    #[napi]
    pub fn close(&self, env: Env) -> napi::Result<()> {
        self.library.close().map_err(|error| thrown(env, &error))
    }
}
