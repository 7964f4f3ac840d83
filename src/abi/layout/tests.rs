//! Tests of the layout of aggregates.

use super::*;

fn field(value: impl Into<ValueType>) -> Field {
    Field { value: value.into(), bits: None, align: None }
}

fn bits(ctype: CType, width: usize) -> Field {
    Field { value: ctype.into(), bits: Some(width), align: None }
}

#[test]
#[cfg_attr(miri, ignore = "calls libffi")]
fn fields_lie_where_c_has_them() {
    let layout = Layout::structure(&[field(CType::U8), field(CType::F64), field(CType::I16)], None, None).unwrap();
    assert_eq!((layout.size, layout.align, layout.offsets.as_slice()), (24, 8, &[0, 8, 16][..]));
    let packed = Layout::structure(&[field(CType::U8), field(CType::F64)], Some(1), None).unwrap();
    assert_eq!((packed.size, packed.align, packed.offsets.as_slice()), (9, 1, &[0, 1][..]));
    assert_eq!(packed.to_libffi().is_err(), !cfg!(win64));
    let wide = Layout::structure(&[field(CType::I32)], None, Some(64)).unwrap();
    assert_eq!((wide.size, wide.align), (64, 64));
    assert!(wide.to_libffi().is_err());
}

#[test]
#[cfg_attr(miri, ignore = "calls libffi")]
fn bitfields_share_units() {
    let fields = [bits(CType::U32, 3), bits(CType::U32, 30), bits(CType::U8, 2), field(CType::U8)];
    let layout = Layout::structure(&fields, None, None);
    if cfg!(windows) {
        assert!(layout.is_err());
        return;
    }
    let layout = layout.unwrap();
    assert_eq!(layout.offsets, [0, 4, 7, 8]);
    assert_eq!(layout.shifts, [0, 0, 6, 0]);
    assert!(layout.to_libffi().is_err());
    let packed = Layout::structure(&fields, Some(1), None).unwrap();
    assert_eq!((packed.size, packed.align), (6, 1));
    assert_eq!(packed.offsets, [0, 0, 4, 5]);
    assert_eq!(packed.shifts, [0, 3, 1, 0]);
}

#[test]
#[cfg_attr(miri, ignore = "calls libffi")]
fn absurd_sizes_are_refused() {
    assert!(Layout::array(&CType::U64.into(), usize::MAX / 8).is_err());
    let large = ValueType::Aggregate(Arc::new(Layout::array(&CType::U64.into(), 1 << 40).unwrap()));
    assert!(large.to_libffi().is_err());
    assert!(Layout::structure(&[field(large.clone()), field(large)], None, None).is_ok());
    assert!(Layout::structure(&[], None, None).is_err());
    let huge = ValueType::Aggregate(Arc::new(Layout::array(&CType::U8.into(), isize::MAX as usize / 16).unwrap()));
    let huge = ValueType::Aggregate(Arc::new(Layout::structure(&vec![field(huge); 8], None, None).unwrap()));
    assert!(Layout::structure(&[field(huge), bits(CType::U8, 1)], None, None).is_err());
}

#[test]
#[cfg_attr(miri, ignore = "calls libffi")]
fn unions_of_unions_stay_small() {
    let mut value = ValueType::from(CType::U8);
    for _ in 0..20 {
        value = ValueType::Aggregate(Arc::new(Layout::union(&vec![field(value); 50], None).unwrap()));
    }
    assert!(value.to_libffi().is_ok());
}

#[test]
fn void_is_refused_in_memory() {
    assert!(Layout::array(&CType::Void.into(), 1).is_err());
    let empty = Layout::array(&CType::I32.into(), 0).unwrap();
    assert_eq!((empty.size, empty.align), (0, 4));
    assert!(empty.to_libffi().is_err());
    assert!(Layout::structure(&[field(CType::I8), field(CType::Void)], None, None).is_err());
    assert!(Layout::union(&[field(CType::Void)], None).is_err());
}
