//! Death report: what the host's signal handler writes about its own end, in memory that the parent reads.
//!
//! The writer is a process that is crashing, or a hostile one. So the layout has no pointer, no `bool` and no
//! enum: any bytes are a valid [`DeathReport`]. The parent copies it once and validates the copy ([`Death::read`]).
#![expect(unsafe_code, reason = "reads memory that another process writes")]

use std::fmt;

/// Frames of a report.
pub const MAX_FRAMES: usize = 32;
/// Files that the frames of a report may be in.
pub const MAX_OBJECTS: usize = 16;
/// Bytes of the path of a file. Of a longer path the end is kept.
pub const OBJECT_BYTES: usize = 256;
/// Bytes of the name of a symbol. Of a longer name the beginning is kept.
pub const SYMBOL_BYTES: usize = 128;

/// Nothing was reported.
pub const STATE_EMPTY: u32 = 0;
/// The handler has begun: signal, code, address and the first frame's address are there, frames may be missing.
pub const STATE_STARTED: u32 = 1;
/// The handler has finished.
pub const STATE_COMPLETE: u32 = 2;

/// The process has received a signal that ends it.
pub const KIND_SIGNAL: u32 = 1;
/// The process has called `exit`, or returned from a thread that ends it.
pub const KIND_EXIT: u32 = 2;

/// A frame in which no file was found.
pub const NO_OBJECT: u32 = u32::MAX;

/// The report, as it lies in shared memory. All zero is a report in [`STATE_EMPTY`].
#[repr(C)]
#[derive(Clone, Copy)]
pub struct DeathReport {
    /// [`STATE_EMPTY`], [`STATE_STARTED`] or [`STATE_COMPLETE`].
    pub state: u32,
    /// [`KIND_SIGNAL`] or [`KIND_EXIT`].
    pub kind: u32,
    /// The signal, or the exit status.
    pub number: i32,
    /// `si_code` of the signal.
    pub code: i32,
    /// The kernel's id of the thread.
    pub thread: i32,
    /// `si_pid`, where a process has sent the signal.
    pub sender: i32,
    /// `si_syscall` of SIGSYS, or -1.
    pub syscall: i32,
    /// The number of `frames` that are filled.
    pub frame_count: u32,
    /// The number of `objects` that are filled.
    pub object_count: u32,
    /// Keeps the 64-bit fields aligned.
    pub padding: u32,
    /// `si_addr` of a fault.
    pub address: u64,
    /// The instruction pointer.
    pub pc: u64,
    /// The stack pointer.
    pub sp: u64,
    /// From the innermost frame outwards.
    pub frames: [ReportedFrame; MAX_FRAMES],
    /// Paths, each ended by a NUL where it is shorter than the array.
    pub objects: [[u8; OBJECT_BYTES]; MAX_OBJECTS],
}

/// A frame, as it lies in shared memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ReportedFrame {
    /// The instruction, or the address that the call returns to.
    pub address: u64,
    /// From the file's load address.
    pub object_offset: u64,
    /// From the symbol.
    pub symbol_offset: u64,
    /// Index into `objects`, or [`NO_OBJECT`].
    pub object: u32,
    /// Keeps the size a multiple of 8.
    pub padding: u32,
    /// The nearest symbol, ended by a NUL where it is shorter than the array; empty if there is none.
    pub symbol: [u8; SYMBOL_BYTES],
}

impl DeathReport {
    /// A report in [`STATE_EMPTY`].
    #[cfg(test)]
    pub const EMPTY: Self = Self {
        state: STATE_EMPTY,
        kind: 0,
        number: 0,
        code: 0,
        thread: 0,
        sender: 0,
        syscall: -1,
        frame_count: 0,
        object_count: 0,
        padding: 0,
        address: 0,
        pc: 0,
        sp: 0,
        frames: [ReportedFrame::EMPTY; MAX_FRAMES],
        objects: [[0; OBJECT_BYTES]; MAX_OBJECTS],
    };
}

impl ReportedFrame {
    /// A frame of which nothing is known.
    pub const EMPTY: Self = Self {
        address: 0,
        object_offset: 0,
        symbol_offset: 0,
        object: NO_OBJECT,
        padding: 0,
        symbol: [0; SYMBOL_BYTES],
    };
}

/// The end of a process, by its own report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A signal.
    Signal {
        /// Its number. `waitid` tells the true one.
        signal: i32,
        /// `si_code`.
        code: i32,
        /// The address of a fault (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP raised by the processor).
        address: Option<u64>,
        /// The process that sent it, where one did.
        sender: Option<i32>,
        /// The system call that seccomp refused (SIGSYS).
        syscall: Option<i32>,
    },
    /// A call of `exit` with this status.
    Exit(i32),
}

/// A validated report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Death {
    /// The signal or status with which the process has ended.
    pub cause: Cause,
    /// The kernel's id of the thread.
    pub thread: i32,
    /// The instruction pointer.
    pub pc: u64,
    /// From the innermost frame outwards. The first is where the fault was, or where a signal arrived.
    pub frames: Vec<DeathFrame>,
    /// Whether the handler has finished. Otherwise frames may be missing.
    pub is_complete: bool,
}

/// A frame of a validated report. `Display` is the line that a person reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeathFrame {
    /// The instruction, or the address that the call returns to.
    pub address: u64,
    /// The file, and the offset from its load address.
    pub object: Option<(String, u64)>,
    /// The nearest symbol, and the offset from it.
    pub symbol: Option<(String, u64)>,
}

impl Death {
    /// Copies a report once, and validates the copy. `None` if nothing was reported, or something that is no report.
    ///
    /// # Safety
    /// `report` points to `size_of::<DeathReport>()` readable bytes, aligned to 8. Another process may write them
    /// meanwhile.
    pub unsafe fn read(report: *const DeathReport) -> Option<Self> {
        const WORDS: usize = size_of::<DeathReport>() / 8;
        let mut words = Box::new([0u64; WORDS]);
        for (index, word) in words.iter_mut().enumerate() {
            // SAFETY: by the contract of this function. A volatile read of a word is not repeated by the compiler.
            *word = unsafe { report.cast::<u64>().add(index).read_volatile() };
        }
        // SAFETY: the array is as long as the report and as aligned, and any bytes are a valid report.
        Self::validate(unsafe { &*words.as_ptr().cast::<DeathReport>() })
    }

    fn validate(report: &DeathReport) -> Option<Self> {
        if report.state != STATE_STARTED && report.state != STATE_COMPLETE {
            return None;
        }
        let cause = match report.kind {
            KIND_EXIT => Cause::Exit(report.number),
            KIND_SIGNAL if (1..=64).contains(&report.number) => Cause::Signal {
                signal: report.number,
                code: report.code,
                // SI_USER is 0, and signals of other processes have codes below it; SI_KERNEL (0x80) has no address.
                address: (report.code > 0 && report.code < 0x80 && report.number != SIGSYS).then_some(report.address),
                sender: (report.code <= 0 && report.sender > 0).then_some(report.sender),
                syscall: (report.number == SIGSYS && report.syscall >= 0).then_some(report.syscall),
            },
            _ => return None,
        };
        let objects = report.objects.get(..(report.object_count as usize).min(MAX_OBJECTS)).unwrap_or_default();
        let frames = report.frames.get(..(report.frame_count as usize).min(MAX_FRAMES)).unwrap_or_default();
        Some(Self {
            cause,
            thread: report.thread,
            pc: report.pc,
            frames: frames.iter().map(|frame| DeathFrame::validate(frame, objects)).collect(),
            is_complete: report.state == STATE_COMPLETE,
        })
    }

    /// Leaves out the frames of a file, the host's, and those outside of the library's: who has called it says nothing
    /// of it.
    pub fn leave_out(&mut self, file: &str) {
        let is_its = |frame: &DeathFrame| frame.object.as_ref().is_some_and(|(path, _)| path == file);
        let is_library = |frame: &DeathFrame| frame.object.is_some() && !is_its(frame) && !frame.is_in_c_library();
        match self.frames.iter().rposition(is_library) {
            Some(outermost) => self.frames.truncate(outermost + 1),
            // A function of the C library that was called directly.
            None => self.frames.truncate(self.frames.iter().rposition(is_its).unwrap_or(self.frames.len())),
        }
        self.frames.retain(|frame| !is_its(frame));
    }

    /// The frame that says most about where the library died: the innermost one outside of the C library, because
    /// `abort`, `free` and `memcpy` fail by the fault of their caller.
    pub fn site(&self) -> Option<&DeathFrame> {
        self.frames.iter().find(|frame| !frame.is_in_c_library()).or(self.frames.first())
    }
}

/// `libc::SIGSYS`, which Windows has not.
const SIGSYS: i32 = 31;

impl DeathFrame {
    fn validate(frame: &ReportedFrame, objects: &[[u8; OBJECT_BYTES]]) -> Self {
        let object = objects.get(frame.object as usize).map(|path| text(path)).filter(|path| !path.is_empty());
        let symbol = Some(text(&frame.symbol)).filter(|name| !name.is_empty());
        Self {
            address: frame.address,
            object: object.map(|path| (path, frame.object_offset)),
            symbol: symbol.map(|name| (name, frame.symbol_offset)),
        }
    }

    fn is_in_c_library(&self) -> bool {
        self.object.as_ref().is_some_and(|(path, _)| {
            let name = path.rsplit('/').next().unwrap_or_default();
            ["libc.so", "libc-", "libpthread", "ld-linux", "ld-musl"].iter().any(|prefix| name.starts_with(prefix))
        })
    }
}

/// `decode_row+0x1c (libcodec.so+0x4d1c)`, with as much as is known.
impl fmt::Display for DeathFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.symbol {
            Some((name, offset)) => write!(f, "{name}+{offset:#x}")?,
            None => write!(f, "{:#x}", self.address)?,
        }
        match &self.object {
            Some((path, offset)) => write!(f, " ({}+{offset:#x})", path.rsplit('/').next().unwrap_or(path)),
            None => Ok(()),
        }
    }
}

/// The text up to the NUL. What is not UTF-8, and control characters, become U+FFFD: the text ends up in a message.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let text = String::from_utf8_lossy(bytes.get(..end).unwrap_or_default());
    text.chars().map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(to: &mut [u8], text: &[u8]) {
        to[..text.len()].copy_from_slice(text);
    }

    fn segv() -> DeathReport {
        let mut report = DeathReport::EMPTY;
        (report.state, report.kind, report.number, report.code) = (STATE_COMPLETE, KIND_SIGNAL, 11, 1);
        (report.address, report.pc, report.frame_count, report.object_count) = (0x10, 0x5000, 2, 2);
        put(&mut report.objects[0], b"/lib/x86_64-linux-gnu/libc.so.6");
        put(&mut report.objects[1], b"/tmp/libcodec.so");
        report.frames[0] = ReportedFrame { address: 0x5000, object: 0, object_offset: 0x500, ..ReportedFrame::EMPTY };
        report.frames[1] =
            ReportedFrame { object: 1, object_offset: 0x4d1c, symbol_offset: 28, ..ReportedFrame::EMPTY };
        put(&mut report.frames[0].symbol, b"memcpy");
        put(&mut report.frames[1].symbol, b"decode_row");
        report
    }

    fn read(report: &DeathReport) -> Option<Death> {
        // SAFETY: the report is a borrow.
        unsafe { Death::read(report) }
    }

    #[test]
    fn nothing_is_reported_at_first() {
        assert_eq!(read(&DeathReport::EMPTY), None);
    }

    #[test]
    fn a_fault_has_its_address_and_the_frames_lines() {
        let death = read(&segv()).unwrap();
        let cause = Cause::Signal { signal: 11, code: 1, address: Some(0x10), sender: None, syscall: None };
        assert_eq!(death.cause, cause);
        let lines: Vec<_> = death.frames.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["memcpy+0x0 (libc.so.6+0x500)", "decode_row+0x1c (libcodec.so+0x4d1c)"]);
        assert_eq!(death.site().unwrap().to_string(), lines[1], "the C library reports for its caller");
    }

    #[test]
    fn frames_of_the_host_are_left_out() {
        let frame = |path: &&str| DeathFrame { object: Some(((*path).into(), 1)), ..DeathFrame::default() };
        let left = |stack: &[&str]| {
            let mut death = read(&segv()).unwrap();
            death.frames = stack.iter().map(frame).collect();
            death.leave_out("/host");
            death.frames.into_iter().filter_map(|frame| frame.object).map(|(path, _)| path).collect::<Vec<_>>()
        };
        let nested = ["/libc.so.6", "/host", "/library", "/host", "/library", "/host", "/libc.so.6"];
        assert_eq!(left(&nested), ["/libc.so.6", "/library", "/library"]);
        assert_eq!(left(&["/libc.so.6", "/host", "/library", "/libc.so.6"]), ["/libc.so.6", "/library"], "a thread");
        assert_eq!(left(&["/libc.so.6", "/host", "/libc.so.6"]), ["/libc.so.6"], "a function of libc");
        assert_eq!(left(&["/libc.so.6"]), ["/libc.so.6"]);
    }

    #[test]
    fn a_sent_signal_has_its_sender_and_no_address() {
        let report = DeathReport { code: 0, sender: 77, ..segv() };
        let Cause::Signal { address, sender, .. } = read(&report).unwrap().cause else { panic!() };
        assert_eq!((address, sender), (None, Some(77)));
    }

    #[test]
    fn any_bytes_are_read_within_bounds() {
        let mut seed = 7u64;
        for round in 0..200 {
            let mut words = vec![0u64; size_of::<DeathReport>() / 8];
            for word in &mut words {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *word = if round % 2 == 0 { u64::MAX } else { seed };
            }
            // State and kind are right, or nothing of the rest would be read.
            words[0] = u64::from(STATE_STARTED) | (u64::from(KIND_EXIT) << 32);
            // SAFETY: the words are as long as a report.
            let death = unsafe { Death::read(words.as_ptr().cast()) }.unwrap();
            assert!(death.frames.len() <= MAX_FRAMES && !death.is_complete);
            for frame in death.frames {
                assert!(frame.to_string().chars().all(|letter| !letter.is_control()));
                assert!(frame.symbol.is_none_or(|(name, _)| name.chars().count() <= SYMBOL_BYTES));
            }
        }
    }

    #[test]
    fn no_report_is_made_of_a_signal_that_does_not_exist() {
        for number in [0, 65, -11] {
            assert_eq!(read(&DeathReport { number, ..segv() }), None);
        }
        assert_eq!(read(&DeathReport { kind: 9, ..segv() }), None);
        assert_eq!(read(&DeathReport { state: 9, ..segv() }), None);
    }
}
