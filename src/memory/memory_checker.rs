//! Tools that find the use of freed memory: AddressSanitizer, valgrind.

/// Whether one looks at this process. It has to learn of each block that is freed, so that none must be kept.
#[cfg(unix)]
#[expect(unsafe_code, reason = "looks a symbol up")]
pub fn is_active() -> bool {
    use std::sync::OnceLock;

    static IS_ACTIVE: OnceLock<bool> = OnceLock::new();
    *IS_ACTIVE.get_or_init(|| {
        // Valgrind replaces malloc by a library that it preloads.
        let is_preloaded = std::env::var("LD_PRELOAD").is_ok_and(|files| files.contains("vgpreload"));
        // SAFETY: the name ends in zero; the search has no side effects.
        is_preloaded || !unsafe { libc::dlsym(libc::RTLD_DEFAULT, c"__asan_init".as_ptr()) }.is_null()
    })
}

/// Neither is known on Windows: valgrind does not exist there, and no Node with AddressSanitizer.
#[cfg(not(unix))]
pub fn is_active() -> bool {
    false
}
