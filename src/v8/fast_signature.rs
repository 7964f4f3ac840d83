//! The types of a fast call: how V8 passes each value, and where it puts it.

use super::assembler::roles::ARGUMENTS;

/// The way in which V8 passes a value. The numbers are those of `v8::CTypeInfo::Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FastType {
    /// Not at all: the result is in the argument buffer, or there is none. No argument has this type.
    Buffer = 0,
    /// As a signed 32-bit integer.
    I32 = 3,
    /// As an unsigned one.
    U32 = 4,
    /// As a float.
    F32 = 7,
    /// As a double.
    F64 = 8,
    /// An address, as a double that is an integer of 53 bits. A result that is -1 is in the argument buffer.
    Pointer = 32,
    /// A signed 64-bit integer, as whatever JavaScript passes: a BigInt or a number. As a result's type it is a BigInt.
    I64 = 33,
    /// An unsigned one.
    U64 = 34,
    /// A [`FastType::Pointer`], or NaN for a text that was put between fences before.
    Text = 35,
    /// A view, as a handle. Nothing else is passed.
    View = 36,
    /// A view or a [`FastType::Pointer`], as a handle.
    PointerOrView = 37,
    /// A view or a [`FastType::Text`], as a handle.
    TextOrView = 38,
}

/// `v8::CTypeInfo::Type::kV8Value`: a handle.
pub const VALUE: u8 = 10;

impl FastType {
    const ALL: [Self; 12] = [
        Self::Buffer,
        Self::I32,
        Self::U32,
        Self::F32,
        Self::F64,
        Self::Pointer,
        Self::I64,
        Self::U64,
        Self::Text,
        Self::View,
        Self::PointerOrView,
        Self::TextOrView,
    ];

    /// The type with this number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|fast_type| *fast_type as u8 == code)
    }

    /// V8's type of an argument.
    pub fn v8_argument(self) -> u8 {
        match self {
            Self::Pointer | Self::Text => Self::F64 as u8,
            Self::I64 | Self::U64 | Self::View | Self::PointerOrView | Self::TextOrView => VALUE,
            other => other as u8,
        }
    }

    /// V8's type of a result, which makes a BigInt of a 64-bit integer by itself.
    pub fn v8_result(self) -> u8 {
        match self {
            Self::I64 => 5,
            Self::U64 => 6,
            other => other.v8_argument(),
        }
    }

    /// Whether the value has 64 bits.
    pub fn is_word(self) -> bool {
        matches!(self, Self::Buffer | Self::I64 | Self::U64) || self.is_address()
    }

    /// Whether the value is an address, or what has one.
    pub fn is_address(self) -> bool {
        self == Self::Pointer || self.is_text() || self.is_view()
    }

    /// Whether the value may be a text.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::TextOrView)
    }

    /// Whether the value may be a view.
    pub fn is_view(self) -> bool {
        matches!(self, Self::View | Self::PointerOrView | Self::TextOrView)
    }

    /// Whether V8 passes it as a floating-point number.
    fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64 | Self::Pointer | Self::Text)
    }
}

/// The fast types of a signature.
#[derive(Clone, Debug)]
pub struct FastSignature {
    /// Each argument.
    pub arguments: Vec<FastType>,
    /// The result.
    pub result: FastType,
    /// Whether the result is a text, which is copied to where JavaScript reads it.
    pub returns_text: bool,
    /// Whether its functions call no callback, so that calls go in while callbacks are open.
    pub is_leaf: bool,
}

impl FastSignature {
    /// Whether an argument is an address: that of a block whose fences are checked after the call, perhaps.
    pub fn has_addresses(&self) -> bool {
        self.arguments.iter().any(|fast_type| fast_type.is_address())
    }

    /// Whether an argument may be a text.
    pub fn has_texts(&self) -> bool {
        self.arguments.iter().any(|fast_type| fast_type.is_text())
    }

    /// Whether an argument may be a view.
    pub fn has_views(&self) -> bool {
        self.arguments.iter().any(|fast_type| fast_type.is_view())
    }
}

const FLOAT_REGISTERS: u8 = 8;

/// The place of a value: as V8 passes it, or in the memory that fast calls share with JavaScript.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A register of integers, by its number.
    Register(u8),
    /// A register of floating point.
    Float(u8),
    /// A word of the arguments on the stack.
    Stack(i32),
    /// An offset in the memory that fast calls share with JavaScript.
    Shared(i32),
}

/// The places of the arguments when V8 calls: the receiver is the first integer, the number of the function the second.
pub fn sources(signature: &FastSignature) -> Vec<Source> {
    let (mut integers, mut floats, mut stack) = (2, 0, 0);
    let mut on_stack = || {
        stack += 1;
        Source::Stack(stack - 1)
    };
    let mut source = |fast_type: FastType| match fast_type {
        fast_type if fast_type.is_float() => {
            floats += 1;
            if floats > FLOAT_REGISTERS { on_stack() } else { Source::Float(floats - 1) }
        }
        _ => {
            integers += 1;
            ARGUMENTS.get(integers - 1).map_or_else(&mut on_stack, |register| Source::Register(register.0))
        }
    };
    signature.arguments.iter().map(|fast_type| source(*fast_type)).collect()
}
