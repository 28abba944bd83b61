//! Errors in a configuration, in coverage.py's words where coverage.py has a message.

use super::substitute::Undefined;
use crate::pyre::PatternError;
use crate::text::py_repr;
use crate::{Error, ErrorKind};

/// The causes of [`ErrorKind::Config`].
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error("Couldn't read {} as a config file", py_repr(.0))]
    NotRead(String),
    #[error("Couldn't read config file {file}: {reason}")]
    File { file: String, reason: String },
    /// A value of the wrong type. [`in_file`](Cause::in_file) turns it into [`Cause::File`].
    #[error("{0}")]
    Value(String),
    /// A value where a table belongs. [`in_file`](Cause::in_file) turns it into [`Cause::File`].
    ///
    /// If `supports_in` is true, Python can look for options in the value and finds none. The error
    /// is then reported only after the options of all sections were read.
    #[error("[{name}] is not a table (at line {line})")]
    NotATable { name: String, line: usize, supports_in: bool },
    #[error("Invalid [{section}].{option} value {}: {reason}", py_repr(.value))]
    Pattern { section: String, option: String, value: String, reason: PatternError },
    #[error(transparent)]
    Undefined(#[from] Undefined),
    #[error("Unknown concurrency choices: {0}")]
    UnknownConcurrency(String),
    #[error("Conflicting concurrency settings: {0}")]
    ConflictingConcurrency(String),
}

impl Cause {
    /// Adds the file's name to the message, where coverage.py does.
    pub(super) fn in_file(self, file: &str) -> Self {
        match self {
            Self::Value(reason) => Self::File { file: file.to_owned(), reason },
            Self::NotATable { .. } => {
                Self::File { file: file.to_owned(), reason: self.to_string() }
            }
            other => other,
        }
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        Self::new(ErrorKind::Config, cause)
    }
}
