//! The public error type of the crate.
//!
//! Each area of the crate has a private error enum with its own details. [`Error`] boxes it, so that types of
//! other crates (SQLite's, serde's, a regular expression engine's) are not part of the API.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::text::{printable, without_error_numbers};

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in which file, and where in the file.
///
/// The message names the file and the position, so printing the error is enough for a user. A program gets
/// the same facts from [`kind`](Self::kind), [`path`](Self::path) and [`position`](Self::position).
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

/// The category of an [`Error`], for programs to decide on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operating system reported an error: not found, no permission, disk full.
    Io,
    /// A report cannot be written: the disk is full, permission is denied, or the reader of a pipe is gone.
    Output,
    /// The file is not a data file, or only Python can read its format.
    NotADataFile,
    /// The data file has a schema version that this crate does not know.
    UnknownSchema,
    /// The content of a data file is damaged or contradicts itself.
    Corrupt,
    /// A number or a length exceeds the bounds of the readers.
    TooLarge,
    /// Another process kept a lock on the file or folder until the wait ended.
    Busy,
    /// Line data and arc data cannot be in one data set.
    MixedData,
    /// Two data sets name different file tracer plugins for one file.
    TracerConflict,
    /// There is no data to work on, or the data was not kept.
    NoData,
    /// The target format cannot hold the data.
    NotRepresentable,
    /// A file pattern or regular expression cannot be used.
    Pattern,
    /// The source of a measured file does not exist or cannot be read.
    NoSource,
    /// The source of a measured file must not be shown: no user whose data files name it may read it.
    Withheld,
    /// Python cannot parse the source; [`Error::reason`] is the parser's message.
    NotPython,
    /// A configuration file, or a value in it, cannot be used.
    Config,
    /// A diff cannot be read, or is not one diff.
    Diff,
}

/// A position in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// A line of a text file, and a column if known.
    Line {
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1, or `None` if the parser does not report it.
        column: Option<usize>,
    },
    /// A byte offset, counted from 0.
    Byte(u64),
    /// A table of an SQLite data file, and a row if known.
    Row {
        /// The name of the table.
        table: String,
        /// SQLite's rowid.
        rowid: Option<i64>,
    },
    /// An option of a configuration file.
    Option {
        /// The section as written in the file, such as `coverage:run` or `tool.coverage.run`.
        section: String,
        /// The name of the option.
        option: String,
        /// The line, counted from 1, if known.
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
    /// Creates an error of `kind` caused by `cause`, which may be a message.
    ///
    /// Implementations of [`Sources`](crate::summarize::Sources) return such errors.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{Error, ErrorKind};
    ///
    /// let err = Error::new(ErrorKind::Io, "the archive has no such member").with_path("src/app.py");
    /// assert_eq!(err.to_string(), "src/app.py: the archive has no such member");
    /// ```
    pub fn new(kind: ErrorKind, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self(Box::new(Inner {
            kind,
            path: None,
            files: Vec::new(),
            position: None,
            cause: cause.into(),
        }))
    }

    /// Creates an error from the operating system's error about `path`.
    pub(crate) fn io(path: impl Into<PathBuf>, cause: std::io::Error) -> Self {
        Self::new(ErrorKind::Io, cause).with_path(path)
    }

    /// Adds the file that the error is about, unless the error names one already.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::{Error, ErrorKind};
    ///
    /// let err = Error::new(ErrorKind::Io, "gone").with_path("a.py").with_path("b.py");
    /// assert_eq!(err.path(), Some(Path::new("a.py")));
    /// ```
    #[must_use]
    pub fn with_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.0.path.get_or_insert_with(|| path.into());
        self
    }

    /// Adds the position in the file, unless the error has one already.
    #[must_use]
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.0.position.get_or_insert(position);
        self
    }

    /// Adds all files that have this error.
    #[must_use]
    #[cfg(feature = "report")]
    pub(crate) fn with_files(mut self, files: Vec<PathBuf>) -> Self {
        self.0.files = files;
        self
    }

    /// Replaces the reason, and keeps the kind, the file and the position.
    #[must_use]
    pub(crate) fn reworded(mut self, words: impl FnOnce(String) -> String) -> Self {
        self.0.cause = words(self.reason()).into();
        self
    }

    /// Returns the category of this error.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{ErrorKind, FilePath};
    ///
    /// let err = FilePath::try_from("app\0.py").unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::NotRepresentable);
    /// ```
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the file that the error is about.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::{Error, ErrorKind};
    ///
    /// let err = Error::new(ErrorKind::Io, "gone");
    /// assert_eq!(err.path(), None);
    /// assert_eq!(err.with_path("app.py").path(), Some(Path::new("app.py")));
    /// ```
    pub fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Returns all files that have this error, if the work was to continue without them. For
    /// [`ErrorKind::NoSource`] these are the missing sources. [`path`](Self::path) is the first of them.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "report")] {
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, ErrorKind, Numbits};
    /// let mut data = CoverageData::new();
    /// for path in ["a.py", "b.py", "c.py"] {
    ///     data.add_lines(path, "", &Numbits::from_iter([1]))?;
    /// }
    /// let only_b = |path: &Path| Ok((path == "b.py").then(|| b"x = 1\n".to_vec()));
    /// let err = Summarizer::new(&data, &only_b).run().unwrap_err();
    /// assert_eq!(err.kind(), ErrorKind::NoSource);
    /// assert_eq!(err.files(), [Path::new("a.py"), Path::new("c.py")]);
    /// # }
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn files(&self) -> &[PathBuf] {
        &self.0.files
    }

    /// Returns the position in the file.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "combine")] {
    /// use pulpcov_core::{Position, formats::json};
    ///
    /// let file = b"!coverage.py: This is a private format, don't read it directly!{\"lines\":\n{\"a.py\":[1,}}";
    /// let err = json::read(file).unwrap_err();
    /// assert!(matches!(err.position(), Some(Position::Line { line: 2, .. })));
    /// # }
    /// ```
    pub fn position(&self) -> Option<&Position> {
        self.0.position.as_ref()
    }

    /// Returns the operating system's kind of this error, if the cause is an [`io::Error`](std::io::Error).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    ///
    /// use pulpcov_core::Error;
    ///
    /// let err = Error::from(io::Error::from(io::ErrorKind::BrokenPipe));
    /// assert_eq!(err.io_kind(), Some(io::ErrorKind::BrokenPipe));
    /// ```
    pub fn io_kind(&self) -> Option<std::io::ErrorKind> {
        self.0.cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind)
    }

    /// Returns the cause, if it has this type.
    #[cfg(feature = "archives")]
    pub(crate) fn cause_of<C: StdError + 'static>(&self) -> Option<&C> {
        self.0.cause.downcast_ref()
    }

    /// Returns the reason without the file and the position, for callers that show those themselves.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::{Error, ErrorKind};
    ///
    /// let err = Error::new(ErrorKind::Io, "no such file").with_path("app.py");
    /// assert_eq!(err.to_string(), "app.py: no such file");
    /// assert_eq!(err.reason(), "no such file");
    /// ```
    pub fn reason(&self) -> String {
        match self.0.cause.downcast_ref::<Lines>() {
            Some(Lines(lines)) => {
                lines.iter().map(|line| printable(line)).collect::<Vec<_>>().join("\n")
            }
            None => {
                let words = self.0.cause.to_string();
                printable(&without_error_numbers(&words)).into_owned()
            }
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

/// A cause of several lines. In any other cause, a line break may come from a data file and is not printed.
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

/// Lets functions that take `impl TryInto<FilePath>` take a [`FilePath`](crate::FilePath), whose conversion
/// cannot fail.
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
