//! Checks a file before the system's loader gets it: on a FIFO the loader would hang, a library that is shorter
//! than its segments ends the process with SIGBUS when they are mapped, and musl loads libraries for other processors.
//! Knows no JavaScript.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use object::read::ReadCache;
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, elf};

/// The reason why the loader must not get a file. `None` where it may, and where the loader itself reports an error.
pub fn fault(path: &Path) -> Option<String> {
    let status = fs::metadata(path).ok()?;
    // The loader's own words for a directory are clear.
    if status.is_dir() {
        return None;
    }
    if !status.is_file() {
        return Some(format!("{}: not a regular file", path.display()));
    }
    if let Some(reason) = foreign_reason(File::open(path).ok()?) {
        return Some(format!("{}: {reason}", path.display()));
    }
    let wanted = bytes_of_segments(File::open(path).ok()?)?;
    let size = status.len();
    (wanted > size)
        .then(|| format!("{}: the file is cut off: it has {size} bytes of at least {wanted}", path.display()))
}

/// The machine field of ELF files for this processor; `None` where it is not compared.
const MACHINE: Option<u16> = if cfg!(not(target_os = "linux")) {
    None
} else if cfg!(target_arch = "x86_64") {
    Some(elf::EM_X86_64.0)
} else if cfg!(target_arch = "aarch64") {
    Some(elf::EM_AARCH64.0)
} else {
    None
};

/// Why an ELF file is for another processor; `None` where it is for this one, or no ELF file.
fn foreign_reason(mut file: File) -> Option<String> {
    let machine = MACHINE?;
    let mut start = [0; 20];
    file.read_exact(&mut start).ok()?;
    if start[..4] != elf::ELFMAG {
        return None;
    }
    // Both processors are used with little-endian files of 64 bits.
    if start[4] != elf::ELFCLASS64.0 || start[5] != elf::ELFDATA2LSB.0 {
        return Some("the file is for another architecture: it is no little-endian ELF file of 64 bits".to_owned());
    }
    let found = u16::from_le_bytes([start[18], start[19]]);
    (found != machine).then(|| {
        format!("the file is for another architecture: its ELF machine is {found}, that of this process is {machine}")
    })
}

/// The bytes up to the end of the last segment that is mapped, or of the program headers if these are cut off; `None`
/// for a file that is no 64-bit ELF file.
fn bytes_of_segments(file: File) -> Option<u64> {
    let cache = ReadCache::new(file);
    let header = elf::FileHeader64::<Endianness>::parse(&cache).ok()?;
    let endian = header.endian().ok()?;
    let bytes_of_headers = u64::from(header.e_phnum(endian)) * u64::from(header.e_phentsize(endian));
    let end_of_headers = header.e_phoff(endian).saturating_add(bytes_of_headers);
    let Ok(segments) = header.program_headers(endian, &cache) else { return Some(end_of_headers) };
    let mapped = segments.iter().filter(|segment| segment.p_type(endian) == elf::PT_LOAD);
    mapped.map(|segment| segment.p_offset(endian).saturating_add(segment.p_filesz(endian))).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    #[cfg_attr(miri, ignore = "reads a file of the system")]
    fn the_running_program_is_whole_and_its_beginning_is_not() {
        let program = std::env::current_exe().unwrap();
        assert_eq!(fault(&program), None);
        let bytes = fs::read(&program).unwrap();
        for kept in [40, 100, 8192] {
            let part = std::env::temp_dir().join(format!("pinned-ffi-image-{}-{kept}", std::process::id()));
            fs::write(&part, &bytes[..kept]).unwrap();
            // Less than a header is for the loader to refuse.
            assert_eq!(fault(&part).is_some_and(|fault| fault.contains("cut off")), kept > 64);
            fs::remove_file(&part).unwrap();
        }
        for (at, byte) in [(18, 0xf3), (4, elf::ELFCLASS32.0), (5, elf::ELFDATA2MSB.0)] {
            let mut foreign = bytes.clone();
            foreign[at] = byte;
            let part = std::env::temp_dir().join(format!("pinned-ffi-foreign-{}-{at}", std::process::id()));
            fs::write(&part, &foreign).unwrap();
            assert!(fault(&part).is_some_and(|fault| fault.contains("another architecture")), "byte {at}");
            fs::remove_file(&part).unwrap();
        }
        assert!(fault(Path::new("/dev/null")).is_some_and(|fault| fault.ends_with("not a regular file")));
        assert_eq!(fault(Path::new("/")), None);
    }
}
