//! Tar archives, read as a stream.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use super::error::ContainerError;

/// The most bytes of the headers of one file, in which names and attributes of any length can be. The `tar` crate reads them into
/// memory.
const HEADERS: u64 = 1 << 20;

/// The archive that the `tar` crate reads, with a bound on what it may read for headers.
pub(super) struct Gauge<R> {
    reader: R,
    state: Rc<GaugeState>,
}

/// What is known of the reads so far.
#[derive(Default)]
pub(super) struct GaugeState {
    /// How many bytes may be read, unless there is no bound.
    allowed: Cell<Option<u64>>,
    /// Whether the end of the stream was reached.
    has_ended: Cell<bool>,
}

impl<R: Read> Gauge<R> {
    pub(super) fn new(reader: R) -> (Self, Rc<GaugeState>) {
        let state = Rc::<GaugeState>::default();
        (Self { reader, state: Rc::clone(&state) }, state)
    }
}

impl GaugeState {
    /// Bounds what is read until the next file begins: `left` bytes of the file before it, and its headers.
    pub(super) fn bound(&self, left: u64) {
        self.allowed.set(Some(left.saturating_add(HEADERS)));
    }

    /// Ends the bound, because a file has begun.
    pub(super) fn unbound(&self) {
        self.allowed.set(None);
    }

    /// Returns whether the stream has ended. An archive ends with an empty block before that.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.get()
    }
}

impl<R: Read> Read for Gauge<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.state.has_ended.set(true);
        }
        if let Some(allowed) = self.state.allowed.get() {
            let Some(left) = allowed.checked_sub(read as u64) else {
                return Err(ContainerError::Damaged("the headers of a file are too long").into());
            };
            self.state.allowed.set(Some(left));
        }
        Ok(read)
    }
}

/// The contents of a file. The `tar` crate takes the end of the stream for the end of the file.
pub(super) struct Whole<R> {
    reader: R,
    left: u64,
}

impl<'a, R: Read> Whole<tar::Entry<'a, R>> {
    pub(super) fn new(entry: tar::Entry<'a, R>) -> Self {
        Self { left: entry.size(), reader: entry }
    }
}

impl<R: Read> Read for Whole<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        if read == 0 && !buffer.is_empty() && self.left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left = self.left.saturating_sub(read as u64);
        Ok(read)
    }
}

/// Returns how many bytes of the archive the contents of a file take, with padding.
pub(super) fn stored_size<R: Read>(entry: &tar::Entry<'_, R>) -> u64 {
    let stored = entry.header().entry_size().unwrap_or(u64::MAX);
    // The real size of a file with holes says nothing of its place. The size of any other may be in other headers.
    let size = match entry.header().entry_type() {
        tar::EntryType::GNUSparse => stored,
        _ => stored.max(entry.size()),
    };
    size.saturating_add(512)
}

/// Returns whether the entry is a regular file.
pub(super) fn is_file(kind: tar::EntryType) -> bool {
    matches!(kind, tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse)
}
