//! The stubs of x86-64, which continue at one entry. Both ABIs leave r10 to them.
#![cfg(all(any(sysv64, win64), callback_stubs))]

/// The bytes of a stub.
pub const STUB_BYTES: usize = 16;

/// `mov r10, slot; jmp [r10]`
pub fn stub(slot: usize) -> [u8; STUB_BYTES] {
    let mut code = [0xcc; STUB_BYTES];
    code[..2].copy_from_slice(&[0x49, 0xba]);
    code[2..10].copy_from_slice(&slot.to_le_bytes());
    code[10..13].copy_from_slice(&[0x41, 0xff, 0x22]);
    code
}
