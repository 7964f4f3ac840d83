//! C function pointers of the parent's callbacks, as the library calls them: a stub is made for a signature when it is
//! first called, and sends the arguments to the parent.
#![expect(unsafe_code, reason = "is called by C")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::fork;
use super::memory::HostMemory;
use super::served::here;
use crate::abi::signature::Signature;
use crate::callback::closure::{Closure, Handler, Incoming};
use crate::errno::{self, Errno};
use crate::isolate::callback_result::CallbackResult;
use crate::isolate::channel::{End, Head};
use crate::isolate::signature_code::{self, arguments_at};
use crate::isolate::stubs::{Entry, PER_PAGE, UNIT, entry_at, map_page};
use crate::isolate::wire::{ASKS_SIGNATURE, ASKS_THREAD, CHANNELS, FIRST_FOREIGN, FOREIGN, Kind};
use crate::memory::arg_buffer::bytes;

static MEMORY: std::sync::OnceLock<&'static HostMemory> = std::sync::OnceLock::new();

/// Where the stubs are, for the code that makes them.
pub fn begin(memory: &'static HostMemory) {
    let _ = MEMORY.set(memory);
    map_stubs(memory);
}

/// Ends a child of `fork` that has returned from the library, or calls back: no process waits for its messages.
pub fn end_if_forked() {
    if fork::is_forked() {
        // SAFETY: the function has no preconditions.
        unsafe { libc::_exit(0) };
    }
}

/// Maps the pages of function pointers that the parent has come to use.
pub fn map_stubs(memory: &HostMemory) {
    let wanted = memory.wanted_stub_pages();
    if memory.stub_pages.load(Ordering::Acquire) < wanted {
        map_pages(memory.settings().stubs as usize, &memory.stub_pages, wanted);
    }
}

/// Maps more pages of stubs.
fn map_pages(base: usize, mapped: &AtomicU32, wanted: u32) {
    static MAPPING: Mutex<()> = Mutex::new(());
    let _mapping = MAPPING.lock().unwrap_or_else(PoisonError::into_inner);
    let first = mapped.load(Ordering::Acquire);
    for page in first..wanted.min(crate::isolate::stubs::MOST_PAGES as u32) {
        // SAFETY: the region is reserved for this, and this page is not mapped yet.
        if !unsafe { map_page(base + page as usize * UNIT) } {
            return;
        }
        for stub in 0..PER_PAGE {
            let number = page as usize * PER_PAGE + stub;
            // SAFETY: the page was just mapped, and stays.
            let entry = unsafe { entry_at(base, number) };
            entry.spare.store(number as u64, Ordering::Relaxed);
            entry.code.store((bind_first as *const ()).expose_provenance() as u64, Ordering::Release);
        }
        mapped.store(page + 1, Ordering::Release);
    }
}

/// The target of a stub at its first call: r10 is the stub's entry. Preserves every register that may hold an argument,
/// has the code of the callback generated, and jumps there.
#[unsafe(naked)]
unsafe extern "sysv64" fn bind_first() {
    core::arch::naked_asm!(
        "push rbp",
        "mov rbp, rsp",
        "sub rsp, 192",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "mov [rsp + 48], rax",
        "movups [rsp + 64], xmm0",
        "movups [rsp + 80], xmm1",
        "movups [rsp + 96], xmm2",
        "movups [rsp + 112], xmm3",
        "movups [rsp + 128], xmm4",
        "movups [rsp + 144], xmm5",
        "movups [rsp + 160], xmm6",
        "movups [rsp + 176], xmm7",
        "mov rdi, r10",
        "call {bind}",
        "mov r11, rax",
        "mov rdi, [rsp]",
        "mov rsi, [rsp + 8]",
        "mov rdx, [rsp + 16]",
        "mov rcx, [rsp + 24]",
        "mov r8, [rsp + 32]",
        "mov r9, [rsp + 40]",
        "mov rax, [rsp + 48]",
        "movups xmm0, [rsp + 64]",
        "movups xmm1, [rsp + 80]",
        "movups xmm2, [rsp + 96]",
        "movups xmm3, [rsp + 112]",
        "movups xmm4, [rsp + 128]",
        "movups xmm5, [rsp + 144]",
        "movups xmm6, [rsp + 160]",
        "movups xmm7, [rsp + 176]",
        "leave",
        "jmp r11",
        bind = sym bind,
    )
}

/// Makes the code of a stub, and keeps errno. Two threads may do so at once: then both codes work, and one is lost.
extern "sysv64" fn bind(entry: &'static Entry) -> u64 {
    errno::kept(|| make_code(entry))
}

fn make_code(entry: &'static Entry) -> u64 {
    let number = entry.spare.load(Ordering::Relaxed);
    let signature = signature_of(number);
    let Some(signature) = signature else { fail("a function pointer that is no callback was called") };
    let handler = Box::new(Callback { number, signature: Arc::clone(&signature) });
    let Ok(closure) = Closure::new(signature, handler) else { fail("no memory for a callback") };
    let code = closure.code().get() as u64;
    entry.code.store(code, Ordering::Release);
    code
}

/// Ends the process, which cannot go on.
pub fn fail(what: &str) -> ! {
    eprintln!("pinned-ffi: {what}");
    std::process::abort();
}

fn signature_of(number: u64) -> Option<Arc<Signature>> {
    let head = Head::new(Kind::Callback, [number, ASKS_SIGNATURE, 0]);
    let answer = ask_parent(head, &[])?;
    signature_code::decode(&answer.bytes).map(Arc::new)
}

/// Answers the library's calls of one callback.
struct Callback {
    number: u64,
    signature: Arc<Signature>,
}

impl Handler for Callback {
    fn call(&self, incoming: &Incoming<'_>) {
        let block = incoming.block();
        let arguments = &bytes(&block)[arguments_at(&self.signature)..self.signature.layout.size];
        let errno = Errno::here();
        let before = errno.get();
        let head = Head { status: before as u32, ..Head::new(Kind::Callback, [self.number, 0, 0]) };
        let result = ask_parent(head, &[arguments]);
        if let Some(CallbackResult { bytes, .. }) = &result
            && bytes.len() == self.signature.result_size()
        {
            incoming.put_result_bytes(bytes);
        }
        errno.set(result.map_or(before, |result| result.errno));
    }
}

/// Sends a message to the parent and waits for the answer; calls that the parent makes meanwhile are served. A thread
/// that serves no channel takes one of those that there are for such threads.
fn ask_parent(head: Head, parts: &[&[u8]]) -> Option<CallbackResult> {
    end_if_forked();
    if let Some(served) = here() {
        served.end().post(head, parts);
        return Some(served.until_result());
    }
    let end = take_channel()?;
    end.post(head, parts);
    let mut payload = Vec::new();
    let answer = end.receive(&mut payload, None, || false);
    let mut channels = CHANNELS_OF_THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    channels.free.push(end);
    drop(channels);
    FREED.notify_one();
    answer.ok().map(|head| CallbackResult::received(&head, payload))
}

/// Channels of threads that serve none.
struct Channels {
    free: Vec<End<'static>>,
    made: usize,
    /// The channel on which others are asked for.
    asking: Option<End<'static>>,
}

static CHANNELS_OF_THREADS: Mutex<Channels> = Mutex::new(Channels { free: Vec::new(), made: 0, asking: None });
static FREED: Condvar = Condvar::new();

/// A channel that no other thread uses. Where all are in use, waits for one.
fn take_channel() -> Option<End<'static>> {
    let memory = MEMORY.get()?;
    let end_of = |number: usize| {
        let channel = memory.channel(number);
        End::new(&channel.up, &channel.down, false)
    };
    let mut channels = CHANNELS_OF_THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(end) = channels.free.pop() {
            return Some(end);
        }
        let number = FIRST_FOREIGN + channels.made;
        if number >= CHANNELS {
            channels = FREED.wait(channels).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let asking = channels.asking.get_or_insert_with(|| end_of(FOREIGN));
        asking.post(Head::new(Kind::Callback, [number as u64, ASKS_THREAD, 0]), &[]);
        asking.receive(&mut Vec::new(), None, || false).ok()?;
        channels.made += 1;
        return Some(end_of(number));
    }
}
