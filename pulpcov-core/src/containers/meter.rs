//! Counts the bytes that are unpacked of one archive, by all threads that read it.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::ContainerError;

/// The bytes that may be unpacked.
#[derive(Debug)]
pub(super) struct Meter {
    used: AtomicU64,
    limit: u64,
}

impl Meter {
    pub(super) fn new(limit: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), limit })
    }

    /// Counts what is read of `reader`.
    pub(super) fn count<R: Read>(self: &Arc<Self>, reader: R) -> Metered<R> {
        Metered { reader, meter: Arc::clone(self) }
    }

    fn add(&self, bytes: usize) -> Result<(), ContainerError> {
        let bytes = bytes as u64;
        let used = self.used.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        if used > self.limit { Err(ContainerError::TotalTooLarge(self.limit)) } else { Ok(()) }
    }
}

/// A reader whose bytes are counted.
pub(super) struct Metered<R> {
    reader: R,
    meter: Arc<Meter>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        self.meter.add(read)?;
        Ok(read)
    }
}

/// Reads everything, at most `limit` bytes. Replaces the content of `buffer`.
pub(super) fn read_bounded(
    reader: impl Read,
    limit: u64,
    mut buffer: Vec<u8>,
) -> Result<Vec<u8>, ContainerError> {
    buffer.clear();
    let read = reader.take(limit.saturating_add(1)).read_to_end(&mut buffer)?;
    if read as u64 > limit { Err(ContainerError::FileTooLarge(limit)) } else { Ok(buffer) }
}
