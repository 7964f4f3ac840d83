//! The copies of the package in the process, as JavaScript sees them.

use napi_derive::napi;

use crate::loader::instances;

/// The name of the build. Copies with the same name are of the same sources, compiler and settings.
#[napi]
pub fn build_name() -> &'static str {
    instances::BUILD
}

/// A copy of the package in the process.
#[napi(object)]
pub struct JsCopy {
    /// Its addon.
    pub file: String,
    /// The name of its build.
    pub build: String,
}

/// The copies, in the order in which they were loaded; none where the system does not say.
#[napi]
pub fn copies() -> Vec<JsCopy> {
    let named = |copy: instances::Copy| Some(JsCopy { file: copy.file.into_string().ok()?, build: copy.build });
    instances::all().into_iter().filter_map(named).collect()
}
