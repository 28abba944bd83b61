//! A regular file from a folder that others can write to, read in one consistent state.

use std::fs::File;
use std::io::{Read, Seek};
use std::sync::Arc;
use std::time::Duration;

use crate::data::{Author, Authors};
use crate::error::{Error, ErrorKind, Result};
#[cfg(feature = "sqlite")]
use crate::folder::Patience;
use crate::folder::{Entry, Folder, Status, caller};

use super::FileIdentity;
use crate::formats::detect::HEAD_LEN;
use crate::formats::limits::read_file;

/// May the group read, and may all others?
pub(crate) const READERS: u32 = 0o044;

/// How often a file that changes while it is read is read again.
const ATTEMPTS: usize = 5;

/// Longer than a step of the clock that file systems take their time stamps from: Linux's is
/// 10 ms at most, before 6.13.
const TIME_STEP: Duration = Duration::from_millis(20);

/// An open input file.
///
/// Whatever happens to its name meanwhile, all reads are of the file that was checked.
pub(crate) struct Input {
    entry: Entry,
    file: Arc<File>,
    identity: FileIdentity,
    authors: Authors,
    readers: u32,
    #[cfg(feature = "sqlite")]
    is_waited_for: bool,
    head: Vec<u8>,
    /// Memory to read into.
    buffer: Vec<u8>,
    is_hashed: bool,
}

impl Input {
    /// Open without following a symbolic link, and without waiting for a FIFO's other end.
    pub(crate) fn open(entry: &Entry) -> Result<Self> {
        let (file, opened) = entry.open_with_status()?;
        let folder = entry.folder_of_file();
        let folder = folder.status().map_err(|err| Error::io(folder.path(), err))?;
        Ok(Self {
            entry: entry.clone(),
            file: Arc::new(file),
            identity: FileIdentity::of_file_alone(&opened),
            authors: authors(entry.folder_of_file(), &folder, &opened),
            readers: readers(entry, &folder, &opened),
            #[cfg(feature = "sqlite")]
            is_waited_for: opened.is_of_caller_or_root() || !folder.everybody_may_write(),
            head: Vec::new(),
            buffer: Vec::new(),
            is_hashed: true,
        })
    }

    /// Whether to [hash](Self::digest) what is read (the default).
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn hashed(mut self, hashed: bool) -> Self {
        self.is_hashed = hashed;
        self
    }

    /// The hash of what was read, if it is wanted.
    pub(crate) fn digest(&self, bytes: &[u8]) -> Option<[u8; 32]> {
        self.is_hashed.then(|| *blake3::hash(bytes).as_bytes())
    }

    /// Read into memory that is there already.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn reading_into(mut self, buffer: Vec<u8>) -> Self {
        self.buffer = buffer;
        self
    }

    /// All of the file's `size` bytes.
    pub(crate) fn read(&mut self, size: u64) -> Result<Vec<u8>> {
        read_file(&self.file, size, std::mem::take(&mut self.buffer))
    }

    /// The name that was opened.
    #[cfg(feature = "sqlite")]
    pub(crate) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The open file.
    #[cfg(feature = "sqlite")]
    pub(crate) fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// Who may have written the file.
    pub(crate) fn authors(&self) -> Authors {
        self.authors.clone()
    }

    /// The bits of a mode that say whether the group and all others may read.
    pub(crate) fn readers(&self) -> u32 {
        self.readers
    }

    /// How long to wait for writers of the file. In a folder that everybody can write to, anybody can lock files of
    /// their own for ever.
    #[cfg(feature = "sqlite")]
    pub(crate) fn patience(&self) -> &Patience {
        static NONE: Patience = Patience::new(Duration::ZERO);
        if self.is_waited_for { self.entry.folder_of_file().patience() } else { &NONE }
    }

    /// The file's state at the last [`rewind`](Self::rewind). Before the first one, what is beside it is not known.
    pub(crate) fn identity(&self) -> &FileIdentity {
        &self.identity
    }

    /// The first bytes, enough to tell the format.
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

    /// Go back to the start, and take the file's state as it is now.
    pub(crate) fn rewind(&mut self) -> Result<u64> {
        self.identity = self.current_identity()?;
        if let Some(age) = self.identity.age().filter(|age| *age < TIME_STEP) {
            // Another change right now could get the same time stamp as the last one, and not be noticed.
            std::thread::sleep(TIME_STEP - age);
            self.identity = self.current_identity()?;
        }
        self.seek_to_start()?;
        Ok(self.identity.size())
    }

    fn seek_to_start(&self) -> Result<()> {
        (&*self.file).rewind().map_err(|err| Error::io(self.entry.path(), err))
    }

    /// Is the file still as it was at the last [`rewind`](Self::rewind)?
    pub(crate) fn is_unchanged(&self) -> Result<bool> {
        Ok(self.current_identity()? == self.identity)
    }

    /// As [`is_unchanged`](Self::is_unchanged), whatever happened beside the file.
    #[cfg(feature = "sqlite")]
    pub(crate) fn is_itself_unchanged(&self) -> Result<bool> {
        Ok(self.current_identity()?.is_same_file(&self.identity))
    }

    fn current_identity(&self) -> Result<FileIdentity> {
        self.file
            .metadata()
            .map(|metadata| FileIdentity::new(&Status::from(&metadata), &self.entry))
            .map_err(|err| Error::io(self.entry.path(), err))
    }

    /// Do `attempt` until the file did not change while it ran.
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

    /// All bytes, and their hash if it is wanted.
    #[cfg(feature = "json")]
    pub(crate) fn read_all(&mut self) -> Result<(Vec<u8>, Option<[u8; 32]>)> {
        let bytes = self.consistently(|input| {
            let size = input.rewind()?;
            input.read(size)
        })?;
        let digest = self.digest(&bytes);
        Ok((bytes, digest))
    }
}

/// Who may have written a file. What a group may write, its owner has let it write: it is the owner's.
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

/// Beside the owner, who may read a file: what is in a user's folder may be read only by whom the folder lets in.
fn readers(entry: &Entry, folder: &Status, file: &Status) -> u32 {
    match entry.folder_of_file().is_inside() {
        // To search a folder is four times less than to read.
        true => file.mode & (folder.mode << 2) & READERS,
        false => file.mode & READERS,
    }
}
