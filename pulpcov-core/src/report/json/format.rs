//! JSON with the formatting of Python's `json.dumps`.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::pytext::float_repr;

/// The format of `json.dumps(value)`, or of `json.dumps(value, indent=4)`: a space after each
/// separator, only ASCII characters, and floats as in Python.
#[derive(Debug, Clone)]
pub(super) struct PythonFormat {
    /// The nesting depth in the document; `None` if the JSON is one line.
    indent: Option<usize>,
    has_value: bool,
}

impl PythonFormat {
    pub(super) fn new(pretty: bool, depth: usize) -> Self {
        Self { indent: pretty.then_some(depth), has_value: false }
    }

    fn begin<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.indent = self.indent.map(|depth| depth + 1);
        self.has_value = false;
        out.write_all(bracket)
    }

    fn end<W: Write + ?Sized>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.indent = self.indent.map(|depth| depth.saturating_sub(1));
        if self.has_value {
            self.new_line(out)?;
        }
        out.write_all(bracket)
    }

    fn separate<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        match (first, self.indent) {
            (true, _) => {}
            (false, None) => out.write_all(b", ")?,
            (false, Some(_)) => out.write_all(b",")?,
        }
        self.new_line(out)
    }

    fn new_line<W: Write + ?Sized>(&self, out: &mut W) -> io::Result<()> {
        let Some(depth) = self.indent else { return Ok(()) };
        out.write_all(b"\n")?;
        (0..depth).try_for_each(|_| out.write_all(b"    "))
    }
}

impl Formatter for PythonFormat {
    fn write_f64<W: Write + ?Sized>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        out.write_all(float_repr(value).as_bytes())
    }

    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let is_plain = |c: char| matches!(c, ' '..='~');
        if fragment.chars().all(is_plain) {
            return out.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            if is_plain(c) {
                out.write_all(&[c as u8])?;
                continue;
            }
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.separate(out, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.separate(out, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

/// Writes a value that is nested `depth` levels deep in its document.
pub(crate) fn write_value(
    value: &impl Serialize,
    pretty: bool,
    depth: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let format = PythonFormat::new(pretty, depth);
    value.serialize(&mut Serializer::with_formatter(out, format)).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn dumps(value: &impl Serialize, pretty: bool) -> String {
        let mut out = Vec::new();
        write_value(value, pretty, 0, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn strings_are_ascii_with_pythons_escapes() {
        let text = "é\u{1F600}\u{7f}\u{1b}\"\\\u{8}\u{c}\n\r\t/";
        let json = r#""\u00e9\ud83d\ude00\u007f\u001b\"\\\b\f\n\r\t/""#;
        assert_eq!(dumps(&text, false), json);
    }

    #[test]
    fn floats_are_pythons() {
        assert_eq!(
            dumps(&(100.0, 66.666_666_666_666_67, 1e-5), false),
            "[100.0, 66.66666666666667, 1e-05]"
        );
    }

    #[test]
    fn indents_by_four_and_leaves_empty_ones_on_a_line() {
        let value = BTreeMap::from([("a", vec![]), ("b", vec![[1, 2]])]);
        assert_eq!(dumps(&value, false), r#"{"a": [], "b": [[1, 2]]}"#);
        let pretty = "{\n    \"a\": [],\n    \"b\": [\n        [\n            1,\n            2\n        ]\n    ]\n}";
        assert_eq!(dumps(&value, true), pretty);
    }
}
