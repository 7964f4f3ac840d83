//! The operands of instructions: registers, memory, widths, conditions and labels.

/// An integer register, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Register(pub u8);

/// A register of floating point, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float(pub u8);

/// Memory at a register's value plus a displacement.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub base: Register,
    pub displacement: i32,
}

impl Register {
    /// Memory at this register's value plus `displacement`.
    pub const fn at(self, displacement: i32) -> Memory {
        Memory { base: self, displacement }
    }
}

impl Memory {
    /// Memory further up.
    pub fn plus(self, bytes: i32) -> Self {
        Self { displacement: self.displacement + bytes, ..self }
    }
}

/// The second operand of an instruction.
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

impl From<Float> for Operand {
    fn from(register: Float) -> Self {
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

/// The condition of a jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Above, unsigned.
    Above,
    /// Equal, or zero.
    Equal,
    /// Not equal, or not zero.
    NotEqual,
    /// Below zero.
    Negative,
    /// Zero or more.
    NotNegative,
    /// A comparison of floats with a NaN. On x64 these are equal as well, on arm64 not.
    Unordered,
}

/// A position in the code that jumps can name before it is known.
#[derive(Clone, Copy, Debug)]
pub struct Label(pub(super) usize);
