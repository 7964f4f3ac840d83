//! The content of a library file that can be read without loading it. Knows no JavaScript.

/// The kind of an exported symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Code.
    Function,
    /// A variable.
    Data,
    /// A variable of which each thread has its own.
    ThreadLocal,
    /// A symbol of another library under a name of this one.
    Forwarded,
    /// A number, or what the file does not say.
    Other,
}

/// A symbol that other programs may look up.
#[derive(Debug)]
pub struct Exported {
    /// Its name as `dlsym` takes it, or `#` and its ordinal.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its bytes, where the format knows them (ELF).
    pub size: Option<u64>,
    /// Its version, where the format has them (ELF).
    pub version: Option<String>,
    /// Whether the version is the one that is meant without a version.
    pub is_default: bool,
    /// The library and name that a symbol is forwarded to.
    pub target: Option<String>,
}

/// A symbol that the library needs from others.
#[derive(Debug)]
pub struct Imported {
    /// Its name.
    pub name: String,
    /// The library that has to provide it, if the format names one.
    pub library: Option<String>,
}

/// The report of one library; a file may hold several, for several architectures.
#[derive(Debug)]
pub struct Report {
    /// ELF, Mach-O or PE.
    pub format: &'static str,
    /// The architecture by Node's name (`process.arch`) where it has one.
    pub architecture: String,
    /// The bits of an address.
    pub bits: u32,
    /// Whether numbers have their lowest byte first.
    pub little_endian: bool,
    /// Its name for itself: the soname, the install name.
    pub soname: Option<String>,
    /// The folders in which its dependencies are looked up first.
    pub search_path: Option<String>,
    /// The libraries it needs, by the names it has for them.
    pub dependencies: Vec<String>,
    /// The symbols that it exports, by name.
    pub exports: Vec<Exported>,
    /// The symbols that it imports, by name.
    pub imports: Vec<Imported>,
}
