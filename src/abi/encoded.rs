//! Types of values as bytes, for another process of the same build.

use std::sync::Arc;

use super::ctype::CType;
use super::layout::{Class, Content, Layout, Scalar, ValueType};

/// The mark before an aggregate, in the place of a scalar's id.
const AGGREGATE: u8 = u8::MAX;
const SCALARS: u8 = 0;
const LARGE: u8 = 1;
const REFUSED: u8 = 2;

fn put_number(bytes: &mut Vec<u8>, number: usize) {
    bytes.extend_from_slice(&(number as u64).to_le_bytes());
}

fn take_number(bytes: &mut &[u8]) -> Option<usize> {
    let (number, rest) = bytes.split_first_chunk::<8>()?;
    *bytes = rest;
    usize::try_from(u64::from_le_bytes(*number)).ok()
}

fn take_byte(bytes: &mut &[u8]) -> Option<u8> {
    let (byte, rest) = bytes.split_first()?;
    *bytes = rest;
    Some(*byte)
}

/// Appends a type, as far as a call depends on it.
pub fn put(bytes: &mut Vec<u8>, value: &ValueType) {
    match value {
        ValueType::Scalar(ctype) => bytes.push(*ctype as u8),
        ValueType::Aggregate(layout) => {
            bytes.push(AGGREGATE);
            put_number(bytes, layout.size);
            put_number(bytes, layout.align);
            match &layout.content {
                Content::Scalars(scalars) => {
                    bytes.push(SCALARS);
                    put_number(bytes, scalars.len());
                    for scalar in scalars {
                        put_number(bytes, scalar.at);
                        put_number(bytes, scalar.size);
                        bytes.push(u8::from(scalar.class == Class::Float));
                    }
                }
                Content::Large => bytes.push(LARGE),
                Content::Refused(_) => bytes.push(REFUSED),
            }
        }
    }
}

/// Takes a type off the front; `None` where there is none.
pub fn take(bytes: &mut &[u8]) -> Option<ValueType> {
    let id = take_byte(bytes)?;
    if id != AGGREGATE {
        return Some(ValueType::Scalar(CType::from_id(id.into()).ok()?));
    }
    let (size, align) = (take_number(bytes)?, take_number(bytes)?);
    let content = match take_byte(bytes)? {
        SCALARS => {
            let count = take_number(bytes)?;
            let mut scalars = Vec::new();
            for _ in 0..count {
                let (at, size) = (take_number(bytes)?, take_number(bytes)?);
                let class = if take_byte(bytes)? == 0 { Class::Integer } else { Class::Float };
                scalars.push(Scalar { at, size, class });
            }
            Content::Scalars(scalars)
        }
        LARGE => Content::Large,
        REFUSED => Content::Refused("the parent refuses it"),
        _ => return None,
    };
    Some(ValueType::Aggregate(Arc::new(Layout { size, align, offsets: Vec::new(), shifts: Vec::new(), content })))
}
