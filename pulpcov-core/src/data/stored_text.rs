//! The text that a data file can hold.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// Text that coverage.py can write and read: UTF-8 without NUL.
///
/// Python cannot store any other text in SQLite, and raises an error when it reads some. Paths, contexts,
/// plugin names and metadata can enter a data set only as this type, so the check cannot be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StoredText<'a>(&'a str);

/// The reason why bytes are not a [`StoredText`].
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

    /// Wraps text from a data set, which was checked when it was added.
    pub(super) fn from_checked(text: &'a str) -> Self {
        Self(text)
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }
}

/// Completes the sentence "the text …".
impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "is not UTF-8",
            Self::Nul => "has a NUL in it",
        })
    }
}

impl NotText {
    /// Returns the error for a caller that adds such text to a data set. `what` names the kind of text, such
    /// as a path.
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
