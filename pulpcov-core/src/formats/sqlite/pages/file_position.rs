//! Positions in a file that several threads write.

use std::fs::File;
use std::io::{self, Write};

use super::build_tree::PAGE;
use super::sync_while_writing::SyncRequests;

/// A position in a file. Each write moves it to the end of what was written.
pub(super) struct FilePosition<'a> {
    file: &'a File,
    at: u64,
    syncs: SyncRequests,
}

impl<'a> FilePosition<'a> {
    /// Returns the position where a page begins. Requests `syncs` while the pages from there on are written.
    pub(super) fn of_page(file: &'a File, page: u32, syncs: SyncRequests) -> Self {
        let at = u64::from(page - 1) * PAGE as u64;
        Self { file, at, syncs }
    }
}

impl Write for FilePosition<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let written = std::os::unix::fs::FileExt::write_at(self.file, bytes, self.at)?;
        #[cfg(not(unix))]
        let written = {
            io::Seek::seek(&mut &*self.file, io::SeekFrom::Start(self.at))?;
            (&*self.file).write(bytes)?
        };
        self.at += written as u64;
        self.syncs.add(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes `bytes` at the offset `at`.
pub(in super::super) fn write_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    FilePosition { file, at, syncs: SyncRequests::default() }.write_all(bytes)
}
