//! The report on a library file, for JavaScript.

use std::path::Path;

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use crate::loader::inspect;
use crate::loader::library_report::{Exported, Imported, Kind, Report};
use crate::node::error::thrown;

/// A symbol that other programs may look up.
#[napi(object)]
pub struct JsExported {
    /// Its name.
    pub name: String,
    /// `function`, `data`, `thread-local`, `forwarded` or `other`.
    pub kind: String,
    /// Its bytes, where they are known.
    pub size: Option<f64>,
    /// Its version, where it has one.
    pub version: Option<String>,
    /// Whether the version is the one that is meant without a version.
    pub is_default: bool,
    /// The symbol that it is forwarded to.
    pub target: Option<String>,
}

/// A symbol that a library imports.
#[napi(object)]
pub struct JsImported {
    /// Its name.
    pub name: String,
    /// The library that it must come from, if the file names one.
    pub library: Option<String>,
}

/// The report on a library file.
#[napi(object)]
pub struct JsReport {
    /// `ELF`, `Mach-O` or `PE`.
    pub format: String,
    /// The architecture, as in `process.arch`.
    pub architecture: String,
    /// The bits of an address.
    pub bits: u32,
    /// `LE` or `BE`, as in `os.endianness()`.
    pub endianness: String,
    /// Its own name (SONAME).
    pub soname: Option<String>,
    /// The folders that are searched first for its dependencies.
    pub search_path: Option<String>,
    /// The libraries it needs.
    pub dependencies: Vec<String>,
    /// Its exports.
    pub exports: Vec<JsExported>,
    /// Its imports.
    pub imports: Vec<JsImported>,
}

fn exported(symbol: Exported) -> JsExported {
    let kind = match symbol.kind {
        Kind::Function => "function",
        Kind::Data => "data",
        Kind::ThreadLocal => "thread-local",
        Kind::Forwarded => "forwarded",
        Kind::Other => "other",
    };
    JsExported {
        name: symbol.name,
        kind: kind.into(),
        size: symbol.size.map(|size| size as f64),
        version: symbol.version,
        is_default: symbol.is_default,
        target: symbol.target,
    }
}

fn imported(symbol: Imported) -> JsImported {
    JsImported { name: symbol.name, library: symbol.library }
}

fn reported(report: Report) -> JsReport {
    JsReport {
        format: report.format.into(),
        architecture: report.architecture,
        bits: report.bits,
        endianness: if report.little_endian { "LE" } else { "BE" }.into(),
        soname: report.soname,
        search_path: report.search_path,
        dependencies: report.dependencies,
        exports: report.exports.into_iter().map(exported).collect(),
        imports: report.imports.into_iter().map(imported).collect(),
    }
}

/// Reads the library at a path, without loading it: one report for each architecture in the file.
///
/// # Errors
/// Where the file cannot be read, or is no library.
#[napi]
pub fn inspect(env: Env, path: String) -> napi::Result<Vec<JsReport>> {
    let reports = inspect::inspect(Path::new(&path)).map_err(|error| thrown(env, &error))?;
    Ok(reports.into_iter().map(reported).collect())
}
