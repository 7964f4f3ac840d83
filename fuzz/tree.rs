//! Random declarations of types: what JavaScript may hand to the core, and more.

use std::sync::Arc;

use arbitrary::Arbitrary;

use crate::abi::ctype::CType;
use crate::error::Result;
use crate::abi::layout::{Field, Layout, ValueType};

/// A type as a declaration has it.
#[derive(Arbitrary, Debug)]
pub enum Tree {
    /// A scalar by its id, void among them.
    Scalar(u8),
    /// A struct.
    Struct {
        /// Its fields, each with the width of a bitfield.
        fields: Vec<(Tree, Option<u8>)>,
        /// The widest alignment of a field, as a power of two.
        pack: Option<u8>,
        /// The least alignment of the whole, as a power of two.
        align: Option<u8>,
    },
    /// A union.
    Union {
        /// Its fields.
        fields: Vec<Tree>,
        /// The least alignment of the whole, as a power of two.
        align: Option<u8>,
    },
    /// An array of a few elements.
    Array(Box<Tree>, u8),
    /// An array of any number of elements.
    Long(Box<Tree>, u32),
}

/// JavaScript allows powers of two up to 4096.
fn bytes(power: Option<u8>) -> Option<usize> {
    power.map(|power| 1 << (power % 13))
}

impl Tree {
    /// Declares it; `seen` gets each aggregate on the way, with its fields.
    pub fn declare(&self, seen: &mut dyn FnMut(&Layout, &[Field], &Tree)) -> Result<ValueType> {
        let (layout, fields) = match self {
            Self::Scalar(id) => return CType::from_id(u32::from(*id) % CType::ALL.len() as u32).map(ValueType::from),
            Self::Struct { fields, pack, align } => {
                let field = |(tree, bits): &(Tree, Option<u8>)| {
                    Ok(Field { value: tree.declare(seen)?, bits: bits.map(usize::from), align: None })
                };
                let fields = fields.iter().map(field).collect::<Result<Vec<_>>>()?;
                (Layout::structure(&fields, bytes(*pack), bytes(*align))?, fields)
            }
            Self::Union { fields, align } => {
                let field = |tree: &Tree| Ok(Field { value: tree.declare(seen)?, bits: None, align: None });
                let fields = fields.iter().map(field).collect::<Result<Vec<_>>>()?;
                (Layout::union(&fields, bytes(*align))?, fields)
            }
            Self::Array(element, count) => (Layout::array(&element.declare(seen)?, usize::from(*count).max(1))?, vec![]),
            Self::Long(element, count) => (Layout::array(&element.declare(seen)?, *count as usize)?, vec![]),
        };
        seen(&layout, &fields, self);
        Ok(ValueType::Aggregate(Arc::new(layout)))
    }
}
