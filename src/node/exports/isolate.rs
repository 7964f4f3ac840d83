//! Isolated libraries, as JavaScript has them: processes, and libraries that are opened in them.

#![allow(unsafe_code, reason = "asks Node-API for the storage of a value (not on every system: no `expect`)")]

use napi_derive::napi;

/// The options of a process of isolated libraries.
#[napi(object)]
pub struct JsProcessOptions {
    /// `NAME=value`; what this process has where there is none.
    pub environment: Option<Vec<String>>,
    /// The folder that it runs in.
    pub folder: Option<String>,
    /// Words in front of the command.
    pub command: Vec<String>,
    /// Whether its output on stderr is passed on.
    pub inherits_stderr: bool,
    /// Whether a call starts it again after it has ended.
    pub restarts: bool,
    /// Whether it may spin while it waits.
    pub spins: bool,
    /// Whether the library keeps the malloc that it has.
    pub keeps_malloc: bool,
    /// Whether it shares only a separate arena.
    pub is_apart: bool,
    /// The most that a call may take, in milliseconds.
    pub timeout: Option<f64>,
    /// The sandbox.
    pub sandbox: String,
}

/// The state of the present process.
#[napi(object)]
pub struct JsProcessState {
    pub pid: i32,
    pub generation: u32,
    pub alive: bool,
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64"))]
mod here {
    use std::ffi::CString;
    use std::path::Path;
    use std::rc::Rc;
    use std::sync::Arc;

    use napi::bindgen_prelude::{Either, Env, Null, Unknown};

    use super::*;
    use crate::call::remote::RemoteMemory;
    use crate::error::FfiError;
    use crate::isolate::address_space;
    use crate::isolate::function::{Opened, RemoteLibrary};
    use crate::isolate::process::{Options, Process, Restart};
    use crate::isolate::shared;
    use crate::isolate::spawn::{Start, inherited_environment};
    use crate::isolate::stubs;
    use crate::isolate::watcher::Stderr;
    use crate::loader::preflight;
    use crate::memory::block_source::BlockSource;
    use crate::node::env::current;
    use crate::node::error::thrown;
    use crate::node::exports::library::JsLibrary;
    use crate::node::isolated;
    use crate::node::js_address::{JsAddress, from_js};
    use crate::node::value::Rooted;

    fn texts(list: Vec<String>) -> Result<Vec<CString>, FfiError> {
        let text = |text: String| {
            CString::new(text).map_err(|_| FfiError::OutOfRange { reason: "isolate: a text has a NUL".into() })
        };
        list.into_iter().map(text).collect()
    }

    fn options_of(given: JsProcessOptions) -> Result<Options, FfiError> {
        let folder = given.folder.map(|folder| texts(vec![folder])).transpose()?.and_then(|mut list| list.pop());
        let environment = match given.environment {
            Some(list) => texts(list)?,
            None => inherited_environment(),
        };
        Ok(Options {
            start: Start { environment, folder, command: texts(given.command)? },
            stderr: if given.inherits_stderr { Stderr::Inherit } else { Stderr::Ignore },
            restart: if given.restarts { Restart::Lazy } else { Restart::Manual },
            spins: given.spins,
            keeps_malloc: given.keeps_malloc,
            is_apart: given.is_apart,
            timeout: given.timeout.map(|timeout| timeout as u64),
            sandbox: given.sandbox,
        })
    }

    /// A process of isolated libraries.
    #[napi(js_name = "IsolatedProcess")]
    pub struct JsProcess {
        process: Arc<Process>,
        memory: Rc<RemoteMemory>,
    }

    #[napi]
    impl JsProcess {
        /// Starts a process. The first request waits until it answers.
        ///
        /// # Errors
        /// Where the options are invalid, or the process does not start.
        #[napi(constructor)]
        pub fn new(env: Env, options: JsProcessOptions) -> napi::Result<Self> {
            let environment = current(env)?;
            let start = || {
                let process = Process::new(options_of(options)?)?;
                for slot in environment.callbacks.slots.borrow().iter() {
                    if let Some(code) = slot.code() {
                        stubs::public_address(code, &slot.signature);
                    }
                }
                let source: Arc<dyn BlockSource> = process.arena().clone();
                let memory = RemoteMemory::new(source).ok_or(FfiError::MemoryExhausted { wanted: 0 })?;
                isolated::add(&environment, &process, &memory);
                Ok(Self { process, memory })
            };
            start().map_err(|error| thrown(env, &error))
        }

        /// Opens a library there. A text says why the loader refuses it.
        ///
        /// # Errors
        /// Where the process has ended or does not answer.
        #[napi]
        pub fn open(
            &self,
            env: Env,
            path: Either<String, Null>,
            flags: i32,
        ) -> napi::Result<Either<JsLibrary, String>> {
            let path = match path {
                Either::A(path) => Some(path),
                Either::B(_) => None,
            };
            let file = path.as_deref().map(Path::new).filter(|path| path.components().count() > 1);
            if let Some(reason) = file.and_then(preflight::fault) {
                return Ok(Either::B(FfiError::LibraryInvalid { reason }.to_string()));
            }
            let name = path.as_deref().map_or_else(|| "(this process)".into(), |path| format!("\"{path}\""));
            match RemoteLibrary::open(Arc::clone(&self.process), path, flags) {
                Ok(library) => {
                    let image = Rc::new(Opened(library));
                    Ok(Either::A(JsLibrary::isolated(&name, image, Rc::clone(&self.memory))))
                }
                Err(FfiError::LibraryInvalid { reason }) => Ok(Either::B(reason)),
                Err(error) => Err(thrown(env, &error.of_call(&format!("dlopen {name}")))),
            }
        }

        /// Its present state.
        #[napi(getter)]
        pub fn state(&self) -> JsProcessState {
            match self.process.last() {
                Some(child) => JsProcessState { pid: child.pid, generation: child.generation, alive: child.is_alive() },
                None => JsProcessState { pid: 0, generation: self.process.generation(), alive: false },
            }
        }

        /// Whether all Buffers are shared with it.
        #[napi(getter)]
        pub fn shares_buffers(&self) -> bool {
            self.process.shares_buffers
        }

        /// The parts of the sandbox that are applied, as text; null if there is no process yet.
        #[napi(getter)]
        pub fn sandbox(&self) -> Option<String> {
            self.process.last()?.sandbox()
        }

        /// Ends it, if it runs, and starts another one.
        ///
        /// # Errors
        /// Where the new process does not start.
        #[napi]
        pub fn restart(&self, env: Env) -> napi::Result<()> {
            self.process.restart().map_err(|error| thrown(env, &error.of_call("restart")))
        }

        /// Ends it at once.
        #[napi]
        pub fn kill(&self) {
            self.process.kill();
        }

        /// Makes it run its destructors and end.
        #[napi]
        pub fn close(&self) {
            self.process.close();
        }
    }

    /// The process is exiting, or a worker of it: threads must not wait for calls that may never return. A worker ends
    /// its own processes alone.
    #[napi]
    pub fn end_busy_hosts() {
        // Node's main thread is that of the process. `node:worker_threads` knows it as well, but takes 5 ms to load.
        // SAFETY: both functions have no preconditions.
        if unsafe { libc::gettid() == libc::getpid() } {
            address_space::end_busy();
        } else {
            isolated::end_busy();
        }
    }

    /// The state of the arena; null if there is none yet.
    #[napi]
    pub fn arena_state() -> Option<Vec<f64>> {
        let arena = shared::existing()?;
        let (base, size) = arena.span();
        Some(vec![base as f64, size as f64, arena.used() as f64])
    }

    /// Whether the bytes of a view lie in the arena.
    #[napi]
    pub fn is_shared(view: Unknown<'_>) -> bool {
        let Some(span) = Rooted::of(&view).span() else { return false };
        shared::existing().is_some_and(|arena| arena.holds(span.start.get(), span.length))
    }

    /// Whether an address was of memory of a process of isolated libraries that has ended.
    #[napi]
    pub fn is_stale(address: JsAddress) -> bool {
        address_space::is_stale(from_js(address))
    }

    /// Whether an address is of memory that a process of isolated libraries has made.
    #[napi]
    pub fn is_of_host(address: JsAddress) -> bool {
        address_space::is_of_host(from_js(address))
    }

    /// Whether a value that is stored at an address would be a pointer that the process there does not share.
    #[napi]
    pub fn is_private_at(target: JsAddress, value: JsAddress) -> bool {
        address_space::is_private_at(from_js(target), from_js(value))
    }

    /// Makes the arena. A text says why there is none.
    #[napi]
    pub fn make_arena() -> Option<String> {
        shared::arena().err().map(|error| error.to_string())
    }
}

/// Why libraries cannot be isolated here; null where they can.
#[napi]
pub fn isolate_unavailable() -> Option<String> {
    if cfg!(all(target_os = "linux", target_env = "gnu", target_arch = "x86_64")) {
        return None;
    }
    Some("it works on Linux x64 with glibc only so far".into())
}
