//! The sandbox: takes rights from this process, for a library that is not trusted.
//!
//! Limits, privileges, files, network, system calls, in this order: each step needs what the later ones take away. Each
//! works without root. What a kernel does not have is left out and reported ([`Applied`]), unless it is required.
//!
//! Call [`apply`] before the library is loaded, with the loader's files among `read` ([`loader_paths`]), so that its
//! constructors are inside; or after it was loaded, so that they can read anything. It may be applied twice: each time
//! takes more away.

mod every_thread;
mod filter;
mod landlock;
mod limits;
mod seccomp;
mod text;

use std::ffi::CString;

use landlock::Ruleset;

/// The rights of a library.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// Files and folders that may be read, with all that is in them.
    pub read: Vec<CString>,
    /// Files and folders that may be read, written, made and removed.
    pub write: Vec<CString>,
    /// Whether sockets may be used.
    pub net: bool,
    /// Whether processes may be started, from programs in `read` and `write`.
    pub exec: bool,
    /// Bytes of private memory, and of the heap.
    pub memory: Option<u64>,
    /// Seconds of processor time. Then SIGXCPU ends the process.
    pub cpu: Option<u64>,
    /// The parts that must be applied.
    pub require: Vec<Part>,
}

/// A part of the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// No capabilities, and no new privileges by programs that are executed.
    Privileges,
    /// Only the files of `read` and `write` (Landlock).
    Files,
    /// No sockets.
    Network,
    /// No processes.
    Exec,
    /// No system calls that reach into other processes or change the system (seccomp).
    Syscalls,
    /// No signals to other processes.
    Signals,
    /// The limit of memory.
    Memory,
    /// The limit of processor time.
    Cpu,
}

/// Whether a part is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Applied,
    /// The sandbox does not ask for it.
    Unrestricted,
    /// The kernel refuses: an errno.
    Refused(i32),
}

/// The parts that were applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Each part once.
    pub parts: Vec<(Part, State)>,
    /// The version of Landlock that the kernel has; 0 without it.
    pub landlock: i32,
}

/// Why nothing, or not enough, was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A path of `read` or `write` cannot be opened: nothing was applied.
    Path {
        /// The path.
        path: CString,
        /// Why.
        errno: i32,
    },
    /// A required part is not applied. Others are: the process has to end.
    Required {
        /// The part.
        part: Part,
        /// Why.
        errno: i32,
    },
}

impl Applied {
    /// The state of a part.
    pub fn state(&self, part: Part) -> State {
        let found = self.parts.iter().find(|(other, _)| *other == part);
        found.map_or(State::Unrestricted, |(_, state)| *state)
    }
}

/// Applies a sandbox to all threads of this process, for good. Children inherit it.
///
/// # Errors
/// [`Refusal`].
pub fn apply(sandbox: &Sandbox) -> Result<Applied, Refusal> {
    let landlock = landlock::version();
    // Opened first: a wrong path is the user's mistake, and nothing has happened yet.
    let ruleset = Ruleset::new(sandbox, landlock);
    if let Err(landlock::Error::Path { path, errno }) = ruleset {
        return Err(Refusal::Path { path, errno });
    }

    let memory = sandbox.memory.map_or(State::Unrestricted, |bytes| state_of(limits::limit_memory(bytes)));
    let cpu = sandbox.cpu.map_or(State::Unrestricted, |seconds| state_of(limits::limit_cpu(seconds)));

    let descriptor = ruleset.as_ref().ok().map(Ruleset::fd);
    let each = every_thread::restrict(descriptor);
    let privileges = state_of(each.privileges);
    let files = match (&ruleset, each.landlock) {
        (Err(landlock::Error::Kernel(errno)), _) => State::Refused(*errno),
        (_, result) => state_of(result),
    };
    let has_scope = files == State::Applied && landlock >= landlock::WITH_SCOPES;

    let syscalls = state_of(seccomp::install(&filter::of(sandbox, has_scope)));
    let unless = |is_allowed: bool| if is_allowed { State::Unrestricted } else { syscalls };
    let signals = if has_scope { State::Applied } else { syscalls };

    let parts = vec![
        (Part::Privileges, privileges),
        (Part::Files, files),
        (Part::Network, unless(sandbox.net)),
        (Part::Exec, unless(sandbox.exec)),
        (Part::Syscalls, syscalls),
        (Part::Signals, signals),
        (Part::Memory, memory),
        (Part::Cpu, cpu),
    ];
    let applied = Applied { parts, landlock: landlock.max(0) };
    for part in &sandbox.require {
        if let State::Refused(errno) = applied.state(*part) {
            return Err(Refusal::Required { part: *part, errno });
        }
    }
    Ok(applied)
}

fn state_of(result: Result<(), i32>) -> State {
    match result {
        Ok(()) => State::Applied,
        Err(errno) => State::Refused(errno),
    }
}

/// Files and folders that the dynamic loader and libc read while a library is loaded: those of them that exist.
pub fn loader_paths() -> Vec<CString> {
    const PATHS: [&std::ffi::CStr; 10] = [
        c"/lib",
        c"/lib64",
        c"/usr/lib",
        c"/usr/lib64",
        c"/usr/local/lib",
        c"/etc/ld.so.cache",
        c"/etc/ld.so.preload",
        c"/usr/share/locale",
        c"/etc/localtime",
        c"/dev/urandom",
    ];
    let exists = |path: &&std::ffi::CStr| path.to_str().is_ok_and(|path| std::path::Path::new(path).exists());
    PATHS.iter().copied().filter(exists).map(Into::into).collect()
}

#[cfg(test)]
mod tests;
