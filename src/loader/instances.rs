//! Other instances of the package in the process: npm installs it twice where it cannot share one. Instances of one
//! build act as one (lib/native/realm.js).
#![expect(unsafe_code, reason = "asks the loader")]

use std::ffi::OsString;

/// The name of the build: the version and a digest of the sources (build.rs). Exported, so that another copy can read
/// it with the loader's means.
#[unsafe(no_mangle)]
#[used]
pub static PINNED_FFI_BUILD: [u8; BUILD.len() + 1] = with_nul(BUILD);

/// The build's name.
pub const BUILD: &str = env!("PINNED_FFI_BUILD");

const fn with_nul<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < text.len() {
        bytes[at] = text.as_bytes()[at];
        at += 1;
    }
    bytes
}

/// A copy of the package in the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Its file.
    pub file: OsString,
    /// Its build.
    pub build: String,
}

/// The copies of the process, in the order in which they were loaded. None on systems other than Linux: they have no
/// stand-in that copies could compete for.
pub fn all() -> Vec<Copy> {
    loaded().into_iter().filter_map(|file| Some(Copy { build: build_of(&file)?, file })).collect()
}

#[cfg(not(target_os = "linux"))]
fn loaded() -> Vec<OsString> {
    Vec::new()
}

#[cfg(not(target_os = "linux"))]
fn build_of(_: &OsString) -> Option<String> {
    None
}

/// The files of all libraries of the process, in the order in which they were loaded.
#[cfg(target_os = "linux")]
fn loaded() -> Vec<OsString> {
    use std::os::unix::ffi::OsStrExt;

    unsafe extern "C" fn note(info: *mut libc::dl_phdr_info, _: usize, files: *mut libc::c_void) -> libc::c_int {
        // SAFETY: M11; the loader hands a whole structure with a name in it, and `files` is what `loaded` gave.
        unsafe {
            let name = std::ffi::CStr::from_ptr((*info).dlpi_name);
            let files = &mut *files.cast::<Vec<OsString>>();
            files.push(std::ffi::OsStr::from_bytes(name.to_bytes()).to_owned());
        }
        0
    }

    let mut files: Vec<OsString> = Vec::new();
    // SAFETY: M11; `note` is of the type, and the vector outlives the walk.
    unsafe { libc::dl_iterate_phdr(Some(note), (&raw mut files).cast()) };
    files
}

/// The build of an addon that is loaded, if it is a copy of this package.
#[cfg(target_os = "linux")]
fn build_of(file: &OsString) -> Option<String> {
    use libloading::os::unix::{Library, RTLD_LAZY};

    // Other libraries are not searched: one that wraps the addon would answer for it.
    if !file.as_encoded_bytes().ends_with(b".node") {
        return None;
    }
    // SAFETY: U4 holds trivially: with RTLD_NOLOAD nothing is loaded, so nothing runs.
    let library = unsafe { Library::open(Some(file), RTLD_LAZY | libc::RTLD_NOLOAD) }.ok()?;
    // SAFETY: M11; the symbol of this name is a text that ends with NUL.
    unsafe {
        let build = library.get::<*const std::ffi::c_char>(b"PINNED_FFI_BUILD\0").ok()?;
        Some(std::ffi::CStr::from_ptr(*build).to_str().ok()?.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exported_name_ends_with_nul() {
        assert_eq!(std::ffi::CStr::from_bytes_with_nul(&PINNED_FFI_BUILD).unwrap().to_str(), Ok(BUILD));
    }

    #[test]
    #[cfg(target_os = "linux")]
    #[cfg_attr(miri, ignore = "asks the loader")]
    fn the_process_and_its_libraries_are_listed_and_are_no_copies() {
        assert!(loaded().iter().any(|file| file.to_string_lossy().contains("libc.so")));
        assert_eq!(all(), []);
    }
}
