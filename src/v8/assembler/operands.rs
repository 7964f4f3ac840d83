//! The operands of x64 instructions: registers, memory, widths and conditions.

/// An integer register, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(pub u8);

/// A register of floating point, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Xmm(pub u8);

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
pub const XMM0: Xmm = Xmm(0);
pub const XMM14: Xmm = Xmm(14);
pub const XMM15: Xmm = Xmm(15);

/// Memory at a register's value plus a displacement.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub base: Register,
    pub displacement: i32,
}

impl Register {
    /// Memory at this register's value plus `displacement`.
    pub fn at(self, displacement: i32) -> Memory {
        Memory { base: self, displacement }
    }
}

impl Memory {
    /// Memory further up.
    pub fn plus(self, bytes: i32) -> Self {
        Self { displacement: self.displacement + bytes, ..self }
    }
}

/// The second operand of ModRM.
#[derive(Clone, Copy, Debug)]
pub enum Operand {
    Register(u8),
    Memory(Memory),
}

impl From<Register> for Operand {
    fn from(register: Register) -> Self {
        Self::Register(register.0)
    }
}

impl From<Xmm> for Operand {
    fn from(register: Xmm) -> Self {
        Self::Register(register.0)
    }
}

impl From<Memory> for Operand {
    fn from(memory: Memory) -> Self {
        Self::Memory(memory)
    }
}

/// The width of an integer instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 32 bits. The upper half of a destination register becomes 0.
    Bits32,
    /// 64 bits.
    Bits64,
}

/// The condition of a jump; its number is part of the opcode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `ja`: above, unsigned.
    Above = 7,
    /// `je`, `jz`.
    Equal = 4,
    /// `jne`, `jnz`.
    NotEqual = 5,
    /// `js`.
    Negative = 8,
    /// `jns`.
    NotNegative = 9,
    /// `jp`: a comparison of floats with a NaN.
    Unordered = 10,
}
