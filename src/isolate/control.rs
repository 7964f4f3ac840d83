//! The memory that this process shares with one host for messages.
#![expect(unsafe_code, reason = "maps memory that another process shares")]

use std::io::{Error, Result};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::arena::{map_file, unmap};
use super::channel::{self, End};
use super::death_report::Death;
use super::memory_file;
use super::wire::{Channel, Control, FOREIGN, Settings};
use crate::memory::address::Span;

/// The mapping. It is unmapped when the last user drops it.
#[derive(Debug)]
pub struct ControlMemory {
    span: Span,
}

impl ControlMemory {
    /// Maps new memory. Returns it with the file that the host has to map.
    ///
    /// # Errors
    /// Where the system shares no memory.
    pub fn new(settings: Settings) -> Result<(Arc<Self>, OwnedFd)> {
        let file = memory_file::create(c"pinned-ffi control", size_of::<Control>())?;
        // The folder of a file that is not of the kernel alone may have little room.
        if !memory_file::is_sealed() && !memory_file::set_aside(&file, 0, size_of::<Control>()) {
            return Err(Error::last_os_error());
        }
        let span = map_file(file.as_raw_fd(), size_of::<Control>()).ok_or_else(Error::last_os_error)?;
        // SAFETY: the memory was just mapped, and the host does not have it yet.
        unsafe { (&raw mut (*span.start.as_ptr().cast::<Control>()).settings).write(settings) };
        Ok((Arc::new(Self { span }), file))
    }

    fn control(&self) -> &Control {
        // SAFETY: the mapping has this length and lives as long as `self`. All parts that are used are atomics or
        // cells, because the host may change any byte at any time.
        unsafe { &*self.span.start.as_ptr().cast::<Control>() }
    }

    /// A channel.
    pub fn channel(&self, number: usize) -> &Channel {
        &self.control().channels[number]
    }

    /// The parent's end of a new channel.
    pub fn line(self: &Arc<Self>, number: usize, may_spin: bool) -> Line {
        let channel: *const Channel = self.channel(number);
        // SAFETY: the memory lives as long as the line, which holds it.
        let channel: &'static Channel = unsafe { &*channel };
        Line { end: End::new(&channel.down, &channel.up, may_spin), number, _memory: Arc::clone(self) }
    }

    /// Resets a channel, which neither side uses.
    pub fn reset(&self, number: usize) {
        let channel = self.channel(number);
        for direction in [&channel.down, &channel.up] {
            direction.sequence.store(0, Ordering::SeqCst);
            direction.sleeping.store(0, Ordering::SeqCst);
        }
    }

    /// Wakes all threads that wait for the host, which has ended.
    pub fn end(&self) {
        for channel in &self.control().channels {
            channel::end(&channel.up);
        }
    }

    /// The number of pages of function pointers that the host should have.
    pub fn set_stub_pages(&self, pages: u32) {
        self.control().stub_pages.store(pages, Ordering::Release);
    }

    /// Whether the thread of the host that serves a channel has ended, or its main thread, which starts the others.
    pub fn is_thread_lost(&self, number: usize) -> bool {
        let threads = &self.control().threads;
        threads[number].is_abandoned() || threads[FOREIGN].is_abandoned()
    }

    /// The report that the host has written before it ended.
    pub fn report(&self) -> Option<Death> {
        // SAFETY: the memory is a report, which lives as long as `self`.
        unsafe { Death::read(self.control().report.get()) }
    }
}

impl Drop for ControlMemory {
    fn drop(&mut self) {
        // SAFETY: every line holds a reference to the memory, so it is no longer in use.
        unsafe { unmap(self.span) };
    }
}

/// The parent's end of a channel.
#[derive(Debug)]
pub struct Line {
    pub end: End<'static>,
    /// The number of the channel.
    pub number: usize,
    _memory: Arc<ControlMemory>,
}
