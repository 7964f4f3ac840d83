//! The instructions between a call and C in the x64 ABI of Windows.
#![cfg(any(win64, all(test, sysv64)))]
#![expect(unsafe_code, reason = "calls C")]

use crate::abi::win64::{FILE, seh};

/// Puts the words into registers and onto the stack, and calls. Below the words of the stack is the space in which the
/// callee may save its four registers. The stack grows by less than a page, so that no page has to be probed.
///
/// # Safety
/// `words` is a register file, of which as many words as `on_stack` says are written; `returned` is writable for
/// `win64::RETURNED` words. U1 for the function at `code`.
#[unsafe(naked)]
pub unsafe extern "win64" fn enter(words: *const u64, code: usize, on_stack: usize, returned: *mut u64, floats: bool) {
    core::arch::naked_asm!(
        // The unwind information lets exceptions, debuggers and crash reports see through this frame.
        seh!(".seh_proc {enter}"),
        "push rbp",
        seh!(".seh_pushreg rbp"),
        "push rbx",
        seh!(".seh_pushreg rbx"),
        "sub rsp, 8",
        seh!(".seh_stackalloc 8"),
        "mov rbp, rsp",
        seh!(".seh_setframe rbp, 0"),
        seh!(".seh_endprologue"),
        "mov rbx, r9",
        "mov r10, rcx",
        "mov r11, rdx",
        "test r8, r8",
        "jz 3f",
        // The stack is aligned to 16 bytes at the call.
        "lea rcx, [r8 + 1]",
        "and rcx, -2",
        "shl rcx, 3",
        "sub rsp, rcx",
        "2:",
        "mov rax, [r10 + r8 * 8 + {stack} - 8]",
        "mov [rsp + r8 * 8 - 8], rax",
        "dec r8",
        "jnz 2b",
        "3:",
        // Behind the saved registers, the return address and the space for four registers is the fifth argument.
        "cmp byte ptr [rbp + 64], 0",
        "je 4f",
        "movsd xmm0, [r10 + 32]",
        "movsd xmm1, [r10 + 40]",
        "movsd xmm2, [r10 + 48]",
        "movsd xmm3, [r10 + 56]",
        "4:",
        "mov rcx, [r10]",
        "mov rdx, [r10 + 8]",
        "mov r8, [r10 + 16]",
        "mov r9, [r10 + 24]",
        "sub rsp, 32",
        "call r11",
        "mov [rbx], rax",
        "mov [rbx + 8], rdx",
        "movsd [rbx + 16], xmm0",
        "movsd [rbx + 24], xmm1",
        "lea rsp, [rbp + 8]",
        "pop rbx",
        "pop rbp",
        "ret",
        seh!(".seh_endproc"),
        stack = const FILE.registers() * 8,
        enter = sym enter,
    )
}

#[cfg(test)]
mod tests;
