//! One data file of any format, opened, and read once.

use std::path::Path;

#[cfg(feature = "json")]
use crate::data::path::PathList;
#[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
use crate::data::rows::{Rows, Runs};
use crate::data::stored_text::StoredText;
use crate::data::{Authors, CoverageData};
use crate::error::{Error, ErrorKind, Result};
use crate::folder::Entry;

use super::detect::FileKind;
#[cfg(feature = "json")]
use super::json;
#[cfg(feature = "sqlite")]
use super::sqlite;

pub(crate) mod identity;
pub(crate) mod input;

pub use identity::FileIdentity;
use input::Input;

/// A data file that has been opened and recognised; its source paths are known, its rows not yet read.
///
/// All bytes come from one consistent state of the file: SQLite's read lock is held while
/// they are read, the hot journal or write-ahead log of a writer that died is honoured (on
/// a private copy: nothing is ever written beside the input), and a file that changes
/// meanwhile is read again.
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
    entry: Entry,
    identity: FileIdentity,
    authors: Authors,
    #[cfg_attr(
        not(all(feature = "json", feature = "sqlite", feature = "paths")),
        expect(dead_code, reason = "a combine asks, for its result")
    )]
    readers: u32,
    digest: Option<[u8; 32]>,
    drop_contexts: bool,
    content: Content,
}

enum Content {
    #[cfg(feature = "json")]
    Json { data: CoverageData, paths: PathList },
    #[cfg(feature = "sqlite")]
    Sqlite(Box<sqlite::Reader>),
}

/// What was read from a data file.
#[derive(Debug)]
#[non_exhaustive]
pub struct Decoded {
    /// The rows.
    pub data: CoverageData,
    /// Rows that name a file or a context that the data file does not have.
    ///
    /// Two processes that write one data file at once leave such rows behind. Nobody can
    /// say what they belong to; coverage.py passes over them in silence.
    pub orphan_rows: u64,
}

impl DataFile {
    /// Open the data file at `path`; a symbolic link, a FIFO or a device is not opened.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Io`]; [`ErrorKind::NotADataFile`] for strangers, which the message names;
    /// [`ErrorKind::UnknownSchema`] and [`ErrorKind::Corrupt`]; [`ErrorKind::Busy`] if a writer
    /// holds the file for longer than 5 seconds. All name the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_entry(&named(path.as_ref())?)
    }

    /// As [`open`](Self::open), a data file in an open folder.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_entry(entry: &Entry) -> Result<Self> {
        let opened = Input::open(entry).and_then(|input| Self::of_input(entry, input));
        opened.map_err(|err| err.with_path(entry.path()))
    }

    /// Open the data file at `path` to read it where it is, in a fraction of its size of memory.
    ///
    /// SQLite's read lock is held until the rows are read, so writers wait for as long. There is no
    /// [`digest`](Self::digest). A file that needs its journal or write-ahead log, or that is not as
    /// plain as coverage.py makes it, is read as by [`open`](Self::open).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use pulpcov_core::formats::DataFile;
    ///
    /// let data = DataFile::open_in_place(".coverage")?.drop_contexts(true).read()?.data;
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[cfg(feature = "sqlite")]
    pub fn open_in_place(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_entry_in_place(&named(path.as_ref())?)
    }

    /// As [`open_in_place`](Self::open_in_place), a data file in an open folder.
    #[cfg(feature = "sqlite")]
    pub(crate) fn open_entry_in_place(entry: &Entry) -> Result<Self> {
        let open = || {
            let mut input = Input::open(entry)?;
            if FileKind::of(input.head()?) != FileKind::Sqlite {
                return Self::of_input(entry, input);
            }
            let (authors, readers) = (input.authors(), input.readers());
            let (reader, identity) = sqlite::Reader::in_place(input)?;
            let content = Content::Sqlite(Box::new(reader));
            let (entry, digest) = (entry.clone(), None);
            Ok(Self { entry, identity, authors, readers, digest, drop_contexts: false, content })
        };
        open().map_err(|err| err.with_path(entry.path()))
    }

    /// As [`open`](Self::open), into memory that is there already: fresh memory takes longer than the reading. It has a
    /// [`digest`](Self::digest) if it is to be `hashed`.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn open_into(entry: &Entry, buffer: Vec<u8>, hashed: bool) -> Result<Self> {
        let input = Input::open(entry).map(|input| input.reading_into(buffer).hashed(hashed));
        let opened = input.and_then(|input| Self::of_input(entry, input));
        opened.map_err(|err| err.with_path(entry.path()))
    }

    fn of_input(entry: &Entry, mut input: Input) -> Result<Self> {
        let kind = FileKind::of(input.head()?);
        let (content, digest) = match kind {
            #[cfg(feature = "json")]
            FileKind::Json4 => {
                let (bytes, digest) = input.read_all()?;
                let mut data = json::read(&bytes)?;
                data.said_by(&input.authors());
                let mut paths = PathList::default();
                data.files().for_each(|file| paths.push(file.path().as_stored()));
                (Content::Json { data, paths }, digest)
            }
            #[cfg(feature = "sqlite")]
            FileKind::Sqlite => {
                let (reader, digest) = sqlite::Reader::open(&mut input)?;
                (Content::Sqlite(Box::new(reader)), digest)
            }
            stranger => return Err(stranger_error(stranger)),
        };
        Ok(Self {
            entry: entry.clone(),
            identity: input.identity().clone(),
            authors: input.authors(),
            readers: input.readers(),
            digest,
            drop_contexts: false,
            content,
        })
    }

    /// The path that was opened.
    pub fn path(&self) -> &Path {
        self.entry.path()
    }

    /// The state of the file that was read.
    pub fn identity(&self) -> &FileIdentity {
        &self.identity
    }

    /// Who may have written the file.
    pub fn authors(&self) -> &Authors {
        &self.authors
    }

    /// The bits of a mode that say whether the group and all others may read the file.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn readers(&self) -> u32 {
        self.readers
    }

    /// A hash (BLAKE3) of the bytes that were read: files of equal hash hold equal rows.
    ///
    /// `None` if a journal or write-ahead log took part, whose bytes are another file's, and of a
    /// file that is read in place.
    pub fn digest(&self) -> Option<&[u8; 32]> {
        self.digest.as_ref()
    }

    /// The format in words: `SQLite, schema 7`.
    pub fn describe(&self) -> String {
        match &self.content {
            #[cfg(feature = "json")]
            Content::Json { .. } => "JSON of coverage.py 4.x".to_owned(),
            #[cfg(feature = "sqlite")]
            Content::Sqlite(reader) => format!("SQLite, schema {}", reader.schema_version()),
        }
    }

    /// The measured source paths, in the order in which the data file lists them.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &str> {
        self.stored_paths().map(StoredText::as_str)
    }

    pub(crate) fn stored_paths(&self) -> impl ExactSizeIterator<Item = StoredText<'_>> {
        let paths = match &self.content {
            #[cfg(feature = "json")]
            Content::Json { paths, .. } => paths,
            #[cfg(feature = "sqlite")]
            Content::Sqlite(reader) => reader.paths(),
        };
        paths.iter()
    }

    /// Merge all contexts into the unnamed one while reading, as
    /// [`CoverageData::drop_contexts`] does afterwards: they can be 60 times the data.
    #[must_use]
    pub fn drop_contexts(mut self, drop: bool) -> Self {
        self.drop_contexts = drop;
        self
    }

    /// Read the rows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`] and [`ErrorKind::TooLarge`], with the table and the row.
    pub fn read(self) -> Result<Decoded> {
        match self.content {
            #[cfg(feature = "json")]
            Content::Json { mut data, .. } => {
                if self.drop_contexts {
                    data.drop_contexts();
                }
                Ok(Decoded { data, orphan_rows: 0 })
            }
            #[cfg(feature = "sqlite")]
            Content::Sqlite(reader) => {
                let contexts = sqlite::Contexts::merged_if(self.drop_contexts);
                reader.read(contexts).map_err(|err| err.with_path(self.entry.path()))
            }
        }
    }

    /// As [`read`](Self::read); the rows' files are places in [`paths`](Self::paths). The file's bytes are left in `buffer`.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
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
                reader.into_rows(contexts, buffer).map_err(|err| err.with_path(self.entry.path()))
            }
        }
    }

    /// Does it take a journal or write-ahead log, whose rows are not in the file itself?
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn is_recovered(&self) -> bool {
        matches!(&self.content, Content::Sqlite(reader) if reader.is_recovered())
    }

    /// As [`into_rows`](Self::into_rows), of a file that is [read in place](Self::open_in_place) as many rows of lines and
    /// arcs at a time as take about `bytes` of it. To `begin` with come all others, then these are to be added. What is
    /// made of them is returned, and what is said of all rows.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(crate) fn read_in_portions<T>(
        self,
        bytes: u64,
        begin: impl Fn(&mut Rows) -> Result<T>,
        mut add: impl FnMut(&mut T, Runs<u8>, Runs<crate::LineArc>) -> Result<()>,
    ) -> Result<(T, Rows)> {
        match self.content {
            Content::Sqlite(reader) => {
                let contexts = sqlite::Contexts::merged_if(self.drop_contexts);
                let read = reader.read_in_portions(contexts, bytes, begin, add);
                read.map_err(|err| err.with_path(self.entry.path()))
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
    Entry::named(path).map_err(|err| match err.kind() {
        std::io::ErrorKind::IsADirectory => {
            Error::new(ErrorKind::NotADataFile, "this is a folder").with_path(path)
        }
        _ => Error::io(path, err),
    })
}

/// Read a data file that is in memory already.
///
/// # Errors
///
/// As [`DataFile::open`] and [`DataFile::read`], without a path.
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
        #[cfg(feature = "json")]
        FileKind::Json4 => Ok(Decoded { data: json::read(bytes)?, orphan_rows: 0 }),
        #[cfg(feature = "sqlite")]
        FileKind::Sqlite => {
            sqlite::Reader::from_bytes(bytes.to_vec())?.read(sqlite::Contexts::Kept)
        }
        stranger => Err(stranger_error(stranger)),
    }
}

fn stranger_error(kind: FileKind) -> Error {
    Error::new(ErrorKind::NotADataFile, format!("this is {kind}"))
}
