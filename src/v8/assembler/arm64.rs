//! Emits instructions of arm64 ("Arm Architecture Reference Manual for A-profile architecture", section C6 and C7).
//!
//! An instruction is a word of 32 bits. Registers and small constants lie inside of it; the lowest five bits are those
//! of the destination in most. Instructions do not compare memory, nor write constants there: methods that do so load
//! into x16 or x17, which hold nothing between the instructions of a trampoline.

mod encode;
pub mod roles;

use encode::{Access, field, logical_mask};
use smallvec::SmallVec;

use super::operands::Condition::{Above, Equal, Negative, NotEqual, NotNegative, Unordered};
use super::operands::Width::{Bits32, Bits64};
pub use super::operands::{Condition, Float, Label, Memory, Operand, Register, Width};

/// Registers for constants and for the content of memory.
const X16: Register = Register(16);
const X17: Register = Register(17);
/// Where a trampoline without a frame keeps its return address during a call.
pub const X15: Register = Register(15);
/// The frame and the return address.
pub const X29: Register = Register(29);
const X30: Register = Register(30);
/// As the base of memory and in some instructions the end of the stack, in others zero.
pub const SP: Register = Register(31);
const ZERO: Register = Register(31);

/// The number of a condition: `b.hi`, `b.eq`, `b.ne`, `b.mi`, `b.pl`, `b.vs`.
fn number(condition: Condition) -> u32 {
    match condition {
        Above => 8,
        Equal => 0,
        NotEqual => 1,
        Negative => 4,
        NotNegative => 5,
        Unordered => 6,
    }
}

/// The bit of an instruction that says that it is one of 64 bits.
fn width_bit(width: Width) -> u32 {
    u32::from(width == Bits64) << 31
}

/// Code under construction.
#[derive(Debug, Default)]
pub struct Assembler {
    code: Vec<u32>,
    /// By label: where it is, once it was bound, in instructions.
    positions: SmallVec<[Option<usize>; 16]>,
    /// The position of a jump, and its label.
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
            // In instructions, from the jump itself. Code is far shorter than 1 MiB, which the short form reaches.
            let distance = (target as i32 - at as i32).cast_unsigned();
            let jump = &mut self.code[at];
            *jump |= if *jump >> 24 == 0x54 { (distance & 0x7_ffff) << 5 } else { distance & 0x3ff_ffff };
        }
        self.code.iter().flat_map(|instruction| instruction.to_le_bytes()).collect()
    }

    fn emit(&mut self, instruction: u32) {
        self.code.push(instruction);
    }

    /// An instruction of a destination, a first and a second source.
    fn emit3(&mut self, instruction: u32, to: u8, first: u8, second: u8) {
        self.emit(instruction | field(second, 16) | field(first, 5) | field(to, 0));
    }

    /// A load or a store of `register`.
    fn access(&mut self, access: Access, register: u8, memory: Memory) {
        let Memory { base, displacement } = memory;
        let instruction = access.at(displacement).unwrap_or_else(|| {
            self.mov_constant(X17, i64::from(displacement).cast_unsigned());
            access.at_register(X17)
        });
        self.emit(instruction | field(base.0, 5) | field(register, 0));
    }

    /// The register of an operand: memory is loaded into x16.
    fn register_of(&mut self, width: Width, operand: Operand) -> Register {
        match operand {
            Operand::Register(number) => Register(number),
            Operand::Memory(memory) => {
                self.access(Access::word(width, true), X16.0, memory);
                X16
            }
        }
    }

    // ---- integers ----

    /// `movz to, #value` for the lowest 16 bits, and a `movk` for each further 16 bits that are not zero.
    pub fn mov_constant(&mut self, to: Register, value: u64) {
        let part = |number: u32| (value >> (number * 16)) as u16;
        self.emit(0xd280_0000 | u32::from(part(0)) << 5 | field(to.0, 0));
        for number in (1..4).filter(|number| part(*number) != 0) {
            self.emit(0xf280_0000 | number << 21 | u32::from(part(number)) << 5 | field(to.0, 0));
        }
    }

    /// The same for 32 bits: the upper half becomes 0.
    pub fn mov_constant32(&mut self, to: Register, value: u32) {
        self.mov_constant(to, value.into());
    }

    /// `mov to, from`, or `ldr to, [from]`.
    pub fn mov(&mut self, width: Width, to: Register, from: impl Into<Operand>) {
        match from.into() {
            Operand::Register(from) => self.emit3(0x2a00_0000 | width_bit(width), to.0, ZERO.0, from),
            Operand::Memory(memory) => self.access(Access::word(width, true), to.0, memory),
        }
    }

    /// `ldar to, [from]`: what another thread wrote before it released this word is seen afterwards.
    pub fn load_acquire(&mut self, to: Register, from: Register) {
        self.emit(0xc8df_fc00 | field(from.0, 5) | field(to.0, 0));
    }

    /// `str from, [to]`, of 64 bits.
    pub fn store(&mut self, to: Memory, from: Register) {
        self.access(Access::word(Bits64, false), from.0, to);
    }

    /// `str from, [to]`, of 32 bits.
    pub fn store32(&mut self, to: Memory, from: Register) {
        self.access(Access::word(Bits32, false), from.0, to);
    }

    /// `mov w16, #value; str w16, [to]`.
    pub fn store_constant32(&mut self, to: Memory, value: u32) {
        self.mov_constant32(X16, value);
        self.store32(to, X16);
    }

    /// `mov w16, #value; strb w16, [to]`.
    pub fn store_byte(&mut self, to: Memory, value: u8) {
        self.mov_constant32(X16, value.into());
        self.access(Access::byte(false), X16.0, to);
    }

    /// `sxtb`, `sxth`, `uxtb` or `uxth`: extends the low 8 or 16 bits of a register to 32.
    pub fn extend(&mut self, to: Register, from: Register, bits: u8, is_signed: bool) {
        let instruction = if is_signed { 0x1300_0000 } else { 0x5300_0000 };
        self.emit(instruction | field(bits - 1, 10) | field(from.0, 5) | field(to.0, 0));
    }

    /// `ldrb to, [from]`.
    pub fn load_byte(&mut self, to: Register, from: Memory) {
        self.access(Access::byte(true), to.0, from);
    }

    /// `mov x16, #value; mul to, from, x16`, for a value of zero or more.
    pub fn multiply(&mut self, to: Register, from: Register, value: i32) {
        self.mov_constant32(X16, value.cast_unsigned());
        self.emit3(0x9b00_7c00, to.0, from.0, X16.0);
    }

    /// `add to, base, index`.
    pub fn lea_sum(&mut self, to: Register, base: Register, index: Register) {
        self.emit3(0x8b00_0000, to.0, base.0, index.0);
    }

    /// `add to, to, operand`.
    pub fn add(&mut self, to: Register, operand: impl Into<Operand>) {
        let operand = self.register_of(Bits64, operand.into());
        self.lea_sum(to, to, operand);
    }

    /// `sub from, from, #value`, for a value of zero to 4095. `from` may be the end of the stack.
    pub fn sub_constant(&mut self, from: Register, value: i32) {
        debug_assert!((0..4096).contains(&value));
        self.emit(0xd100_0000 | value.cast_unsigned() << 10 | field(from.0, 5) | field(from.0, 0));
    }

    /// `negs register, register`.
    pub fn neg(&mut self, register: Register) {
        self.emit3(0xeb00_0000, register.0, ZERO.0, register.0);
    }

    /// `mov register, #0`.
    pub fn clear(&mut self, register: Register) {
        self.mov_constant(register, 0);
    }

    /// `lsl register, register, #bits`.
    pub fn shl(&mut self, register: Register, bits: u8) {
        self.emit_bitfield(0xd340_0000, register, 64 - bits, 63 - bits);
    }

    /// `lsr register, register, #bits; cmp register, #0`: shifts zeros in, and compares what is left with 0.
    pub fn shr(&mut self, register: Register, bits: u8) {
        self.emit_bitfield(0xd340_0000, register, bits, 63);
        self.cmp_constant(Bits64, register, 0);
    }

    /// `asr register, register, #bits`: shifts the sign in.
    pub fn sar(&mut self, register: Register, bits: u8) {
        self.emit_bitfield(0x9340_0000, register, bits, 63);
    }

    fn emit_bitfield(&mut self, instruction: u32, register: Register, rotation: u8, last: u8) {
        self.emit(instruction | field(rotation, 16) | field(last, 10) | field(register.0, 5) | field(register.0, 0));
    }

    /// `cmp register, operand`.
    pub fn cmp(&mut self, register: Register, operand: impl Into<Operand>) {
        let operand = self.register_of(Bits64, operand.into());
        self.emit3(0xeb00_0000, ZERO.0, register.0, operand.0);
    }

    /// `cmp operand, #value`, for a value of zero or more.
    pub fn cmp_constant(&mut self, width: Width, operand: impl Into<Operand>, value: i8) {
        let operand = self.register_of(width, operand.into());
        self.emit(0x7100_0000 | width_bit(width) | field(value.cast_unsigned(), 10) | field(operand.0, 5) | 31);
    }

    /// `ldrb w16, [memory]; cmp w16, #value`, for a value of zero or more.
    pub fn cmp_byte(&mut self, memory: Memory, value: i8) {
        self.load_byte(X16, memory);
        self.cmp_constant(Bits32, X16, value);
    }

    /// `ldr w16, [memory]; orr w16, w16, #bits; str w16, [memory]`, for bits side by side.
    pub fn or_bits(&mut self, memory: Memory, bits: u32) {
        self.mov(Bits32, X16, memory);
        self.emit(0x3200_0000 | logical_mask(bits) | field(X16.0, 5) | field(X16.0, 0));
        self.store32(memory, X16);
    }

    /// `and register, register, #bits`, of 32 bits, for bits side by side.
    pub fn and_bits(&mut self, register: Register, bits: u32) {
        self.emit(0x1200_0000 | logical_mask(bits) | field(register.0, 5) | field(register.0, 0));
    }

    /// `add register, register, #1`, of 32 bits.
    pub fn increment(&mut self, register: Register) {
        self.emit(0x1100_0400 | field(register.0, 5) | field(register.0, 0));
    }

    /// `tst register, #0xff`.
    pub fn test_byte(&mut self, register: Register) {
        self.test_bits(register, 0xff);
    }

    /// `tst register, register`.
    pub fn test(&mut self, width: Width, register: Register) {
        self.emit3(0x6a00_0000 | width_bit(width), ZERO.0, register.0, register.0);
    }

    /// `tst operand, #bits`, of 32 bits, for bits side by side.
    pub fn test_bits(&mut self, operand: impl Into<Operand>, bits: u32) {
        let operand = self.register_of(Bits32, operand.into());
        self.emit(0x7200_0000 | logical_mask(bits) | field(operand.0, 5) | 31);
    }

    // ---- floating point ----

    /// `fmov to, from`, of 64 bits.
    pub fn movaps(&mut self, to: Float, from: Float) {
        self.emit(0x1e60_4000 | field(from.0, 5) | field(to.0, 0));
    }

    /// `ldr to, [from]`.
    pub fn load_double(&mut self, to: Float, from: Memory) {
        self.access(Access::double(true), to.0, from);
    }

    /// `str from, [to]`.
    pub fn store_double(&mut self, to: Memory, from: Float) {
        self.access(Access::double(false), from.0, to);
    }

    /// `fmov to, from`: the bits of an integer register.
    pub fn movq(&mut self, to: Float, from: Register) {
        self.emit(0x9e67_0000 | field(from.0, 5) | field(to.0, 0));
    }

    /// `movi register, #0`.
    pub fn clear_float(&mut self, register: Float) {
        self.emit(0x2f00_e400 | field(register.0, 0));
    }

    /// `fcvtzs to, from`: a double as an integer, cut off. One that is too large becomes the nearest integer, and NaN
    /// becomes 0; on x64 both become -2^63. Where the integer is compared with the double, 2^63 is equal to 2^63-1.
    pub fn double_to_integer(&mut self, to: Register, from: Float) {
        self.emit(0x9e78_0000 | field(from.0, 5) | field(to.0, 0));
    }

    /// `scvtf to, from`: an integer as a double.
    pub fn integer_to_double(&mut self, to: Float, from: Register) {
        self.emit(0x9e62_0000 | field(from.0, 5) | field(to.0, 0));
    }

    /// `fcmp first, second`.
    pub fn compare_doubles(&mut self, first: Float, second: Float) {
        self.emit3(0x1e60_2000, 0, first.0, second.0);
    }

    // ---- control flow ----

    /// `b label`.
    pub fn jmp(&mut self, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.emit(0x1400_0000);
    }

    /// `b.condition label`.
    pub fn jump_if(&mut self, condition: Condition, label: Label) {
        self.jumps.push((self.code.len(), label));
        self.emit(0x5400_0000 | number(condition));
    }

    /// Nothing: variadic functions are called like others.
    pub fn allow_variadic(&mut self) {}

    /// `br operand`: to the address in a register or in memory.
    pub fn jmp_to(&mut self, operand: impl Into<Operand>) {
        let operand = self.register_of(Bits64, operand.into());
        self.emit(0xd61f_0000 | field(operand.0, 5));
    }

    /// `blr operand`. The caller has a frame, which keeps the return address.
    pub fn call(&mut self, operand: impl Into<Operand>) {
        let operand = self.register_of(Bits64, operand.into());
        self.emit(0xd63f_0000 | field(operand.0, 5));
    }

    /// `blr function`, where the caller has no frame: x15 keeps the return address. The function keeps `roles::KEPT`.
    pub fn call_without_frame(&mut self, function: Register) {
        self.mov(Bits64, X15, X30);
        self.call(function);
        self.mov(Bits64, X30, X15);
    }

    /// `stp x29, x30, [sp, #-16]!; mov x29, sp`.
    pub fn enter_frame(&mut self) {
        self.emit(0xa9bf_7bfd);
        self.emit(0x9100_03fd);
    }

    /// `mov sp, x29; ldp x29, x30, [sp], #16; ret`.
    pub fn leave_frame(&mut self) {
        self.emit(0x9100_03bf);
        self.emit(0xa8c1_7bfd);
        self.ret();
    }

    /// `ret`.
    pub fn ret(&mut self) {
        self.emit(0xd65f_03c0);
    }
}

#[cfg(test)]
mod tests;
