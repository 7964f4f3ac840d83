//! Emits instructions of x64.
//!
//! An instruction is: an optional prefix, REX (64 bits, and the fourth bit of each register number), the opcode, and
//! ModRM, which names a register and either another one or memory. Each method emits one instruction; the operands are
//! in Intel's order, the destination first.

pub mod roles;

use smallvec::SmallVec;

use super::operands::Condition::{Above, Equal, Negative, NotEqual, NotNegative, Unordered};
use super::operands::Width::{Bits32, Bits64};
pub use super::operands::{Condition, Float, Label, Memory, Operand, Register, Width};

pub const RAX: Register = Register(0);
pub const RCX: Register = Register(1);
pub const RDX: Register = Register(2);
pub const RSP: Register = Register(4);
pub const RBP: Register = Register(5);
pub const RSI: Register = Register(6);
pub const RDI: Register = Register(7);
pub const R8: Register = Register(8);
pub const R9: Register = Register(9);
pub const R10: Register = Register(10);
pub const R11: Register = Register(11);
pub const XMM0: Float = Float(0);
pub const XMM14: Float = Float(14);
pub const XMM15: Float = Float(15);

/// The number of a condition, which is a part of the opcode of its jump: `ja`, `je`, `jne`, `js`, `jns`, `jp`.
fn number(condition: Condition) -> u8 {
    match condition {
        Above => 7,
        Equal => 4,
        NotEqual => 5,
        Negative => 8,
        NotNegative => 9,
        Unordered => 10,
    }
}

/// Code under construction.
#[derive(Debug, Default)]
pub struct Assembler {
    code: Vec<u8>,
    /// By label: where it is, once it was bound.
    positions: SmallVec<[Option<usize>; 16]>,
    /// The position of the 32-bit distance of a jump, and its label.
    jumps: SmallVec<[(usize, Label); 16]>,
}

impl Assembler {
    /// A label without a position.
    pub fn label(&mut self) -> Label {
        self.positions.push(None);
        Label(self.positions.len() - 1)
    }

    /// Gives a label the current position.
    pub fn bind(&mut self, label: Label) {
        self.positions[label.0] = Some(self.code.len());
    }

    /// The code, with the distances of its jumps filled in.
    ///
    /// # Panics
    /// If a jump names a label that was not bound.
    pub fn finish(mut self) -> Vec<u8> {
        for (at, label) in self.jumps {
            let target = self.positions[label.0].expect("the label is bound");
            // A jump counts from its end. Code is far shorter than 2 GiB.
            let distance = target as i32 - (at as i32 + 4);
            self.code[at..at + 4].copy_from_slice(&distance.to_le_bytes());
        }
        self.code
    }

    fn emit(&mut self, prefix: Option<u8>, width: Width, opcode: &[u8], register: u8, operand: Operand) {
        self.code.extend(prefix);
        let other = match operand {
            Operand::Register(number) => number,
            Operand::Memory(memory) => memory.base.0,
        };
        let rex = u8::from(width == Bits64) << 3 | (register >> 3) << 2 | other >> 3;
        if rex != 0 {
            self.code.push(0x40 | rex);
        }
        self.code.extend_from_slice(opcode);
        let low = (register & 7) << 3 | (other & 7);
        let Operand::Memory(Memory { displacement, .. }) = operand else { return self.code.push(0xc0 | low) };
        // A base whose low bits are those of rbp has no form without a displacement.
        let short = i8::try_from(displacement).ok();
        let mode = match short {
            Some(0) if other & 7 != RBP.0 => 0,
            Some(_) => 0x40,
            None => 0x80,
        };
        self.code.push(mode | low);
        // A base whose low bits are those of rsp is named in a SIB byte, here without an index.
        if other & 7 == RSP.0 {
            self.code.push(0x24);
        }
        match (mode, short) {
            (0, _) => {}
            (_, Some(short)) => self.code.extend(short.to_le_bytes()),
            (_, None) => self.code.extend(displacement.to_le_bytes()),
        }
    }

    // ---- integers ----

    /// `mov to, value`, of 64 bits.
    pub fn mov_constant(&mut self, to: Register, value: u64) {
        self.code.extend([0x48 | to.0 >> 3, 0xb8 | (to.0 & 7)]);
        self.code.extend(value.to_le_bytes());
    }

    /// `mov to, value`, of 32 bits.
    pub fn mov_constant32(&mut self, to: Register, value: u32) {
        if to.0 > 7 {
            self.code.push(0x41);
        }
        self.code.push(0xb8 | (to.0 & 7));
        self.code.extend(value.to_le_bytes());
    }

    /// `mov to, from`: from a register or from memory.
    pub fn mov(&mut self, width: Width, to: Register, from: impl Into<Operand>) {
        self.emit(None, width, &[0x8b], to.0, from.into());
    }

    /// `mov to, [from]`, of 64 bits: what another thread wrote before it released this word is seen afterwards.
    pub fn load_acquire(&mut self, to: Register, from: Register) {
        self.mov(Bits64, to, from.at(0));
    }

    /// `mov to, from`, to memory, of 64 bits.
    pub fn store(&mut self, to: Memory, from: Register) {
        self.emit(None, Bits64, &[0x89], from.0, to.into());
    }

    /// `mov to, value`, to memory, of 32 bits.
    pub fn store_constant32(&mut self, to: Memory, value: u32) {
        self.emit(None, Bits32, &[0xc7], 0, to.into());
        self.code.extend(value.to_le_bytes());
    }

    /// `mov byte [to], value`.
    pub fn store_byte(&mut self, to: Memory, value: u8) {
        self.emit(None, Bits32, &[0xc6], 0, to.into());
        self.code.push(value);
    }

    /// `movsx` or `movzx`: extends the low 8 or 16 bits of a register to 32. The 8-bit form reads the low byte of rax,
    /// rcx, rdx or rbx only.
    pub fn extend(&mut self, to: Register, from: Register, bits: u8, is_signed: bool) {
        let opcode = if is_signed { 0xbe } else { 0xb6 } | u8::from(bits == 16);
        self.emit(None, Bits32, &[0x0f, opcode], to.0, from.into());
    }

    /// `movzx to, byte [from]`.
    pub fn load_byte(&mut self, to: Register, from: Memory) {
        self.emit(None, Bits32, &[0x0f, 0xb6], to.0, from.into());
    }

    /// `imul to, from, value`.
    pub fn multiply(&mut self, to: Register, from: Register, value: i32) {
        self.emit(None, Bits64, &[0x69], to.0, from.into());
        self.code.extend(value.to_le_bytes());
    }

    /// `lea to, [base + index]`.
    pub fn lea_sum(&mut self, to: Register, base: Register, index: Register) {
        self.code.push(0x48 | (to.0 >> 3) << 2 | (index.0 >> 3) << 1 | base.0 >> 3);
        self.code.extend([0x8d, (to.0 & 7) << 3 | 4, (index.0 & 7) << 3 | (base.0 & 7)]);
    }

    /// `add to, operand`.
    pub fn add(&mut self, to: Register, operand: impl Into<Operand>) {
        self.emit(None, Bits64, &[0x03], to.0, operand.into());
    }

    /// `sub from, value`.
    pub fn sub_constant(&mut self, from: Register, value: i32) {
        self.emit(None, Bits64, &[0x81], 5, from.into());
        self.code.extend(value.to_le_bytes());
    }

    /// `neg register`.
    pub fn neg(&mut self, register: Register) {
        self.emit(None, Bits64, &[0xf7], 3, register.into());
    }

    /// `xor register, register`, of 32 bits: sets it to 0.
    pub fn clear(&mut self, register: Register) {
        self.emit(None, Bits32, &[0x33], register.0, register.into());
    }

    /// `shl register, bits`.
    pub fn shl(&mut self, register: Register, bits: u8) {
        self.emit(None, Bits64, &[0xc1], 4, register.into());
        self.code.push(bits);
    }

    /// `shr register, bits`: shifts zeros in.
    pub fn shr(&mut self, register: Register, bits: u8) {
        self.emit(None, Bits64, &[0xc1], 5, register.into());
        self.code.push(bits);
    }

    /// `sar register, bits`: shifts the sign in.
    pub fn sar(&mut self, register: Register, bits: u8) {
        self.emit(None, Bits64, &[0xc1], 7, register.into());
        self.code.push(bits);
    }

    /// `cmp register, operand`.
    pub fn cmp(&mut self, register: Register, operand: impl Into<Operand>) {
        self.emit(None, Bits64, &[0x3b], register.0, operand.into());
    }

    /// `cmp operand, value`.
    pub fn cmp_constant(&mut self, width: Width, operand: impl Into<Operand>, value: i8) {
        self.emit(None, width, &[0x83], 7, operand.into());
        self.code.extend(value.to_le_bytes());
    }

    /// `cmp byte [memory], value`.
    pub fn cmp_byte(&mut self, memory: Memory, value: i8) {
        self.emit(None, Bits32, &[0x80], 7, memory.into());
        self.code.extend(value.to_le_bytes());
    }

    /// `or dword [memory], bits`.
    pub fn or_bits(&mut self, memory: Memory, bits: u32) {
        self.emit(None, Bits32, &[0x81], 1, memory.into());
        self.code.extend(bits.to_le_bytes());
    }

    /// `and register, bits`, of 32 bits.
    pub fn and_bits(&mut self, register: Register, bits: u32) {
        self.emit(None, Bits32, &[0x81], 4, register.into());
        self.code.extend(bits.to_le_bytes());
    }

    /// `inc register`, of 32 bits.
    pub fn increment(&mut self, register: Register) {
        self.emit(None, Bits32, &[0xff], 0, register.into());
    }

    /// `mov [to], from`, of 32 bits.
    pub fn store32(&mut self, to: Memory, from: Register) {
        self.emit(None, Bits32, &[0x89], from.0, to.into());
    }

    /// `test register, register`, of the low 8 bits of rax, rcx, rdx or rbx.
    pub fn test_byte(&mut self, register: Register) {
        self.emit(None, Bits32, &[0x84], register.0, register.into());
    }

    /// `test register, register`.
    pub fn test(&mut self, width: Width, register: Register) {
        self.emit(None, width, &[0x85], register.0, register.into());
    }

    /// `test dword operand, bits`.
    pub fn test_bits(&mut self, operand: impl Into<Operand>, bits: u32) {
        self.emit(None, Bits32, &[0xf7], 0, operand.into());
        self.code.extend(bits.to_le_bytes());
    }

    // ---- floating point ----

    /// `movaps to, from`.
    pub fn movaps(&mut self, to: Float, from: Float) {
        self.emit(None, Bits32, &[0x0f, 0x28], to.0, from.into());
    }

    /// `movsd to, [from]`.
    pub fn load_double(&mut self, to: Float, from: Memory) {
        self.emit(Some(0xf2), Bits32, &[0x0f, 0x10], to.0, from.into());
    }

    /// `movsd [to], from`.
    pub fn store_double(&mut self, to: Memory, from: Float) {
        self.emit(Some(0xf2), Bits32, &[0x0f, 0x11], from.0, to.into());
    }

    /// `movq to, from`: the bits of an integer register.
    pub fn movq(&mut self, to: Float, from: Register) {
        self.emit(Some(0x66), Bits64, &[0x0f, 0x6e], to.0, from.into());
    }

    /// `xorps register, register`: sets it to 0.
    pub fn clear_float(&mut self, register: Float) {
        self.emit(None, Bits32, &[0x0f, 0x57], register.0, register.into());
    }

    /// `cvttsd2si to, from`: a double as an integer, cut off.
    pub fn double_to_integer(&mut self, to: Register, from: Float) {
        self.emit(Some(0xf2), Bits64, &[0x0f, 0x2c], to.0, from.into());
    }

    /// `cvtsi2sd to, from`: an integer as a double. The upper half of `to` stays, so that it is cleared before.
    pub fn integer_to_double(&mut self, to: Float, from: Register) {
        self.emit(Some(0xf2), Bits64, &[0x0f, 0x2a], to.0, from.into());
    }

    /// `ucomisd first, second`.
    pub fn compare_doubles(&mut self, first: Float, second: Float) {
        self.emit(Some(0x66), Bits32, &[0x0f, 0x2e], first.0, second.into());
    }

    // ---- control flow ----

    /// `jmp label`.
    pub fn jmp(&mut self, label: Label) {
        self.code.push(0xe9);
        self.distance(label);
    }

    /// A jump on a condition.
    pub fn jump_if(&mut self, condition: Condition, label: Label) {
        self.code.extend([0x0f, 0x80 | number(condition)]);
        self.distance(label);
    }

    fn distance(&mut self, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.code.extend([0; 4]);
    }

    /// `mov eax, 8`: in al a variadic function finds how many registers of floating point it may read.
    pub fn allow_variadic(&mut self) {
        self.mov_constant32(RAX, 8);
    }

    /// `call function`, where the caller has no frame. The function keeps `roles::KEPT`.
    pub fn call_without_frame(&mut self, function: Register) {
        self.call(function);
    }

    /// `jmp operand`: to the address in a register or in memory.
    pub fn jmp_to(&mut self, operand: impl Into<Operand>) {
        self.emit(None, Bits32, &[0xff], 4, operand.into());
    }

    /// `call operand`.
    pub fn call(&mut self, operand: impl Into<Operand>) {
        self.emit(None, Bits32, &[0xff], 2, operand.into());
    }

    /// `push rbp; mov rbp, rsp`.
    pub fn enter_frame(&mut self) {
        self.code.push(0x55);
        self.mov(Bits64, RBP, RSP);
    }

    /// `leave; ret`.
    pub fn leave_frame(&mut self) {
        self.code.push(0xc9);
        self.ret();
    }

    /// `ret`.
    pub fn ret(&mut self) {
        self.code.push(0xc3);
    }
}

#[cfg(test)]
mod tests;
