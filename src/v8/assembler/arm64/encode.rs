//! The parts of arm64 instructions: fields, loads and stores, and constants of bits.

use super::{Register, Width};

/// A number in an instruction, from a bit on.
pub fn field(number: u8, bit: u32) -> u32 {
    u32::from(number) << bit
}

/// A load or a store.
#[derive(Clone, Copy, Debug)]
pub struct Access {
    /// The bytes as a power of two.
    size: u8,
    /// Of a register of floating point.
    is_float: bool,
    is_load: bool,
}

impl Access {
    /// Of an integer register.
    pub fn word(width: Width, is_load: bool) -> Self {
        Self { size: if width == Width::Bits64 { 3 } else { 2 }, is_float: false, is_load }
    }

    /// Of the lowest byte of an integer register.
    pub fn byte(is_load: bool) -> Self {
        Self { size: 0, is_float: false, is_load }
    }

    /// Of a double.
    pub fn double(is_load: bool) -> Self {
        Self { size: 3, is_float: true, is_load }
    }

    fn instruction(self) -> u32 {
        0x3800_0000 | field(self.size, 30) | field(self.is_float.into(), 26) | field(self.is_load.into(), 22)
    }

    /// The instruction with a displacement: `ldr`, whose displacement is a multiple of the size, or `ldur`, whose
    /// displacement is a small one. `None` if neither has it.
    pub fn at(self, displacement: i32) -> Option<u32> {
        let mask = (1 << self.size) - 1;
        if displacement & mask == 0 && (0..4096 << self.size).contains(&displacement) {
            return Some(self.instruction() | 1 << 24 | (displacement >> self.size).cast_unsigned() << 10);
        }
        let is_small = (-256..256).contains(&displacement);
        is_small.then(|| self.instruction() | (displacement.cast_unsigned() & 0x1ff) << 12)
    }

    /// The instruction with the displacement in a register.
    pub fn at_register(self, displacement: Register) -> u32 {
        self.instruction() | 0x0020_6800 | field(displacement.0, 16)
    }
}

/// The field of a logical instruction of 32 bits for bits that lie side by side.
///
/// # Panics
/// If they do not, or are none or all.
pub fn logical_mask(bits: u32) -> u32 {
    let (ones, shift) = (bits.count_ones(), bits.trailing_zeros());
    assert!(ones > 0 && ones < 32 && (bits >> shift).trailing_ones() == ones, "the bits lie side by side");
    ((32 - shift) % 32) << 16 | (ones - 1) << 10
}
