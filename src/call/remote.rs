//! Functions that run in another process: what a call needs of them. `isolate` has the processes.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use super::invoke::ResultBlock;
use super::pointer_shapes::PointerShapes;
use crate::abi::signature::Signature;
use crate::error::Result;
use crate::memory::address::{Address, Span};
use crate::memory::arg_buffer::ArgBlock;
use crate::memory::block_source::BlockSource;
use crate::memory::fence::block::Fenced;
use crate::memory::fence::heap;
use crate::memory::fence::shadow::Flow;
use crate::memory::string_arena::StringArena;

thread_local! {
    static KEEPS_THREAD: Cell<bool> = const { Cell::new(false) };
}

/// Makes one thread of the other process run the calls of this thread from now on.
pub fn keep_thread() {
    KEEPS_THREAD.set(true);
}

/// Whether they are.
pub fn keeps_thread() -> bool {
    KEEPS_THREAD.get()
}

/// The result of a call in another process.
pub struct RemoteResult {
    /// The result.
    pub block: ResultBlock,
    /// errno, if the declaration captures it.
    pub errno: i32,
    /// The text that the result is the address of, where the result is text and not too long.
    pub text: Option<Vec<u8>>,
}

/// A function in another process; any thread may call it.
pub trait RemoteCall: Send + Sync {
    /// Calls it with a block of arguments. A function is always called with one signature.
    ///
    /// # Errors
    /// The end of the process, a timeout, and what is wrong with the arguments.
    fn call(&self, signature: &Arc<Signature>, block: &ArgBlock, captures_errno: bool) -> Result<Box<RemoteResult>>;

    /// Whether an address was that of memory of a process which has ended.
    fn is_stale(&self, address: usize) -> bool;

    /// Whether an address is of memory that this process has and the other one does not.
    fn is_private(&self, address: usize) -> bool;

    /// The other process's address of a callback whose code has this address here.
    fn pointer_there(&self, address: usize) -> Option<usize>;

    /// The text at an address there, up to its NUL.
    fn text(&self, address: usize) -> Option<Vec<u8>>;
}

/// A library in another process.
pub trait RemoteImage {
    /// The address of a symbol there.
    ///
    /// # Errors
    /// The end of the process.
    fn find(&self, symbol: &str) -> Result<Option<u64>>;

    /// The function at an address there. `timeout` is the time that a call may take, in milliseconds.
    fn function(&self, address: u64, timeout: Option<u64>) -> Arc<dyn RemoteCall>;

    /// Closes it there.
    fn close(&self);
}

/// Memory that the other process shares; used on the JavaScript thread.
pub struct RemoteMemory {
    /// The memory for copies.
    pub source: Arc<dyn BlockSource>,
    /// The texts of the calls under way.
    pub strings: StringArena,
    /// The address for pointers to empty views.
    pub empty: Fenced,
}

impl RemoteMemory {
    /// `None` where the source has no memory left.
    pub fn new(source: Arc<dyn BlockSource>) -> Option<Rc<Self>> {
        let strings = StringArena::from_source(Arc::clone(&source))?;
        let empty = heap::allocate_from(&source, 0, 16)?;
        Some(Rc::new(Self { source, strings, empty }))
    }

    /// Whether the other process has these bytes at the same address.
    pub fn holds(&self, span: Span) -> bool {
        let last = Address::new(span.start.get() + span.length.saturating_sub(1));
        self.source.contains(span.start) && last.is_some_and(|last| self.source.contains(last))
    }
}

impl Drop for RemoteMemory {
    fn drop(&mut self) {
        heap::forget(self.empty);
    }
}

/// A function in another process, as it is bound.
pub struct Remote {
    pub function: Arc<dyn RemoteCall>,
    pub memory: Rc<RemoteMemory>,
    pub arguments: RemoteArguments,
}

/// The declared shapes of the arguments of a function in another process.
#[derive(Debug, Default)]
pub struct RemoteArguments {
    /// By argument: which way the bytes of its memory go, where that is declared.
    pub flows: Vec<Option<Flow>>,
    pub shapes: PointerShapes,
}

impl RemoteArguments {
    /// Reads the numbers of lib/call/pointer-shapes.js; `None` where they make no sense. A flow is 0 where none is
    /// declared, then 1 to 3.
    pub fn decode(flows: &[u32], types: &[u32], arguments: &[u32]) -> Option<Self> {
        let flow = |number: &u32| match number {
            0 => Some(None),
            1 => Some(Some(Flow::In)),
            2 => Some(Some(Flow::Out)),
            3 => Some(Some(Flow::Both)),
            _ => None,
        };
        let flows = flows.iter().map(flow).collect::<Option<_>>()?;
        Some(Self { flows, shapes: PointerShapes::decode(types, arguments)? })
    }

    /// Which way the bytes of an argument's memory go, where that is declared.
    pub fn flow(&self, argument: usize) -> Option<Flow> {
        self.flows.get(argument).copied().flatten()
    }
}
