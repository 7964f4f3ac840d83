//! The instructions between C and the handler of a callback, in the System V ABI of x86-64.
#![cfg(all(sysv64, callback_stubs))]
#![expect(unsafe_code, reason = "is called by C")]

pub use super::jump_x86_64::{STUB_BYTES, stub};

/// The words between the block and the stack arguments: the frame pointer, and the return address.
pub const LINKS: usize = 2;

/// All stubs continue here: r10 is the slot, with the address of `enter`, the function to call, and its argument. Makes
/// a `SavedRegisters` on the stack, whose results are zero until they are set.
///
/// # Safety
/// C called a stub.
#[unsafe(naked)]
pub unsafe extern "C" fn enter() {
    core::arch::naked_asm!(
        // The unwind information lets debuggers, profilers and crash reports see through this frame.
        ".cfi_startproc",
        "push rbp",
        ".cfi_def_cfa_offset 16",
        ".cfi_offset rbp, -16",
        "mov rbp, rsp",
        ".cfi_def_cfa_register rbp",
        "sub rsp, 144",
        "mov [rsp], rdi",
        "mov [rsp + 8], rsi",
        "mov [rsp + 16], rdx",
        "mov [rsp + 24], rcx",
        "mov [rsp + 32], r8",
        "mov [rsp + 40], r9",
        "movsd [rsp + 48], xmm0",
        "movsd [rsp + 56], xmm1",
        "movsd [rsp + 64], xmm2",
        "movsd [rsp + 72], xmm3",
        "movsd [rsp + 80], xmm4",
        "movsd [rsp + 88], xmm5",
        "movsd [rsp + 96], xmm6",
        "movsd [rsp + 104], xmm7",
        "xor eax, eax",
        "mov [rsp + 112], rax",
        "mov [rsp + 120], rax",
        "mov [rsp + 128], rax",
        "mov [rsp + 136], rax",
        "mov rdi, rsp",
        "mov rsi, [r10 + 16]",
        "call [r10 + 8]",
        "mov rax, [rsp + 112]",
        "mov rdx, [rsp + 120]",
        "movsd xmm0, [rsp + 128]",
        "movsd xmm1, [rsp + 136]",
        "leave",
        ".cfi_def_cfa rsp, 8",
        "ret",
        ".cfi_endproc",
    )
}
