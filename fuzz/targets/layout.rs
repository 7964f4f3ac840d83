//! Layouts of random trees of types: what is accepted keeps the rules of C.
#![no_main]

use core_of_pinned_ffi::tree::Tree;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|tree: Tree| {
    let declared = tree.declare(&mut |layout, fields, tree| {
        assert!(layout.align.is_power_of_two() && layout.size % layout.align == 0, "{layout:?}");
        let mut end = 0;
        for (i, field) in fields.iter().enumerate() {
            let at = layout.offsets[i];
            let bytes = field.bits.map_or(field.value.size(), |bits| (layout.shifts[i] + bits).div_ceil(8));
            assert!(at.checked_add(bytes).is_some_and(|past| past <= layout.size), "{layout:?}");
            match tree {
                Tree::Union { .. } => assert_eq!(at, 0),
                _ => {
                    let bit = at * 8 + layout.shifts[i];
                    assert!(bit >= end, "field {i} lies in the one before: {layout:?}");
                    end = bit + field.bits.unwrap_or(field.value.size() * 8);
                }
            }
        }
    });
    if let Ok(value) = declared {
        let _ = value.to_libffi();
    }
});
