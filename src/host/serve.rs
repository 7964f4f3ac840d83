//! A thread of the host that serves a channel: it makes the calls that the parent asks for.
#![expect(unsafe_code, reason = "calls C and the loader")]

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_void};
use std::io::Error;
use std::mem::MaybeUninit;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use super::memory::HostMemory;
use super::sandbox::{self, Sandbox};
use super::served::{Served, serve_here};
use super::stack::ArenaStack;
use super::{callbacks, crash, fork, segments};
use crate::abi::signature::Signature;
use crate::call::invoke;
use crate::errno::Errno;
use crate::isolate::callback_result::CallbackResult;
use crate::isolate::channel::{End, Head};
use crate::isolate::signature_code::{self, arguments_at};
use crate::isolate::wire::{CALL_ERRNO, CALL_TEXT, FOREIGN, Kind, PAYLOAD, TEXT_STAYS, WORDS};
use crate::memory::address::Address;
use crate::memory::arg_buffer::{ArgBlock, address_in, bytes, set_bytes};
use crate::memory::raw::{self, PointerCheck};

/// As much as the main thread of a program has: C code expects it.
const STACK: usize = 8 << 20;

/// A channel, and the thread that serves it.
struct CallThread {
    /// The number of the channel.
    number: usize,
    end: End<'static>,
    memory: &'static HostMemory,
    /// The number of nested calls.
    depth: Cell<u32>,
}

/// Starts a thread that serves a channel.
///
/// # Errors
/// Where the system starts no thread.
pub fn start(memory: &'static HostMemory, number: usize) -> Result<(), Error> {
    callbacks::begin(memory);
    let run = move || {
        let channel = memory.channel(number);
        memory.thread(number).hold();
        let end = End::new(&channel.up, &channel.down, memory.settings().spins != 0);
        let served: &'static CallThread = Box::leak(Box::new(CallThread { number, end, memory, depth: Cell::new(0) }));
        serve_here(Some(served));
        crash::prepare_thread();
        if number == crate::isolate::wire::MAIN {
            let spans = memory.early_spans.get().into_iter().flatten();
            let words = spans.flat_map(|&(start, end)| [start, end]).flat_map(|word| (word as u64).to_le_bytes());
            let words: Vec<u8> = words.collect();
            served.end.post(Head::new(Kind::Return, [0; WORDS]), &[&crate::isolate::process::build(), &words]);
        }
        match ArenaStack::new(STACK) {
            Some(mut stack) => stack.run(|| served.until_result()),
            None => served.until_result(),
        }
    };
    thread::Builder::new().name("call".into()).stack_size(STACK).spawn(run).map(|_| ())
}

/// The signatures that the parent has defined, by number.
static SIGNATURES: RwLock<Option<HashMap<u32, Arc<Signature>>>> = RwLock::new(None);

fn signature(number: u32) -> Option<Arc<Signature>> {
    let signatures = SIGNATURES.read().unwrap_or_else(PoisonError::into_inner);
    signatures.as_ref()?.get(&number).map(Arc::clone)
}

/// The fault of a request.
struct Refusal(String);

impl Served for CallThread {
    fn end(&self) -> &End<'static> {
        &self.end
    }

    fn until_result(&self) -> CallbackResult {
        let mut payload = Vec::new();
        loop {
            let Ok(head) = self.end.receive(&mut payload, None, || self.end_without_main()) else { continue };
            callbacks::map_stubs(self.memory);
            let outcome = match Kind::of(head.kind) {
                Some(Kind::CallbackResult) => return CallbackResult::received(&head, payload),
                Some(Kind::Leave) => {
                    serve_here(None);
                    self.memory.thread(self.number).release();
                    let _ = self.give([0; WORDS], 0, &[]);
                    return CallbackResult::default();
                }
                Some(Kind::Call) => self.call(head, &payload),
                Some(Kind::Open) => self.open(head, &payload),
                Some(Kind::Find) => self.find(head, &payload),
                Some(Kind::Sandbox) => self.confine(&payload),
                Some(Kind::Define) => self.define(head, &payload),
                Some(Kind::Close) => {
                    // SAFETY: the parent has the handle from `open`, and makes no more calls of the library.
                    unsafe { libc::dlclose(pointer(head.words[0])) };
                    self.give([0; WORDS], 0, &[])
                }
                // SAFETY: the function has no preconditions.
                Some(Kind::Quit) => unsafe {
                    crash::expect_exit();
                    libc::exit(0)
                },
                _ => Err(Refusal("a request of no known kind".into())),
            };
            if let Err(Refusal(reason)) = outcome {
                let reason = &reason.as_bytes()[..reason.len().min(PAYLOAD)];
                self.end.post(Head::new(Kind::Refused, [0; WORDS]), &[reason]);
            }
        }
    }
}

impl CallThread {
    /// Ends the process where its main thread has ended alone: nothing else notices the end of the parent.
    fn end_without_main(&self) -> bool {
        if self.memory.thread(FOREIGN).is_abandoned() && !fork::is_forked() {
            callbacks::fail("the main thread of the process has ended");
        }
        false
    }

    fn give(&self, words: [u64; WORDS], status: u32, payload: &[u8]) -> Result<(), Refusal> {
        self.end.post(Head { kind: Kind::Return as u32, status, words }, &[payload]);
        Ok(())
    }

    fn define(&self, head: Head, payload: &[u8]) -> Result<(), Refusal> {
        let signature = signature_code::decode(payload).ok_or_else(|| Refusal("no signature".into()))?;
        let mut signatures = SIGNATURES.write().unwrap_or_else(PoisonError::into_inner);
        signatures.get_or_insert_default().insert(head.words[0] as u32, Arc::new(signature));
        drop(signatures);
        self.give([0; WORDS], 0, &[])
    }

    fn open(&self, head: Head, payload: &[u8]) -> Result<(), Refusal> {
        let path = CString::new(payload).map_err(|_| Refusal("the path has a NUL".into()))?;
        let flags = if head.words[0] == 0 { libc::RTLD_NOW } else { head.words[0] as i32 };
        let name = if path.is_empty() { std::ptr::null() } else { path.as_ptr() };
        let threads = segments::count_threads();
        // SAFETY: the user has named the library; its constructors run in this process, which is there for that.
        let handle = unsafe { libc::dlopen(name, flags) };
        if handle.is_null() {
            return Err(Refusal(last_fault()));
        }
        let mut shared = Vec::new();
        if self.memory.settings().heap_size != 0 {
            // SAFETY: H1 and H3; the parent makes one request at a time that opens or closes a library.
            for segment in unsafe { segments::share_new_files(self.memory.arena(), threads) } {
                for word in [segment.address, segment.bytes, segment.home] {
                    shared.extend_from_slice(&(word as u64).to_le_bytes());
                }
            }
        }
        shared.truncate(PAYLOAD / 24 * 24);
        self.give([handle.expose_provenance() as u64, 0, 0], 0, &shared)
    }

    fn confine(&self, payload: &[u8]) -> Result<(), Refusal> {
        let mut sandbox = Sandbox::parse(payload).map_err(|field| Refusal(format!("'{field}' is not known")))?;
        // Libraries load others when they are first needed.
        sandbox.read.extend(sandbox::loader_paths());
        let applied = sandbox::apply(&sandbox).map_err(|refusal| Refusal(refusal.to_string()))?;
        self.give([0; WORDS], 0, applied.to_text().as_bytes())
    }

    fn find(&self, head: Head, payload: &[u8]) -> Result<(), Refusal> {
        let name = CString::new(payload).map_err(|_| Refusal("the name has a NUL".into()))?;
        // SAFETY: the handle is from `open`; only the address is taken.
        let found = unsafe { libc::dlsym(pointer(head.words[0]), name.as_ptr()) };
        let found = own_definition(&name, found);
        self.give([found.expose_provenance() as u64, 0, 0], 0, &[])
    }

    fn call(&self, head: Head, payload: &[u8]) -> Result<(), Refusal> {
        let number = head.words[1] as u32;
        let signature = signature(number).ok_or_else(|| Refusal("a signature that was not told".into()))?;
        let code = Address::new(head.words[0] as usize).ok_or_else(|| Refusal("no function".into()))?;
        let from = arguments_at(&signature);
        if payload.len() != signature.layout.size - from {
            return Err(Refusal("arguments of another size".into()));
        }
        let mut block = ArgBlock::from_elem(0, signature.layout.size.div_ceil(16));
        set_bytes(&mut block, from, payload);
        let captures = head.words[1] & CALL_ERRNO != 0;
        if captures {
            Errno::here().set(0);
        }
        let depth = self.depth.get() + 1;
        self.depth.set(depth);
        // SAFETY: U1; the parent has bound the function with this signature.
        let result = unsafe { invoke::enter(&signature, code, &block) };
        callbacks::end_if_forked();
        if self.depth.replace(depth - 1) != depth {
            callbacks::fail("C has jumped out of a call that a callback made (longjmp, or an exception)");
        }
        let status = if captures { Errno::here().get() as u32 } else { 0 };
        if head.words[1] & CALL_TEXT != 0 {
            return self.give_text(address_in(&result, 0), status);
        }
        self.give([0; WORDS], status, &bytes(&result)[..signature.result_size()])
    }

    /// Sends a text along with its address, where it fits.
    fn give_text(&self, address: usize, status: u32) -> Result<(), Refusal> {
        // SAFETY: U1; the function returns text.
        let text = unsafe { raw::text(address, None, PointerCheck::LowPage) };
        match text {
            Some(text) if text.len() <= PAYLOAD => self.give([address as u64, 0, 0], status, text),
            _ => self.give([address as u64, TEXT_STAYS, 0], status, &[]),
        }
    }
}

fn pointer(address: u64) -> *mut libc::c_void {
    std::ptr::with_exposed_provenance_mut(address as usize)
}

/// The loader's message about its last refusal.
fn last_fault() -> String {
    // SAFETY: dlerror gives a text or NULL, which stays until the next call of the loader on this thread.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            "the loader refuses it".into()
        } else {
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }
}

/// The function that calls of a library to a function of libc are bound to: the definition of the host, where it has
/// one (`malloc`,
/// `fork`). A definition of the library stays.
fn own_definition(name: &CStr, found: *mut c_void) -> *mut c_void {
    // SAFETY: only the address is taken.
    let global = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    let is_ours = image_of(global) == image_of(own_definition as *mut c_void);
    if is_ours && image_of(found) == image_of(libc::__errno_location as *mut c_void) { global } else { found }
}

/// Where the image that an address belongs to begins; `None` where there is none.
fn image_of(address: *mut c_void) -> Option<usize> {
    let mut info = MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: the out-parameter is a local, which is filled where the result is not 0.
    unsafe { (libc::dladdr(address, info.as_mut_ptr()) != 0).then(|| info.assume_init().dli_fbase.addr()) }
}
