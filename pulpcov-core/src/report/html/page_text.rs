//! The text of a source page. It is the source as it is written, so that a reader copies the source.

use memchr::{memchr, memchr2};

use crate::Result;
use crate::python::PythonSource;
use crate::summarize::{FileSummary, Summary};

/// The text of a source.
pub(super) struct PageText {
    /// The text that Python reads: each line ends in `\n`.
    text: String,
    /// The text as it is written, if that is another.
    written: Option<String>,
    is_python: bool,
}

/// How a line ends in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// `\n`
    Newline,
    /// `\r\n`
    Windows,
    /// `\r`
    Return,
    /// The last line ends without any.
    Missing,
}

impl PageText {
    pub(super) fn read(summary: &Summary<'_>, file: &FileSummary) -> Result<Self> {
        let bytes = summary.source_bytes(file)?;
        let is_python = file.is_python();
        let is_cut = bytes.last().is_some_and(|&last| last != b'\n');
        let is_other = is_cut || memchr2(b'\r', b'\x0c', &bytes).is_some();
        let written = match is_other && is_python {
            true => Some(PythonSource::as_written(&bytes)?),
            false => None,
        };
        let source =
            if is_python { PythonSource::decode(bytes)? } else { PythonSource::plain(&bytes) };
        Ok(Self { text: source.into_text(), written, is_python })
    }

    /// Returns the text with `\n` at the end of each line.
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Returns the text as it is written.
    pub(super) fn written(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }

    /// Returns the lines as they are written, each with its end. An empty text has one line.
    pub(super) fn lines(&self) -> impl Iterator<Item = (&str, LineEnd)> {
        let mut rest = Some(self.written());
        std::iter::from_fn(move || {
            let text = rest?;
            let (line, end, after) = self.next_line(text);
            // There is no line after the last end.
            rest = Some(after).filter(|after| !after.is_empty());
            Some((line, end))
        })
    }

    fn next_line<'t>(&self, text: &'t str) -> (&'t str, LineEnd, &'t str) {
        let bytes = text.as_bytes();
        // As Python reads a file, lines end with `\r`, too. One that a codec makes ends none.
        let at = match self.is_python && self.written.is_some() {
            true => memchr2(b'\n', b'\r', bytes),
            false => memchr(b'\n', bytes),
        };
        let Some(at) = at else { return (text, LineEnd::Missing, "") };
        let (line, rest) = text.split_at(at);
        if let Some(rest) = rest.strip_prefix("\r\n") {
            return (line, LineEnd::Windows, rest);
        }
        if let Some(rest) = rest.strip_prefix('\r') {
            return (line, LineEnd::Return, rest);
        }
        let rest = rest.strip_prefix('\n').unwrap_or_default();
        match line.strip_suffix('\r') {
            Some(line) => (line, LineEnd::Windows, rest),
            None => (line, LineEnd::Newline, rest),
        }
    }
}

impl LineEnd {
    /// Returns the attribute that says how the line ends. The script reads it to copy the source.
    pub(super) fn attribute(self) -> &'static str {
        match self {
            Self::Newline => "",
            Self::Windows => " data-end=rn",
            Self::Return => " data-end=r",
            Self::Missing => " data-end",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, is_python: bool) -> Vec<(String, LineEnd)> {
        let written = is_python.then(|| text.to_owned());
        let text = PageText { text: text.to_owned(), written, is_python };
        text.lines().map(|(line, end)| (line.to_owned(), end)).collect()
    }

    #[test]
    fn lines_keep_their_ends() {
        use LineEnd::{Missing, Newline, Return, Windows};
        let expected =
            [("a", Newline), ("b", Windows), ("", Windows), ("c", Return), ("d", Missing)];
        let expected = expected.map(|(line, end)| (line.to_owned(), end));
        assert_eq!(lines("a\nb\r\n\r\nc\rd", true), expected);
        assert_eq!(lines("a\rb\r\n", false), [("a\rb".to_owned(), Windows)]);
        assert_eq!(lines("", true), [(String::new(), Missing)]);
        assert_eq!(lines("\n\n", true), [(String::new(), Newline), (String::new(), Newline)]);
    }
}
