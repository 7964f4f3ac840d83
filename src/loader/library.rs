//! A dynamic library: opens it, finds its symbols, and unloads it when no call is inside it.
#![expect(unsafe_code, reason = "opening a library runs its constructors")]

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::error::{FfiError, Result};
use crate::memory::address::Address;

#[cfg(unix)]
use libloading::os::unix::Library as Handle;
#[cfg(windows)]
use libloading::os::windows::Library as Handle;

/// A library that was opened by this environment. Used on the environment's thread only (M6).
#[derive(Debug)]
pub struct Library {
    name: String,
    #[cfg(windows)]
    is_process: bool,
    open: Cell<bool>,
    /// None for functions whose addresses the user has linked.
    handle: RefCell<Option<Handle>>,
    inside: Cell<usize>,
    /// Calls on other threads.
    jobs: Cell<usize>,
    /// Runs once, when the library is unloaded.
    unload_by: RefCell<Option<Unload>>,
}

/// A function that runs once, when a library is unloaded.
struct Unload(Box<dyn FnOnce()>);

impl std::fmt::Debug for Unload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unload")
    }
}

impl Library {
    /// Opens a library, or for `None` the process itself, where all that is loaded is searched. `flags` are those of
    /// dlopen (0: `RTLD_NOW`).
    ///
    /// # Errors
    /// `LibraryInvalid` with the message of the loader.
    ///
    /// # Safety
    /// U4: the constructors of the library may run in this process.
    pub unsafe fn open(path: Option<&str>, flags: i32) -> Result<Self> {
        // SAFETY: U4 by the contract of this function.
        let handle = unsafe { open_handle(path, flags) }.map_err(|error| {
            let text = std::error::Error::source(&error).map_or_else(|| error.to_string(), |source| source.to_string());
            FfiError::LibraryInvalid { reason: text }
        })?;
        let name = path.map_or_else(|| "(this process)".into(), |path| format!("\"{path}\""));
        Ok(Self {
            name,
            #[cfg(windows)]
            is_process: path.is_none(),
            open: Cell::new(true),
            handle: RefCell::new(Some(handle)),
            inside: Cell::new(0),
            jobs: Cell::new(0),
            unload_by: RefCell::new(None),
        })
    }

    /// A library of functions that the user has linked by their addresses: it has only the states open and closed.
    pub fn linked(name: &str) -> Self {
        Self {
            name: name.into(),
            #[cfg(windows)]
            is_process: false,
            open: Cell::new(true),
            handle: RefCell::new(None),
            inside: Cell::new(0),
            jobs: Cell::new(0),
            unload_by: RefCell::new(None),
        }
    }

    /// Has a function run when the library is unloaded.
    pub fn unload_by(&self, function: Box<dyn FnOnce()>) {
        self.unload_by.replace(Some(Unload(function)));
    }

    /// Its name in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of [`Library::is_open`] for generated code: a byte that is 0 once the library is closed.
    pub fn open_flag(&self) -> *const u8 {
        (&raw const self.open).cast()
    }

    /// Whether [`Library::close`] has not succeeded yet.
    pub fn is_open(&self) -> bool {
        self.open.get()
    }

    /// The address of a symbol; `None` where the library has none, or a NULL one.
    pub fn find(&self, symbol: &str) -> Option<Address> {
        // No symbol has a NUL. libloading would treat one at the end as the terminator.
        if symbol.contains('\0') || is_hidden(symbol) {
            return None;
        }
        let handle = self.handle.borrow();
        // SAFETY: M6; only the address is taken, nothing is read through it.
        let found = unsafe { handle.as_ref()?.get::<*mut std::ffi::c_void>(symbol.as_bytes()) };
        // Windows searches the executable alone.
        #[cfg(windows)]
        if found.is_err() && self.is_process {
            return super::modules::find(symbol);
        }
        Address::new(found.ok()?.into_raw_address())
    }

    /// Records that a call enters, and that it leaves when the result is dropped.
    pub fn enter(&self) -> Inside<'_> {
        self.inside.set(self.inside.get() + 1);
        Inside(self)
    }

    /// Closes the library. It is unloaded when its calls on other threads have returned. Closing twice does nothing;
    /// closing during a call of the library on this thread is refused.
    ///
    /// # Errors
    /// `LibraryBusy` while a call of the library is under way on this thread.
    pub fn close(&self) -> Result<()> {
        if self.inside.get() > 0 {
            return Err(FfiError::LibraryBusy { library: self.name.clone() });
        }
        self.open.set(false);
        self.unload();
        Ok(())
    }

    /// Records that a call enters on another thread.
    pub fn enter_job(&self) {
        self.jobs.set(self.jobs.get() + 1);
    }

    /// Records that a call on another thread has returned.
    pub fn leave_job(&self) {
        self.jobs.set(self.jobs.get() - 1);
        if !self.open.get() {
            self.unload();
        }
    }

    /// Unloads a closed library once no call is inside. If a foreign thread is inside a callback, the library stays
    /// loaded for ever: the thread may return into its code.
    fn unload(&self) {
        if self.jobs.get() > 0 {
            return;
        }
        if let Some(Unload(function)) = self.unload_by.take() {
            function();
        }
        let handle = self.handle.take();
        if CALLING_BACK.load(Ordering::Acquire) > 0 {
            std::mem::forget(handle);
        }
    }
}

/// The foreign threads that are inside a callback, in the whole process.
static CALLING_BACK: AtomicUsize = AtomicUsize::new(0);

/// A foreign thread is inside a callback until this is dropped: every library stays loaded meanwhile, because the one
/// that the thread returns into is not known.
#[derive(Debug)]
pub struct CallingBack(());

impl CallingBack {
    /// The thread enters a callback.
    pub fn new() -> Self {
        CALLING_BACK.fetch_add(1, Ordering::AcqRel);
        Self(())
    }
}

impl Drop for CallingBack {
    fn drop(&mut self) {
        CALLING_BACK.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        // A library that was not closed stays loaded: its addresses may be in use.
        std::mem::forget(self.handle.take());
    }
}

/// A call that is inside a library.
#[derive(Debug)]
pub struct Inside<'a>(&'a Library);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.set(self.0.inside.get() - 1);
    }
}

trait RawAddress {
    fn into_raw_address(self) -> usize;
}

#[cfg(unix)]
impl<T> RawAddress for libloading::os::unix::Symbol<T> {
    fn into_raw_address(self) -> usize {
        self.as_raw_ptr().expose_provenance()
    }
}

#[cfg(windows)]
impl<T> RawAddress for libloading::os::windows::Symbol<T> {
    fn into_raw_address(self) -> usize {
        self.as_raw_ptr().expose_provenance()
    }
}

/// # Safety
/// As [`Library::open`].
#[cfg(unix)]
unsafe fn open_handle(path: Option<&str>, flags: i32) -> std::result::Result<Handle, libloading::Error> {
    let flags = if flags == 0 { libloading::os::unix::RTLD_NOW } else { flags };
    // SAFETY: U4 by the contract of this function.
    unsafe { Handle::open(path, flags) }
}

/// # Safety
/// As [`Library::open`].
#[cfg(windows)]
unsafe fn open_handle(path: Option<&str>, _flags: i32) -> std::result::Result<Handle, libloading::Error> {
    match path {
        None => Handle::this(),
        // SAFETY: U4 by the contract of this function.
        Some(path) => unsafe { Handle::new(path) },
    }
}

/// Finds libraries and executables by the addresses that lie in them.
#[derive(Debug, Default)]
pub struct Images {
    /// The segment that was found last. Functions are bound library by library, so it is often the next one, too.
    #[cfg(target_os = "linux")]
    last: Cell<Option<Segment>>,
}

/// A segment of an image. Valid while no library is loaded or unloaded.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: usize,
    length: usize,
    image: usize,
    /// The number of libraries that had been loaded and unloaded.
    loaded: (u64, u64),
}

#[cfg(target_os = "linux")]
impl Images {
    /// An identifier of the image that an address lies in; `None` if it lies in none. dladdr would look for
    /// the nearest symbol as well, which takes the longer the more there are.
    pub fn find(&self, address: Address) -> Option<usize> {
        struct Search {
            address: usize,
            last: Option<Segment>,
            found: Option<Segment>,
        }

        unsafe extern "C" fn look(info: *mut libc::dl_phdr_info, _: usize, search: *mut libc::c_void) -> libc::c_int {
            // SAFETY: M11; the loader hands a whole structure, and `search` is what `find` gave.
            let (info, search) = unsafe { (&*info, &mut *search.cast::<Search>()) };
            let loaded = (info.dlpi_adds, info.dlpi_subs);
            let lies_in = |segment: &Segment| search.address.wrapping_sub(segment.start) < segment.length;
            if let Some(last) = search.last.take().filter(|last| last.loaded == loaded && lies_in(last)) {
                search.found = Some(last);
                return 1;
            }
            let segments = (0..usize::from(info.dlpi_phnum)).filter_map(|at| {
                // SAFETY: M11; there are so many headers.
                let header = unsafe { &*info.dlpi_phdr.add(at) };
                let start = (info.dlpi_addr as usize).wrapping_add(header.p_vaddr as usize);
                // The headers of two images do not lie in one place; load addresses of two may be 0.
                let image = info.dlpi_phdr.addr();
                let segment = Segment { start, length: header.p_memsz as usize, image, loaded };
                (header.p_type == libc::PT_LOAD).then_some(segment)
            });
            search.found = segments.into_iter().find(lies_in);
            libc::c_int::from(search.found.is_some())
        }

        let mut search = Search { address: address.get(), last: self.last.get(), found: None };
        // SAFETY: M11; `look` is of the type, and its argument outlives the walk.
        unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut search).cast()) };
        self.last.set(search.found);
        search.found.map(|segment| segment.image)
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
impl Images {
    /// See above.
    pub fn find(&self, address: Address) -> Option<usize> {
        let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: M11; dladdr reads no memory at the address, and fills the structure where it returns non-zero.
        unsafe {
            let is_known = libc::dladdr(address.as_ptr().cast(), found.as_mut_ptr()) != 0;
            is_known.then(|| found.assume_init().dli_fbase.expose_provenance())
        }
    }
}

/// Whether a C++ symbol counts as missing, because `PINNED_FFI_HIDE_SYMBOLS` has it: names separated by commas, or `*`.
/// Tests use that to show that everything works without each function of V8's.
fn is_hidden(symbol: &str) -> bool {
    static HIDDEN: std::sync::LazyLock<Option<String>> =
        std::sync::LazyLock::new(|| std::env::var("PINNED_FFI_HIDE_SYMBOLS").ok());
    symbol.starts_with("_Z")
        && HIDDEN.as_ref().is_some_and(|hidden| hidden == "*" || hidden.split(',').any(|name| name == symbol))
}

/// Keeps the addon mapped until the process ends, even if it is closed. Returns false if that is not possible.
#[cfg(unix)]
pub fn keep_loaded() -> bool {
    use std::os::unix::ffi::OsStrExt;

    static KEPT: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *KEPT.get_or_init(|| {
        let mut found = std::mem::MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: M11; the address is this function's own, and dladdr fills the structure where it returns non-zero.
        // Opening the addon that is running runs no constructor again (U4 holds trivially).
        unsafe {
            if libc::dladdr((keep_loaded as fn() -> bool as *const ()).cast(), found.as_mut_ptr()) == 0 {
                return false;
            }
            let path = std::ffi::CStr::from_ptr(found.assume_init().dli_fname);
            let path = std::ffi::OsStr::from_bytes(path.to_bytes());
            match Handle::open(Some(path), libloading::os::unix::RTLD_NOW) {
                Ok(handle) => std::mem::forget(handle),
                Err(_) => return false,
            }
        }
        true
    })
}

/// Keeps the addon mapped until the process ends, even if it is closed. Returns false if that is not possible.
#[cfg(windows)]
pub fn keep_loaded() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    #[cfg_attr(miri, ignore = "calls the loader")]
    fn an_address_is_told_by_its_image() {
        // SAFETY: U4; the process has been running its own constructors already.
        let process = unsafe { Library::open(None, 0) }.unwrap();
        let images = Images::default();
        let image = |name| images.find(process.find(name).unwrap());
        let own = images.find(Address::new((keep_loaded as fn() -> bool as *const ()).addr()).unwrap());
        assert!(image("malloc").is_some() && image("malloc") == image("free") && image("malloc") != own);
        let heap = Box::new(0u8);
        assert_eq!(images.find(Address::new((&raw const *heap).addr()).unwrap()), None);
    }

    #[test]
    #[cfg_attr(miri, ignore = "calls the loader")]
    fn a_library_under_a_call_is_not_closed() {
        // SAFETY: U4; the process has been running its own constructors already.
        let process = unsafe { Library::open(None, 0) }.unwrap();
        assert!(process.find("malloc").is_some() && process.find("no_such_symbol_anywhere").is_none());
        {
            let _inside = process.enter();
            assert!(matches!(process.close(), Err(FfiError::LibraryBusy { .. })));
            assert!(process.is_open());
        }
        process.close().unwrap();
        process.close().unwrap();
        assert!(!process.is_open() && process.find("malloc").is_none());
    }
}
