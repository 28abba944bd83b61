//! The one public error of the crate.
//!
//! Each area of the crate has a private error enum of its own that says what
//! went wrong in its terms; it is boxed in here, so that no other crate's types
//! (SQLite's, serde's, a regular expression engine's) are part of the API.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::text::printable;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in which file and where in it.
///
/// The message names the file and the place, so printing the error is enough
/// for a user; [`kind`](Self::kind), [`path`](Self::path) and
/// [`position`](Self::position) give a program the same facts.
///
/// # Examples
///
/// ```
/// use pulpcov_core::{CoverageData, ErrorKind, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
/// let err = data.add_arcs("a.py", "", [(1, 2)]).unwrap_err();
/// assert_eq!(err.kind(), ErrorKind::MixedData);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    path: Option<PathBuf>,
    files: Vec<PathBuf>,
    position: Option<Position>,
    cause: Box<dyn StdError + Send + Sync>,
}

/// The sort of an [`Error`], to decide on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system refused: not found, no permission, disk full.
    Io,
    /// A report cannot be written: the disk is full, permission is denied, or the reader of a pipe is gone.
    Output,
    /// The file is no coverage data file, or one of a format that nothing but Python can read.
    NotADataFile,
    /// A data file with a schema version that this crate does not know.
    UnknownSchema,
    /// A data file whose content is damaged or contradicts itself.
    Corrupt,
    /// A number or a length beyond the bounds that the readers set.
    TooLarge,
    /// Another process holds a lock on the file or folder, and kept it while we waited.
    Busy,
    /// Line data and arc data cannot be in one data set.
    MixedData,
    /// Two data sets name different file tracer plugins for one file.
    TracerConflict,
    /// There was nothing to work on, or it was not kept.
    NoData,
    /// The target format cannot hold what the data has.
    NotRepresentable,
    /// A file pattern or regular expression that cannot be used.
    Pattern,
    /// The source of a measured file is not there, or cannot be read.
    NoSource,
    /// The source of a measured file may not be shown: none of those whose data files name it may read it.
    Withheld,
    /// Source text that Python does not parse; [`Error::reason`] is the parser's message.
    NotPython,
    /// A configuration file, or a value in it, that cannot be used.
    Config,
}

/// A place inside a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// A line of a text file, counted from 1, and a column if known.
    Line {
        /// Counted from 1.
        line: usize,
        /// Counted from 1; `None` when the parser does not say.
        column: Option<usize>,
    },
    /// A byte offset, counted from 0.
    Byte(u64),
    /// A table of a SQLite data file, and the rowid in it if known.
    Row {
        /// The table's name.
        table: String,
        /// SQLite's rowid.
        rowid: Option<i64>,
    },
    /// An option of a configuration file.
    Option {
        /// The section as it stands in the file, `coverage:run` or `tool.coverage.run` included.
        section: String,
        /// The option's name.
        option: String,
        /// Counted from 1, if known.
        line: Option<usize>,
    },
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line, column: None } => write!(f, "line {line}"),
            Self::Line { line, column: Some(column) } => write!(f, "line {line}, column {column}"),
            Self::Byte(offset) => write!(f, "byte {offset}"),
            Self::Row { table, rowid: None } => write!(f, "table {}", printable(table)),
            Self::Row { table, rowid: Some(rowid) } => {
                write!(f, "table {}, row {rowid}", printable(table))
            }
            Self::Option { section, option, line } => {
                if let Some(line) = line {
                    write!(f, "line {line}, ")?;
                }
                write!(f, "[{}] {}", printable(section), printable(option))
            }
        }
    }
}

impl Error {
    /// An error of `kind` caused by `cause`, which may be a message.
    pub(crate) fn new(kind: ErrorKind, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(Box::new(Inner {
            kind,
            path: None,
            files: Vec::new(),
            position: None,
            cause: cause.into(),
        }))
    }

    /// The operating system's error about `path`.
    #[cfg(any(feature = "json", feature = "sqlite", feature = "config", feature = "report"))]
    pub(crate) fn io(path: impl Into<PathBuf>, cause: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, cause).with_path(path)
    }

    /// Name the file, unless a caller nearer to the cause already did.
    #[cfg(any(feature = "json", feature = "sqlite", feature = "config", feature = "report"))]
    #[must_use]
    pub(crate) fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.path.get_or_insert_with(|| path.into());
        self
    }

    /// Name the place in the file, unless a caller nearer to the cause already did.
    #[cfg(any(feature = "json", feature = "sqlite", feature = "config", feature = "python"))]
    #[must_use]
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.0.position.get_or_insert(position);
        self
    }

    /// Name all files that have this error.
    #[cfg(feature = "report")]
    #[must_use]
    pub(crate) fn with_files(mut self, files: Vec<PathBuf>) -> Self {
        self.0.files = files;
        self
    }

    /// Replaces the reason; the kind, the file and the place stay.
    #[cfg(all(feature = "json", feature = "sqlite", feature = "paths"))]
    #[must_use]
    pub(crate) fn reworded(mut self, words: impl FnOnce(String) -> String) -> Self {
        self.0.cause = words(self.reason()).into();
        self
    }

    /// What sort of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The file that the error is about.
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// All files that have this error, if the work was to go on without them: the sources that are missing, of an
    /// [`ErrorKind::NoSource`]. [`path`](Self::path) is the first.
    pub fn files(&self) -> &[PathBuf] {
        &self.0.files
    }

    /// Where in the file.
    pub fn position(&self) -> Option<&Position> {
        self.0.position.as_ref()
    }

    /// What the operating system calls the error, if it is one of its own.
    pub fn io_kind(&self) -> Option<std::io::ErrorKind> {
        self.0.cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind)
    }

    /// The reason alone, without file and place: for callers that name those themselves.
    pub fn reason(&self) -> String {
        match self.0.cause.downcast_ref::<Lines>() {
            Some(Lines(lines)) => {
                lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
            }
            None => printable(&self.0.cause.to_string()).into_owned(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.0.path {
            write!(f, "{}: ", printable(&path.to_string_lossy()))?;
        }
        if let Some(position) = &self.0.position {
            write!(f, "{position}: ")?;
        }
        f.write_str(&self.reason())
    }
}

/// A cause of several lines. In any other, a line break comes from outside and is not printed.
#[derive(Debug)]
pub(crate) struct Lines(pub(crate) Vec<String>);

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl StdError for Lines {}

impl From<std::io::Error> for Error {
    /// Converts an error of a writer. The kind is [`ErrorKind::Output`], and there is no path.
    fn from(cause: std::io::Error) -> Self {
        Self::new(ErrorKind::Output, cause)
    }
}

/// Lets functions that take `impl TryInto<FilePath>` take a [`FilePath`](crate::FilePath), whose conversion cannot fail.
impl From<Infallible> for Error {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.source()
    }
}
