//! Bytes of a file or in memory, which several readers read at once.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

/// A part of a file, or of memory. A clone reads from where this one is.
#[derive(Clone, Debug)]
pub(super) struct SharedBytes {
    store: Arc<Store>,
    at: u64,
    end: u64,
}

#[derive(Debug)]
enum Store {
    File(File),
    Memory(Vec<u8>),
}

impl SharedBytes {
    pub(super) fn of_file(file: File) -> io::Result<Self> {
        let end = file.metadata()?.len();
        Ok(Self { store: Arc::new(Store::File(file)), at: 0, end })
    }

    pub(super) fn in_memory(bytes: Vec<u8>) -> Self {
        let end = bytes.len() as u64;
        Self { store: Arc::new(Store::Memory(bytes)), at: 0, end }
    }

    /// Returns how many bytes there are.
    pub(super) fn len(&self) -> u64 {
        self.end - self.at
    }

    /// Returns `len` bytes from offset `at`, or `None` if there are fewer.
    pub(super) fn part(&self, at: u64, len: u64) -> Option<Self> {
        let at = self.at.checked_add(at)?;
        let end = at.checked_add(len).filter(|end| *end <= self.end)?;
        Some(Self { store: Arc::clone(&self.store), at, end })
    }

    /// Returns the `N` bytes at offset `at`, or `None` if they cannot be read.
    pub(super) fn array<const N: usize>(&self, at: u64) -> Option<[u8; N]> {
        let mut array = [0; N];
        self.part(at, N as u64)?.read_exact(&mut array).ok()?;
        Some(array)
    }
}

impl Read for SharedBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.len()).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        let read = match &*self.store {
            Store::File(file) => read_at(file, buffer, self.at)?,
            Store::Memory(bytes) => {
                let rest = usize::try_from(self.at).ok().and_then(|at| bytes.get(at..));
                rest.unwrap_or_default().read(buffer)?
            }
        };
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}
