//! The instructions between C and the handler of a callback, in the x64 ABI of Windows.
#![cfg(all(win64, callback_stubs))]
#![expect(unsafe_code, reason = "is called by C")]

use crate::abi::win64::seh;

pub use super::jump_x86_64::{STUB_BYTES, stub};

/// The words between the block and the stack arguments: padding, the return address, and the space in which a callee
/// may save its four registers.
pub const LINKS: usize = 6;

/// All stubs continue here: r10 is the slot, with the address of `enter`, the function to call, and its argument. Makes
/// a `SavedRegisters` on the stack, whose results are zero until they are set.
///
/// # Safety
/// C called a stub.
#[unsafe(naked)]
pub unsafe extern "C" fn enter() {
    core::arch::naked_asm!(
        // The unwind information lets exceptions, debuggers and crash reports see through this frame.
        seh!(".seh_proc {enter}"),
        "sub rsp, 136",
        seh!(".seh_stackalloc 136"),
        seh!(".seh_endprologue"),
        // Below the block is the space for the registers of the function that is called.
        "mov [rsp + 32], rcx",
        "mov [rsp + 40], rdx",
        "mov [rsp + 48], r8",
        "mov [rsp + 56], r9",
        "movsd [rsp + 64], xmm0",
        "movsd [rsp + 72], xmm1",
        "movsd [rsp + 80], xmm2",
        "movsd [rsp + 88], xmm3",
        "xor eax, eax",
        "mov [rsp + 96], rax",
        "mov [rsp + 104], rax",
        "mov [rsp + 112], rax",
        "mov [rsp + 120], rax",
        "lea rcx, [rsp + 32]",
        "mov rdx, [r10 + 16]",
        "call [r10 + 8]",
        "mov rax, [rsp + 96]",
        "movsd xmm0, [rsp + 112]",
        "add rsp, 136",
        "ret",
        seh!(".seh_endproc"),
        enter = sym enter,
    )
}
