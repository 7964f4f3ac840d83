//! Libraries, as JavaScript holds them.
#![expect(unsafe_code, reason = "opens a library at the user's word")]

use std::cell::{Cell, OnceCell, RefCell};
use std::path::Path;
use std::rc::Rc;

use napi::bindgen_prelude::{Either, Env, Null};
use napi_derive::napi;

use crate::call::remote::{Remote, RemoteArguments, RemoteImage, RemoteMemory};
use crate::error::FfiError;
use crate::loader::library::Library;
use crate::loader::preflight;
use crate::memory::address::Address;
use crate::node::env::Environment;
use crate::node::error::thrown;
use crate::node::js_address::{JsAddress, to_js};

/// A library that is open, or was, and the functions that are bound to it.
#[napi(js_name = "Library")]
pub struct JsLibrary {
    pub(in crate::node) library: Rc<Library>,
    functions: RefCell<Vec<u32>>,
    environment: OnceCell<Rc<Environment>>,
    /// The library in another process, and the memory that it shares, where it is isolated.
    remote: Option<(Rc<dyn RemoteImage>, Rc<RemoteMemory>)>,
    /// The timeout of the function that is bound next.
    timeout: Cell<Option<u64>>,
}

impl JsLibrary {
    fn of(library: Library) -> Self {
        Self {
            library: Rc::new(library),
            functions: RefCell::default(),
            environment: OnceCell::new(),
            remote: None,
            timeout: Cell::new(None),
        }
    }

    /// A library in another process.
    pub(in crate::node) fn isolated(name: &str, image: Rc<dyn RemoteImage>, memory: Rc<RemoteMemory>) -> Self {
        let mut library = Self::of(Library::linked(name));
        let closing = Rc::clone(&image);
        library.library.unload_by(Box::new(move || closing.close()));
        library.remote = Some((image, memory));
        library
    }

    /// The function at an address of the other process; `None` for a library of this one.
    pub(in crate::node) fn remote_at(&self, address: u64) -> Option<Remote> {
        let (image, memory) = self.remote.as_ref()?;
        let function = image.function(address, self.timeout.take());
        Some(Remote { function, memory: Rc::clone(memory), arguments: RemoteArguments::default() })
    }

    /// Keeps a bound function of the environment for as long as this lives.
    pub(in crate::node) fn note(&self, environment: &Rc<Environment>, number: u32) {
        self.environment.get_or_init(|| Rc::clone(environment));
        self.functions.borrow_mut().push(number);
    }
}

impl Drop for JsLibrary {
    fn drop(&mut self) {
        if let Some(environment) = self.environment.take() {
            self.functions.take().into_iter().for_each(|number| environment.functions.remove(number));
        }
    }
}

/// `RTLD_DEEPBIND`; null where the system has no such flag.
#[napi]
#[must_use]
pub fn deepbind_flag() -> Option<i32> {
    #[cfg(glibc)]
    return Some(libc::RTLD_DEEPBIND);
    #[cfg(not(glibc))]
    None
}

/// A symbol that one of some files of libraries defines, and that Node would take the place of; null where there is
/// none.
#[napi]
pub fn interposed(files: Vec<String>) -> Option<String> {
    #[cfg(glibc)]
    return crate::loader::interpose::first(&files.into_iter().map(Into::into).collect::<Vec<_>>());
    #[cfg(not(glibc))]
    {
        drop(files);
        None
    }
}

/// What the file of a library needs.
#[napi(object)]
pub struct Needs {
    /// The names of other libraries.
    pub names: Vec<String>,
    /// The directories in which they are looked for first.
    pub directories: Vec<String>,
}

/// What the file of a library needs; null where it is no library, and on systems where nothing is interposed.
#[napi]
pub fn needs(file: String) -> Option<Needs> {
    #[cfg(glibc)]
    return crate::loader::interpose::needs(Path::new(&file)).map(|(names, directories)| Needs { names, directories });
    #[cfg(not(glibc))]
    {
        drop(file);
        None
    }
}

/// Whether a library of this name was loaded for a symbol that [`interposed`] has found.
#[napi]
pub fn is_bound_locally(name: String) -> bool {
    #[cfg(glibc)]
    return crate::loader::interpose::is_bound_locally(name.as_ref());
    #[cfg(not(glibc))]
    {
        drop(name);
        false
    }
}

/// Whether a library is loaded, by its path or by a name that the loader finds.
#[napi]
pub fn is_loaded(path: String) -> bool {
    #[cfg(glibc)]
    return crate::loader::interpose::is_loaded(Path::new(&path));
    #[cfg(not(glibc))]
    {
        let _ = path;
        false
    }
}

#[napi]
impl JsLibrary {
    /// Opens the library at a path; the process itself for null. A text says why the loader refuses it: one of several
    /// candidates may be refused, and with `--abort-on-uncaught-exception` V8 ends the process for a native error that
    /// is caught.
    #[napi]
    pub fn open(path: Either<String, Null>, flags: i32) -> Either<JsLibrary, String> {
        let path = match &path {
            Either::A(path) => Some(path.as_str()),
            Either::B(_) => None,
        };
        // The loader looks for names without a separator itself.
        let file = path.map(Path::new).filter(|path| path.components().count() > 1);
        if let Some(reason) = file.and_then(preflight::fault) {
            return Either::B(FfiError::LibraryInvalid { reason }.to_string());
        }
        // SAFETY: U4; the user has named the library.
        match unsafe { Library::open(path, flags) } {
            Ok(library) => Either::A(Self::of(library)),
            Err(error) => Either::B(error.to_string()),
        }
    }

    /// A library of functions that are bound by their addresses.
    #[napi(factory)]
    pub fn linked(name: String) -> Self {
        Self::of(Library::linked(&name))
    }

    /// The address of a symbol, or null.
    ///
    /// # Errors
    /// Where the process of an isolated library has ended or does not answer.
    #[napi]
    pub fn find(&self, env: Env, symbol: String) -> napi::Result<Either<JsAddress, Null>> {
        let found = match &self.remote {
            Some((image, _)) => {
                let found = image.find(&symbol).map_err(|error| thrown(env, &error.of_call(&symbol)))?;
                found.map(|address| address as usize)
            }
            None => self.library.find(&symbol).map(Address::get),
        };
        Ok(found.map_or(Either::B(Null), |address| Either::A(to_js(address))))
    }

    /// The most that a call of the function that is bound next may take, in milliseconds, if the library is isolated.
    #[napi]
    pub fn limit_next(&self, milliseconds: f64) {
        self.timeout.set(Some(milliseconds as u64));
    }

    /// Its name in messages.
    #[napi(getter)]
    pub fn name(&self) -> String {
        self.library.name().to_owned()
    }

    /// Whether it is open.
    #[napi(getter)]
    pub fn is_open(&self) -> bool {
        self.library.is_open()
    }

    /// Unloads the library.
    ///
    /// # Errors
    /// Where the library has a call under way.
    #[napi]
    pub fn close(&self, env: Env) -> napi::Result<()> {
        self.library.close().map_err(|error| thrown(env, &error))
    }
}
