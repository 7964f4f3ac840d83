//! Every error of the native side: its code and class are those of the table in `lib/errors.js`.

use std::fmt;

/// The JavaScript class an error is thrown as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// `Error`
    Error,
    /// `TypeError`
    TypeError,
    /// `RangeError`
    RangeError,
}

/// The side of an argument or a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before the first byte.
    Before,
    /// Past the last byte.
    After,
}

/// A write of native code outside of the memory of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overflow {
    /// The index of the argument.
    pub argument: usize,
    /// Before or past it.
    pub side: Side,
    /// The bytes of the argument.
    pub byte_length: usize,
    /// The first byte that was hit, from the argument's first byte.
    pub first_bad_offset: isize,
    /// From the end of the argument that was left to the last byte that was hit.
    pub bytes_past: usize,
    /// Whether the write stopped inside the fence.
    pub contained: bool,
}

/// The end of the process of an isolated library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Death {
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// The status it exited with.
    pub exit_code: Option<i32>,
    /// The address that the processor could not access.
    pub address: Option<u64>,
    /// The place: a symbol and an offset, or the offset in a file.
    pub place: Option<String>,
    /// The file that this place is in.
    pub object: Option<String>,
    /// The calls that were under way, innermost first.
    pub frames: Vec<String>,
    /// The last bytes of its stderr.
    pub stderr: String,
    /// Its number.
    pub pid: i32,
    /// The number of processes of the library so far, this one included.
    pub generation: u32,
    /// Whether it was ended because a thread of it had ended alone.
    pub is_thread_lost: bool,
    /// The bytes of arguments that it has overwritten, where that was found afterwards.
    pub overflow: Option<Overflow>,
}

/// What helps instead where a library has an arena of its own.
const SHARED_APART: &str = "with share: 'own', use memory that the library has allocated";

/// The way in which memory reaches a function that does not share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Private {
    /// As a number.
    Address,
    /// By a pointer that an argument holds.
    Pointee,
    /// As a view that is passed to an asynchronous call.
    Late,
}

/// The errors of the native side. `Display` is the message for the user.
#[derive(Debug)]
pub enum FfiError {
    /// A symbol of a library that has been closed was called.
    LibraryClosed { symbol: String, library: String },
    /// A call was passed to a thread that has been closed.
    ThreadClosed { symbol: String },
    /// `close()` was called while native code of the library is on the stack.
    LibraryBusy { library: String },
    /// The dynamic loader refused the library; the text is the loader's.
    LibraryInvalid { reason: String },
    /// A view whose storage has been detached was passed.
    Detached { symbol: String, argument: usize },
    /// A view whose storage can be resized was passed.
    Resizable { symbol: String, argument: usize },
    /// A value that is no view, buffer or string came where one was promised by the JS side.
    NotAView { symbol: String, argument: usize },
    /// A string with a NUL in it was passed; JavaScript throws a different error instead, which shows the string.
    HasNul { symbol: String, argument: usize },
    /// A declaration that cannot be dispatched.
    Declaration { reason: String },
    /// A length or an address that cannot exist.
    OutOfRange { reason: String },
    /// An address that cannot be read.
    InvalidPointer { symbol: String, address: usize },
    /// Memory could not be allocated.
    MemoryExhausted { wanted: usize },
    /// The system refuses memory with code that is made at run time.
    NoExecutableMemory,
    /// The engine does not allow external buffers (Electron).
    ExternalRefused,
    /// C called a callback on the stack of a coroutine.
    OtherStack { symbol: String, callback: String },
    /// A leaf function has called a callback.
    LeafCalledBack { symbol: String, callback: String },
    /// Native code wrote outside of an argument.
    Overflow { symbol: String, overflow: Overflow },
    /// The process of an isolated library has ended.
    LibraryDied { symbol: String, death: Box<Death> },
    /// An isolated call took longer than its timeout.
    TimedOut { symbol: String, milliseconds: u64, death: Box<Death> },
    /// The process of an isolated library has sent what makes no sense, and was ended.
    IsolateProtocol { symbol: String, reason: String, death: Box<Death> },
    /// A library cannot be isolated here.
    IsolateUnavailable { reason: String },
    /// A restart was refused, because there were too many.
    LibraryUnstable { symbol: String, restarts: usize, seconds: u64 },
    /// Memory of this process was passed that the process of the library does not share.
    NotShared { symbol: String, argument: usize, private: Private },
    /// The same of the result of a callback that the library has called.
    ResultNotShared { symbol: String },
    /// A pointer of a process that has ended was passed.
    StalePointer { symbol: String, argument: usize, address: usize },
    /// A defect of this package.
    Internal { reason: String },
}

impl FfiError {
    /// The end of the process of an isolated library, if that is the error.
    pub fn death(&self) -> Option<(&str, &Death)> {
        match self {
            Self::LibraryDied { symbol, death }
            | Self::TimedOut { symbol, death, .. }
            | Self::IsolateProtocol { symbol, death, .. } => Some((symbol, death)),
            _ => None,
        }
    }

    /// The same for the call of a function: messages name it.
    pub fn of_call(mut self, name: &str) -> Self {
        if let Self::LibraryDied { symbol, .. }
        | Self::TimedOut { symbol, .. }
        | Self::IsolateProtocol { symbol, .. }
        | Self::LibraryUnstable { symbol, .. }
        | Self::ResultNotShared { symbol } = &mut self
        {
            name.clone_into(symbol);
        }
        self
    }

    /// The value of `error.code`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::LibraryClosed { .. } => "ERR_FFI_LIBRARY_CLOSED",
            Self::ThreadClosed { .. } => "ERR_FFI_THREAD_CLOSED",
            Self::LibraryBusy { .. } => "ERR_FFI_LIBRARY_BUSY",
            Self::LibraryInvalid { .. } => "ERR_FFI_LIBRARY_INVALID",
            Self::Detached { .. } | Self::Resizable { .. } | Self::Declaration { .. } => "ERR_INVALID_ARG_VALUE",
            Self::NotAView { .. } => "ERR_INVALID_ARG_TYPE",
            Self::HasNul { .. } => "ERR_INVALID_ARG_VALUE",
            Self::OutOfRange { .. } => "ERR_OUT_OF_RANGE",
            Self::InvalidPointer { .. } => "ERR_FFI_INVALID_POINTER",
            Self::MemoryExhausted { .. } => "ERR_FFI_MEMORY_EXHAUSTED",
            Self::ExternalRefused => "ERR_FFI_EXTERNAL_REFUSED",
            Self::NoExecutableMemory => "ERR_FFI_NO_EXECUTABLE_MEMORY",
            Self::OtherStack { .. } => "ERR_FFI_CALLBACK_STACK",
            Self::LeafCalledBack { .. } => "ERR_FFI_LEAF_CALLED_BACK",
            Self::Overflow { overflow, .. } => match overflow.side {
                Side::After => "ERR_FFI_BUFFER_OVERFLOW",
                Side::Before => "ERR_FFI_BUFFER_UNDERFLOW",
            },
            Self::LibraryDied { .. } => "ERR_FFI_LIBRARY_DIED",
            Self::TimedOut { .. } => "ERR_FFI_TIMEOUT",
            Self::IsolateProtocol { .. } => "ERR_FFI_ISOLATE_PROTOCOL",
            Self::IsolateUnavailable { .. } => "ERR_FFI_ISOLATE_UNAVAILABLE",
            Self::LibraryUnstable { .. } => "ERR_FFI_LIBRARY_UNSTABLE",
            Self::NotShared { .. } | Self::ResultNotShared { .. } => "ERR_FFI_NOT_SHARED",
            Self::StalePointer { .. } => "ERR_FFI_STALE_POINTER",
            Self::Internal { .. } => "ERR_FFI_INTERNAL",
        }
    }

    /// The class of the JavaScript error.
    pub fn class(&self) -> Class {
        match self {
            Self::Detached { .. }
            | Self::Resizable { .. }
            | Self::Declaration { .. }
            | Self::NotAView { .. }
            | Self::HasNul { .. }
            | Self::NotShared { .. }
            | Self::ResultNotShared { .. } => Class::TypeError,
            Self::OutOfRange { .. }
            | Self::MemoryExhausted { .. }
            | Self::InvalidPointer { .. }
            | Self::StalePointer { .. }
            | Self::Overflow { .. } => Class::RangeError,
            _ => Class::Error,
        }
    }
}

impl fmt::Display for FfiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LibraryClosed { symbol, library } => write!(f, "{symbol}: the library {library} is closed"),
            Self::ThreadClosed { symbol } => write!(f, "{symbol}: the thread is closed"),
            Self::LibraryBusy { library } => {
                write!(
                    f,
                    "close: {library} cannot be closed from a callback that it is running; close it after the call returns"
                )
            }
            Self::LibraryInvalid { reason } | Self::Declaration { reason } | Self::OutOfRange { reason } => {
                f.write_str(reason)
            }
            Self::Detached { symbol, argument } => {
                write!(f, "{symbol}: argument {argument} must not be detached, received a view of a detached buffer")
            }
            Self::Resizable { symbol, argument } => write!(
                f,
                "{symbol}: argument {argument} must be of a fixed size: storage that can be resized cannot be pinned"
            ),
            Self::NotAView { symbol, argument } => write!(f, "{symbol}: argument {argument} must be a view or buffer"),
            Self::HasNul { symbol, argument } => {
                write!(f, "{symbol}: argument {argument} must be a string without NUL characters")
            }
            Self::InvalidPointer { symbol, address } => {
                write!(f, "{symbol}: the address {address:#x} cannot be read: it is not mapped")
            }
            Self::MemoryExhausted { wanted } => write!(f, "out of memory: {wanted} bytes could not be allocated"),
            Self::OtherStack { symbol, callback } => write!(
                f,
                "{symbol}: {callback} was called on a stack that is not the thread's (of a coroutine or fiber), where \
                 JavaScript cannot run; C got zero. Have C call it outside of the coroutine, or on a thread"
            ),
            Self::LeafCalledBack { symbol, callback } => write!(
                f,
                "{symbol}: the function is declared `leaf: true`, but it called {callback}, which did not run; C got zero. \
                 Declare {symbol} without `leaf`"
            ),
            Self::NoExecutableMemory => f.write_str(
                "a C function pointer needs executable memory, which the system refuses this process (seccomp, SELinux \
                 execmem, systemd MemoryDenyWriteExecute); calls without callbacks work",
            ),
            Self::ExternalRefused => f.write_str(
                "this runtime does not allow a JavaScript buffer over native memory; copy with read.bytes instead",
            ),
            Self::Overflow { symbol, overflow } => {
                let Overflow { argument, side, byte_length, first_bad_offset, bytes_past, contained } = overflow;
                let place = match side {
                    Side::After => "past the end",
                    Side::Before => "before the start",
                };
                let bytes = |count: usize| format!("{count} byte{}", if count == 1 { "" } else { "s" });
                let outcome = match contained {
                    true => "nothing else was hit and the fence is repaired",
                    false => "it reached the end of the fence, which is repaired, and may have gone on beyond it",
                };
                write!(
                    f,
                    "{symbol}: native code wrote {} {place} of argument {argument}, which has {} (first bad offset \
                     {first_bad_offset}); {outcome}",
                    bytes(*bytes_past),
                    bytes(*byte_length),
                )
            }
            Self::LibraryDied { symbol, death } => write!(f, "{symbol}: the process of the library {death}"),
            Self::TimedOut { symbol, milliseconds, .. } => {
                write!(
                    f,
                    "{symbol}: took longer than its timeout of {milliseconds} ms; the process of the library was ended"
                )
            }
            Self::IsolateProtocol { symbol, reason, .. } => {
                write!(f, "{symbol}: the process of the library was ended, because it sent {reason}")
            }
            Self::IsolateUnavailable { reason } => write!(f, "a library cannot be isolated here: {reason}"),
            Self::LibraryUnstable { symbol, restarts, seconds } => write!(
                f,
                "{symbol}: the library is not started again: its process ended {restarts} times within {seconds} s; call \
                 restart() to try all the same"
            ),
            Self::NotShared { symbol, argument, private } => write!(
                f,
                "{symbol}: argument {argument} must be memory that the process of the library shares, and {private}; make \
                 the Buffer by alloc(), or set PINNED_FFI_ARENA=1 ({SHARED_APART})"
            ),
            Self::ResultNotShared { symbol } => write!(
                f,
                "{symbol}: a callback must return pointers to memory that the process of the library shares, and has \
                 returned one to other memory; return memory of alloc(), or set PINNED_FFI_ARENA=1 ({SHARED_APART})"
            ),
            Self::StalePointer { symbol, argument, address } => write!(
                f,
                "{symbol}: argument {argument} is {address:#x}, a pointer of a process of the library that has ended"
            ),
            Self::Internal { reason } => write!(f, "internal error of pinned-ffi: {reason}"),
        }
    }
}

impl fmt::Display for Private {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "is an address of memory that it does not",
            Self::Pointee => "has a pointer to memory that it does not",
            Self::Late => {
                "is a view of other memory, which an asynchronous call cannot share; declare its flow ('in', 'out' or \
                 'inout') to have it copied"
            }
        })
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_thread_lost {
            let cause = "by the system call exit, or because the process executes another program";
            return write!(f, "was ended, because the thread that makes its calls has ended alone ({cause})");
        }
        match (self.signal, self.exit_code) {
            (Some(signal), _) => write!(f, "died of {}", signal_name(signal))?,
            (None, Some(code)) => write!(f, "exited with status {code}")?,
            (None, None) => f.write_str("has ended")?,
        }
        if let Some(place) = &self.place {
            write!(f, " in {place}")?;
        }
        match self.address {
            Some(address) => write!(f, " (address {address:#x})"),
            None => Ok(()),
        }
    }
}

/// The name of a signal.
pub fn signal_name(signal: i32) -> String {
    #[cfg(unix)]
    for (number, name) in [
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGUSR1, "SIGUSR1"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGUSR2, "SIGUSR2"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGALRM, "SIGALRM"),
        (libc::SIGTERM, "SIGTERM"),
        (libc::SIGXCPU, "SIGXCPU"),
        (libc::SIGXFSZ, "SIGXFSZ"),
        (libc::SIGSYS, "SIGSYS"),
    ] {
        if number == signal {
            return name.into();
        }
    }
    format!("signal {signal}")
}

impl std::error::Error for FfiError {}

/// A result of the native side.
pub type Result<T> = std::result::Result<T, FfiError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_names_the_function_and_the_argument() {
        let error = FfiError::Detached { symbol: "fill".into(), argument: 2 };
        assert!(error.to_string().starts_with("fill: argument 2 "));
        assert_eq!((error.code(), error.class()), ("ERR_INVALID_ARG_VALUE", Class::TypeError));
    }
}
