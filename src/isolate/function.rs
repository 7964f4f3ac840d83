//! Libraries and functions in a host: opened and found there, and again in the one that takes its place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::channel::Head;
use super::child::{Child, Reply};
use super::deadline::Deadline;
use super::process::Process;
use super::signature_code::{arguments_at, gives_text};
use super::stubs;
use super::wire::{CALL_ERRNO, CALL_TEXT, Kind, TEXT_STAYS};
use crate::abi::signature::Signature;
use crate::call::invoke;
use crate::call::remote::{RemoteCall, RemoteImage, RemoteResult};
use crate::error::{FfiError, Result};
use crate::memory::arg_buffer::{ArgBlock, bytes, set_bytes};

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A library in a process.
#[derive(Debug)]
pub struct RemoteLibrary {
    process: Arc<Process>,
    /// None for the process itself.
    path: Option<String>,
    flags: i32,
    state: Mutex<LibraryState>,
}

#[derive(Debug, Default)]
struct LibraryState {
    generation: u32,
    handle: u64,
    /// The symbols that were found, by their addresses in that generation.
    symbols: HashMap<u64, String>,
}

/// The function at an address of a host, in whatever library.
pub fn function_at(process: &Arc<Process>, address: u64) -> Option<Arc<dyn RemoteCall>> {
    let generation = process.last()?.generation;
    let state = Mutex::new(LibraryState { generation, ..LibraryState::default() });
    let library = Arc::new(RemoteLibrary { process: Arc::clone(process), path: None, flags: 0, state });
    let bound = Mutex::new(Bound { generation, address, signature: None });
    Some(Arc::new(RemoteFunction { library, symbol: None, timeout: None, bound }))
}

impl RemoteLibrary {
    /// Opens a library in a process.
    ///
    /// # Errors
    /// The errors of the loader in that process.
    pub fn open(process: Arc<Process>, path: Option<String>, flags: i32) -> Result<Arc<Self>> {
        let library = Arc::new(Self { process, path, flags, state: Mutex::default() });
        let child = library.process.child()?;
        library.handle(&child)?;
        Ok(library)
    }

    /// The library in a host, where it is opened if it is another one than before.
    fn handle(&self, child: &Arc<Child>) -> Result<u64> {
        {
            let state = locked(&self.state);
            if state.generation == child.generation {
                return Ok(state.handle);
            }
        }
        let path = self.path.as_deref().unwrap_or("");
        let head = Head::new(Kind::Open, [self.flags as u32 as u64, 0, 0]);
        let reply = child.ask(head, &[path.as_bytes()], self.process.deadline(None))?;
        let arena = self.process.arena();
        child.globals.set(&reply.payload, |home, bytes| arena.holds(home, bytes));
        if !self.process.options.sandbox.is_empty() {
            child.confine(&self.process.options.sandbox)?;
        }
        let mut state = locked(&self.state);
        *state = LibraryState { generation: child.generation, handle: reply.words[0], symbols: HashMap::new() };
        Ok(state.handle)
    }

    /// The address of a symbol in the host of now.
    ///
    /// # Errors
    /// Where the host ends or does not answer.
    pub fn find(&self, symbol: &str) -> Result<Option<u64>> {
        if symbol.contains('\0') {
            return Ok(None);
        }
        let child = self.process.child()?;
        self.find_in(&child, symbol, self.process.deadline(None))
    }

    fn find_in(&self, child: &Arc<Child>, symbol: &str, deadline: Option<Deadline>) -> Result<Option<u64>> {
        let handle = self.handle(child)?;
        let head = Head::new(Kind::Find, [handle, 0, 0]);
        let address = child.ask(head, &[symbol.as_bytes()], deadline)?.words[0];
        if address == 0 {
            return Ok(None);
        }
        locked(&self.state).symbols.insert(address, symbol.to_owned());
        Ok(Some(address))
    }
}

/// A library as JavaScript holds it.
#[derive(Debug)]
pub struct Opened(pub Arc<RemoteLibrary>);

impl RemoteImage for Opened {
    fn find(&self, symbol: &str) -> Result<Option<u64>> {
        self.0.find(symbol)
    }

    fn function(&self, address: u64, timeout: Option<u64>) -> Arc<dyn RemoteCall> {
        let state = locked(&self.0.state);
        let symbol = state.symbols.get(&address).cloned();
        let bound = Bound { generation: state.generation, address, signature: None };
        Arc::new(RemoteFunction { library: Arc::clone(&self.0), symbol, timeout, bound: Mutex::new(bound) })
    }

    fn close(&self) {
        self.0.close();
    }
}

impl RemoteLibrary {
    /// Closes it in its host, if that still runs.
    fn close(&self) {
        let state = std::mem::take(&mut *locked(&self.state));
        let Some(child) = self.process.last().filter(|child| child.is_alive()) else { return };
        if child.generation == state.generation && state.handle != 0 {
            let head = Head::new(Kind::Close, [state.handle, 0, 0]);
            // A destructor may end the host: then there is nothing left to close.
            let _ = child.ask(head, &[], self.process.deadline(Some(1000)));
        }
    }
}

/// A function in a process.
#[derive(Debug)]
pub struct RemoteFunction {
    library: Arc<RemoteLibrary>,
    /// By which it is found again; None where only its address was given.
    symbol: Option<String>,
    timeout: Option<u64>,
    bound: Mutex<Bound>,
}

#[derive(Clone, Copy, Debug)]
struct Bound {
    generation: u32,
    address: u64,
    /// The number by which the host of this generation knows the signature.
    signature: Option<u32>,
}

impl RemoteCall for RemoteFunction {
    fn call(&self, signature: &Arc<Signature>, block: &ArgBlock, captures_errno: bool) -> Result<Box<RemoteResult>> {
        let child = self.process().child()?;
        let deadline = self.process().deadline(self.timeout);
        let bound = self.bound_in(&child, signature, deadline)?;
        let is_text = gives_text(signature);
        let flags = if captures_errno { CALL_ERRNO } else { 0 } | if is_text { CALL_TEXT } else { 0 };
        let number = u64::from(bound.signature.unwrap_or_default());
        let head = Head::new(Kind::Call, [bound.address, number | flags, 0]);
        let arguments = &bytes(block)[arguments_at(signature)..signature.layout.size];
        let reply = child.ask(head, &[arguments], deadline)?;
        self.result_of(&child, signature, reply, is_text)
    }

    fn is_stale(&self, address: usize) -> bool {
        self.process().is_stale(address)
    }

    fn is_private(&self, address: usize) -> bool {
        self.process().last().is_some_and(|host| host.is_private(address))
    }

    fn pointer_there(&self, address: usize) -> Option<usize> {
        stubs::stub_of(address)
    }

    fn text(&self, address: usize) -> Option<Vec<u8>> {
        self.process().last()?.text(address)
    }
}

impl RemoteFunction {
    fn process(&self) -> &Arc<Process> {
        &self.library.process
    }

    #[inline(never)] // Not under the call, under which others may nest.
    fn result_of(
        &self,
        child: &Arc<Child>,
        signature: &Signature,
        reply: Reply,
        is_text: bool,
    ) -> Result<Box<RemoteResult>> {
        let mut block = invoke::no_result(signature);
        let errno = reply.status as i32;
        if is_text {
            set_bytes(&mut block, 0, &reply.words[0].to_le_bytes());
            let text = (reply.words[1] != TEXT_STAYS && reply.words[0] != 0).then_some(reply.payload);
            return Ok(Box::new(RemoteResult { block, errno, text }));
        }
        if reply.payload.len() != signature.result_size() {
            child.kill();
            let reason = "a result of another size than that of its type".into();
            return Err(FfiError::IsolateProtocol { symbol: String::new(), reason, death: Box::new(child.death()) });
        }
        set_bytes(&mut block, 0, &reply.payload);
        Ok(Box::new(RemoteResult { block, errno, text: None }))
    }

    /// Where it is in a host.
    #[inline(never)] // As above.
    fn bound_in(&self, child: &Arc<Child>, signature: &Arc<Signature>, deadline: Option<Deadline>) -> Result<Bound> {
        let mut bound = *locked(&self.bound);
        if bound.generation == child.generation && bound.signature.is_some() {
            return Ok(bound);
        }
        if bound.generation != child.generation {
            let missing = |reason: String| FfiError::LibraryInvalid { reason };
            let Some(symbol) = &self.symbol else {
                let address = bound.address;
                return Err(missing(format!(
                    "the function at {address:#x} was in a process that has ended; find it by a symbol's name"
                )));
            };
            bound.address = self.library.find_in(child, symbol, deadline)?.ok_or_else(|| {
                missing(format!("the symbol \"{symbol}\" is not in the library any more, whose file has changed"))
            })?;
            bound.generation = child.generation;
        }
        bound.signature = Some(child.signature(signature, deadline)?);
        *locked(&self.bound) = bound;
        Ok(bound)
    }
}
