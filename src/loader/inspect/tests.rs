//! Tests of reading library files.

use super::*;

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn a_program_is_read_with_what_it_needs() {
    let reports = inspect(&std::env::current_exe().unwrap()).unwrap();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].bits, usize::BITS);
    assert!(!reports[0].dependencies.is_empty());
}

#[test]
fn what_is_no_library_is_refused_by_its_first_bytes() {
    assert!(foreign(b"").unwrap().contains("empty"));
    assert!(foreign(b"INPUT(libc.so.6)").unwrap().contains("text"));
    assert!(foreign(b"!<arch>\n").unwrap().contains("static"));
    assert!(foreign(b"\x7fELF\x02\x01\x01\0").is_none());
    assert!(read(b"\x7fELF\x02\x01\x01".as_slice()).is_err());
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn a_damaged_library_is_read_or_refused() {
    let path = std::env::var("PINNED_FFI_INSPECT").map_or_else(|_| std::env::current_exe().unwrap(), Into::into);
    let whole = std::fs::read(path).unwrap();
    // The head, where the tables are found, and the places that it names.
    let data = &whole[..whole.len().min(1 << 20)];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..2000 {
        let mut damaged = data.to_vec();
        for _ in 0..=next(4) {
            let at = if round % 2 == 0 { next(4096) } else { next(damaged.len()) };
            damaged[at] = [0, 0xff, 0x80, next(256) as u8][next(4)];
        }
        damaged.truncate(damaged.len() - if round % 5 == 0 { next(damaged.len() / 2) } else { 0 });
        let _ = parse(&damaged);
    }
}

#[test]
fn names_that_are_too_many_bytes_are_refused() {
    let mut names = Names { left: 3, c_prefix: true };
    assert_eq!(names.symbol(NameOrOrdinal::Name(b"_ab")).unwrap(), "ab");
    assert!(names.take(b"cd").is_err());
}
