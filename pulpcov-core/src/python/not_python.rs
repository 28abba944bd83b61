//! The error of a source text that Python refuses.

use std::error::Error as StdError;
use std::fmt;

use crate::{Error, ErrorKind, Position};

/// Why a source text is not Python, in CPython's words where they are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotPython {
    message: String,
    /// The line that CPython names. `None` if the whole file is wrong, for example its encoding.
    line: Option<i32>,
}

impl NotPython {
    pub(crate) fn new(message: impl Into<String>, line: Option<i32>) -> Self {
        Self { message: message.into(), line }
    }

    /// Returns the line and the message, or `None` if the whole file is wrong.
    pub(super) fn line_and_message(&self) -> Option<(i32, &str)> {
        Some((self.line?, &self.message))
    }
}

impl fmt::Display for NotPython {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for NotPython {}

impl From<NotPython> for Error {
    fn from(cause: NotPython) -> Self {
        let line = cause.line.and_then(|line| usize::try_from(line).ok());
        let error = Self::new(ErrorKind::NotPython, cause);
        match line {
            Some(line) => error.at(Position::Line { line, column: None }),
            None => error,
        }
    }
}
