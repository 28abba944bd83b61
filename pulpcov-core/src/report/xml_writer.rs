//! XML documents with the white space of Python's `minidom`.

use std::fmt::{Display, Write as _};
use std::io::Write;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesPI, BytesStart, BytesText, Event};

use crate::Result;

/// Writes elements, each on a line of its own, indented by its depth.
pub(crate) struct XmlWriter<W> {
    writer: Writer<W>,
}

/// What stands in front of an element, for each element that contains it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Indent {
    Tab,
    TwoSpaces,
}

impl<W: Write> XmlWriter<W> {
    pub(crate) fn new(out: W, indent: Indent) -> Self {
        let (character, width) = match indent {
            Indent::Tab => (b'\t', 1),
            Indent::TwoSpaces => (b' ', 2),
        };
        Self { writer: Writer::new_with_indent(out, character, width) }
    }

    /// Writes `<?xml …?>`. `content` stands after `xml`.
    pub(crate) fn declaration(&mut self, content: &str) -> Result<()> {
        self.event(Event::PI(BytesPI::new(format!("xml {content}"))))
    }

    pub(crate) fn start(&mut self, tag: Tag) -> Result<()> {
        self.event(Event::Start(tag.into()))
    }

    pub(crate) fn end(&mut self, name: &'static str) -> Result<()> {
        self.event(Event::End(BytesEnd::new(name)))
    }

    /// Writes an element without content.
    pub(crate) fn empty(&mut self, tag: Tag) -> Result<()> {
        self.event(Event::Empty(tag.into()))
    }

    /// Writes an element that has only text.
    pub(crate) fn text(&mut self, name: &'static str, text: &str) -> Result<()> {
        self.start(Tag::new(name))?;
        self.event(Event::Text(BytesText::from_escaped(escape(text))))?;
        self.end(name)
    }

    /// Writes a comment. `text` is not from outside, and has no `--`.
    pub(crate) fn comment(&mut self, text: &str) -> Result<()> {
        self.event(Event::Comment(BytesText::from_escaped(format!(" {text} "))))
    }

    /// Writes what [`inside`](Self::inside) returned a writer for.
    pub(crate) fn rendered(&mut self, text: &[u8]) -> Result<()> {
        Ok(self.writer.get_mut().write_all(text)?)
    }

    /// Ends the last line.
    pub(crate) fn finish(mut self) -> Result<W> {
        self.rendered(b"\n")?;
        Ok(self.writer.into_inner())
    }

    fn event(&mut self, event: Event<'_>) -> Result<()> {
        Ok(self.writer.write_event(event)?)
    }
}

impl XmlWriter<Vec<u8>> {
    /// Returns a writer for elements that are inside of `depth` others, to be rendered on their own.
    pub(crate) fn inside(depth: usize, indent: Indent) -> Result<Self> {
        let mut writer = Self::new(Vec::new(), indent);
        for _ in 0..depth {
            writer.start(Tag::new("outer"))?;
        }
        writer.writer.get_mut().clear();
        Ok(writer)
    }

    pub(crate) fn into_text(self) -> Vec<u8> {
        self.writer.into_inner()
    }
}

/// The name of an element and its attributes.
pub(crate) struct Tag {
    content: String,
    name_length: usize,
}

impl Tag {
    pub(crate) fn new(name: &'static str) -> Self {
        // Most elements are as short, and there is one for each line of a source.
        let mut content = String::with_capacity(80);
        content.push_str(name);
        Self { content, name_length: name.len() }
    }

    /// Adds an attribute whose value can be any text.
    pub(crate) fn text(self, name: &'static str, value: &str) -> Self {
        // quick-xml escapes apostrophes too, and `minidom` does not.
        self.plain(name, escape(value))
    }

    /// Adds an attribute whose value needs no escapes, such as a number.
    pub(crate) fn plain(mut self, name: &'static str, value: impl Display) -> Self {
        self.content.push(' ');
        self.content.push_str(name);
        self.content.push_str("=\"");
        // Writing to a string cannot fail.
        let _ = write!(self.content, "{value}");
        self.content.push('"');
        self
    }
}

impl From<Tag> for BytesStart<'static> {
    fn from(tag: Tag) -> Self {
        Self::from_content(tag.content, tag.name_length)
    }
}

/// Escapes what Python's `minidom` escapes in text and in attributes, and characters that XML changes or does not have.
///
/// XML reads a line end in an attribute as a space, so it is written as a reference. Other control characters cannot be
/// written at all, and become `?`.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '"' => escaped.push_str("&quot;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' => escaped.push_str(&format!("&#{};", u32::from(c))),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_attribute() {
        assert_eq!(escape("a\"<b>&]]>é"), "a&quot;&lt;b&gt;&amp;]]&gt;é");
        assert_eq!(escape("a\nb\tc\x1bd\0"), "a&#10;b&#9;c?d?");
    }
}
