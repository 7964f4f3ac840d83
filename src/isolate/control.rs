//! The memory of messages of one host, mapped by this process.
#![expect(unsafe_code, reason = "maps memory that another process shares")]

use std::io::{Error, Result};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::arena::{map_file, sealed_file, unmap};
use super::channel::{self, End};
use super::death_report::Death;
use super::wire::{Channel, Control, Settings};
use crate::memory::address::Span;

/// The mapping; it is given back when nobody uses it.
#[derive(Debug)]
pub struct ControlMemory {
    span: Span,
}

impl ControlMemory {
    /// New memory, and the file that the host has to map.
    pub fn new(settings: Settings) -> Result<(Arc<Self>, OwnedFd)> {
        let file = sealed_file(c"pinned-ffi control", size_of::<Control>())?;
        let span = map_file(file.as_raw_fd(), size_of::<Control>()).ok_or_else(Error::last_os_error)?;
        // SAFETY: the memory was just mapped, and nobody else has it yet.
        unsafe { (&raw mut (*span.start.as_ptr().cast::<Control>()).settings).write(settings) };
        Ok((Arc::new(Self { span }), file))
    }

    fn control(&self) -> &Control {
        // SAFETY: the mapping is that long and lives as long as `self`. The parts that are used are atomics and cells,
        // for all bytes of which the host may change them at any time.
        unsafe { &*self.span.start.as_ptr().cast::<Control>() }
    }

    /// A channel.
    pub fn channel(&self, number: usize) -> &Channel {
        &self.control().channels[number]
    }

    /// The parent's end of a channel that nobody has used.
    pub fn line(self: &Arc<Self>, number: usize, may_spin: bool) -> Line {
        let channel: *const Channel = self.channel(number);
        // SAFETY: the memory lives as long as the line, which holds it.
        let channel: &'static Channel = unsafe { &*channel };
        Line { end: End::new(&channel.down, &channel.up, may_spin), number, _memory: Arc::clone(self) }
    }

    /// Makes a channel one that nobody has used. Neither side uses it.
    pub fn reset(&self, number: usize) {
        let channel = self.channel(number);
        for direction in [&channel.down, &channel.up] {
            direction.sequence.store(0, Ordering::SeqCst);
            direction.sleeping.store(0, Ordering::SeqCst);
        }
    }

    /// Wakes whoever waits for the host, which has ended.
    pub fn end(&self) {
        for channel in &self.control().channels {
            channel::end(&channel.up);
        }
    }

    /// How many pages of function pointers the host is to have.
    pub fn set_stub_pages(&self, pages: u32) {
        self.control().stub_pages.store(pages, Ordering::Release);
    }

    /// What the host has reported of its end.
    pub fn report(&self) -> Option<Death> {
        // SAFETY: the memory is a report, which lives as long as `self`.
        unsafe { Death::read(self.control().report.get()) }
    }
}

impl Drop for ControlMemory {
    fn drop(&mut self) {
        // SAFETY: every line holds the memory, so that nobody uses it any more.
        unsafe { unmap(self.span) };
    }
}

/// The parent's end of a channel.
#[derive(Debug)]
pub struct Line {
    pub end: End<'static>,
    /// Which channel it is.
    pub number: usize,
    _memory: Arc<ControlMemory>,
}
