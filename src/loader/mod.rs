//! Library files and the libraries that are loaded. Knows no JavaScript.

pub mod dynamic;
pub mod exports;
pub mod inspect;
pub mod instances;
pub mod interpose;
pub mod library;
pub mod library_report;
pub mod modules;
pub mod preflight;
pub mod symbol_size;
