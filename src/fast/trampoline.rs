//! The machine code between V8 and a C function: drops the receiver, takes from the frame what V8 does not pass, and
//! looks first whether the call may go in at all.
#![expect(clippy::useless_conversion, reason = "dynasm! converts what names a register")]

use std::mem::offset_of;

use dynasmrt::{DynasmApi, DynasmLabelApi, VecAssembler, dynasm, x64::X64Relocation};

use crate::bound::{ROW_SHIFT, Row};
use crate::sysv::{Load, Plan, ResultIn};

/// How V8 passes a value; the numbers are those of `v8::CTypeInfo::Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Passing {
    /// Not at all: it is in the frame. As a result's type this is void.
    Frame = 0,
    /// As a signed 32-bit integer.
    I32 = 3,
    /// As an unsigned one.
    U32 = 4,
    /// As a float.
    F32 = 7,
    /// As a double.
    F64 = 8,
}

impl Passing {
    /// The passing of this number.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Frame, Self::I32, Self::U32, Self::F32, Self::F64].into_iter().find(|passing| *passing as u8 == code)
    }

    fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

/// How the values of a signature travel.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Each argument.
    pub arguments: Vec<Passing>,
    /// The result.
    pub result: Passing,
    /// Whether something is left to do afterwards: fences to look at, a text to bring.
    pub has_after: bool,
}

/// The addresses that every trampoline of an environment has in common.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// A word that is 0 while no JavaScript can run during a call.
    pub gate: usize,
    /// A word that is set to [`MISSED`] where the call did not go in.
    pub state: usize,
    /// The frame.
    pub frame: usize,
    /// A word that has the address of the first [`Row`].
    pub rows: usize,
    /// `extern "C" fn(owner of the row)`, called after C where the shape says so.
    pub after: usize,
}

/// The call did not go in.
pub const MISSED: u32 = 1;

/// The numbers of the registers of integer arguments, in order: rdi, rsi, rdx, rcx, r8, r9.
const INTEGER_REGISTERS: [u8; 6] = [7, 6, 2, 1, 8, 9];
const FLOAT_REGISTERS: usize = 8;

/// Where V8 has put a value, or the frame has it.
#[derive(Clone, Copy, Debug)]
enum Source {
    Register(u8),
    Float,
    /// A word of the arguments on the stack.
    Stack(i32),
    Frame(i32),
}

fn sources(plan: &Plan, shape: &Shape) -> Vec<Source> {
    // The receiver is the first integer, the number of the function the second.
    let (mut integers, mut floats, mut stack) = (2, 0, 0);
    let mut on_stack = || {
        stack += 1;
        Source::Stack(stack - 1)
    };
    let arguments = shape.arguments.iter().zip(&plan.steps);
    arguments
        .map(|(passing, step)| match passing {
            Passing::Frame => Source::Frame(step.from.into()),
            passing if passing.is_float() => {
                floats += 1;
                if floats > FLOAT_REGISTERS { on_stack() } else { Source::Float }
            }
            _ => {
                integers += 1;
                INTEGER_REGISTERS.get(integers - 1).map_or_else(&mut on_stack, |number| Source::Register(*number))
            }
        })
        .collect()
}

/// The code that calls the C function of a row, by its number. It does not depend on where it is put.
pub fn assemble(plan: &Plan, shape: &Shape, result_at: i32, around: Surroundings) -> Vec<u8> {
    let mut code = VecAssembler::<X64Relocation>::new(0);
    let (gate, state, frame) = (around.gate as i64, around.state as i64, around.frame as i64);
    dynasm!(code
        ; .arch x64
        ; mov rax, QWORD gate
        ; cmp DWORD [rax], 0
        ; jne >miss
        ; mov rax, QWORD around.rows as i64
        ; mov r11d, esi
        ; shl r11, ROW_SHIFT as i8
        ; add r11, [rax]
        ; mov rax, [r11 + offset_of!(Row<()>, open) as i32]
        ; cmp BYTE [rax], 0
        ; je >miss
    );
    let sources = sources(plan, shape);
    if sources.iter().any(|source| matches!(source, Source::Frame(_))) {
        dynasm!(code ; .arch x64 ; mov r10, QWORD frame);
    }
    // C's own result may go back as it is, unless something has to be done after it.
    let is_narrow = !matches!(plan.returned, Load::I32 | Load::U32 | Load::Word);
    let in_frame = shape.result == Passing::Frame && plan.result != ResultIn::Nothing;
    let comes_back =
        plan.on_stack > 0 || in_frame || (is_narrow && plan.result == ResultIn::Integer) || shape.has_after;
    if comes_back {
        let room = 32 + (plan.on_stack * 8).next_multiple_of(16) as i32;
        dynasm!(code ; .arch x64 ; push rbp ; mov rbp, rsp ; sub rsp, room);
    }
    if shape.has_after {
        dynasm!(code ; .arch x64 ; mov rax, [r11 + offset_of!(Row<()>, owner) as i32] ; mov [rbp - 24], rax);
    }
    let stack = |word: i32| if comes_back { 16 + word * 8 } else { 8 + word * 8 };

    // First what goes onto the stack, while every register still holds what V8 has put there.
    for (source, step) in sources.iter().zip(&plan.steps).filter(|(_, step)| step.stack_word().is_some()) {
        let to = step.stack_word().unwrap_or(0) as i32 * 8;
        match *source {
            Source::Register(number) => dynasm!(code ; .arch x64 ; mov [rsp + to], Rq(number)),
            Source::Float => {}
            Source::Stack(word) => dynasm!(code ; .arch x64 ; mov rax, [rbp + stack(word)] ; mov [rsp + to], rax),
            Source::Frame(at) => dynasm!(code ; .arch x64 ; mov rax, [r10 + at] ; mov [rsp + to], rax),
        }
    }
    // Then the registers that V8 has filled. Those whose value moves up come first, the last one first; then those whose
    // value moves down, so that nothing is overwritten before it has moved.
    let place = |number: u8| INTEGER_REGISTERS.iter().position(|other| *other == number);
    let moves: Vec<(u8, u8)> = sources
        .iter()
        .zip(&plan.steps)
        .filter_map(|(source, step)| match (source, step.integer_register()) {
            (Source::Register(from), Some(to)) => Some((*from, INTEGER_REGISTERS[to])),
            _ => None,
        })
        .collect();
    let (up, down): (Vec<_>, Vec<_>) = moves.into_iter().partition(|(from, to)| place(*to) > place(*from));
    for (from, to) in up.into_iter().rev().chain(down) {
        if from != to {
            dynasm!(code ; .arch x64 ; mov Rd(to), Rd(from));
        }
    }
    for (source, step) in sources.iter().zip(&plan.steps) {
        match (*source, step.integer_register()) {
            (Source::Stack(word), Some(to)) if comes_back => {
                dynasm!(code ; .arch x64 ; mov Rd(INTEGER_REGISTERS[to]), [rbp + stack(word)]);
            }
            (Source::Stack(word), Some(to)) => {
                dynasm!(code ; .arch x64 ; mov Rd(INTEGER_REGISTERS[to]), [rsp + stack(word)]);
            }
            (Source::Frame(at), Some(to)) => dynasm!(code ; .arch x64 ; mov Rq(INTEGER_REGISTERS[to]), [r10 + at]),
            _ => {}
        }
    }
    if !comes_back {
        dynasm!(code ; .arch x64 ; mov eax, 8 ; jmp QWORD [r11 + offset_of!(Row<()>, code) as i32]);
    } else {
        dynasm!(code ; .arch x64 ; mov eax, 8 ; call QWORD [r11 + offset_of!(Row<()>, code) as i32]);
        match plan.returned {
            _ if plan.result != ResultIn::Integer => {}
            Load::I8 => dynasm!(code ; .arch x64 ; movsx eax, al),
            Load::I16 => dynasm!(code ; .arch x64 ; movsx eax, ax),
            Load::U8 => dynasm!(code ; .arch x64 ; movzx eax, al),
            Load::U16 => dynasm!(code ; .arch x64 ; movzx eax, ax),
            _ => {}
        }
        if in_frame {
            dynasm!(code ; .arch x64 ; mov r10, QWORD frame ; mov [r10 + result_at], rax);
        }
        if shape.has_after {
            let after = around.after as i64;
            dynasm!(code
                ; .arch x64
                ; mov [rbp - 8], rax
                ; movsd [rbp - 16], xmm0
                ; mov rdi, [rbp - 24]
                ; mov rax, QWORD after
                ; call rax
                ; mov rax, [rbp - 8]
                ; movsd xmm0, [rbp - 16]
            );
        }
        dynasm!(code ; .arch x64 ; leave ; ret);
    }
    dynasm!(code
        ; .arch x64
        ; miss:
        ; mov rax, QWORD state
        ; mov DWORD [rax], MISSED as i32
        ; xor eax, eax
        ; xorps xmm0, xmm0
        ; ret
    );
    code.finalize().unwrap_or_default()
}

/// The code that calls `function(receiver, second, third, context)`.
pub fn with_context(function: usize, context: usize) -> Vec<u8> {
    let mut code = VecAssembler::<X64Relocation>::new(0);
    dynasm!(code
        ; .arch x64
        ; mov rcx, QWORD context as i64
        ; mov rax, QWORD function as i64
        ; jmp rax
    );
    code.finalize().unwrap_or_default()
}
