//! Structs, unions and arrays, as JavaScript declares them: by ids that follow those of the scalars.

use std::sync::Arc;

use napi::bindgen_prelude::Env;
use napi_derive::napi;

use crate::abi::ctype::CType;
use crate::abi::layout::{Field, Layout, ValueType};
use crate::error::{FfiError, Result};
use crate::node::env::{Environment, current};
use crate::node::error::thrown;

/// The first id of an aggregate.
const FIRST: u32 = 256;

/// An aggregate that has been declared.
#[napi(object)]
pub struct JsLayout {
    /// Its id, for signatures and for fields of others.
    pub id: u32,
    /// The bytes of a value.
    pub size: f64,
    /// The alignment of a value.
    pub align: u32,
    /// The offset of each field.
    pub offsets: Vec<f64>,
    /// The first bit of each field in its unit.
    pub shifts: Vec<u32>,
}

/// The type of an id.
///
/// # Errors
/// Where no type has the id.
pub fn value_type(environment: &Environment, id: u32) -> Result<ValueType> {
    if id < FIRST {
        return CType::from_id(id).map(ValueType::Scalar);
    }
    match environment.layouts.borrow().get((id - FIRST) as usize) {
        Some(layout) => Ok(ValueType::Aggregate(Arc::clone(layout))),
        None => Err(FfiError::Internal { reason: format!("there is no type with the id {id}") }),
    }
}

fn fields(environment: &Environment, ids: &[u32], bits: &[u32], aligns: &[u32]) -> Result<Vec<Field>> {
    let field = |(position, id): (usize, &u32)| {
        let width = bits.get(position).copied().unwrap_or(NO_BITS);
        let value = value_type(environment, *id)?;
        let align = aligns.get(position).copied().and_then(given);
        Ok(Field { value, bits: (width != NO_BITS).then_some(width as usize), align })
    };
    ids.iter().enumerate().map(field).collect()
}

/// The width of a field that is no bitfield.
const NO_BITS: u32 = u32::MAX;

fn declare(env: Env, make: impl FnOnce(&Environment) -> Result<Layout>) -> napi::Result<JsLayout> {
    let environment = current(env)?;
    let layout = make(&environment).map_err(|error| thrown(env, &error))?;
    let mut layouts = environment.layouts.borrow_mut();
    let declared = JsLayout {
        id: FIRST + layouts.len() as u32,
        size: layout.size as f64,
        align: layout.align as u32,
        offsets: layout.offsets.iter().map(|at| *at as f64).collect(),
        shifts: layout.shifts.iter().map(|shift| *shift as u32).collect(),
    };
    layouts.push(Arc::new(layout));
    Ok(declared)
}

/// An optional number of bytes: 0 is none.
fn given(bytes: u32) -> Option<usize> {
    (bytes != 0).then_some(bytes as usize)
}

/// Declares a struct of type ids, widths in bits (2^32-1: no bitfield) and alignments of fields; `pack` and alignments
/// are 0 for the default.
///
/// # Errors
/// Where an id is unknown, or C does not have such a type.
#[napi]
pub fn structure(
    env: Env,
    ids: Vec<u32>,
    bits: Vec<u32>,
    aligns: Vec<u32>,
    pack: u32,
    align: u32,
) -> napi::Result<JsLayout> {
    let declared = |environment: &Environment| fields(environment, &ids, &bits, &aligns);
    declare(env, |environment| Layout::structure(&declared(environment)?, given(pack), given(align)))
}

/// Declares a union of type ids; `align` is 0 for the default.
///
/// # Errors
/// Where an id is unknown, or C does not have such a type.
#[napi]
pub fn union_of(env: Env, ids: Vec<u32>, align: u32) -> napi::Result<JsLayout> {
    declare(env, |environment| Layout::union(&fields(environment, &ids, &[], &[])?, given(align)))
}

/// Declares an array.
///
/// # Errors
/// Where an id is unknown, or C does not have such a type.
#[napi]
pub fn array_of(env: Env, element: u32, count: f64) -> napi::Result<JsLayout> {
    declare(env, |environment| Layout::array(&value_type(environment, element)?, count as usize))
}
