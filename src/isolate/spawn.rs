//! Starts a host: the addon itself, as a program of the dynamic loader that Node's own executable names. So there is no
//! second file to install, and the addon needs no execute permission.
#![expect(unsafe_code, reason = "starts a process")]

use std::ffi::{CStr, CString, OsStr};
use std::io::{Error, Result};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::OnceLock;

use super::wire::{ARENA_FD, CONTROL_FD, FIRST_OTHER_FD, LIFE_FD};

/// The settings with which a host process is started.
#[derive(Debug, Default)]
pub struct Start {
    /// `NAME=value` of its environment.
    pub environment: Vec<CString>,
    /// The folder it runs in; that of this process where there is none.
    pub folder: Option<CString>,
    /// Words in front of the command, such as those of valgrind.
    pub command: Vec<CString>,
}

/// A process that was started.
#[derive(Debug)]
pub struct Started {
    pub pid: i32,
    /// Readable once the process has ended.
    pub pidfd: OwnedFd,
    /// While this is open the host knows that its parent lives.
    pub life: OwnedFd,
    /// The read end of its stderr. Does not block.
    pub stderr: OwnedFd,
}

/// The file that this code was loaded from.
pub fn own_file() -> Option<&'static CStr> {
    static FILE: OnceLock<Option<CString>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: the address is this function's own; dladdr fills the structure where it returns non-zero.
        unsafe {
            if libc::dladdr((own_file as fn() -> Option<&'static CStr> as *const ()).cast(), found.as_mut_ptr()) == 0 {
                return None;
            }
            Some(CStr::from_ptr(found.assume_init().dli_fname).to_owned())
        }
    });
    file.as_deref()
}

/// The dynamic loader that the executable of this process names (`PT_INTERP`), in memory: there may be no `/proc`.
fn loader() -> Result<CString> {
    unsafe extern "C" fn visit(object: *mut libc::dl_phdr_info, _: usize, found: *mut libc::c_void) -> libc::c_int {
        // SAFETY: the loader has filled the structure, whose headers and segments stay mapped; `found` is the caller's.
        unsafe {
            let object = &*object;
            let mut headers = (0..usize::from(object.dlpi_phnum)).map(|number| *object.dlpi_phdr.add(number));
            if let Some(header) = headers.find(|header| header.p_type == libc::PT_INTERP) {
                let path = std::ptr::with_exposed_provenance((object.dlpi_addr + header.p_vaddr) as usize);
                *found.cast::<Option<CString>>() = Some(CStr::from_ptr(path).to_owned());
            }
        }
        // The executable comes first, and the others name none.
        1
    }
    let mut found: Option<CString> = None;
    // SAFETY: the function is of the type that is called, and `found` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut found).cast()) };
    found.ok_or_else(|| Error::other("the executable of this process is linked statically"))
}

fn pipe() -> Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the out-parameter is a local, and the descriptors are new.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(Error::last_os_error());
        }
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}

/// A descriptor above those that the child's are moved to: each move must not overwrite the next one's source.
fn moved_up(fd: RawFd) -> Result<OwnedFd> {
    // SAFETY: the descriptor is new.
    unsafe {
        match libc::fcntl(fd, libc::F_DUPFD_CLOEXEC, 20) {
            -1 => Err(Error::last_os_error()),
            moved => Ok(OwnedFd::from_raw_fd(moved)),
        }
    }
}

fn check(code: i32) -> Result<()> {
    if code == 0 { Ok(()) } else { Err(Error::from_raw_os_error(code)) }
}

/// The file actions and the attributes of posix_spawn.
struct Plan {
    actions: libc::posix_spawn_file_actions_t,
    attributes: libc::posix_spawnattr_t,
}

impl Plan {
    fn new() -> Result<Box<Self>> {
        // SAFETY: both are initialised before they are used; all zeroes are valid bytes of both.
        unsafe {
            let mut plan: Box<Self> = Box::new(std::mem::zeroed());
            check(libc::posix_spawn_file_actions_init(&mut plan.actions))?;
            check(libc::posix_spawnattr_init(&mut plan.attributes))?;
            Ok(plan)
        }
    }

    fn place(&mut self, from: RawFd, to: RawFd) -> Result<()> {
        // SAFETY: `new` has initialised the actions.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut self.actions, from, to) })
    }

    /// Gives the process an input that has ended: that of `/dev/null`, or without that a pipe without a writer.
    fn close_input(&mut self, streams: &mut Vec<OwnedFd>) -> Result<()> {
        let null = c"/dev/null";
        if Path::new("/dev/null").exists() {
            // SAFETY: `new` has initialised the actions; the path outlives the call, which copies it.
            return check(unsafe {
                libc::posix_spawn_file_actions_addopen(&mut self.actions, 0, null.as_ptr(), libc::O_RDONLY, 0)
            });
        }
        let input = moved_up(pipe()?.0.as_raw_fd())?;
        self.place(input.as_raw_fd(), libc::STDIN_FILENO)?;
        streams.push(input);
        Ok(())
    }

    /// Signals as a new program has them, and a process group that Ctrl-C does not reach.
    fn reset_signals(&mut self) -> Result<()> {
        // SAFETY: `new` has initialised the attributes; the sets are locals.
        unsafe {
            let mut set = std::mem::zeroed();
            libc::sigemptyset(&mut set);
            check(libc::posix_spawnattr_setsigmask(&mut self.attributes, &set))?;
            libc::sigfillset(&mut set);
            check(libc::posix_spawnattr_setsigdefault(&mut self.attributes, &set))?;
            check(libc::posix_spawnattr_setpgroup(&mut self.attributes, 0))?;
            let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETPGROUP;
            check(libc::posix_spawnattr_setflags(&mut self.attributes, flags as libc::c_short))
        }
    }

    /// Everything of Node's is closed on exec already; what other addons have opened is closed here, where the C
    /// library can (glibc 2.34).
    fn close_others(&mut self) {
        type CloseFrom = unsafe extern "C" fn(*mut libc::posix_spawn_file_actions_t, i32) -> i32;
        // SAFETY: the symbol is the C library's, of this type.
        unsafe {
            let found = libc::dlsym(libc::RTLD_DEFAULT, c"posix_spawn_file_actions_addclosefrom_np".as_ptr());
            if !found.is_null() {
                let close_from = std::mem::transmute::<*mut libc::c_void, CloseFrom>(found);
                close_from(&mut self.actions, FIRST_OTHER_FD);
            }
        }
    }
}

impl Drop for Plan {
    fn drop(&mut self) {
        // SAFETY: `new` has initialised both.
        unsafe {
            libc::posix_spawn_file_actions_destroy(&mut self.actions);
            libc::posix_spawnattr_destroy(&mut self.attributes);
        }
    }
}

/// Has programs that this thread starts get random addresses, where a debugger or `setarch -R` has turned that off:
/// they would get those of this process. Returns the former setting where it has changed.
fn randomize_addresses() -> Option<libc::c_ulong> {
    // SAFETY: the setting is of this thread; the first call only asks for it.
    unsafe {
        let personality = libc::personality(0xffff_ffff);
        let fixed = libc::ADDR_NO_RANDOMIZE;
        if personality == -1 || personality & fixed == 0 {
            return None;
        }
        libc::personality((personality & !fixed) as libc::c_ulong);
        Some(personality as libc::c_ulong)
    }
}

/// Starts a host. `control` and `arena` are memory files.
///
/// # Errors
/// Where the file of the addon is not known, or the system starts no process.
pub fn start(start: &Start, control: RawFd, arena: RawFd) -> Result<Started> {
    let file = own_file().ok_or_else(|| Error::other("the file of the addon is not known"))?;
    let loader = loader()?;
    let (life_out, life_in) = pipe()?;
    let (stderr_out, stderr_in) = pipe()?;
    let mut plan = Plan::new()?;
    let mut streams = Vec::new();
    plan.close_input(&mut streams)?;
    // SAFETY: `Plan::new` has initialised the actions; the path outlives the call, which copies it.
    unsafe {
        if let Some(folder) = &start.folder {
            let added = libc::posix_spawn_file_actions_addchdir_np(&mut plan.actions, folder.as_ptr());
            check(added)?;
        }
    }
    let sources = [arena, life_out.as_raw_fd(), control, stderr_in.as_raw_fd()].map(moved_up);
    // Node has its own streams closed on exec. A process may have no stdout.
    if let Ok(stdout) = moved_up(libc::STDOUT_FILENO) {
        plan.place(stdout.as_raw_fd(), libc::STDOUT_FILENO)?;
        streams.push(stdout);
    }
    for (source, target) in sources.iter().zip([ARENA_FD, LIFE_FD, CONTROL_FD, libc::STDERR_FILENO]) {
        match source {
            Ok(source) => plan.place(source.as_raw_fd(), target)?,
            Err(error) => return Err(Error::from_raw_os_error(error.raw_os_error().unwrap_or(libc::EMFILE))),
        }
    }
    plan.close_others();
    plan.reset_signals()?;
    let mut words: Vec<CString> = start.command.clone();
    words.extend([loader, file.to_owned()]);
    let pointers = |list: &[CString]| -> Vec<*mut libc::c_char> {
        list.iter().map(|text| text.as_ptr().cast_mut()).chain([null_mut()]).collect()
    };
    let (arguments, environment) = (pointers(&words), pointers(&start.environment));
    let mut pid = 0;
    let personality = randomize_addresses();
    // SAFETY: all of it outlives the call; the lists end in NULL.
    let spawned = unsafe {
        libc::posix_spawnp(
            &mut pid,
            words[0].as_ptr(),
            &plan.actions,
            &plan.attributes,
            arguments.as_ptr(),
            environment.as_ptr(),
        )
    };
    if let Some(personality) = personality {
        // SAFETY: the personality is the one that this thread had.
        unsafe { libc::personality(personality) };
    }
    check(spawned)?;
    // SAFETY: the process is a child of this one that was not waited for yet; the descriptor is new.
    let pidfd = unsafe {
        match libc::syscall(libc::SYS_pidfd_open, pid, 0) {
            -1 => {
                let error = Error::other(format!("pidfd_open is refused: {}", Error::last_os_error()));
                libc::kill(pid, libc::SIGKILL);
                libc::waitpid(pid, null_mut(), 0);
                return Err(error);
            }
            fd => OwnedFd::from_raw_fd(fd as i32),
        }
    };
    // SAFETY: the descriptors are open.
    unsafe {
        libc::fcntl(pidfd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC);
        libc::fcntl(stderr_out.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK);
    }
    Ok(Started { pid, pidfd, life: life_in, stderr: stderr_out })
}

/// The environment of this process for a host, without the variables of Node.
pub fn inherited_environment() -> Vec<CString> {
    let is_for_node = |name: &OsStr| name.as_bytes().starts_with(b"NODE_");
    let pair = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
    };
    std::env::vars_os().filter(|(name, _)| !is_for_node(name)).filter_map(pair).collect()
}
