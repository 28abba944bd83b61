//! Text as a data file can hold it.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// Text that coverage.py can write and read: UTF-8 without NUL.
///
/// Python binds no other text to a SQL statement, and fails at a row that has any. So every path, context, plugin
/// and piece of metadata is made of this, wherever it comes from: there is no other way into a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredText<'a>(&'a str);

/// Why something is no [`StoredText`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotText {
    NotUtf8,
    Nul,
}

impl<'a> StoredText<'a> {
    pub(crate) const EMPTY: Self = Self("");

    pub(crate) fn new(text: &'a str) -> Result<Self, NotText> {
        if text.as_bytes().contains(&0) { Err(NotText::Nul) } else { Ok(Self(text)) }
    }

    pub(crate) fn of_bytes(bytes: &'a [u8]) -> Result<Self, NotText> {
        Self::new(std::str::from_utf8(bytes).map_err(|_| NotText::NotUtf8)?)
    }

    /// What the data has kept of one.
    #[cfg(any(feature = "json", feature = "sqlite", feature = "paths"))]
    pub(super) fn kept(text: &'a str) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }
}

/// Completes a sentence about the text.
impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "is not UTF-8",
            Self::Nul => "has a NUL in it",
        })
    }
}

impl NotText {
    /// The error of a caller who wants to put such text into a data set.
    pub(crate) fn refusing(self, what: &str, text: &[u8]) -> Error {
        let text = String::from_utf8_lossy(text);
        let message = format!("no data file can hold the {what} {text:?}: it {self}");
        Error::new(ErrorKind::NotRepresentable, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_without_nul() {
        for text in ["", "a.py", "größe 😀\n", "\u{fffd}\u{10ffff}"] {
            assert_eq!(StoredText::of_bytes(text.as_bytes()).map(StoredText::as_str), Ok(text));
        }
        for bytes in [&b"caf\xe9"[..], b"\xed\xb2\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"] {
            assert_eq!(StoredText::of_bytes(bytes), Err(NotText::NotUtf8), "{bytes:?}");
        }
        assert_eq!(StoredText::new("a\0"), Err(NotText::Nul));
    }
}
