//! The instructions between a call and C in AAPCS64.
#![cfg(aapcs64)]
#![expect(unsafe_code, reason = "calls C")]

use crate::abi::aapcs64::{FILE, RESULT_ADDRESS};

/// Puts the words into registers and onto the stack, and calls.
///
/// # Safety
/// `words` is a register file, of which as many words as `on_stack` says are written; `returned` is writable for
/// `aapcs64::RETURNED` words. U1 for the function at `code`.
#[unsafe(naked)]
pub unsafe extern "C" fn enter(words: *const u64, code: usize, on_stack: usize, returned: *mut u64, floats: bool) {
    core::arch::naked_asm!(
        // The unwind information lets debuggers, profilers and crash reports see through this frame.
        ".cfi_startproc",
        "stp x29, x30, [sp, #-32]!",
        ".cfi_def_cfa_offset 32",
        ".cfi_offset x29, -32",
        ".cfi_offset x30, -24",
        "mov x29, sp",
        ".cfi_def_cfa_register x29",
        "str x19, [sp, #16]",
        ".cfi_offset x19, -16",
        "mov x19, x3",
        "mov x9, x0",
        "mov x10, x1",
        "cbz x2, 3f",
        // The stack is aligned to 16 bytes.
        "add x11, x2, #1",
        "and x11, x11, #-2",
        "sub sp, sp, x11, lsl #3",
        "add x11, x9, #{stack}",
        "2:",
        "sub x2, x2, #1",
        "ldr x12, [x11, x2, lsl #3]",
        "str x12, [sp, x2, lsl #3]",
        "cbnz x2, 2b",
        "3:",
        "cbz w4, 4f",
        "ldp d0, d1, [x9, #64]",
        "ldp d2, d3, [x9, #80]",
        "ldp d4, d5, [x9, #96]",
        "ldp d6, d7, [x9, #112]",
        "4:",
        "ldr x8, [x9, #{result}]",
        "ldp x6, x7, [x9, #48]",
        "ldp x4, x5, [x9, #32]",
        "ldp x2, x3, [x9, #16]",
        "ldp x0, x1, [x9]",
        "blr x10",
        "stp x0, x1, [x19]",
        "stp d0, d1, [x19, #16]",
        "stp d2, d3, [x19, #32]",
        "mov sp, x29",
        ".cfi_def_cfa_register sp",
        "ldr x19, [sp, #16]",
        "ldp x29, x30, [sp], #32",
        ".cfi_def_cfa_offset 0",
        ".cfi_restore x19",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "ret",
        ".cfi_endproc",
        stack = const FILE.registers() * 8,
        result = const RESULT_ADDRESS * 8,
    )
}
