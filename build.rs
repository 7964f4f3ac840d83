//! Tells the linker that the Node-API symbols come from the process that loads the addon, sets the aliases of platforms
//! that the sources use, and names the build.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The sources of a build. JavaScript is not among them: that of one copy works with every addon of these sources.
const SOURCES: [&str; 4] = ["src", "build.rs", "Cargo.toml", "Cargo.lock"];

/// What cargo tells about the target, the profile and the flags: variables that begin so.
const SETTINGS: [&str; 11] = [
    "CARGO_CFG_",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_FEATURE_",
    "CARGO_PROFILE_",
    "CC",
    "CFLAGS",
    "DEBUG",
    "OPT_LEVEL",
    "PROFILE",
    "RUSTC_WRAPPER",
    "TARGET",
];

fn main() {
    napi_build::setup();
    set_aliases();
    println!("cargo::rustc-env=PINNED_FFI_BUILD={}", name_of_build());
    // The addon is the program of isolated libraries, too (src/host/entry.rs).
    if env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-e,pinned_ffi_host");
    }
}

/// Platforms by what they offer. fuzz/build.rs sets the same.
fn set_aliases() {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let is_unix = env::var_os("CARGO_CFG_UNIX").is_some();
    let is_linux = is("CARGO_CFG_TARGET_OS", "linux");
    let sysv64 = is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("CARGO_CFG_TARGET_POINTER_WIDTH", "64") && is_unix;
    let aapcs64 = is("CARGO_CFG_TARGET_ARCH", "aarch64") && is("CARGO_CFG_TARGET_POINTER_WIDTH", "64") && is_unix;
    let win64 = is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("CARGO_CFG_TARGET_OS", "windows");
    let glibc = is_linux && is("CARGO_CFG_TARGET_ENV", "gnu") && is("CARGO_CFG_TARGET_POINTER_WIDTH", "64");
    for (alias, holds) in [
        // The System V ABI of x86-64.
        ("sysv64", sysv64),
        // AAPCS64, or Apple's variant of it.
        ("aapcs64", aapcs64),
        // The ABI of Windows on x64.
        ("win64", win64),
        // Calls load registers by a calling sequence.
        ("calling_sequences", sysv64 || aapcs64 || win64),
        // C calls callbacks through stubs of the package, not through libffi's closures.
        ("callback_stubs", (sysv64 && is_linux) || aapcs64 || win64),
        // V8's private binary interface is used where its version was verified.
        ("v8_abi", sysv64 || (aapcs64 && glibc)),
        // glibc's private interfaces, on 64 bits: its link map, and the libraries that it loads.
        ("glibc", glibc),
    ] {
        println!("cargo::rustc-check-cfg=cfg({alias})");
        if holds {
            println!("cargo::rustc-cfg={alias}");
        }
    }
}

/// The version, and a digest of the sources, the compiler and its settings.
fn name_of_build() -> String {
    let mut digest = hmac_sha256::Hash::new();
    // The length comes first, so that no two inputs run together.
    let mut add = |bytes: &[u8]| {
        digest.update((bytes.len() as u64).to_le_bytes());
        digest.update(bytes);
    };
    let mut files = Vec::new();
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
        collect(Path::new(source), &mut files);
    }
    files.sort();
    for file in files {
        add(file.to_string_lossy().replace('\\', "/").as_bytes());
        add(&fs::read(&file).unwrap_or_default());
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    add(&Command::new(rustc).arg("-vV").output().map(|output| output.stdout).unwrap_or_default());
    let mut settings: Vec<_> = env::vars_os()
        .filter(|(name, _)| SETTINGS.iter().any(|start| name.to_string_lossy().starts_with(start)))
        .collect();
    settings.sort();
    for (name, value) in settings {
        if !name.to_string_lossy().starts_with("CARGO_CFG_") {
            println!("cargo::rerun-if-env-changed={}", name.to_string_lossy());
        }
        add(name.to_string_lossy().as_bytes());
        add(value.to_string_lossy().as_bytes());
    }
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let digest: String = digest.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{version}-{digest}")
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
    }
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        collect(&entry.path(), files);
    }
}
