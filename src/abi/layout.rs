//! Layouts of structs, unions and arrays: where their fields lie, and what libffi and the calling convention pass by
//! value.

use std::sync::Arc;

use libffi::middle::Type;

use super::ctype::CType;
use crate::error::{FfiError, Result};

/// The most bytes of an aggregate that is passed by value.
pub const MOST_BYTES_BY_VALUE: usize = 65536;

/// The type of an argument, a result or a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// A scalar, or void.
    Scalar(CType),
    /// A struct, a union or an array.
    Aggregate(Arc<Layout>),
}

/// The memory of an aggregate.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Layout {
    /// The bytes of a value.
    pub size: usize,
    /// The alignment of a value.
    pub align: usize,
    /// The offset of each field; for a bitfield, the offset of the unit that holds it.
    pub offsets: Vec<usize>,
    /// The first bit of each field in its unit; 0 where it is no bitfield.
    pub shifts: Vec<usize>,
    /// The scalars in it, as far as they decide how it is passed.
    pub(super) content: Content,
}

/// A field of a struct or union.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its type.
    pub value: ValueType,
    /// The width in bits of a bitfield.
    pub bits: Option<usize>,
    /// The least alignment that the declaration asks for, in bytes.
    pub align: Option<usize>,
}

/// The parts of an aggregate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Content {
    /// The scalars, where they may decide in which registers the aggregate goes.
    Scalars(Vec<Scalar>),
    /// It goes through memory, whatever it is made of.
    Large,
    /// libffi cannot pass it.
    Refused(&'static str),
}

/// The class of the register for a part of an aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The registers of integers and pointers.
    Integer,
    /// The registers of floating point.
    Float,
}

impl Class {
    /// The class of a scalar.
    pub fn of(ctype: CType) -> Self {
        if ctype.is_float() { Self::Float } else { Self::Integer }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Scalar {
    pub at: usize,
    pub size: usize,
    pub class: Class,
}

/// The most bytes of a struct with bitfields, so that its bits can be counted.
const MOST_BITFIELD_BYTES: usize = isize::MAX as usize / 128;

/// The bytes from which on an aggregate goes through memory in every supported ABI: four doubles are the widest
/// homogeneous aggregate (AAPCS64), two registers the widest mixed one (System V, AAPCS64).
const LARGE: usize = 32;
/// The bytes up to which the classes of the parts count here. On Windows on x64 only the size of an aggregate counts.
const IN_REGISTERS: usize = if cfg!(win64) {
    0
} else if cfg!(target_arch = "x86_64") {
    16
} else {
    LARGE
};

const TOO_LARGE: &str = "the type is larger than memory";
const EMPTY: &str = "a struct that ends in an array without a length cannot be passed by value; pass a pointer";
const BITFIELDS: &str = "a struct with bitfields cannot be passed by value; pass a pointer";
const PACKED: &str = "a packed struct of this shape cannot be passed by value; pass a pointer";
const OVER_ALIGNED: &str = "an over-aligned struct of this shape cannot be passed by value; pass a pointer";

impl From<CType> for ValueType {
    fn from(ctype: CType) -> Self {
        Self::Scalar(ctype)
    }
}

impl ValueType {
    /// The bytes of a value.
    pub fn size(&self) -> usize {
        match self {
            Self::Scalar(ctype) => ctype.size(),
            Self::Aggregate(layout) => layout.size,
        }
    }

    /// The alignment of a value: that of a scalar is its size.
    pub fn align(&self) -> usize {
        match self {
            Self::Scalar(ctype) => ctype.size(),
            Self::Aggregate(layout) => layout.align,
        }
    }

    /// The scalar it is.
    pub fn scalar(&self) -> Option<CType> {
        match self {
            Self::Scalar(ctype) => Some(*ctype),
            Self::Aggregate(_) => None,
        }
    }

    /// The type that libffi passes for it.
    ///
    /// # Errors
    /// If libffi refuses an aggregate.
    pub fn to_libffi(&self) -> Result<Type> {
        match self {
            Self::Scalar(ctype) => Ok(ctype.to_libffi()),
            Self::Aggregate(layout) => layout.to_libffi(),
        }
    }

    fn content(&self) -> Content {
        match self {
            Self::Scalar(ctype) => {
                Content::Scalars(vec![Scalar { at: 0, size: ctype.size(), class: Class::of(*ctype) }])
            }
            Self::Aggregate(layout) => layout.content.clone(),
        }
    }
}

fn refuse<T>(reason: impl Into<String>) -> Result<T> {
    Err(FfiError::Declaration { reason: reason.into() })
}

/// Refuses void, which has no values.
fn check_values<'a>(mut values: impl Iterator<Item = &'a ValueType>) -> Result<()> {
    match values.any(|value| value.scalar() == Some(CType::Void)) {
        true => refuse("void has no values in memory"),
        false => Ok(()),
    }
}

/// The size, the alignment and the offsets of parts that follow each other: (size, alignment) each.
fn lay_out(parts: &[(usize, usize)]) -> Result<(usize, usize, Vec<usize>)> {
    let (mut end, mut align, mut offsets) = (0usize, 1usize, Vec::with_capacity(parts.len()));
    for (size, own) in parts {
        align = align.max(*own);
        let Some(offset) = end.checked_next_multiple_of(*own) else { return refuse(TOO_LARGE) };
        let Some(next) = offset.checked_add(*size) else { return refuse(TOO_LARGE) };
        offsets.push(offset);
        end = next;
    }
    match end.checked_next_multiple_of(align) {
        Some(size) if size <= isize::MAX as usize => Ok((size, align, offsets)),
        _ => refuse(TOO_LARGE),
    }
}

/// The scalars of several parts, moved to where the parts lie.
fn gather<'a>(parts: impl Iterator<Item = (usize, &'a ValueType)>, size: usize) -> Content {
    let mut scalars = Vec::new();
    let mut is_large = size > LARGE;
    for (offset, value) in parts {
        match value.content() {
            Content::Refused(reason) => return Content::Refused(reason),
            Content::Large => is_large = true,
            Content::Scalars(inner) if !is_large => {
                scalars.extend(inner.into_iter().map(|scalar| Scalar { at: scalar.at + offset, ..scalar }));
            }
            Content::Scalars(_) => {}
        }
    }
    // Unions of unions have the same ones again and again.
    scalars.sort_unstable();
    scalars.dedup();
    if is_large { Content::Large } else { Content::Scalars(scalars) }
}

impl Layout {
    /// A struct. `pack` is the widest alignment that its fields have, `align` the least that the whole has.
    ///
    /// # Errors
    /// `Declaration` for a void field, a bitfield that is too wide, or a struct that is too large.
    pub fn structure(fields: &[Field], pack: Option<usize>, align: Option<usize>) -> Result<Self> {
        check_values(fields.iter().map(|field| &field.value))?;
        if fields.iter().any(|field| field.bits.is_some()) {
            return Self::with_bitfields(fields, pack, align);
        }
        let part = |field: &Field| {
            let packed = pack.map_or(field.value.align(), |pack| field.value.align().min(pack));
            (field.value.size(), packed.max(field.align.unwrap_or(1)))
        };
        let (size, natural, offsets) = lay_out(&fields.iter().map(part).collect::<Vec<_>>())?;
        if size == 0 {
            return refuse("C has no empty struct");
        }
        let (size, align, _) = lay_out(&[(size, natural.max(align.unwrap_or(1)))])?;
        let content = gather(offsets.iter().copied().zip(fields.iter().map(|field| &field.value)), size);
        Ok(Self { size, align, shifts: vec![0; offsets.len()], offsets, content })
    }

    /// A struct with bitfields, which neither libffi nor a call knows: the units are those of the System V ABI.
    ///
    /// A bitfield lies within one unit of its type, unless the struct is packed: then it begins at the next bit.
    fn with_bitfields(fields: &[Field], pack: Option<usize>, align: Option<usize>) -> Result<Self> {
        if cfg!(windows) {
            return refuse("bitfields are not known on Windows");
        }
        let (mut bit, mut widest) = (0usize, align.unwrap_or(1));
        let (mut offsets, mut shifts) = (Vec::new(), Vec::new());
        for field in fields {
            let unit = field.value.size();
            if unit > MOST_BITFIELD_BYTES {
                return refuse(TOO_LARGE);
            }
            let packed = pack.map_or(field.value.align(), |pack| field.value.align().min(pack));
            let own = packed.max(field.align.unwrap_or(1));
            widest = widest.max(own);
            match field.bits {
                None => {
                    let at = bit.div_ceil(8).next_multiple_of(own);
                    offsets.push(at);
                    shifts.push(0);
                    bit = (at + unit) * 8;
                }
                Some(width) => {
                    let whole = unit * 8;
                    if field.value.scalar().is_none_or(CType::is_float) || width == 0 || width > whole {
                        return refuse(format!("a bitfield needs an integer type of at least {width} bits"));
                    }
                    if pack.is_none() && bit % whole + width > whole {
                        bit = bit.next_multiple_of(whole);
                    }
                    // Of a packed struct, the byte that has the first bit: a unit might reach beyond the struct.
                    let step = if pack.is_none() { whole } else { 8 };
                    offsets.push(bit / step * (step / 8));
                    shifts.push(bit % step);
                    bit += width;
                }
            }
            if bit > MOST_BITFIELD_BYTES * 8 {
                return refuse(TOO_LARGE);
            }
        }
        let (size, align, _) = lay_out(&[(bit.div_ceil(8), widest)])?;
        Ok(Self { size, align, offsets, shifts, content: Content::Refused(BITFIELDS) })
    }

    /// A union.
    ///
    /// # Errors
    /// `Declaration` for a void member, or a union that is too large.
    pub fn union(fields: &[Field], align: Option<usize>) -> Result<Self> {
        if fields.iter().any(|field| field.bits.is_some()) {
            return refuse("a union cannot have bitfields; put them into a struct");
        }
        check_values(fields.iter().map(|field| &field.value))?;
        let size = fields.iter().map(|field| field.value.size()).max().unwrap_or(0);
        let natural = fields.iter().map(|field| field.value.align()).max().unwrap_or(1);
        let (size, align, _) = lay_out(&[(size, natural.max(align.unwrap_or(1)))])?;
        let content = gather(fields.iter().map(|field| (0, &field.value)), size);
        Ok(Self { size, align, offsets: vec![0; fields.len()], shifts: vec![0; fields.len()], content })
    }

    /// `count` values side by side.
    ///
    /// # Errors
    /// `Declaration` for void elements, or an array that is too large.
    pub fn array(element: &ValueType, count: usize) -> Result<Self> {
        check_values(std::iter::once(element))?;
        if count == 0 {
            // The last member of a struct may be flexible; C has no reliable way to pass such a struct by value.
            let (content, align) = (Content::Refused(EMPTY), element.align());
            return Ok(Self { size: 0, align, offsets: Vec::new(), shifts: Vec::new(), content });
        }
        let size = element.size().checked_mul(count).filter(|size| *size <= isize::MAX as usize / 16);
        let Some(size) = size else { return refuse(TOO_LARGE) };
        let shown = if size > LARGE { 1 } else { count };
        let content = gather((0..shown).map(|index| (index * element.size(), element)), size);
        Ok(Self { size, align: element.align(), offsets: Vec::new(), shifts: Vec::new(), content })
    }

    /// The type that libffi passes for it by value: a structure of units as wide as the alignment, each of the class
    /// that the scalars in it have together. A unit lies within one eightbyte, so that the classes of the eightbytes
    /// are those that C finds (System V ABI 3.2.3); unions and arrays, which libffi does not know, need nothing more.
    fn to_libffi(&self) -> Result<Type> {
        if self.size > MOST_BYTES_BY_VALUE {
            return refuse(format!(
                "a value of {} bytes cannot be passed by value, at most {MOST_BYTES_BY_VALUE} are possible",
                self.size
            ));
        }
        let unit = self.align;
        if let Content::Refused(reason) = self.content {
            return refuse(reason);
        }
        if unit > 8 {
            return refuse(OVER_ALIGNED);
        }
        let scalars = match &self.content {
            Content::Scalars(scalars) if self.size <= IN_REGISTERS => scalars.as_slice(),
            _ => return Ok(Type::structure(vec![integer(unit); self.size / unit])),
        };
        if scalars.iter().any(|scalar| scalar.at % scalar.size != 0) {
            return refuse(PACKED);
        }
        let mut classes = vec![None; self.size / unit];
        for scalar in scalars {
            for class in &mut classes[scalar.at / unit..(scalar.at + scalar.size).div_ceil(unit)] {
                *class = Some(if *class == Some(Class::Integer) { Class::Integer } else { scalar.class });
            }
        }
        // AAPCS64 passes one kind of float in a register each, and a mixture in general registers.
        let floats = cfg!(target_arch = "x86_64") || scalars.iter().all(|scalar| scalar.size == scalars[0].size);
        let mut units = Vec::with_capacity(classes.len());
        for class in classes {
            units.push(match class {
                Some(Class::Float) if unit < 4 => return refuse(PACKED),
                Some(Class::Float) if floats => {
                    if unit == 4 {
                        Type::f32()
                    } else if cfg!(target_arch = "x86_64") || scalars[0].size == 8 {
                        Type::f64()
                    } else {
                        return refuse(OVER_ALIGNED);
                    }
                }
                Some(_) => integer(unit),
                None => return refuse(OVER_ALIGNED),
            });
        }
        Ok(Type::structure(units))
    }
}

/// An unsigned integer of 1, 2, 4 or 8 bytes.
fn integer(size: usize) -> Type {
    match size {
        1 => Type::u8(),
        2 => Type::u16(),
        4 => Type::u32(),
        _ => Type::u64(),
    }
}

#[cfg(test)]
mod tests;
