//! One data file of any format, opened and read once.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::data::path::PathList;
use crate::data::rows::{Rows, Runs};
use crate::data::stored_text::StoredText;
use crate::data::{Authors, CoverageData, RanBy};
use crate::error::{Error, ErrorKind, Result};
use crate::folder::Entry;

use super::detect::FileKind;
use super::json;
use super::sqlite;

pub(crate) mod identity;
pub(crate) mod input;

pub use identity::FileIdentity;
use input::Input;

/// A data file that is open and whose format is known. Its source paths have been read; its rows have not.
///
/// All bytes come from one consistent state of the file. SQLite's read lock is held while they are read. If a
/// writer died and left a hot journal or a write-ahead log, its content is taken into account, on a private
/// copy: nothing is ever written beside the data file. A file that changes while it is read is read again.
///
/// # Examples
///
/// ```no_run
/// use pulpcov_core::formats::DataFile;
///
/// let file = DataFile::open(".coverage.web-1.pid4711.Xa1b2c3x")?;
/// println!("{}: {} files", file.describe(), file.paths().len());
/// let data = file.read()?.data;
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub struct DataFile {
    path: PathBuf,
    identity: FileIdentity,
    authors: Authors,
    read_bits: u32,
    digest: Option<[u8; 32]>,
    drop_contexts: bool,
    content: Content,
}

enum Content {
    Json { data: CoverageData, paths: PathList },
    Sqlite(Box<sqlite::Reader>),
}

impl Content {
    fn of_json(bytes: &[u8], authors: &Authors) -> Result<Self> {
        let mut data = json::read(bytes)?;
        data.set_trusted_authors(authors);
        let mut paths = PathList::default();
        data.files().for_each(|file| paths.push(file.path().as_stored()));
        Ok(Self::Json { data, paths })
    }
}

/// Where the bytes of a data file come from that is no file on disk itself.
#[cfg(feature = "archives")]
pub(crate) struct Origin {
    /// The state of the file that the bytes are in.
    pub(crate) identity: FileIdentity,
    /// Who may have written the bytes.
    pub(crate) authors: Authors,
    /// The bits of a mode that say whether the group and all other users may read the bytes.
    pub(crate) read_bits: u32,
}

/// The content of a data file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Decoded {
    /// The rows.
    pub data: CoverageData,
    /// The number of rows that name a file or a context that the data file does not have.
    ///
    /// Two processes that write to one data file at the same time leave such rows. What they belong to is not
    /// known. coverage.py skips them silently.
    pub orphan_rows: u64,
}

impl fmt::Debug for DataFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataFile")
            .field("path", &self.path)
            .field("format", &self.describe())
            .finish_non_exhaustive()
    }
}

impl DataFile {
    /// Opens the data file at `path`. Does not open a symbolic link, a FIFO or a device.
    ///
    /// # Errors
    ///
    /// Returns an error that names the file. Its kind is:
    ///
    /// - [`ErrorKind::Io`] if the file cannot be opened or read;
    /// - [`ErrorKind::NotADataFile`] if the file is not a data file; the message says what it is;
    /// - [`ErrorKind::UnknownSchema`] or [`ErrorKind::Corrupt`] if the content cannot be understood;
    /// - [`ErrorKind::TooLarge`] if the file, or what it would take in memory, exceeds a limit;
    /// - [`ErrorKind::Busy`] if a writer holds the file for longer than 5 seconds, or if the file changes
    ///   each time it is read.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::ErrorKind;
    /// use pulpcov_core::formats::DataFile;
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join(".coverage");
    /// assert_eq!(DataFile::open(&path).unwrap_err().kind(), ErrorKind::Io);
    /// std::fs::write(&path, "<!DOCTYPE html>")?;
    /// let err = DataFile::open(&path).unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::NotADataFile);
    /// assert_eq!(err.reason(), "this is an HTML page");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_entry(&named(path.as_ref())?)
    }

    /// Opens a data file in an open folder, as [`open`](Self::open) does.
    ///
    /// # Errors
    ///
    /// The same as [`open`](Self::open).
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::folder::Folder;
    /// # use pulpcov_core::combine::{StoreFormat, store};
    /// # use pulpcov_core::formats::DataFile;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join(".coverage");
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// # store(&data, &path, StoreFormat::Sqlite)?;
    /// let folder = Folder::open(folder.path())?;
    /// let file = DataFile::open_entry(&folder.entry(".coverage"))?;
    /// assert_eq!(file.paths().collect::<Vec<_>>(), ["app.py"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn open_entry(entry: &Entry) -> Result<Self> {
        let opened = Input::open(entry).and_then(|input| Self::of_input(entry, input));
        opened.map_err(|err| err.with_path(entry.path()))
    }

    /// Opens the data file at `path` to read it in place, in memory that is a fraction of the file's size.
    ///
    /// SQLite's read lock is held until the rows are read, so writers wait that long. There is no
    /// [`digest`](Self::digest). A file that needs its journal or write-ahead log, or that is not as plain as
    /// coverage.py makes it, is read as by [`open`](Self::open).
    ///
    /// # Errors
    ///
    /// The same as [`open`](Self::open).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use pulpcov_core::formats::DataFile;
    ///
    /// let data = DataFile::open_in_place(".coverage")?.drop_contexts(true).read()?.data;
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn open_in_place(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_entry_in_place(&named(path.as_ref())?)
    }

    /// Opens a data file in an open folder, as [`open_in_place`](Self::open_in_place) does.
    pub(crate) fn open_entry_in_place(entry: &Entry) -> Result<Self> {
        let open = || {
            let mut input = Input::open(entry)?;
            if FileKind::of(input.head()?) != FileKind::Sqlite {
                return Self::of_input(entry, input);
            }
            let (authors, read_bits) = (input.authors(), input.read_bits());
            let (reader, identity) = sqlite::Reader::in_place(input)?;
            let content = Content::Sqlite(Box::new(reader));
            let (path, digest) = (entry.path().to_owned(), None);
            Ok(Self { path, identity, authors, read_bits, digest, drop_contexts: false, content })
        };
        open().map_err(|err| err.with_path(entry.path()))
    }

    /// Opens a data file as [`open_entry`](Self::open_entry) does, but reads it into the memory of `buffer`,
    /// because new memory takes longer to get than the file takes to read. Computes a
    /// [`digest`](Self::digest) only if `hashed` is true.
    pub(crate) fn open_into(entry: &Entry, buffer: Vec<u8>, hashed: bool) -> Result<Self> {
        let input = Input::open(entry).map(|input| input.reading_into(buffer).hashed(hashed));
        let opened = input.and_then(|input| Self::of_input(entry, input));
        opened.map_err(|err| err.with_path(entry.path()))
    }

    /// Opens a data file whose bytes were read from somewhere else, such as an archive.
    #[cfg(feature = "archives")]
    pub(crate) fn of_bytes(path: &Path, bytes: Vec<u8>, origin: &Origin) -> Result<Self> {
        let digest = Some(*blake3::hash(&bytes).as_bytes());
        let authors = &origin.authors;
        let content = || match FileKind::of(&bytes) {
            FileKind::Json4 => Content::of_json(&bytes, authors),
            FileKind::Sqlite => {
                let reader = sqlite::Reader::from_bytes(bytes)?.of_authors(authors.clone());
                Ok(Content::Sqlite(Box::new(reader)))
            }
            stranger => Err(stranger_error(stranger)),
        };
        Ok(Self {
            content: content().map_err(|err| err.with_path(path))?,
            path: path.into(),
            identity: origin.identity.clone(),
            authors: authors.clone(),
            read_bits: origin.read_bits,
            digest,
            drop_contexts: false,
        })
    }

    fn of_input(entry: &Entry, mut input: Input) -> Result<Self> {
        let kind = FileKind::of(input.head()?);
        let (content, digest) = match kind {
            FileKind::Json4 => {
                let (bytes, digest) = input.read_all()?;
                (Content::of_json(&bytes, &input.authors())?, digest)
            }
            FileKind::Sqlite => {
                let (reader, digest) = sqlite::Reader::open(&mut input)?;
                (Content::Sqlite(Box::new(reader)), digest)
            }
            stranger => return Err(stranger_error(stranger)),
        };
        Ok(Self {
            path: entry.path().to_owned(),
            identity: input.identity().clone(),
            authors: input.authors(),
            read_bits: input.read_bits(),
            digest,
            drop_contexts: false,
            content,
        })
    }

    /// Returns the path that was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the state of the file that was read.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::formats::FileIdentity;
    /// # use pulpcov_core::combine::{StoreFormat, store};
    /// # use pulpcov_core::formats::DataFile;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join(".coverage");
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// # store(&data, &path, StoreFormat::Sqlite)?;
    /// let file = DataFile::open(&path)?;
    /// assert_eq!(*file.identity(), FileIdentity::of_path(&path)?);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn identity(&self) -> &FileIdentity {
        &self.identity
    }

    /// Returns who may have written the file.
    pub fn authors(&self) -> &Authors {
        &self.authors
    }

    /// Returns the bits of the file's mode that say whether the group and all other users may read it.
    pub(crate) fn read_bits(&self) -> u32 {
        self.read_bits
    }

    /// Returns the BLAKE3 hash of the bytes that were read. Data files with the same hash hold the same rows.
    ///
    /// Returns `None` if the file is read in place, or if a journal or write-ahead log is part of the data,
    /// because its bytes are in another file.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{StoreFormat, store};
    /// # use pulpcov_core::formats::DataFile;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join(".coverage");
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// # store(&data, &path, StoreFormat::Sqlite)?;
    /// let copy = folder.path().join("copy");
    /// std::fs::copy(&path, &copy)?;
    /// assert_eq!(DataFile::open(&copy)?.digest(), DataFile::open(&path)?.digest());
    /// assert_eq!(DataFile::open_in_place(&path)?.digest(), None);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn digest(&self) -> Option<&[u8; 32]> {
        self.digest.as_ref()
    }

    /// Returns the format in words, such as `SQLite, schema 7`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{StoreFormat, store};
    /// # use pulpcov_core::formats::DataFile;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join(".coverage");
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// # store(&data, &path, StoreFormat::Sqlite)?;
    /// assert_eq!(DataFile::open(&path)?.describe(), "SQLite, schema 7");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn describe(&self) -> String {
        match &self.content {
            Content::Json { .. } => "JSON of coverage.py 4.x".to_owned(),
            Content::Sqlite(reader) => format!("SQLite, schema {}", reader.schema_version()),
        }
    }

    /// Returns the paths of the measured source files, in the order in which the data file lists them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{StoreFormat, store};
    /// # use pulpcov_core::formats::DataFile;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join(".coverage");
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// # store(&data, &path, StoreFormat::Sqlite)?;
    /// let file = DataFile::open(&path)?;
    /// assert_eq!(file.paths().collect::<Vec<_>>(), ["app.py"]);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.stored_paths().map(StoredText::as_str)
    }

    pub(crate) fn stored_paths(&self) -> impl ExactSizeIterator<Item = StoredText<'_>> {
        let paths = match &self.content {
            Content::Json { paths, .. } => paths,
            Content::Sqlite(reader) => reader.paths(),
        };
        paths.iter()
    }

    /// Merges all contexts into the unnamed context while rows are read. The data is the same as after
    /// [`CoverageData::drop_contexts`] but takes less memory to read: contexts can be 60 times the rest of
    /// the data.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{StoreFormat, store};
    /// # use pulpcov_core::formats::DataFile;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join(".coverage");
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// # store(&data, &path, StoreFormat::Sqlite)?;
    /// let data = DataFile::open(&path)?.drop_contexts(true).read()?.data;
    /// assert_eq!(data.contexts(), [""]);
    /// assert_eq!(data.lines("app.py").unwrap().len(), 2);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn drop_contexts(mut self, drop: bool) -> Self {
        self.drop_contexts = drop;
        self
    }

    /// Reads only the rows of files whose paths are `wanted`. The data still names the other files, which then
    /// have no rows. With contexts, the rows of one file are a small part of the data.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{StoreFormat, store};
    /// # use pulpcov_core::formats::DataFile;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join(".coverage");
    /// # let mut data = CoverageData::new();
    /// data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// data.add_lines("web.py", "test_add", &Numbits::from_iter([5]))?;
    /// store(&data, &path, StoreFormat::Sqlite)?;
    /// let data = DataFile::open(&path)?.only_rows_of(|path| path == "web.py").read()?.data;
    /// assert_eq!(data.row_count(), 1);
    /// assert!(data.file("app.py").is_some_and(|file| !file.has_rows()));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn only_rows_of(mut self, wanted: impl Fn(&str) -> bool) -> Self {
        match &mut self.content {
            Content::Json { data, .. } => data.drop_rows_of(|path| !wanted(path)),
            Content::Sqlite(reader) => reader.limit_rows(|path| match wanted(path) {
                true => sqlite::Wanted::Everything,
                false => sqlite::Wanted::Nothing,
            }),
        }
        self
    }

    /// Reads the rows.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Corrupt`] or [`ErrorKind::TooLarge`], with the table and the row.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::combine::{StoreFormat, store};
    /// # use pulpcov_core::formats::DataFile;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join(".coverage");
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app.py", "test_add", &Numbits::from_iter([1, 2]))?;
    /// # store(&data, &path, StoreFormat::Sqlite)?;
    /// let decoded = DataFile::open(&path)?.read()?;
    /// assert_eq!(decoded.data, data);
    /// assert_eq!(decoded.orphan_rows, 0);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn read(self) -> Result<Decoded> {
        match self.content {
            Content::Json { mut data, .. } => {
                if self.drop_contexts {
                    data.drop_contexts();
                }
                Ok(Decoded { data, orphan_rows: 0 })
            }
            Content::Sqlite(reader) => {
                let contexts = sqlite::Contexts::merged_if(self.drop_contexts);
                reader.read(contexts).map_err(|err| err.with_path(&self.path))
            }
        }
    }

    /// Reads which contexts ran each file, and the rows of the files whose paths are `wanted`. The data still names the other
    /// files, which then have no rows.
    ///
    /// # Errors
    ///
    /// The same as [`read`](Self::read).
    ///
    /// # Examples
    ///
    /// See [`RanBy`].
    pub fn read_with_contexts(self, wanted: impl Fn(&str) -> bool) -> Result<(Decoded, RanBy)> {
        let mut reader = match self.content {
            Content::Sqlite(reader) => reader,
            Content::Json { mut data, paths } => {
                let ran_by = RanBy::of_rows(&data.clone().into_rows(), &paths);
                data.drop_rows_of(|path| !wanted(path));
                return Ok((Decoded { data, orphan_rows: 0 }, ran_by));
            }
        };
        let contexts = sqlite::Contexts::merged_if(self.drop_contexts);
        reader.limit_rows(|path| match wanted(path) {
            true => sqlite::Wanted::Everything,
            false => sqlite::Wanted::FirstLine,
        });
        let read = reader.read_filtered(contexts, |rows, paths| {
            let ran_by = RanBy::of_rows(rows, paths);
            let wanted: Vec<bool> = paths.iter().map(|path| wanted(path.as_str())).collect();
            rows.keep_files(|file| wanted.get(file).copied().unwrap_or(false));
            ran_by
        });
        read.map_err(|err| err.with_path(&self.path))
    }

    /// Reads the rows as [`read`](Self::read) does, with files as indexes into [`paths`](Self::paths). Leaves
    /// the memory that the file was read into in `buffer` if it can be used again.
    pub(crate) fn into_rows(self, buffer: &mut Vec<u8>) -> Result<Rows> {
        match self.content {
            Content::Json { mut data, .. } => {
                if self.drop_contexts {
                    data.drop_contexts();
                }
                Ok(data.into_rows())
            }
            Content::Sqlite(reader) => {
                let contexts = sqlite::Contexts::merged_if(self.drop_contexts);
                reader.into_rows(contexts, buffer).map_err(|err| err.with_path(&self.path))
            }
        }
    }

    /// Returns whether a journal or write-ahead log is part of the data. Its rows are not in the file itself.
    pub(crate) fn is_recovered(&self) -> bool {
        matches!(&self.content, Content::Sqlite(reader) if reader.is_recovered())
    }

    /// Streams line and arc rows in batches of about `bytes` of the file. `begin` receives everything else
    /// first and makes a value; `add` adds each batch to that value. Returns the value, and the rows without
    /// lines and arcs.
    ///
    /// Saves memory only for a file that is [read in place](Self::open_in_place). JSON, and a database that
    /// only SQLite can read, is read as a whole first.
    pub(crate) fn read_in_batches<T>(
        self,
        bytes: u64,
        begin: impl Fn(&mut Rows) -> Result<T>,
        mut add: impl FnMut(&mut T, Runs<u8>, Runs<crate::LineArc>) -> Result<()>,
    ) -> Result<(T, Rows)> {
        match self.content {
            Content::Sqlite(reader) => {
                let contexts = sqlite::Contexts::merged_if(self.drop_contexts);
                let read = reader.read_in_batches(contexts, bytes, begin, add);
                read.map_err(|err| err.with_path(&self.path))
            }
            Content::Json { .. } => {
                let mut rows = self.into_rows(&mut Vec::new())?;
                let mut made = begin(&mut rows)?;
                rows.take_parts().try_for_each(|(lines, arcs)| add(&mut made, lines, arcs))?;
                Ok((made, rows))
            }
        }
    }
}

fn named(path: &Path) -> Result<Entry> {
    Entry::at_path(path).map_err(|err| match err.kind() {
        std::io::ErrorKind::IsADirectory => {
            Error::new(ErrorKind::NotADataFile, "this is a folder").with_path(path)
        }
        _ => Error::io(path, err),
    })
}

/// Reads a data file that is in memory.
///
/// # Errors
///
/// The same as [`DataFile::open`] and [`DataFile::read`], without a path.
///
/// # Examples
///
/// ```
/// let file = br#"!coverage.py: This is a private format, don't read it directly!{"arcs":{"a.py":[[-1,1]]}}"#;
/// assert!(pulpcov_core::formats::read_bytes(file)?.data.has_arcs());
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn read_bytes(bytes: &[u8]) -> Result<Decoded> {
    match FileKind::of(bytes) {
        FileKind::Json4 => Ok(Decoded { data: json::read(bytes)?, orphan_rows: 0 }),
        FileKind::Sqlite => {
            sqlite::Reader::from_bytes(bytes.to_vec())?.read(sqlite::Contexts::Kept)
        }
        stranger => Err(stranger_error(stranger)),
    }
}

/// Returns the error for a file that is not a data file.
pub(crate) fn stranger_error(kind: FileKind) -> Error {
    Error::new(ErrorKind::NotADataFile, Stranger(kind))
}

/// Returns what a file is, if the error says that it is not a data file.
#[cfg(feature = "archives")]
pub(crate) fn stranger(err: &Error) -> Option<FileKind> {
    err.cause_of::<Stranger>().map(|Stranger(kind)| *kind)
}

/// A file that is not a data file.
#[derive(Debug)]
struct Stranger(FileKind);

impl fmt::Display for Stranger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(kind) = self;
        let advice = if kind.is_container() {
            ": combine reads the data files in it if it is named"
        } else {
            ""
        };
        write!(f, "this is {kind}{advice}")
    }
}

impl std::error::Error for Stranger {}
