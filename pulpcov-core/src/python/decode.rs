//! Decodes source bytes as coverage.py does (`python.get_python_source`).
//!
//! coverage.py replaces each line ending with `\n` and each form feed with a space *before* it
//! looks for the encoding. It also ends the text with a newline. The encoding is the one that
//! Python's `tokenize.detect_encoding` finds: that of the byte order mark, else that of a PEP 263
//! cookie in the first two lines, else UTF-8. Bytes that the codec does not know become U+FFFD.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::codecs::{Codec, CodecError};
use super::not_python::NotPython;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Decodes a Python source file. The text ends in a newline unless it is empty.
pub(crate) fn decode(bytes: Cow<'_, [u8]>) -> Result<String, NotPython> {
    let bytes = normalize_newlines(bytes);
    let encoding = detect_encoding(&bytes)?;
    let mut text = encoding.decode(without_bom(bytes))?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

/// Decodes a Python source file, and keeps its line endings and form feeds.
#[cfg(feature = "html")]
pub(crate) fn as_written(bytes: &[u8]) -> Result<String, NotPython> {
    let encoding = detect_encoding(&normalize_newlines(Cow::Borrowed(bytes)))?;
    encoding.decode(without_bom(Cow::Borrowed(bytes)))
}

/// Replaces `\r\n` and `\r` with `\n`, and `\f` with a space.
fn normalize_newlines(bytes: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    let Some(first) = memchr2(b'\r', b'\x0c', &bytes) else { return bytes };
    let (clean, mut rest) = bytes.split_at(first);
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(clean);
    while let Some((&special, tail)) = rest.split_first() {
        rest = if special == b'\x0c' {
            out.push(b' ');
            tail
        } else {
            out.push(b'\n');
            tail.strip_prefix(b"\n").unwrap_or(tail)
        };
        let (clean, next) = rest.split_at(memchr2(b'\r', b'\x0c', rest).unwrap_or(rest.len()));
        out.extend_from_slice(clean);
        rest = next;
    }
    Cow::Owned(out)
}

fn without_bom(bytes: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    match bytes.strip_prefix(BOM) {
        Some(rest) => Cow::Owned(rest.to_vec()),
        None => bytes,
    }
}

/// A codec, and the name that the source gives it.
struct Declared {
    codec: Codec,
    name: Cow<'static, str>,
}

impl Declared {
    const UTF8: Self = Self { codec: Codec::UTF8, name: Cow::Borrowed("utf-8") };

    fn decode(&self, bytes: Cow<'_, [u8]>) -> Result<String, NotPython> {
        let explain =
            |error: CodecError| NotPython::new(format!("encoding {}: {error}", self.name), None);
        self.codec.decode(bytes).map_err(explain)
    }
}

/// Finds the codec, like `tokenize.detect_encoding` of CPython's library.
fn detect_encoding(bytes: &[u8]) -> Result<Declared, NotPython> {
    let (has_bom, bytes) = match bytes.strip_prefix(BOM) {
        Some(rest) => (true, rest),
        None => (false, bytes),
    };
    let (first, rest) = split_line(bytes);
    if let Some(declared) = cookie_codec(first, has_bom)? {
        return Ok(declared);
    }
    if !is_blank_or_comment(first) {
        return Ok(Declared::UTF8);
    }
    let (second, _) = split_line(rest);
    Ok(cookie_codec(second, has_bom)?.unwrap_or(Declared::UTF8))
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(memchr(b'\n', bytes).map_or(bytes.len(), |newline| newline + 1))
}

/// Returns whether a line matches the regular expression `^[ \t\f]*(?:[#\r\n]|$)`.
fn is_blank_or_comment(line: &[u8]) -> bool {
    matches!(trim_blanks(line).first(), None | Some(b'#' | b'\r' | b'\n'))
}

fn trim_blanks(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|b| !matches!(b, b' ' | b'\t' | b'\x0c'));
    start.and_then(|start| line.get(start..)).unwrap_or_default()
}

/// Returns the codec that a line's cookie names, if the line has a cookie.
fn cookie_codec(line: &[u8], has_bom: bool) -> Result<Option<Declared>, NotPython> {
    let line = str::from_utf8(line)
        .map_err(|_| NotPython::new("invalid or missing encoding declaration", None))?;
    let Some(cookie) = find_cookie(line) else { return Ok(None) };
    let name = normal_name(cookie);
    let codec = Codec::find(name)
        .ok_or_else(|| NotPython::new(format!("unknown encoding: {name}"), None))?;
    if has_bom && name != "utf-8" {
        return Err(NotPython::new("encoding problem: utf-8", None));
    }
    Ok(Some(Declared { codec, name: name.to_owned().into() }))
}

/// Returns the encoding that a line names, like the regular expression of PEP 263:
/// `^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)`.
fn find_cookie(line: &str) -> Option<&str> {
    let comment = line.trim_start_matches([' ', '\t', '\x0c']).strip_prefix('#')?;
    comment.match_indices("coding").find_map(|(at, word)| {
        let value = comment.get(at + word.len()..)?.strip_prefix([':', '='])?;
        let value = value.trim_start_matches([' ', '\t']);
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let end = value.find(|c| !is_name(c)).unwrap_or(value.len());
        value.get(..end).filter(|name| !name.is_empty())
    })
}

/// Returns one name for all spellings of UTF-8, and one for those of Latin-1, like
/// `tokenize._get_normal_name`. A suffix after these names is ignored. Other names stay the same.
fn normal_name(name: &str) -> &str {
    let start = name.get(..12).unwrap_or(name).to_ascii_lowercase().replace('_', "-");
    let is = |base: &str| {
        start.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    if is("utf-8") {
        "utf-8"
    } else if is("latin-1") || is("iso-8859-1") || is("iso-latin-1") {
        "iso-8859-1"
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        decode(bytes.into()).unwrap()
    }

    fn error(bytes: &[u8]) -> String {
        decode(bytes.into()).unwrap_err().to_string()
    }

    #[test]
    fn line_endings_and_form_feeds_are_normalized_and_the_last_line_is_ended() {
        assert_eq!(text(b"a\r\nb\rc\n\rd\x0c"), "a\nb\nc\n\nd \n");
        assert_eq!(text(b"\r\r\n\r"), "\n\n\n");
        assert_eq!(text(b""), "");
        assert_eq!(text(b"x"), "x\n");
    }

    #[test]
    fn bom_and_cookies_choose_the_codec() {
        assert_eq!(text(b"\xef\xbb\xbfa = '\xc3\xa9'\n"), "a = 'é'\n");
        assert_eq!(text(b"\xef\xbb\xbf# coding: utf-8-unix\n"), "# coding: utf-8-unix\n");
        assert_eq!(
            text(b"# -*- coding: latin-1 -*-\n'\xe9'\n"),
            "# -*- coding: latin-1 -*-\n'é'\n"
        );
        assert_eq!(
            text(b"#!x\n# vim: set fileencoding=cp1252 :\n'\x80'"),
            "#!x\n# vim: set fileencoding=cp1252 :\n'€'\n"
        );
        assert_eq!(text(b"#coding=koi8-r\n'\xc1'\n"), "#coding=koi8-r\n'а'\n");
        assert_eq!(text(b"#coding:euc-jp\n'\xa4\xa2'\n"), "#coding:euc-jp\n'あ'\n");
        assert_eq!(text(b"#coding:ascii\n'\xa4'\n"), "#coding:ascii\n'\u{fffd}'\n");
        assert_eq!(text(b"x = 1\n#coding: latin-1\n'\xc3\xa9'"), "x = 1\n#coding: latin-1\n'é'\n");
    }

    #[test]
    fn bad_declarations_are_errors() {
        assert_eq!(error(b"# coding: nope\n"), "unknown encoding: nope");
        assert_eq!(error(b"\xef\xbb\xbf# coding: latin-1\n"), "encoding problem: utf-8");
        assert_eq!(error(b"# \xff\n"), "invalid or missing encoding declaration");
        assert_eq!(error(b"# coding: hex\n"), "encoding hex: not a text encoding");
        assert_eq!(
            error(b"# coding: Unicode-Escape\n'\\ud800'\n"),
            "encoding Unicode-Escape: surrogates not allowed"
        );
        assert_eq!(text(b"x\n'\xff\xc3'\n"), "x\n'\u{fffd}\u{fffd}'\n");
    }
}
