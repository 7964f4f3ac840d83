//! Reads what a library file declares: as data, without loading it. Knows no JavaScript.
//!
//! The file is whatever the user names, so nothing in it is trusted: the parser checks bounds, and the names that are
//! taken out of it are limited, because those of a damaged file may overlap as often as it has symbols.

use std::collections::HashMap;
use std::path::Path;

use object::macho::{FatArch32, FatArch64, MachHeader32, MachHeader64};
use object::read::elf::{ElfFile, FileHeader, Sym};
use object::read::macho::{FatArch, LoadCommandVariant, MachHeader, MachOFatFile32, MachOFatFile64, MachOFile};
use object::read::{
    Architecture, BinaryFormat, Export, ExportFlags, ExportTarget, FileKind, NameOrOrdinal, ObjectKind, ObjectSection,
    ObjectSymbol, ReadRef, SectionKind,
};
use object::{Object, elf as raw};

use crate::error::{FfiError, Result};
use crate::loader::dynamic::Dynamic;
use crate::loader::library_report::{Exported, Imported, Kind, Report};

/// The most bytes that all names of a library may have together.
const MOST_NAME_BYTES: usize = 128 << 20;

/// Reads the library at a path: one report, or one for each architecture.
///
/// # Errors
/// `LibraryInvalid` if the file cannot be read, or is no library.
pub fn inspect(path: &Path) -> Result<Vec<Report>> {
    let invalid = |reason: String| FfiError::LibraryInvalid { reason: format!("{}: {reason}", path.display()) };
    let metadata = std::fs::metadata(path).map_err(|error| invalid(error.to_string()))?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "no regular file" };
        return Err(invalid(format!("is {what}")));
    }
    // Read whole: a cache of pieces takes ten times as long for a file of a hundred megabytes.
    let data = std::fs::read(path).map_err(|error| invalid(error.to_string()))?;
    parse(&data).map_err(invalid)
}

/// Reads the bytes of a library; the error says what is wrong with them.
///
/// # Errors
/// Where they are no library, or one that is damaged.
pub fn parse(data: &[u8]) -> std::result::Result<Vec<Report>, String> {
    match foreign(&data[..data.len().min(64)]) {
        Some(reason) => Err(reason),
        None => read(data),
    }
}

/// Why a file that begins so is no library, if the format shows it.
fn foreign(start: &[u8]) -> Option<String> {
    let reason = match start {
        [] => "is empty",
        _ if start.starts_with(b"!<arch>\n") || start.starts_with(b"!<thin>\n") => {
            "is a static library: only shared ones can be opened"
        }
        _ if start.starts_with(b"\0asm") => "is WebAssembly, no native library",
        _ if start.is_ascii() && !start.contains(&0) => "is text, no library (a script for the linker?)",
        _ => return None,
    };
    Some(reason.into())
}

type Parsed<T> = std::result::Result<T, String>;

fn damaged(error: object::Error) -> String {
    format!("is damaged or cut off: {error}")
}

fn read<'data, R: ReadRef<'data>>(data: R) -> Parsed<Vec<Report>> {
    let kind = FileKind::parse(data).map_err(|_| "is no library: neither ELF nor Mach-O nor PE".to_owned())?;
    match kind {
        FileKind::Elf32 | FileKind::Elf64 | FileKind::MachO32 | FileKind::MachO64 | FileKind::Pe32 | FileKind::Pe64 => {
            Ok(vec![report(data)?])
        }
        FileKind::MachOFat32 => fat::<FatArch32, R>(data, MachOFatFile32::parse(data).map_err(damaged)?.arches()),
        FileKind::MachOFat64 => fat::<FatArch64, R>(data, MachOFatFile64::parse(data).map_err(damaged)?.arches()),
        FileKind::Coff | FileKind::CoffBig | FileKind::CoffImport => {
            Err("is an object file of a compiler, no library".into())
        }
        other => Err(format!("is no library that could be opened ({other:?})")),
    }
}

fn fat<'data, F: FatArch, R: ReadRef<'data>>(data: R, slices: &[F]) -> Parsed<Vec<Report>> {
    if slices.is_empty() {
        return Err("is damaged: a Mach-O file for several architectures that has none".into());
    }
    // Each slice is read whole: a handful is all that exists.
    if slices.len() > 16 {
        return Err(format!("is damaged: it claims to hold {} architectures", slices.len()));
    }
    slices.iter().map(|slice| report(slice.data(data).map_err(damaged)?)).collect()
}

fn report<'data, R: ReadRef<'data>>(data: R) -> Parsed<Report> {
    let file = object::File::parse(data).map_err(damaged)?;
    match file.kind() {
        ObjectKind::Relocatable => return Err("is an object file of a compiler, no library".into()),
        ObjectKind::Core => return Err("is the dump of a process, no library".into()),
        _ => {}
    }
    let mut names = Names { left: MOST_NAME_BYTES, c_prefix: file.format() == BinaryFormat::MachO };
    let Contents { own, dependencies, mut exports, mut imports } = match &file {
        object::File::Elf32(elf) if file.sections().next().is_none() => by_segments(elf, &mut names)?,
        object::File::Elf64(elf) if file.sections().next().is_none() => by_segments(elf, &mut names)?,
        _ => Contents {
            own: own_names(&file, &mut names)?,
            dependencies: dependencies(&file, &mut names)?,
            exports: exports(&file, &mut names)?,
            imports: imports(&file, &mut names)?,
        },
    };
    exports.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
    imports.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Report {
        format: match file.format() {
            BinaryFormat::MachO => "Mach-O",
            BinaryFormat::Pe => "PE",
            _ => "ELF",
        },
        architecture: architecture(file.architecture()),
        bits: if file.is_64() { 64 } else { 32 },
        little_endian: file.is_little_endian(),
        soname: own.soname,
        search_path: own.search_path,
        dependencies,
        exports,
        imports,
    })
}

fn architecture(architecture: Architecture) -> String {
    match architecture {
        Architecture::X86_64 => "x64".into(),
        Architecture::Aarch64 => "arm64".into(),
        Architecture::I386 => "ia32".into(),
        Architecture::Arm => "arm".into(),
        Architecture::PowerPc64 => "ppc64".into(),
        Architecture::S390x => "s390x".into(),
        Architecture::Riscv64 => "riscv64".into(),
        Architecture::LoongArch64 => "loong64".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

/// Takes names out of a file, as long as they are not too many bytes.
struct Names {
    left: usize,
    /// Whether C names have a `_` before them, which `dlsym` leaves out.
    c_prefix: bool,
}

impl Names {
    fn take(&mut self, bytes: &[u8]) -> Parsed<String> {
        self.left = self.left.checked_sub(bytes.len()).ok_or("is damaged: its names are too long")?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    fn symbol(&mut self, name: NameOrOrdinal<&[u8]>) -> Parsed<String> {
        match name {
            NameOrOrdinal::Name(name) => match name.strip_prefix(b"_") {
                Some(rest) if self.c_prefix => self.take(rest),
                _ => self.take(name),
            },
            NameOrOrdinal::Ordinal(ordinal) => Ok(format!("#{ordinal}")),
        }
    }

    fn some(&mut self, bytes: &[u8]) -> Parsed<Option<String>> {
        if bytes.is_empty() { Ok(None) } else { self.take(bytes).map(Some) }
    }
}

// ---- exports --------------------------------------------------------------------------------------------------------

/// The bytes of symbols, by name and address.
type Sizes<'data> = HashMap<(&'data [u8], u64), u64>;

fn exports<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, names: &mut Names) -> Parsed<Vec<Exported>> {
    let code: Vec<_> = file
        .sections()
        .filter(|section| section.kind() == SectionKind::Text)
        .map(|section| section.address()..section.address().saturating_add(section.size()))
        .collect();
    let sizes: Sizes = match file.format() {
        BinaryFormat::Elf => file
            .dynamic_symbols()
            .filter_map(|symbol| Some(((symbol.name_bytes().ok()?, symbol.address()), symbol.size())))
            .collect(),
        _ => Sizes::new(),
    };
    let mut found = Vec::new();
    for export in file.exports().map_err(damaged)? {
        let export = export.map_err(damaged)?;
        // ELF lists its versions themselves among the symbols.
        if matches!(export.target(), ExportTarget::Absolute { value: 0 }) {
            continue;
        }
        let (version, is_default) = match export.flags() {
            ExportFlags::Elf { version: Some(version), version_hidden, .. } => (names.some(version)?, !version_hidden),
            _ => (None, true),
        };
        let is_code = |address: u64| code.iter().any(|section| section.contains(&address));
        let size = match (export.name(), export.target()) {
            (NameOrOrdinal::Name(name), ExportTarget::Address { address }) => sizes.get(&(name, address)).copied(),
            (NameOrOrdinal::Name(name), ExportTarget::Resolver { resolver, .. }) => {
                sizes.get(&(name, resolver)).copied()
            }
            (NameOrOrdinal::Name(name), ExportTarget::Tls { offset }) => sizes.get(&(name, offset)).copied(),
            _ => None,
        };
        found.push(Exported {
            name: names.symbol(export.name())?,
            kind: kind(&export, is_code),
            size: size.filter(|size| *size != 0),
            version,
            is_default,
            target: target(&export, names)?,
        });
    }
    Ok(found)
}

fn kind(export: &Export<'_>, is_code: impl Fn(u64) -> bool) -> Kind {
    if let ExportFlags::Elf { st_info, .. } = export.flags() {
        match st_info.st_type() {
            raw::STT_FUNC | raw::STT_GNU_IFUNC => return Kind::Function,
            raw::STT_OBJECT => return Kind::Data,
            raw::STT_TLS => return Kind::ThreadLocal,
            _ => {}
        }
    }
    match export.target() {
        ExportTarget::Address { address } if is_code(address) => Kind::Function,
        ExportTarget::Address { .. } => Kind::Data,
        ExportTarget::Resolver { .. } => Kind::Function,
        ExportTarget::Tls { .. } | ExportTarget::TlvDescriptor { .. } => Kind::ThreadLocal,
        ExportTarget::Reexport { .. } => Kind::Forwarded,
        _ => Kind::Other,
    }
}

fn target(export: &Export<'_>, names: &mut Names) -> Parsed<Option<String>> {
    let ExportTarget::Reexport { library, name } = export.target() else { return Ok(None) };
    let library = names.take(library)?;
    let name = names.symbol(name)?;
    Ok(Some(if library.is_empty() { name } else { format!("{library}!{name}") }))
}

// ---- dependencies ---------------------------------------------------------------------------------------------------

fn imports<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, names: &mut Names) -> Parsed<Vec<Imported>> {
    let mut found = Vec::new();
    for import in file.imports().map_err(damaged)? {
        let import = import.map_err(damaged)?;
        found.push(Imported { name: names.symbol(import.name())?, library: names.some(import.library())? });
    }
    Ok(found)
}

fn dependencies<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, names: &mut Names) -> Parsed<Vec<String>> {
    let mut found = Vec::new();
    for library in file.import_libraries().map_err(damaged)? {
        found.push(names.take(library.map_err(damaged)?.name())?);
    }
    Ok(found)
}

/// The name of a library, and where its dependencies are.
#[derive(Default)]
struct Own {
    soname: Option<String>,
    search_path: Option<String>,
}

fn own_names<'data, R: ReadRef<'data>>(file: &object::File<'data, R>, names: &mut Names) -> Parsed<Own> {
    match file {
        object::File::Elf32(file) => elf_names(file, names),
        object::File::Elf64(file) => elf_names(file, names),
        object::File::MachO32(file) => macho_names::<MachHeader32<_>, R>(file, names),
        object::File::MachO64(file) => macho_names::<MachHeader64<_>, R>(file, names),
        _ => Ok(Own::default()),
    }
}

fn elf_names<'data, E: FileHeader, R: ReadRef<'data>>(file: &ElfFile<'data, E, R>, names: &mut Names) -> Parsed<Own> {
    let table = file.elf_dynamic_table().map_err(damaged)?;
    let mut own = Own::default();
    for entry in table.iter() {
        let place = match entry.tag {
            raw::DT_SONAME => &mut own.soname,
            // The second one counts where both are there.
            raw::DT_RUNPATH | raw::DT_RPATH => &mut own.search_path,
            _ => continue,
        };
        *place = names.some(table.string(entry).map_err(damaged)?)?;
    }
    Ok(own)
}

/// The parts of a report that are read out of tables.
struct Contents {
    own: Own,
    dependencies: Vec<String>,
    exports: Vec<Exported>,
    imports: Vec<Imported>,
}

/// Reads an ELF file that has no section headers: all but the versions of its symbols, which name the libraries of
/// imports.
fn by_segments<'data, E: FileHeader, R: ReadRef<'data>>(
    file: &ElfFile<'data, E, R>,
    names: &mut Names,
) -> Parsed<Contents> {
    let (header, endian) = (file.elf_header(), file.endian());
    let dynamic =
        Dynamic::of(header, endian, file.data()).ok_or("has neither section headers nor a dynamic segment")?;
    let mut string = |tag| dynamic.strings(tag).next().map(|text| names.take(text)).transpose();
    let soname = string(raw::DT_SONAME)?;
    let search_path = match string(raw::DT_RUNPATH)? {
        None => string(raw::DT_RPATH)?,
        path => path,
    };
    let dependencies = dynamic.strings(raw::DT_NEEDED).map(|text| names.take(text)).collect::<Parsed<_>>()?;
    let (mut exports, mut imports) = (Vec::new(), Vec::new());
    for symbol in dynamic.symbols() {
        let Some(name) = dynamic.name_of(symbol).filter(|name| !name.is_empty()) else { continue };
        match (symbol.st_bind(), symbol.st_visibility()) {
            (raw::STB_LOCAL, _) | (_, raw::STV_HIDDEN | raw::STV_INTERNAL) => continue,
            _ => {}
        }
        let name = names.take(name)?;
        if symbol.is_undefined(endian) {
            imports.push(Imported { name, library: None });
            continue;
        }
        let kind = match symbol.st_type() {
            raw::STT_FUNC | raw::STT_GNU_IFUNC => Kind::Function,
            raw::STT_OBJECT => Kind::Data,
            raw::STT_TLS => Kind::ThreadLocal,
            _ => Kind::Other,
        };
        let size = Some(symbol.st_size(endian).into()).filter(|size| *size != 0);
        exports.push(Exported { name, kind, size, version: None, is_default: true, target: None });
    }
    Ok(Contents { own: Own { soname, search_path }, dependencies, exports, imports })
}

fn macho_names<'data, M: MachHeader, R: ReadRef<'data>>(
    file: &MachOFile<'data, M, R>,
    names: &mut Names,
) -> Parsed<Own> {
    let endian = file.endian();
    let mut own = Own::default();
    let mut commands = file.macho_load_commands().map_err(damaged)?;
    while let Some(command) = commands.next().map_err(damaged)? {
        match command.variant().map_err(damaged)? {
            LoadCommandVariant::IdDylib(dylib) => {
                own.soname = names.some(command.string(endian, dylib.dylib.name).map_err(damaged)?)?;
            }
            LoadCommandVariant::Rpath(rpath) if own.search_path.is_none() => {
                own.search_path = names.some(command.string(endian, rpath.path).map_err(damaged)?)?;
            }
            _ => {}
        }
    }
    Ok(own)
}

#[cfg(test)]
mod tests;
