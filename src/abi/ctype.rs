//! The C types by id. The ids 0 to 21 are bun's numeric tags, which "must not change" (JavaScriptCore `FFIType.h`);
//! all ids equal those of `lib/types/registry.js`.

use libffi::middle::Type;

use crate::error::{FfiError, Result};
use crate::memory::text::encoding::Encoding;

macro_rules! ctypes {
    ($($id:literal $name:ident $constructor:expr;)*) => {
        /// A scalar C type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CType { $(#[doc = stringify!($name)] $name = $id),* }

        impl CType {
            /// Every type, in the order of the ids.
            pub const ALL: &'static [CType] = &[$(CType::$name),*];

            /// The type of an id.
            ///
            /// # Errors
            /// `Declaration` if there is no such id.
            pub fn from_id(id: u32) -> Result<CType> {
                match id {
                    $($id => Ok(CType::$name),)*
                    _ => Err(FfiError::Internal { reason: format!("there is no type with the id {id}") }),
                }
            }

            /// The type that libffi passes for it.
            pub fn to_libffi(self) -> Type {
                match self { $(CType::$name => $constructor),* }
            }
        }
    };
}

ctypes! {
    0 Char Type::i8();
    1 I8 Type::i8();
    2 U8 Type::u8();
    3 I16 Type::i16();
    4 U16 Type::u16();
    5 I32 Type::i32();
    6 U32 Type::u32();
    7 I64 Type::i64();
    8 U64 Type::u64();
    9 F64 Type::f64();
    10 F32 Type::f32();
    11 Bool Type::u8();
    12 Pointer Type::pointer();
    13 Void Type::void();
    14 CString Type::pointer();
    15 I64Fast Type::i64();
    16 U64Fast Type::u64();
    17 Function Type::pointer();
    18 NapiEnv Type::pointer();
    19 NapiValue Type::pointer();
    20 Buffer Type::pointer();
    21 BufferLength Type::u64();
    22 Long Type::c_long();
    23 UnsignedLong Type::c_ulong();
    24 WChar wchar();
    25 Utf16 Type::pointer();
    26 WString Type::pointer();
}

/// `wchar_t`: 32 bits (signed on x86, unsigned on Arm per AAPCS) on Unix, 16 bits on Windows.
fn wchar() -> Type {
    if cfg!(windows) {
        Type::u16()
    } else if cfg!(all(any(target_arch = "aarch64", target_arch = "arm"), not(target_vendor = "apple"))) {
        Type::u32()
    } else {
        Type::i32()
    }
}

/// Whether `wchar_t` is signed here.
pub const WCHAR_SIGNED: bool =
    !cfg!(windows) && !cfg!(all(any(target_arch = "aarch64", target_arch = "arm"), not(target_vendor = "apple")));

impl CType {
    /// The bytes of a value (System V ABI, AAPCS and the Windows ABIs agree on all but `long` and `wchar_t`).
    pub fn size(self) -> usize {
        match self {
            Self::Void => 0,
            Self::Char | Self::I8 | Self::U8 | Self::Bool => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::I64Fast | Self::U64Fast | Self::BufferLength | Self::F64 => 8,
            Self::Pointer | Self::CString | Self::Function | Self::Buffer => size_of::<usize>(),
            Self::Utf16 | Self::WString => size_of::<usize>(),
            Self::NapiEnv | Self::NapiValue => size_of::<usize>(),
            Self::Long | Self::UnsignedLong => size_of::<std::ffi::c_long>(),
            Self::WChar => {
                if cfg!(windows) {
                    2
                } else {
                    4
                }
            }
        }
    }

    /// Whether a JavaScript value may have to stay alive for it: a view, a buffer or a string.
    pub fn takes_pin(self) -> bool {
        matches!(self, Self::Pointer | Self::Buffer) || self.encoding().is_some()
    }

    /// The encoding in which C has a text of this type; `None` for other types.
    pub fn encoding(self) -> Option<Encoding> {
        match self {
            Self::CString => Some(Encoding::Utf8),
            Self::Utf16 => Some(Encoding::Utf16),
            Self::WString => Some(Encoding::of_unit(Self::WChar.size())),
            _ => None,
        }
    }

    /// Whether a small integer of this type is sign-extended where C returns it in a register.
    pub fn is_signed(self) -> bool {
        matches!(self, Self::Char | Self::I8 | Self::I16 | Self::I32 | Self::I64 | Self::I64Fast | Self::Long)
            || (self == Self::WChar && WCHAR_SIGNED)
    }

    /// Whether C returns it in a floating-point register.
    pub fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_positions() {
        for (position, ctype) in CType::ALL.iter().enumerate() {
            assert_eq!(*ctype as usize, position);
            assert_eq!(CType::from_id(position as u32).unwrap(), *ctype);
        }
        assert!(CType::from_id(CType::ALL.len() as u32).is_err());
    }
}
