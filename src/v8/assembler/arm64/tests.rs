//! The instructions of each method, and their words as GNU as has them.

use super::roles::{
    ADDRESS, AFTER, ARGUMENTS, BACK, CALLEE, CONVERTED, ENTRY, FLOAT_RESULT, FRAME, OTHER, RESULT, SHARED, VALUE,
};
use super::*;

/// Fails unless `emit` emits the words, which are given in hexadecimal. `text` has the instructions for the reader.
#[track_caller]
fn expect(text: &str, words: &[u32], emit: impl FnOnce(&mut Assembler)) {
    let mut code = Assembler::default();
    emit(&mut code);
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    assert_eq!(code.finish(), bytes, "{text}");
}

#[test]
fn moves_of_integers() {
    expect(
        "movz x9, #0x7788; movk x9, #0x5566, lsl #16; movk x9, #0x3344, lsl #32; movk x9, #0x1122, lsl #48",
        &[0xd28e_f109, 0xf2aa_acc9, 0xf2c6_6889, 0xf2e2_2449],
        |code| code.mov_constant(VALUE, 0x1122_3344_5566_7788),
    );
    expect("movz x16, #0; movk x16, #0x7fff, lsl #32", &[0xd280_0010, 0xf2cf_fff0], |code| {
        code.mov_constant(X16, 0x7fff_0000_0000)
    });
    expect("movz x0, #8", &[0xd280_0100], |code| code.mov_constant32(Register(0), 8));
    expect("movz x0, #0xffff; movk x0, #0xffff, lsl #16", &[0xd29f_ffe0, 0xf2bf_ffe0], |code| {
        code.mov_constant32(Register(0), u32::MAX)
    });
    expect("mov x12, x9", &[0xaa09_03ec], |code| code.mov(Bits64, ADDRESS, VALUE));
    expect("mov w11, w1", &[0x2a01_03eb], |code| code.mov(Bits32, ENTRY, ARGUMENTS[1]));
    expect("ldar x9, [x12]", &[0xc8df_fd89], |code| code.load_acquire(VALUE, ADDRESS));
    expect("str x7, [sp]", &[0xf900_03e7], |code| code.store(SP.at(0), Register(7)));
    expect("str x9, [x10, #512]", &[0xf901_0149], |code| code.store(SHARED.at(0x200), VALUE));
    expect("movz x16, #1; str w16, [x9]", &[0xd280_0030, 0xb900_0130], |code| code.store_constant32(VALUE.at(0), 1));
    expect("movz x16, #5; strb w16, [x9]", &[0xd280_00b0, 0x3900_0130], |code| code.store_byte(VALUE.at(0), 5));
    expect("str w14, [x10, #20]", &[0xb900_154e], |code| code.store32(SHARED.at(20), AFTER));
    expect("add x13, x9, x12", &[0x8b0c_012d], |code| code.lea_sum(OTHER, VALUE, ADDRESS));
}

#[test]
fn memory_at_each_kind_of_displacement() {
    expect("ldr x9, [x12]", &[0xf940_0189], |code| code.mov(Bits64, VALUE, ADDRESS.at(0)));
    expect("ldr x9, [x12, #32760]", &[0xf97f_fd89], |code| code.mov(Bits64, VALUE, ADDRESS.at(32760)));
    expect("movz x17, #32768; ldr x9, [x12, x17]", &[0xd290_0011, 0xf871_6989], |code| {
        code.mov(Bits64, VALUE, ADDRESS.at(32768))
    });
    expect(
        "movz x17, #0x1000; movk x17, #1, lsl #16; str x9, [x12, x17]",
        &[0xd282_0011, 0xf2a0_0031, 0xf831_6989],
        |code| code.store(ADDRESS.at(0x1_1000), VALUE),
    );
    expect("ldur x9, [x29, #-24]", &[0xf85e_83a9], |code| code.mov(Bits64, VALUE, FRAME.at(-24)));
    expect("ldur x12, [x9, #-1]", &[0xf85f_f12c], |code| code.mov(Bits64, ADDRESS, VALUE.at(-1)));
    expect("ldur x12, [x9, #111]", &[0xf846_f12c], |code| code.mov(Bits64, ADDRESS, VALUE.at(111)));
    expect("ldur x12, [x9, #-256]", &[0xf850_012c], |code| code.mov(Bits64, ADDRESS, VALUE.at(-256)));
    expect(
        "movz x17, #0xfeff; movk x17, #0xffff, lsl #16; movk x17, #0xffff, lsl #32; movk x17, #0xffff, lsl #48; ldr x12, [x9, x17]",
        &[0xd29f_dff1, 0xf2bf_fff1, 0xf2df_fff1, 0xf2ff_fff1, 0xf871_692c],
        |code| code.mov(Bits64, ADDRESS, VALUE.at(-257)),
    );
    expect("ldur x12, [x9, #255]", &[0xf84f_f12c], |code| code.mov(Bits64, ADDRESS, VALUE.at(255)));
    expect("movz x17, #257; ldr x12, [x9, x17]", &[0xd280_2031, 0xf871_692c], |code| {
        code.mov(Bits64, ADDRESS, VALUE.at(257))
    });
    expect("ldr x12, [x9, #256]", &[0xf940_812c], |code| code.mov(Bits64, ADDRESS, VALUE.at(256)));
    expect("ldur w12, [x9, #7]", &[0xb840_712c], |code| code.mov(Bits32, ADDRESS, VALUE.at(7)));
    expect("ldr w12, [x9, #16380]", &[0xb97f_fd2c], |code| code.mov(Bits32, ADDRESS, VALUE.at(16380)));
    expect("ldr x9, [sp, #8]", &[0xf940_07e9], |code| code.mov(Bits64, VALUE, SP.at(0).plus(8)));
    expect("ldrb w9, [x9, #4095]", &[0x397f_fd29], |code| code.load_byte(VALUE, VALUE.at(4095)));
    expect("movz x17, #4096; ldrb w9, [x9, x17]", &[0xd282_0011, 0x3871_6929], |code| {
        code.load_byte(VALUE, VALUE.at(4096))
    });
}

#[test]
fn arithmetic_and_comparisons_of_integers() {
    expect("sxtb w0, w0", &[0x1300_1c00], |code| code.extend(RESULT, RESULT, 8, true));
    expect("sxth w0, w0", &[0x1300_3c00], |code| code.extend(RESULT, RESULT, 16, true));
    expect("uxtb w0, w0", &[0x5300_1c00], |code| code.extend(RESULT, RESULT, 8, false));
    expect("uxth w0, w0", &[0x5300_3c00], |code| code.extend(RESULT, RESULT, 16, false));
    expect("ldr x16, [x9]; add x11, x11, x16", &[0xf940_0130, 0x8b10_016b], |code| code.add(ENTRY, VALUE.at(0)));
    expect("add x12, x12, x12", &[0x8b0c_018c], |code| code.add(ADDRESS, ADDRESS));
    expect("sub sp, sp, #288", &[0xd104_83ff], |code| code.sub_constant(SP, 288));
    expect("negs x9, x9", &[0xeb09_03e9], |code| code.neg(VALUE));
    expect("movz x16, #80; mul x9, x9, x16", &[0xd280_0a10, 0x9b10_7d29], |code| code.multiply(VALUE, VALUE, 80));
    expect("movz x0, #0", &[0xd280_0000], |code| code.clear(RESULT));
    expect("lsl x11, x11, #5", &[0xd37b_e96b], |code| code.shl(ENTRY, 5));
    expect("lsr x12, x12, #53; cmp x12, #0", &[0xd375_fd8c, 0xf100_019f], |code| code.shr(ADDRESS, 53));
    expect("asr x9, x9, #32", &[0x9360_fd29], |code| code.sar(VALUE, 32));
    expect("ldur x16, [x9, #-1]; cmp x12, x16", &[0xf85f_f130, 0xeb10_019f], |code| code.cmp(ADDRESS, VALUE.at(-1)));
    expect("cmp x13, x12", &[0xeb0c_01bf], |code| code.cmp(OTHER, ADDRESS));
    expect("ldr w16, [x9]; cmp w16, #0", &[0xb940_0130, 0x7100_021f], |code| code.cmp_constant(Bits32, VALUE.at(0), 0));
    expect("ldr x16, [x12]; cmp x16, #0", &[0xf940_0190, 0xf100_021f], |code| {
        code.cmp_constant(Bits64, ADDRESS.at(0), 0)
    });
    expect("cmp w12, #3", &[0x7100_0d9f], |code| code.cmp_constant(Bits32, ADDRESS, 3));
    expect("ldrb w16, [x9]; cmp w16, #0", &[0x3940_0130, 0x7100_021f], |code| code.cmp_byte(VALUE.at(0), 0));
    expect(
        "ldr w16, [x10, #12]; orr w16, w16, #4; str w16, [x10, #12]",
        &[0xb940_0d50, 0x321e_0210, 0xb900_0d50],
        |code| code.or_bits(SHARED.at(12), 4),
    );
    expect(
        "ldr w16, [x10, #12]; orr w16, w16, #1; str w16, [x10, #12]",
        &[0xb940_0d50, 0x3200_0210, 0xb900_0d50],
        |code| code.or_bits(SHARED.at(12), 1),
    );
    expect("and w14, w14, #0x7fffffff", &[0x1200_79ce], |code| code.and_bits(AFTER, 0x7fff_ffff));
    expect("add w14, w14, #1", &[0x1100_05ce], |code| code.increment(AFTER));
    expect("tst w0, #0xff", &[0x7200_1c1f], |code| code.test_byte(RESULT));
    expect("tst x9, x9", &[0xea09_013f], |code| code.test(Bits64, VALUE));
    expect("tst w12, w12", &[0x6a0c_019f], |code| code.test(Bits32, ADDRESS));
    expect("tst w9, #1", &[0x7200_013f], |code| code.test_bits(VALUE, 1));
    expect("ldr w16, [x10, #12]; tst w16, #0x8000", &[0xb940_0d50, 0x7211_021f], |code| {
        code.test_bits(SHARED.at(12), 1 << 15)
    });
    expect("tst w9, #0x80000000", &[0x7201_013f], |code| code.test_bits(VALUE, 1 << 31));
}

#[test]
fn floating_point() {
    expect("fmov d31, d3", &[0x1e60_407f], |code| code.movaps(CONVERTED, Float(3)));
    expect("fmov d1, d2", &[0x1e60_4041], |code| code.movaps(Float(1), Float(2)));
    expect("ldr d31, [sp, #16]", &[0xfd40_0bff], |code| code.load_double(CONVERTED, SP.at(16)));
    expect("ldur d31, [x9, #7]", &[0xfc40_713f], |code| code.load_double(CONVERTED, VALUE.at(7)));
    expect("stur d0, [x29, #-16]", &[0xfc1f_03a0], |code| code.store_double(FRAME.at(-16), FLOAT_RESULT));
    expect("fmov d0, x0", &[0x9e67_0000], |code| code.movq(FLOAT_RESULT, RESULT));
    expect("movi d30, #0", &[0x2f00_e41e], |code| code.clear_float(BACK));
    expect("fcvtzs x9, d31", &[0x9e78_03e9], |code| code.double_to_integer(VALUE, CONVERTED));
    expect("scvtf d30, x9", &[0x9e62_013e], |code| code.integer_to_double(BACK, VALUE));
    expect("fcmp d30, d31", &[0x1e7f_23c0], |code| code.compare_doubles(BACK, CONVERTED));
}

#[test]
fn calls_and_stack_frames() {
    expect("br x9", &[0xd61f_0120], |code| code.jmp_to(VALUE));
    expect("br x16", &[0xd61f_0200], |code| code.jmp_to(CALLEE));
    expect("ldr x16, [x11, #8]; br x16", &[0xf940_0570, 0xd61f_0200], |code| code.jmp_to(ENTRY.at(8)));
    expect("blr x9", &[0xd63f_0120], |code| code.call(VALUE));
    expect("ldr x16, [x11]; blr x16", &[0xf940_0170, 0xd63f_0200], |code| code.call(ENTRY.at(0)));
    expect("mov x15, x30; blr x12; mov x30, x15", &[0xaa1e_03ef, 0xd63f_0180, 0xaa0f_03fe], |code| {
        code.call_without_frame(ADDRESS)
    });
    expect("stp x29, x30, [sp, #-16]!; mov x29, sp", &[0xa9bf_7bfd, 0x9100_03fd], |code| code.enter_frame());
    expect("mov sp, x29; ldp x29, x30, [sp], #16; ret", &[0x9100_03bf, 0xa8c1_7bfd, 0xd65f_03c0], |code| {
        code.leave_frame()
    });
}

#[test]
fn jumps_reach_labels_before_and_behind_them() {
    expect("b.eq 1f; 0: ret; 1: b 0b", &[0x5400_0040, 0xd65f_03c0, 0x17ff_ffff], |code| {
        let (back, forward) = (code.label(), code.label());
        code.jump_if(Equal, forward);
        code.bind(back);
        code.ret();
        code.bind(forward);
        code.jmp(back);
    });
    let conditions = [
        ("b.hi", Above, 0x5400_0028),
        ("b.ne", NotEqual, 0x5400_0021),
        ("b.mi", Negative, 0x5400_0024),
        ("b.pl", NotNegative, 0x5400_0025),
        ("b.vs", Unordered, 0x5400_0026),
    ];
    for (text, condition, word) in conditions {
        expect(text, &[word], |code| {
            let next = code.label();
            code.jump_if(condition, next);
            code.bind(next);
        });
    }
    expect("0: b.ne 0b", &[0x5400_0001], |code| {
        let here = code.label();
        code.bind(here);
        code.jump_if(NotEqual, here);
    });
}

#[test]
#[should_panic(expected = "the label is bound")]
fn a_label_without_a_position_is_an_error() {
    let mut code = Assembler::default();
    let label = code.label();
    code.jmp(label);
    code.finish();
}

#[test]
#[should_panic(expected = "the bits lie side by side")]
fn bits_with_a_gap_are_an_error() {
    Assembler::default().test_bits(VALUE, 5);
}
