//! Threads of this process that answer threads of a host which the library has started.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::callback_result::CallbackResult;
use super::channel::Head;
use super::control::{ControlMemory, Line};
use super::life::Life;
use super::wire::{ASKS_SIGNATURE, ASKS_THREAD, CHANNELS, FIRST_FOREIGN, FOREIGN, Kind};
use super::{signature_code, stubs};
use crate::abi::ctype::CType;

/// A listener hands the arguments of a callback to the JavaScript thread, and does nothing else.
const STACK: usize = 256 * 1024;

/// Answers a call of a callback; `None` if it is none.
pub type Answer = Box<dyn Fn(&Head, &[u8]) -> Option<CallbackResult> + Send + Sync>;

/// The state that all listeners of a host share.
struct Host {
    memory: Arc<ControlMemory>,
    life: Arc<Life>,
    answer: Answer,
    /// The number of channels that the host has requested.
    count: AtomicUsize,
}

/// Starts the first listener of a host, which starts others when the host asks. False where there is no thread for it.
pub fn start(memory: &Arc<ControlMemory>, life: &Arc<Life>, answer: Answer) -> bool {
    let host = Host { memory: Arc::clone(memory), life: Arc::clone(life), answer, count: AtomicUsize::new(0) };
    listen(Arc::new(host), FOREIGN)
}

fn listen(host: Arc<Host>, channel: usize) -> bool {
    let line = host.memory.line(channel, false);
    let run = move || host.run(&line);
    thread::Builder::new().name("pinned-ffi-calls".into()).stack_size(STACK).spawn(run).is_ok()
}

impl Host {
    fn run(self: &Arc<Self>, line: &Line) {
        let mut payload = Vec::new();
        while let Ok(head) = line.end.receive(&mut payload, None, || !self.life.is_alive()) {
            let answer = match Kind::of(head.kind) {
                Some(Kind::Callback) if head.words[1] == ASKS_THREAD => self.add(head.words[0]),
                Some(Kind::Callback) => (self.answer)(&head, &payload),
                _ => None,
            };
            let Some(answer) = answer else {
                return self.life.kill();
            };
            answer.post(&line.end);
        }
    }

    /// Starts a listener on the next channel that the host has requested.
    fn add(self: &Arc<Self>, channel: u64) -> Option<CallbackResult> {
        let next = FIRST_FOREIGN + self.count.fetch_add(1, Ordering::Relaxed);
        (channel == next as u64 && next < CHANNELS && listen(Arc::clone(self), next)).then(CallbackResult::default)
    }
}

/// The answer to a [`Kind::Callback`]: the callback's result, or its signature.
pub fn answer_of(head: &Head, arguments: &[u8]) -> Option<CallbackResult> {
    if head.words[1] == ASKS_SIGNATURE {
        let signature = stubs::signature_of(head.words[0])?;
        return Some(CallbackResult { bytes: signature_code::encode(&signature), ..CallbackResult::default() });
    }
    stubs::call(head.words[0], arguments, head.status as i32)
}

/// The pointer that a callback has returned; `None` where its result is none.
pub fn pointer_in(head: &Head, result: &[u8]) -> Option<usize> {
    let is_result = head.words[1] != ASKS_SIGNATURE;
    let signature = is_result.then(|| stubs::signature_of(head.words[0])).flatten()?;
    let is_pointer = signature.result.scalar().is_some_and(|ctype| ctype.takes_pin() || ctype == CType::Function);
    is_pointer.then(|| result.first_chunk().map(|word| usize::from_ne_bytes(*word))).flatten()
}
