//! The machine code of a fast call, between V8 and a C function: finds the function by its number, tests whether the
//! call may go in, puts every argument where C wants it, and the result where JavaScript reads it.
//!
//! V8 has given it the receiver in rdi and the number in esi; both are free once the row is found. r10 is the argument
//! buffer, r11 the row; rax, rdi, rsi and xmm8 to xmm15 hold nothing of C's.
#![expect(clippy::useless_conversion, reason = "dynasm! converts what names a register")]

use std::mem::offset_of;

use dynasmrt::{DynasmApi, DynasmLabelApi, VecAssembler, dynasm, x64::X64Relocation};

use super::fast_signature::{FastSignature, FastType, INTEGER_REGISTERS, Source, sources};
use crate::abi::sysv64::{CallingSequence, Load, ResultIn};
use crate::call::function_table::{ENTRY_SHIFT, Entry};

/// The addresses that every trampoline of an environment has in common.
#[derive(Clone, Copy, Debug)]
pub struct TrampolineContext {
    /// A word that is 0 while no JavaScript can run during a call.
    pub gate: usize,
    /// A word that is set to [`MISSED`] where the call did not go in.
    pub state: usize,
    /// The argument buffer.
    pub arg_buffer: usize,
    /// A word that has the address of the first [`Entry`].
    pub rows: usize,
    /// A word that is 0 while no address of a Buffer was given out.
    pub given: usize,
    /// A word that is 0 while no number can be the address of a slice of Node's Buffer pool.
    pub slices: usize,
    /// `extern "C" fn(owner of the row)`: looks at the fences of what C was handed.
    pub after: usize,
    /// `extern "C" fn(owner of the row)`: brings the text that C has returned.
    pub bring: usize,
    /// The maps of V8's heap numbers and BigInts: the first word of each object.
    pub maps: Maps,
}

/// What tells V8's numbers apart.
#[derive(Clone, Copy, Debug, Default)]
pub struct Maps {
    /// Of heap numbers.
    pub number: usize,
    /// Of BigInts.
    pub bigint: usize,
}

/// The call did not go in.
pub const MISSED: u32 = 1;

type Assembler = VecAssembler<X64Relocation>;

/// The code that calls the C function of a row, by its number. It does not depend on where it is put.
pub fn assemble(
    plan: &CallingSequence,
    signature: &FastSignature,
    result_at: i32,
    around: TrampolineContext,
) -> Vec<u8> {
    let mut code = Assembler::new(0);
    find_row(&mut code, around);
    let mut sources = sources(plan, signature);
    if signature.arguments.iter().any(|fast_type| fast_type.is_in_buffer()) {
        dynasm!(code ; .arch x64 ; mov r10, QWORD around.arg_buffer as i64);
    }
    for (argument, fast_type) in signature.arguments.iter().enumerate() {
        let (source, at) = (sources[argument], i32::from(plan.steps[argument].from));
        match fast_type {
            FastType::Pointer => {
                convert_pointer(&mut code, source, at, argument, around.slices);
                sources[argument] = Source::Frame(at);
            }
            FastType::I64 | FastType::U64 => convert_long(&mut code, source, *fast_type == FastType::I64, around.maps),
            _ => {}
        }
    }
    // C's own result may go back as it is, unless something has to be done after it.
    let is_narrow = plan.result == ResultIn::Integer && !matches!(plan.returned, Load::I32 | Load::U32 | Load::Word);
    let is_word = signature.result.is_in_buffer() && plan.result != ResultIn::Nothing;
    let comes_back = plan.on_stack > 0 || is_narrow || is_word || signature.gives_text;
    if !comes_back {
        if signature.has_pins {
            leave_to_look(&mut code, around);
        }
        place(&mut code, plan, &sources, false);
        dynasm!(code ; .arch x64 ; mov eax, 8 ; jmp QWORD [r11 + offset_of!(Entry<()>, code) as i32]);
    }
    if comes_back || signature.has_pins {
        dynasm!(code ; .arch x64 ; look:);
        // The frame of the stack: two words for the result, one for the row's owner.
        let room = 32 + (plan.on_stack * 8).next_multiple_of(16) as i32;
        dynasm!(code
            ; .arch x64
            ; push rbp
            ; mov rbp, rsp
            ; sub rsp, room
            ; mov rax, [r11 + offset_of!(Entry<()>, owner) as i32]
            ; mov [rbp - 24], rax
        );
        place(&mut code, plan, &sources, true);
        dynasm!(code ; .arch x64 ; mov eax, 8 ; call QWORD [r11 + offset_of!(Entry<()>, code) as i32]);
        widen(&mut code, plan);
        if is_word && signature.result == FastType::Buffer {
            dynasm!(code ; .arch x64 ; mov r10, QWORD around.arg_buffer as i64 ; mov [r10 + result_at], rax);
        }
        if signature.has_pins {
            look_after(&mut code, around, !comes_back);
        }
        if signature.gives_text {
            call_with_owner(&mut code, around.bring);
        }
        if signature.result == FastType::Pointer {
            give_pointer(&mut code, result_at, around);
        }
        dynasm!(code ; .arch x64 ; leave ; ret);
    }
    dynasm!(code
        ; .arch x64
        ; miss:
        ; mov rax, QWORD around.state as i64
        ; mov DWORD [rax], MISSED as i32
        ; xor eax, eax
        ; xorps xmm0, xmm0
        ; ret
    );
    code.finalize().unwrap_or_default()
}

/// Leaves where a callback is open or the library is closed.
fn find_row(code: &mut Assembler, around: TrampolineContext) {
    dynasm!(code
        ; .arch x64
        ; mov rax, QWORD around.gate as i64
        ; cmp DWORD [rax], 0
        ; jne >miss
        ; mov rax, QWORD around.rows as i64
        ; mov r11d, esi
        ; shl r11, ENTRY_SHIFT as i8
        ; add r11, [rax]
        ; mov rax, [r11 + offset_of!(Entry<()>, open) as i32]
        ; cmp BYTE [rax], 0
        ; je >miss
    );
}

/// Puts an address into the argument buffer: a double that is an integer from 0 to 2^53-1. A pin is there already.
/// Leaves where the address may be that of a slice, whose surroundings have to be remembered.
fn convert_pointer(code: &mut Assembler, source: Source, at: i32, argument: usize, slices: usize) {
    match source {
        Source::Float(number) => dynasm!(code ; .arch x64 ; movaps xmm15, Rx(number)),
        Source::Stack(word) => dynasm!(code ; .arch x64 ; movsd xmm15, [rsp + 8 + word * 8]),
        Source::Register(_) | Source::Frame(_) => return,
    }
    dynasm!(code
        ; .arch x64
        ; cvttsd2si rax, xmm15
        ; xorps xmm14, xmm14
        ; cvtsi2sd xmm14, rax
        ; mov rdi, rax
        ; shr rdi, 53
        ; jnz >is_none
        ; ucomisd xmm14, xmm15
        ; jne >miss
        ; mov rdi, QWORD slices as i64
        ; cmp QWORD [rdi], 0
        ; je >store
        ; test rax, rax
        ; jnz >miss
        ; store:
        ; mov [r10 + at], rax
        ; jmp >done
        ; is_none:
        ; ucomisd xmm15, xmm15
        ; jnp >miss
        ; test DWORD [r10], 1i32 << argument
        ; jz >miss
        ; done:
    );
}

/// Puts an integer in the place of its handle. V8's objects (heap number: its double after the map; BigInt: a word
/// whose lowest bit is the sign and the rest the number of digits, then the digits) are as [`Maps`] was found to fit.
fn convert_long(code: &mut Assembler, source: Source, is_signed: bool, maps: Maps) {
    match source {
        Source::Register(number) => dynasm!(code ; .arch x64 ; mov rax, [Rq(number)]),
        Source::Stack(word) => dynasm!(code ; .arch x64 ; mov rax, [rsp + 8 + word * 8] ; mov rax, [rax]),
        Source::Float(_) | Source::Frame(_) => return,
    }
    dynasm!(code
        ; .arch x64
        ; test al, 1
        ; jz >is_small
        ; mov rdi, QWORD maps.bigint as i64
        ; cmp [rax - 1], rdi
        ; jne >is_number
        ; mov edi, [rax + 7]
        ; cmp edi, 2
        ; jne >is_other
        // One digit, positive.
        ; mov rax, [rax + 15]
    );
    if is_signed {
        dynasm!(code ; .arch x64 ; test rax, rax ; js >miss);
    }
    dynasm!(code ; .arch x64 ; jmp >done ; is_other:);
    if is_signed {
        dynasm!(code
            ; .arch x64
            ; cmp edi, 3
            ; jne >is_zero
            ; mov rax, [rax + 15]
            ; neg rax
            ; jns >miss
            ; jmp >done
            ; is_zero:
        );
    }
    let most = (1i64 << 53) - 1;
    dynasm!(code
        ; .arch x64
        // Zero has no digits; nothing else that comes here fits.
        ; mov eax, edi
        ; test edi, edi
        ; jnz >miss
        ; jmp >done
        ; is_number:
        ; mov rdi, QWORD maps.number as i64
        ; cmp [rax - 1], rdi
        ; jne >miss
        ; movsd xmm15, [rax + 7]
        ; cvttsd2si rax, xmm15
        ; xorps xmm14, xmm14
        ; cvtsi2sd xmm14, rax
        ; ucomisd xmm14, xmm15
        ; jp >miss
        ; jne >miss
        ; mov rdi, QWORD most
        ; lea rsi, [rax + rdi]
        ; add rdi, rdi
        ; cmp rsi, rdi
        // Beyond 2^53 a double is not exact.
        ; ja >miss
        ; jmp >is_integer
        ; is_small:
        // The upper half.
        ; sar rax, 32
        ; is_integer:
    );
    if !is_signed {
        dynasm!(code ; .arch x64 ; test rax, rax ; js >miss);
    }
    dynasm!(code ; .arch x64 ; done:);
    match source {
        Source::Register(number) => dynasm!(code ; .arch x64 ; mov Rq(number), rax),
        Source::Stack(word) => dynasm!(code ; .arch x64 ; mov [rsp + 8 + word * 8], rax),
        Source::Float(_) | Source::Frame(_) => {}
    }
}

/// Puts the arguments into C's registers and onto its stack. `has_stack_frame`: rbp is that of this function, and C's stack
/// begins at rsp.
fn place(code: &mut Assembler, plan: &CallingSequence, sources: &[Source], has_stack_frame: bool) {
    let stack_to_rax = |code: &mut Assembler, word: i32| match has_stack_frame {
        true => dynasm!(code ; .arch x64 ; mov rax, [rbp + 16 + word * 8]),
        false => dynasm!(code ; .arch x64 ; mov rax, [rsp + 8 + word * 8]),
    };
    let moves = || sources.iter().copied().zip(&plan.steps);
    // First what goes onto the stack, while every register still holds what V8 has put there.
    for (source, step) in moves() {
        let Some(to) = step.stack_word().map(|word| word as i32 * 8) else { continue };
        match source {
            Source::Register(number) => dynasm!(code ; .arch x64 ; mov [rsp + to], Rq(number)),
            Source::Float(number) => dynasm!(code ; .arch x64 ; movsd [rsp + to], Rx(number)),
            Source::Stack(word) => {
                stack_to_rax(code, word);
                dynasm!(code ; .arch x64 ; mov [rsp + to], rax);
            }
            Source::Frame(at) => dynasm!(code ; .arch x64 ; mov rax, [r10 + at] ; mov [rsp + to], rax),
        }
    }
    // Then the registers that V8 has filled. Those whose value moves up come first, the last one first; then those
    // whose value moves down, so that nothing is overwritten before it has moved. Floats only move down.
    let place_of = |number: u8| INTEGER_REGISTERS.iter().position(|other| *other == number);
    let (up, down): (Vec<_>, Vec<_>) = moves()
        .filter_map(|(source, step)| match (source, step.integer_register()) {
            (Source::Register(from), Some(to)) => Some((from, INTEGER_REGISTERS[to])),
            _ => None,
        })
        .partition(|(from, to)| place_of(*to) > place_of(*from));
    for (from, to) in up.into_iter().rev().chain(down) {
        dynasm!(code ; .arch x64 ; mov Rq(to), Rq(from));
    }
    for (source, step) in moves() {
        match (source, step.integer_register(), step.float_register()) {
            (Source::Float(from), _, Some(to)) if from != to => dynasm!(code ; .arch x64 ; movaps Rx(to), Rx(from)),
            (Source::Stack(word), _, Some(to)) => {
                stack_to_rax(code, word);
                dynasm!(code ; .arch x64 ; movq Rx(to), rax);
            }
            (Source::Stack(word), Some(to), _) => {
                stack_to_rax(code, word);
                dynasm!(code ; .arch x64 ; mov Rq(INTEGER_REGISTERS[to]), rax);
            }
            (Source::Frame(at), Some(to), _) => {
                dynasm!(code ; .arch x64 ; mov Rq(INTEGER_REGISTERS[to]), [r10 + at]);
            }
            _ => {}
        }
    }
}

/// V8 wants narrow integers as wide as a register of 32 bits; C leaves the rest as it was.
fn widen(code: &mut Assembler, plan: &CallingSequence) {
    match plan.returned {
        _ if plan.result != ResultIn::Integer => {}
        Load::I8 => dynasm!(code ; .arch x64 ; movsx eax, al),
        Load::I16 => dynasm!(code ; .arch x64 ; movsx eax, ax),
        Load::U8 => dynasm!(code ; .arch x64 ; movzx eax, al),
        Load::U16 => dynasm!(code ; .arch x64 ; movzx eax, ax),
        _ => {}
    }
}

/// Jumps to where fences are looked at after the call, if C is handed a pin, or any number may be the address of a
/// Buffer: an address that is given out during the call is none of those that C was handed.
fn leave_to_look(code: &mut Assembler, around: TrampolineContext) {
    dynasm!(code
        ; .arch x64
        ; mov rdi, QWORD around.arg_buffer as i64
        ; cmp DWORD [rdi], 0
        ; jne >look
        ; mov rdi, QWORD around.given as i64
        ; cmp QWORD [rdi], 0
        ; jne >look
    );
}

/// Has the fences looked at. `is_known`: that they have to be was found before the call.
fn look_after(code: &mut Assembler, around: TrampolineContext, is_known: bool) {
    if !is_known {
        leave_to_look(code, around);
        dynasm!(code ; .arch x64 ; jmp >done ; look:);
    }
    call_with_owner(code, around.after);
    dynasm!(code ; .arch x64 ; done:);
}

/// Calls a function of ours with the row's owner; the result of C stays.
fn call_with_owner(code: &mut Assembler, function: usize) {
    dynasm!(code
        ; .arch x64
        ; mov [rbp - 8], rax
        ; movsd [rbp - 16], xmm0
        ; mov rdi, [rbp - 24]
        ; mov rax, QWORD function as i64
        ; call rax
        ; mov rax, [rbp - 8]
        ; movsd xmm0, [rbp - 16]
    );
}

/// Gives an address as a double; one beyond 2^53-1 is left in the argument buffer.
fn give_pointer(code: &mut Assembler, result_at: i32, around: TrampolineContext) {
    dynasm!(code
        ; .arch x64
        ; mov rcx, rax
        ; shr rcx, 53
        ; jnz >is_wide
        ; xorps xmm0, xmm0
        ; cvtsi2sd xmm0, rax
        ; leave
        ; ret
        ; is_wide:
        ; mov r10, QWORD around.arg_buffer as i64
        ; mov [r10 + result_at], rax
        ; mov rax, QWORD (-1f64).to_bits() as i64
        ; movq xmm0, rax
    );
}

/// The code that calls `function(receiver, second, third, context)`.
pub fn with_context(function: usize, context: usize) -> Vec<u8> {
    let mut code = Assembler::new(0);
    dynasm!(code
        ; .arch x64
        ; mov rcx, QWORD context as i64
        ; mov rax, QWORD function as i64
        ; jmp rax
    );
    code.finalize().unwrap_or_default()
}
