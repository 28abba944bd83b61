//! A regular file, from a folder that other users may be able to write to, read in one consistent state.

use std::fs::File;
use std::io::{Read, Seek};
use std::sync::Arc;
use std::time::Duration;

use crate::data::{Author, Authors};
use crate::error::{Error, ErrorKind, Result};
use crate::folder::WaitBudget;
use crate::folder::{Entry, Folder, Status, caller};

use super::FileIdentity;
use crate::formats::detect::HEAD_LEN;
use crate::formats::limits::read_file;

/// The bits of a mode that let the group and all other users read.
pub(crate) const READ_BITS: u32 = 0o044;

/// The maximum number of times that a file is read if it changes each time.
const ATTEMPTS: usize = 5;

/// A time longer than one step of the clock from which file systems take their time stamps. On Linux before
/// 6.13, a step takes at most 10 ms.
const TIME_STEP: Duration = Duration::from_millis(20);

/// An open input.
///
/// All reads are from the file that was checked, even if another file takes its name.
pub(crate) struct Input {
    entry: Entry,
    file: Arc<File>,
    identity: FileIdentity,
    authors: Authors,
    read_bits: u32,
    is_waited_for: bool,
    head: Vec<u8>,
    /// Memory to read into.
    buffer: Vec<u8>,
    is_hashed: bool,
}

impl Input {
    /// Opens a file. Does not follow a symbolic link, and does not wait for the other end of a FIFO.
    pub(crate) fn open(entry: &Entry) -> Result<Self> {
        let (file, opened) = entry.open_with_status()?;
        let folder = entry.folder_of_file();
        let folder = folder.status().map_err(|err| Error::io(folder.path(), err))?;
        Ok(Self {
            entry: entry.clone(),
            file: Arc::new(file),
            identity: FileIdentity::of_file_alone(&opened),
            authors: authors(entry.folder_of_file(), &folder, &opened),
            read_bits: read_bits(entry, &folder, &opened),
            is_waited_for: opened.is_of_caller_or_root() || !folder.everybody_may_write(),
            head: Vec::new(),
            buffer: Vec::new(),
            is_hashed: true,
        })
    }

    /// Sets whether what is read is [hashed](Self::digest). The default is `true`.
    pub(crate) fn hashed(mut self, hashed: bool) -> Self {
        self.is_hashed = hashed;
        self
    }

    /// Returns the hash of `bytes` if this input is hashed.
    pub(crate) fn digest(&self, bytes: &[u8]) -> Option<[u8; 32]> {
        self.is_hashed.then(|| *blake3::hash(bytes).as_bytes())
    }

    /// Sets the memory to read into.
    pub(crate) fn reading_into(mut self, buffer: Vec<u8>) -> Self {
        self.buffer = buffer;
        self
    }

    /// Reads all `size` bytes of the file.
    pub(crate) fn read(&mut self, size: u64) -> Result<Vec<u8>> {
        read_file(&self.file, size, std::mem::take(&mut self.buffer))
    }

    /// Returns the name that was opened.
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Returns the open file.
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Returns who may have written the file.
    pub(crate) fn authors(&self) -> Authors {
        self.authors.clone()
    }

    /// Returns the bits of the file's mode that say whether the group and all other users may read it.
    pub(crate) fn read_bits(&self) -> u32 {
        self.read_bits
    }

    /// Returns how long to wait for writers of the file. In a folder that everybody can write to, another
    /// user's file is not waited for: its owner could keep it locked forever.
    pub(crate) fn wait_budget(&self) -> &WaitBudget {
        static NONE: WaitBudget = WaitBudget::new(Duration::ZERO);
        if self.is_waited_for { self.entry.folder_of_file().wait_budget() } else { &NONE }
    }

    /// Returns the state of the file at the last [`rewind`](Self::rewind). Before the first one, the state
    /// does not include companions.
    pub(crate) fn identity(&self) -> &FileIdentity {
        &self.identity
    }

    /// Returns the first bytes of the file, enough to detect its format.
    pub(crate) fn head(&mut self) -> Result<&[u8]> {
        self.seek_to_start()?;
        let mut head = Vec::with_capacity(HEAD_LEN);
        (&*self.file)
            .take(HEAD_LEN as u64)
            .read_to_end(&mut head)
            .map_err(|err| Error::io(self.entry.path(), err))?;
        self.head = head;
        Ok(&self.head)
    }

    /// Goes back to the start, records the current state of the file, and returns its size.
    pub(crate) fn rewind(&mut self) -> Result<u64> {
        self.identity = self.current_identity()?;
        if let Some(age) = self.identity.age().filter(|age| *age < TIME_STEP) {
            // A change right now could get the same time stamp as the last one, and would not be noticed.
            std::thread::sleep(TIME_STEP - age);
            self.identity = self.current_identity()?;
        }
        self.seek_to_start()?;
        Ok(self.identity.size())
    }

    fn seek_to_start(&self) -> Result<()> {
        (&*self.file).rewind().map_err(|err| Error::io(self.entry.path(), err))
    }

    /// Returns whether the file and its companions are still as they were at the last
    /// [`rewind`](Self::rewind).
    pub(crate) fn is_unchanged(&self) -> Result<bool> {
        Ok(self.current_identity()? == self.identity)
    }

    /// Returns whether the file itself is unchanged, as [`is_unchanged`](Self::is_unchanged) does, but
    /// ignores its companions.
    pub(crate) fn is_itself_unchanged(&self) -> Result<bool> {
        Ok(self.current_identity()?.is_same_file(&self.identity))
    }

    fn current_identity(&self) -> Result<FileIdentity> {
        self.file
            .metadata()
            .map(|metadata| FileIdentity::new(&Status::from(&metadata), &self.entry))
            .map_err(|err| Error::io(self.entry.path(), err))
    }

    /// Repeats `attempt` until the file does not change while it runs, at most `ATTEMPTS` times.
    pub(crate) fn consistently<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<T> {
        for _ in 0..ATTEMPTS {
            let result = attempt(self);
            if self.is_unchanged()? {
                return result;
            }
        }
        Err(Error::new(ErrorKind::Busy, "the file changes each time it is read"))
    }

    /// Reads all bytes. Returns them, and their hash if this input is hashed.
    pub(crate) fn read_all(&mut self) -> Result<(Vec<u8>, Option<[u8; 32]>)> {
        let bytes = self.consistently(|input| {
            let size = input.rewind()?;
            input.read(size)
        })?;
        let digest = self.digest(&bytes);
        Ok((bytes, digest))
    }
}

/// Returns who may have written a file. A group that may write counts as the owner, because the owner has let
/// the group write.
fn authors(folder: &Folder, of_folder: &Status, file: &Status) -> Authors {
    let is_open = of_folder.everybody_may_search() && !folder.is_closed_to_others();
    if file.everybody_may_write() && is_open {
        return Author::Anybody.into();
    }
    match file.owner {
        Some(owner) if owner != caller() => Author::User(owner).into(),
        _ => Authors::Caller,
    }
}

/// Returns the bits of a mode that say who, besides the owner, may read a file. If its folder was opened
/// inside another one, only users who may search the folder can read the file.
fn read_bits(entry: &Entry, folder: &Status, file: &Status) -> u32 {
    match entry.folder_of_file().is_subfolder() {
        // In a mode, the search bit (1) shifted left by two is the read bit (4).
        true => file.mode & (folder.mode << 2) & READ_BITS,
        false => file.mode & READ_BITS,
    }
}
