//! The instructions between a call and C in the System V ABI of x86-64.
#![cfg(sysv64)]
#![expect(unsafe_code, reason = "calls C")]

/// Puts the words into registers and onto the stack, and calls. `al` is the number of vector registers that a variadic
/// function may have to save (section 3.5.7): 8 is always enough.
///
/// # Safety
/// `words` is a register file, of which as many words as `on_stack` says are written; `returned` is writable for
/// `sysv64::RETURNED` words. U1 for the function at `code`.
#[unsafe(naked)]
pub unsafe extern "sysv64" fn enter(words: *const u64, code: usize, on_stack: usize, returned: *mut u64, floats: bool) {
    core::arch::naked_asm!(
        // The unwind information lets debuggers, profilers and crash reports see through this frame.
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "push rbx",
        ".cfi_offset rbx, -24",
        "sub rsp, 8",
        "mov rbx, rcx",
        "mov r10, rdi",
        "mov r11, rsi",
        "test rdx, rdx",
        "jz 3f",
        // The stack is aligned to 16 bytes at the call.
        "lea rcx, [rdx + 1]",
        "and rcx, -2",
        "shl rcx, 3",
        "sub rsp, rcx",
        "2:",
        "mov rax, [r10 + rdx * 8 + 8 * 14 - 8]",
        "mov [rsp + rdx * 8 - 8], rax",
        "dec rdx",
        "jnz 2b",
        "3:",
        "test r8d, r8d",
        "jz 4f",
        "movsd xmm0, [r10 + 48]",
        "movsd xmm1, [r10 + 56]",
        "movsd xmm2, [r10 + 64]",
        "movsd xmm3, [r10 + 72]",
        "movsd xmm4, [r10 + 80]",
        "movsd xmm5, [r10 + 88]",
        "movsd xmm6, [r10 + 96]",
        "movsd xmm7, [r10 + 104]",
        "4:",
        "mov rdi, [r10]",
        "mov rsi, [r10 + 8]",
        "mov rdx, [r10 + 16]",
        "mov rcx, [r10 + 24]",
        "mov r8, [r10 + 32]",
        "mov r9, [r10 + 40]",
        "mov eax, 8",
        "call r11",
        "mov [rbx], rax",
        "mov [rbx + 8], rdx",
        "movsd [rbx + 16], xmm0",
        "movsd [rbx + 24], xmm1",
        "lea rsp, [rbp - 8]",
        "pop rbx",
        "pop rbp",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}
