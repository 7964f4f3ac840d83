//! The frames of a thread that is about to die, written into a death report.
//!
//! Runs in a signal handler. The unwinder reads the tables of exceptions, so that code without frame pointers has
//! frames as well. Where it cannot start (the instruction pointer is no code: a call of a null pointer), the stack's
//! top word and the chain of frame pointers are used. Memory of the stack is read by an instruction whose fault is
//! expected.
#![expect(unsafe_code, reason = "reads stacks, and writes to memory that is shared with the parent")]

use std::arch::naked_asm;
use std::ffi::{CStr, c_char, c_int, c_void};

use crate::isolate::death_report::{
    DeathReport, MAX_FRAMES, MAX_OBJECTS, NO_OBJECT, OBJECT_BYTES, ReportedFrame, SYMBOL_BYTES,
};

unsafe extern "C" {
    fn _Unwind_Backtrace(visit: extern "C" fn(*mut c_void, *mut c_void) -> c_int, argument: *mut c_void) -> c_int;
    fn _Unwind_GetIPInfo(context: *mut c_void, is_before: *mut c_int) -> usize;
}

/// The registers that a walk starts with.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    /// The instruction pointer.
    pub pc: usize,
    /// The stack pointer.
    pub sp: usize,
    /// The frame pointer, where the code has one.
    pub fp: usize,
}

/// The frame from which a walk of this thread's own stack is reported.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// At the frame with these registers: frames further in are those of the signal handler.
    At(Registers),
    /// At the first frame in the file that contains this address.
    In(usize),
}

struct Walk {
    report: *mut DeathReport,
    start: Start,
    is_started: bool,
}

/// Fills the frames of a report with those of this thread. A stack that was overwritten can make the unwinder fault:
/// then the handler calls [`fill_by_frame_pointers`].
///
/// # Safety
/// H2: `report` is writable. The parent may read it meanwhile.
pub unsafe fn fill_frames(report: *mut DeathReport, start: Start) {
    let mut walk = Walk { report, start, is_started: false };
    // SAFETY: H2; the visitor gets the walk, which is a local, and returns before it ends.
    unsafe {
        (*report).frame_count = 0;
        (*report).object_count = 0;
        match start {
            // The unwinder reads the code at the instruction pointer. There is none.
            Start::At(registers) if base_of(registers.pc).is_none() => {}
            _ => {
                _Unwind_Backtrace(visit, (&raw mut walk).cast());
            }
        }
        if let Start::At(registers) = start {
            fill_by_frame_pointers(report, registers);
        }
    }
}

/// Fills the frames by following frame pointers, if there are fewer than two.
///
/// # Safety
/// As [`fill_frames`].
pub unsafe fn fill_by_frame_pointers(report: *mut DeathReport, registers: Registers) {
    // SAFETY: by the contract of this function.
    unsafe {
        if (*report).frame_count < 2 {
            (*report).frame_count = 0;
            follow_frame_pointers(report, registers);
        }
    }
}

extern "C" fn visit(context: *mut c_void, walk: *mut c_void) -> c_int {
    let mut is_before = 0;
    // SAFETY: H2; the unwinder calls with its context and with what fill_frames() has passed.
    unsafe {
        let walk = &mut *walk.cast::<Walk>();
        let address = _Unwind_GetIPInfo(context, &mut is_before);
        if address == 0 {
            // The end of the stack.
            return 1;
        }
        let is_first = !walk.is_started;
        if is_first {
            walk.is_started = match walk.start {
                Start::At(registers) => registers.pc == address,
                Start::In(inside) => base_of(address).is_some_and(|base| Some(base) == base_of(inside)),
            };
            if !walk.is_started {
                return 0;
            }
        }
        let is_exact = is_before != 0 || (is_first && matches!(walk.start, Start::At(_)));
        c_int::from(!add_frame(walk.report, address, is_exact))
    }
}

/// # Safety
/// As [`fill_frames`].
unsafe fn follow_frame_pointers(report: *mut DeathReport, registers: Registers) {
    // SAFETY: by the contract of this function.
    unsafe {
        add_frame(report, registers.pc, true);
        if base_of(registers.pc).is_none() {
            // Nothing ran there: the call that led to it has pushed where it returns to.
            match read_stack(registers.sp) {
                Some(caller) if base_of(caller).is_some() => add_frame(report, caller, false),
                _ => false,
            };
        }
        let (mut fp, mut lowest) = (registers.fp, registers.sp);
        while fp >= lowest && fp.is_multiple_of(8) {
            let (Some(next), Some(caller)) = (read_stack(fp), read_stack(fp.wrapping_add(8))) else { return };
            if base_of(caller).is_none() || !add_frame(report, caller, false) {
                return;
            }
            lowest = fp.wrapping_add(16);
            fp = next;
        }
    }
}

/// Adds a frame. False if there is no room for another. `is_exact`: the address is an instruction, not where a call
/// returns to, which may be the beginning of the next function.
///
/// # Safety
/// As [`fill_frames`].
unsafe fn add_frame(report: *mut DeathReport, address: usize, is_exact: bool) -> bool {
    let mut frame = ReportedFrame { address: address as u64, ..ReportedFrame::EMPTY };
    // SAFETY: by the contract of fill_frames(); the index is less than the length. What dladdr() names stays loaded.
    unsafe {
        let index = (*report).frame_count as usize;
        if index >= MAX_FRAMES {
            return false;
        }
        if let Some(info) = look_up(address.wrapping_sub(usize::from(!is_exact))) {
            frame.object_offset = (address as u64).wrapping_sub(info.dli_fbase.addr() as u64);
            frame.object = add_object(report, info.dli_fname);
            if !info.dli_sname.is_null() {
                frame.symbol_offset = (address as u64).wrapping_sub(info.dli_saddr.addr() as u64);
                let name = CStr::from_ptr(info.dli_sname).to_bytes();
                copy(&mut frame.symbol, name.get(..name.len().min(SYMBOL_BYTES)).unwrap_or_default());
            }
        }
        (*report).frames[index] = frame;
        (*report).frame_count = index as u32 + 1;
        index + 1 < MAX_FRAMES
    }
}

/// The index of a path in the report, which is added if it is new.
///
/// # Safety
/// As [`fill_frames`]; `path` is null or a C string.
unsafe fn add_object(report: *mut DeathReport, path: *const c_char) -> u32 {
    if path.is_null() {
        return NO_OBJECT;
    }
    // SAFETY: by the contract of this function; the indices are less than the length.
    unsafe {
        let path = CStr::from_ptr(path).to_bytes();
        let mut entry = [0; OBJECT_BYTES];
        copy(&mut entry, path.get(path.len().saturating_sub(OBJECT_BYTES)..).unwrap_or_default());
        let count = (*report).object_count as usize;
        for index in 0..count.min(MAX_OBJECTS) {
            if (*report).objects[index] == entry {
                return index as u32;
            }
        }
        if count >= MAX_OBJECTS {
            return NO_OBJECT;
        }
        (*report).objects[count] = entry;
        (*report).object_count = count as u32 + 1;
        count as u32
    }
}

fn copy(to: &mut [u8], from: &[u8]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

fn look_up(address: usize) -> Option<libc::Dl_info> {
    // SAFETY: H4; dladdr() looks the address up, and reads nothing there.
    unsafe {
        let mut info = std::mem::zeroed::<libc::Dl_info>();
        (libc::dladdr(std::ptr::without_provenance(address), &mut info) != 0).then_some(info)
    }
}

/// The load address of the file that an address is in.
fn base_of(address: usize) -> Option<usize> {
    look_up(address).map(|info| info.dli_fbase.addr())
}

// ---- Reads that may fault -------------------------------------------------------------------------------------------

/// Reads a word into `*word`; false if that faults. The first instruction is the one that faults: [`recover`].
///
/// # Safety
/// The handler for SIGSEGV and SIGBUS calls [`recover`].
#[unsafe(naked)]
unsafe extern "C" fn read_word(address: usize, word: *mut usize) -> bool {
    naked_asm!("mov rax, [rdi]", "mov [rsi], rax", "mov eax, 1", "ret")
}

/// The address at which [`read_word`] continues after a fault.
#[unsafe(naked)]
unsafe extern "C" fn read_failed() -> bool {
    naked_asm!("xor eax, eax", "ret")
}

fn read_stack(address: usize) -> Option<usize> {
    let mut word = 0;
    // SAFETY: the handler of crash.rs is installed, and calls recover().
    unsafe { read_word(address, &mut word) }.then_some(word)
}

/// Whether a fault was that of a read here. Then its context was changed so that the read goes on and gives nothing.
pub fn recover(context: &mut libc::ucontext_t) -> bool {
    let pc = &mut context.uc_mcontext.gregs[libc::REG_RIP as usize];
    let is_ours = *pc as usize == read_word as *const () as usize;
    if is_ours {
        *pc = read_failed as *const () as i64;
    }
    is_ours
}
