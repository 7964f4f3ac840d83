//! The aliases of platforms that the package's own build.rs sets.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let is_linux = is("CARGO_CFG_TARGET_OS", "linux");
    let sysv64 = is("CARGO_CFG_TARGET_ARCH", "x86_64") && env::var_os("CARGO_CFG_UNIX").is_some();
    let aapcs64 = is("CARGO_CFG_TARGET_ARCH", "aarch64") && env::var_os("CARGO_CFG_UNIX").is_some();
    let win64 = is("CARGO_CFG_TARGET_ARCH", "x86_64") && is("CARGO_CFG_TARGET_OS", "windows");
    let glibc = is_linux && is("CARGO_CFG_TARGET_ENV", "gnu");
    let aliases = [
        ("sysv64", sysv64),
        ("aapcs64", aapcs64),
        ("win64", win64),
        ("calling_sequences", sysv64 || aapcs64 || win64),
        ("callback_stubs", (sysv64 && is_linux) || aapcs64 || win64),
        ("v8_abi", sysv64 || (aapcs64 && glibc)),
        ("glibc", glibc),
    ];
    for (alias, holds) in aliases {
        println!("cargo::rustc-check-cfg=cfg({alias})");
        if holds {
            println!("cargo::rustc-cfg={alias}");
        }
    }
}
