//! A filter of system calls, as a program of the classic Berkeley Packet Filter (seccomp(2)).
#![expect(unsafe_code, reason = "calls the kernel")]

use std::ffi::{c_long, c_uint};

use crate::errno::Errno;

/// AUDIT_ARCH_X86_64.
const ARCHITECTURE: u32 = 0xc000_003e;
/// System calls of the x32 interface have this bit.
const X32: u32 = 0x4000_0000;
const KILL_PROCESS: u32 = 0x8000_0000;
const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;
const SET_MODE_FILTER: c_uint = 1;
const TSYNC: c_uint = 1;

// Offsets in struct seccomp_data.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;

// BPF_LD | BPF_W | BPF_ABS, BPF_ALU | BPF_AND, BPF_JMP | BPF_JA, | BPF_JEQ, | BPF_JGE, and BPF_RET, each with a
// constant.
const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

/// When a system call is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// Always, with this errno.
    Always(i32),
    /// Unless the argument, without the bits outside of a mask, is one of these. 32 bits of the argument are compared.
    Unless { argument: u32, mask: u32, values: Vec<u32> },
    /// If the argument, without the bits outside of a mask, is one of these.
    If { argument: u32, mask: u32, values: Vec<u32> },
}

/// A rule: a system call, and when it is refused. A system call may have several.
pub type Rule = (c_long, When);

/// Installs a filter for all threads of this process. It stays, and children inherit it.
///
/// # Errors
/// The errno of `seccomp`; EBUSY where a thread has another filter.
pub fn install(rules: &[Rule]) -> Result<(), i32> {
    let program = program_of(rules);
    let length = u16::try_from(program.len()).map_err(|_| libc::E2BIG)?;
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel copies the program, which is that long.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, TSYNC, &raw const program) };
    match result {
        0 => Ok(()),
        -1 => Err(Errno::here().get()),
        // The id of a thread that has another filter.
        _ => Err(libc::EBUSY),
    }
}

fn statement(code: u16, k: u32) -> libc::sock_filter {
    libc::sock_filter { code, jt: 0, jf: 0, k }
}

/// A jump over `yes` instructions, or over `no`.
fn jump(code: u16, k: u32, yes: usize, no: usize) -> libc::sock_filter {
    libc::sock_filter { code, jt: yes as u8, jf: no as u8, k }
}

fn program_of(rules: &[Rule]) -> Vec<libc::sock_filter> {
    let mut program = vec![
        statement(LOAD, ARCH),
        jump(JUMP_EQUAL, ARCHITECTURE, 1, 0),
        statement(RETURN, KILL_PROCESS),
        statement(LOAD, NUMBER),
        jump(JUMP_AT_LEAST, X32, 0, 1),
        statement(RETURN, ERRNO | libc::ENOSYS as u32),
    ];
    for (number, when) in rules {
        let body = body_of(when);
        program.push(jump(JUMP_EQUAL, *number as u32, 0, body.len()));
        program.extend(body);
    }
    program.push(statement(RETURN, ALLOW));
    program
}

/// The instructions that run for a rule's system call. They end in a refusal, or with the number loaded again.
fn body_of(when: &When) -> Vec<libc::sock_filter> {
    let refusal = statement(RETURN, ERRNO | libc::EPERM as u32);
    let (argument, mask, values, is_refused) = match when {
        When::Always(errno) => return vec![statement(RETURN, ERRNO | *errno as u32)],
        When::Unless { argument, mask, values } => (argument, mask, values, false),
        When::If { argument, mask, values } => (argument, mask, values, true),
    };
    let mut body = vec![statement(LOAD, ARGUMENTS + 8 * argument), statement(AND, *mask)];
    for (index, value) in values.iter().enumerate() {
        // Over the other comparisons and one instruction: to the load below, or to the refusal.
        body.push(jump(JUMP_EQUAL, *value, values.len() - index, 0));
    }
    if is_refused {
        body.push(statement(JUMP, 1));
    }
    body.push(refusal);
    body.push(statement(LOAD, NUMBER));
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a program as the kernel does.
    fn verdict(program: &[libc::sock_filter], number: u32, arguments: [u64; 6]) -> u32 {
        let mut data = vec![number, ARCHITECTURE, 0, 0];
        data.extend(arguments.iter().flat_map(|argument| [*argument as u32, (*argument >> 32) as u32]));
        let (mut at, mut value) = (0, 0u32);
        loop {
            let step = program[at];
            at += 1;
            let jump = |is_true: bool| usize::from(if is_true { step.jt } else { step.jf });
            match step.code {
                LOAD => value = data[step.k as usize / 4],
                AND => value &= step.k,
                JUMP => at += step.k as usize,
                JUMP_EQUAL => at += jump(value == step.k),
                JUMP_AT_LEAST => at += jump(value >= step.k),
                RETURN => return step.k,
                code => panic!("{code}"),
            }
        }
    }

    #[test]
    fn rules_refuse_what_they_say() {
        let unless = When::Unless { argument: 1, mask: 0xff, values: vec![1, 2, 3] };
        let refused_if = When::If { argument: 0, mask: u32::MAX, values: vec![7, 9] };
        let program = program_of(&[
            (5, When::Always(libc::ENOSYS)),
            (6, unless),
            (7, refused_if),
            (7, When::Unless { argument: 2, mask: 1, values: vec![0] }),
        ]);
        let refused = ERRNO | libc::EPERM as u32;
        for (number, arguments, expected) in [
            (4, [0; 6], ALLOW),
            (5, [0; 6], ERRNO | libc::ENOSYS as u32),
            (6, [9, 1, 0, 0, 0, 0], ALLOW),
            (6, [9, 0x103, 0, 0, 0, 0], ALLOW),
            (6, [1, 4, 0, 0, 0, 0], refused),
            (7, [7, 0, 0, 0, 0, 0], refused),
            (7, [9, 0, 0, 0, 0, 0], refused),
            (7, [8, 0, 0, 0, 0, 0], ALLOW),
            (7, [8, 0, 3, 0, 0, 0], refused),
            (X32 | 4, [0; 6], ERRNO | libc::ENOSYS as u32),
        ] {
            assert_eq!(verdict(&program, number, arguments), expected, "{number} {arguments:?}");
        }
    }
}
