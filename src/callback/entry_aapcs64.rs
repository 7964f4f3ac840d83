//! The instructions between C and the handler of a callback, in AAPCS64.
#![cfg(all(aapcs64, callback_stubs))]
#![expect(unsafe_code, reason = "is called by C")]

/// The bytes of a stub.
pub const STUB_BYTES: usize = 32;

/// The words between the block and the stack arguments: the frame pointer, and the return address.
pub const LINKS: usize = 2;

/// `ldr x16, =slot; ldr x17, [x16]; br x17`, and the slot's address.
pub fn stub(slot: usize) -> [u8; STUB_BYTES] {
    let mut code = [0; STUB_BYTES];
    for (at, instruction) in [0x5800_0090u32, 0xf940_0211, 0xd61f_0220].into_iter().enumerate() {
        code[at * 4..][..4].copy_from_slice(&instruction.to_le_bytes());
    }
    code[16..24].copy_from_slice(&slot.to_le_bytes());
    code
}

/// All stubs continue here: x16 is the slot, with the address of `enter`, the function to call, and its argument. Makes
/// a `SavedRegisters` on the stack, whose results are zero until they are set.
///
/// # Safety
/// C called a stub.
#[unsafe(naked)]
pub unsafe extern "C" fn enter() {
    core::arch::naked_asm!(
        // The unwind information lets debuggers, profilers and crash reports see through this frame.
        ".cfi_startproc",
        "sub sp, sp, #208",
        ".cfi_def_cfa_offset 208",
        "stp x29, x30, [sp, #192]",
        ".cfi_offset x29, -16",
        ".cfi_offset x30, -8",
        "add x29, sp, #192",
        ".cfi_def_cfa x29, 16",
        "stp x0, x1, [sp]",
        "stp x2, x3, [sp, #16]",
        "stp x4, x5, [sp, #32]",
        "stp x6, x7, [sp, #48]",
        "stp d0, d1, [sp, #64]",
        "stp d2, d3, [sp, #80]",
        "stp d4, d5, [sp, #96]",
        "stp d6, d7, [sp, #112]",
        "stp x8, xzr, [sp, #128]",
        "stp xzr, xzr, [sp, #144]",
        "stp xzr, xzr, [sp, #160]",
        "stp xzr, xzr, [sp, #176]",
        "mov x0, sp",
        "ldp x9, x1, [x16, #8]",
        "blr x9",
        "ldp x0, x1, [sp, #144]",
        "ldp d0, d1, [sp, #160]",
        "ldp d2, d3, [sp, #176]",
        "ldp x29, x30, [sp, #192]",
        "add sp, sp, #208",
        ".cfi_def_cfa sp, 0",
        ".cfi_restore x29",
        ".cfi_restore x30",
        "ret",
        ".cfi_endproc",
    )
}
