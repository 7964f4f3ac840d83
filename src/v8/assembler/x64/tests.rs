//! The bytes of each instruction, as GNU as and objdump have them.

use super::*;

/// Fails unless `emit` emits the bytes, which are given in hexadecimal.
#[track_caller]
fn expect(hex: &str, emit: impl FnOnce(&mut Assembler)) {
    let mut code = Assembler::default();
    emit(&mut code);
    let found: Vec<_> = code.finish().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found.join(" "), hex);
}

#[test]
fn moves_of_integers() {
    expect("48 b8 88 77 66 55 44 33 22 11", |code| code.mov_constant(RAX, 0x1122_3344_5566_7788));
    expect("49 ba 88 77 66 55 44 33 22 11", |code| code.mov_constant(R10, 0x1122_3344_5566_7788));
    expect("b8 08 00 00 00", |code| code.mov_constant32(RAX, 8));
    expect("41 ba 08 00 00 00", |code| code.mov_constant32(R10, 8));
    expect("48 8b f8", |code| code.mov(Bits64, RDI, RAX));
    expect("44 8b de", |code| code.mov(Bits32, R11, RSI));
    expect("48 8b 07", |code| code.load_acquire(RAX, RDI));
    expect("4c 89 0c 24", |code| code.store(RSP.at(0), R9));
    expect("49 89 82 00 02 00 00", |code| code.store(R10.at(0x200), RAX));
    expect("c7 00 01 00 00 00", |code| code.store_constant32(RAX.at(0), 1));
    expect("c6 00 05", |code| code.store_byte(RAX.at(0), 5));
    expect("41 89 42 14", |code| code.store32(R10.at(20), RAX));
    expect("48 8d 34 38", |code| code.lea_sum(RSI, RAX, RDI));
    expect("4f 8d 04 1a", |code| code.lea_sum(R8, R10, R11));
}

#[test]
fn memory_at_each_kind_of_base_and_displacement() {
    expect("48 8b 07", |code| code.mov(Bits64, RAX, RDI.at(0)));
    expect("4d 8b 42 08", |code| code.mov(Bits64, R8, R10.at(8)));
    expect("48 8b 45 e8", |code| code.mov(Bits64, RAX, RBP.at(-24)));
    expect("48 8b 45 00", |code| code.mov(Bits64, RAX, RBP.at(0)));
    expect("48 8b 44 24 08", |code| code.mov(Bits64, RAX, RSP.at(0).plus(8)));
    expect("49 8b 83 00 10 00 00", |code| code.mov(Bits64, RAX, R11.at(0x1000)));
    expect("8b 78 07", |code| code.mov(Bits32, RDI, RAX.at(7)));
    expect("48 8b 40 7f", |code| code.mov(Bits64, RAX, RAX.at(127)));
    expect("48 8b 80 80 00 00 00", |code| code.mov(Bits64, RAX, RAX.at(128)));
    expect("48 8b 40 80", |code| code.mov(Bits64, RAX, RAX.at(-128)));
    // r12 and r13 have the low bits of rsp and rbp.
    expect("49 8b 04 24", |code| code.mov(Bits64, RAX, Register(12).at(0)));
    expect("49 8b 45 00", |code| code.mov(Bits64, RAX, Register(13).at(0)));
}

#[test]
fn arithmetic_and_comparisons_of_integers() {
    expect("0f be c0", |code| code.extend(RAX, RAX, 8, true));
    expect("0f bf c0", |code| code.extend(RAX, RAX, 16, true));
    expect("0f b6 c0", |code| code.extend(RAX, RAX, 8, false));
    expect("0f b7 c0", |code| code.extend(RAX, RAX, 16, false));
    expect("4c 03 18", |code| code.add(R11, RAX.at(0)));
    expect("48 03 ff", |code| code.add(RDI, RDI));
    expect("48 81 ec 20 00 00 00", |code| code.sub_constant(RSP, 32));
    expect("48 f7 d8", |code| code.neg(RAX));
    expect("48 69 c0 50 00 00 00", |code| code.multiply(RAX, RAX, 80));
    expect("0f b6 07", |code| code.load_byte(RAX, RDI.at(0)));
    expect("33 c0", |code| code.clear(RAX));
    expect("49 c1 e3 05", |code| code.shl(R11, 5));
    expect("48 c1 ef 35", |code| code.shr(RDI, 53));
    expect("48 c1 f8 20", |code| code.sar(RAX, 32));
    expect("48 3b 78 ff", |code| code.cmp(RDI, RAX.at(-1)));
    expect("48 3b f7", |code| code.cmp(RSI, RDI));
    expect("83 38 00", |code| code.cmp_constant(Bits32, RAX.at(0), 0));
    expect("48 83 3f 00", |code| code.cmp_constant(Bits64, RDI.at(0), 0));
    expect("83 ff 03", |code| code.cmp_constant(Bits32, RDI, 3));
    expect("80 38 00", |code| code.cmp_byte(RAX.at(0), 0));
    expect("41 81 4a 0c 04 00 00 00", |code| code.or_bits(R10.at(12), 4));
    expect("81 e0 ff ff ff 7f", |code| code.and_bits(RAX, 0x7fff_ffff));
    expect("ff c0", |code| code.increment(RAX));
    expect("84 c0", |code| code.test_byte(RAX));
    expect("48 85 c0", |code| code.test(Bits64, RAX));
    expect("85 ff", |code| code.test(Bits32, RDI));
    expect("f7 c0 01 00 00 00", |code| code.test_bits(RAX, 1));
    expect("41 f7 02 00 80 00 00", |code| code.test_bits(R10.at(0), 1 << 15));
}

#[test]
fn floating_point() {
    expect("44 0f 28 fb", |code| code.movaps(XMM15, Float(3)));
    expect("0f 28 ca", |code| code.movaps(Float(1), Float(2)));
    expect("f2 44 0f 10 7c 24 10", |code| code.load_double(XMM15, RSP.at(16)));
    expect("f2 0f 11 45 f0", |code| code.store_double(RBP.at(-16), XMM0));
    expect("66 48 0f 6e c0", |code| code.movq(XMM0, RAX));
    expect("66 4d 0f 6e ca", |code| code.movq(Float(9), R10));
    expect("45 0f 57 f6", |code| code.clear_float(XMM14));
    expect("f2 49 0f 2c c7", |code| code.double_to_integer(RAX, XMM15));
    expect("f2 4c 0f 2a f0", |code| code.integer_to_double(XMM14, RAX));
    expect("66 45 0f 2e f7", |code| code.compare_doubles(XMM14, XMM15));
}

#[test]
fn calls_and_stack_frames() {
    expect("ff e0", |code| code.jmp_to(RAX));
    expect("41 ff 63 08", |code| code.jmp_to(R11.at(8)));
    expect("ff d0", |code| code.call(RAX));
    expect("ff d7", |code| code.call_without_frame(RDI));
    expect("b8 08 00 00 00", |code| code.allow_variadic());
    expect("41 ff 13", |code| code.call(R11.at(0)));
    expect("55 48 8b ec", |code| code.enter_frame());
    expect("c9 c3", |code| code.leave_frame());
}

#[test]
fn jumps_reach_labels_before_and_behind_them() {
    expect("0f 84 01 00 00 00 c3 e9 fa ff ff ff", |code| {
        let (back, forward) = (code.label(), code.label());
        code.jump_if(Equal, forward);
        code.bind(back);
        code.ret();
        code.bind(forward);
        code.jmp(back);
    });
    let conditions = [(Above, 7), (NotEqual, 5), (Negative, 8), (NotNegative, 9), (Unordered, 10)];
    for (condition, number) in conditions {
        expect(&format!("0f {:02x} 00 00 00 00", 0x80 + number), |code| {
            let next = code.label();
            code.jump_if(condition, next);
            code.bind(next);
        });
    }
}

#[test]
#[should_panic(expected = "the label is bound")]
fn a_label_without_a_position_is_an_error() {
    let mut code = Assembler::default();
    let label = code.label();
    code.jmp(label);
    code.finish();
}
