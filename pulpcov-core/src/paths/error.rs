//! Errors in patterns.

use thiserror::Error as ThisError;

use crate::error::{Error, ErrorKind};
use crate::text::py_repr;

/// The reason why a pattern is refused. The first three messages are coverage.py's own, because
/// users search for them.
#[derive(Debug, ThisError)]
pub(super) enum PatternError {
    #[error("Pattern must not end with wildcards.")]
    WildcardAtEnd,
    #[error("Result path must not contain wildcards: {}", py_repr(.0))]
    WildcardInResult(String),
    #[error("File pattern can't include {}", py_repr(.0))]
    Forbidden(String),
    #[error("File pattern has an unfinished character set: {}", py_repr(.0))]
    UnfinishedSet(String),
    #[error("File pattern has a bad character range {}", py_repr(&format!("{}-{}", .0, .1)))]
    BadRange(char, char),
    #[error("File patterns are too large")]
    TooLarge,
    #[error("File pattern is too large, or its brackets make no sense")]
    Regex(#[source] Box<regex::Error>),
    #[error("File patterns cannot be matched together")]
    GlobSet(#[source] globset::Error),
}

impl From<PatternError> for Error {
    fn from(cause: PatternError) -> Self {
        Self::new(ErrorKind::Pattern, cause)
    }
}
