//! The native core, compiled from the package's own files, for the fuzz targets. Everything but what knows JavaScript.
#![allow(dead_code, clippy::disallowed_methods, reason = "the targets use a part of the core")]

#[path = "../src/call/mod.rs"]
pub mod call;
#[path = "../src/callback/mod.rs"]
pub mod callback;
#[path = "../src/abi/mod.rs"]
pub mod abi;
#[path = "../src/errno.rs"]
pub mod errno;
#[path = "../src/error.rs"]
pub mod error;
/// Of the loader what needs no build of the package.
#[path = "."]
pub mod loader {
    #[path = "../src/loader/dynamic.rs"]
    pub mod dynamic;
    #[path = "../src/loader/inspect.rs"]
    pub mod inspect;
    #[path = "../src/loader/library.rs"]
    pub mod library;
    #[path = "../src/loader/library_report.rs"]
    pub mod library_report;
    #[path = "../src/loader/modules.rs"]
    pub mod modules;
}
#[path = "../src/memory/mod.rs"]
pub mod memory;
#[path = "../src/panics.rs"]
pub mod panics;
#[path = "../src/sync/mod.rs"]
pub mod sync;

pub mod tree;
