//! The INI dialect of Python's `configparser.ConfigParser(interpolation=None)`.
//!
//! The rules are those of Python 3.11's standard library:
//!
//! - A full-line comment starts with `#` or `;`, also among the lines of a value. There are no
//!   comments after other text.
//! - `=` or `:` ends an option's name. Names are lower-cased.
//! - A line that is indented deeper than its option continues the value. So does an empty line.
//! - `[DEFAULT]` adds its options to every section.
//! - A section or an option given twice is an error.

use ordermap::OrderMap;

use std::collections::BTreeSet;

use crate::pytext::{is_space, strip};
use crate::text::py_repr;

/// The section whose options apply to every other section.
const DEFAULT_SECTION: &str = "DEFAULT";

type Options = OrderMap<String, Entry>;

/// An option's value and the line of its name.
#[derive(Debug)]
struct Entry {
    line: usize,
    value: String,
}

/// A parsed INI file: sections and their options in file order.
#[derive(Debug, Default)]
pub(super) struct Ini {
    sections: OrderMap<String, Options>,
    defaults: Options,
}

/// The reason why a text is not INI.
#[derive(Debug)]
pub(super) enum IniError {
    NoSection {
        line: usize,
        text: String,
    },
    DuplicateSection {
        line: usize,
        section: String,
    },
    DuplicateOption {
        line: usize,
        section: String,
        option: String,
    },
    /// Lines that are neither a header nor an option. `line` is the number of the first.
    UnparsableLines {
        line: usize,
        lines: Vec<(usize, String)>,
    },
}

impl IniError {
    /// Returns the message of Python's `configparser` about the file `name`. Line breaks in the
    /// message come from this crate: text from the file is quoted.
    pub(super) fn message(&self, name: &str) -> String {
        let name = py_repr(name);
        match self {
            Self::NoSection { line, text } => {
                format!(
                    "File contains no section headers.\nfile: {name}, line: {line}\n{}",
                    py_repr(text)
                )
            }
            Self::DuplicateSection { line, section } => {
                let section = py_repr(section);
                format!(
                    "While reading from {name} [line {line:2}]: section {section} already exists"
                )
            }
            Self::DuplicateOption { line, section, option } => {
                let (option, section) = (py_repr(option), py_repr(section));
                format!(
                    "While reading from {name} [line {line:2}]: option {option} in section {section} already exists"
                )
            }
            Self::UnparsableLines { lines, .. } => {
                let quoted = |(line, text): &(usize, String)| {
                    format!("\n    [line {line:2}]: {}", py_repr(text))
                };
                let lines: String = lines.iter().map(quoted).collect();
                format!("Source contains parsing errors: {name}{lines}")
            }
        }
    }

    /// Returns the line of the error, counted from 1.
    pub(super) fn line(&self) -> usize {
        match self {
            Self::NoSection { line, .. }
            | Self::DuplicateSection { line, .. }
            | Self::DuplicateOption { line, .. }
            | Self::UnparsableLines { line, .. } => *line,
        }
    }
}

impl Ini {
    /// Parses `text`, whose lines end in `\n`.
    pub(super) fn parse(text: &str) -> Result<Self, IniError> {
        let mut reader = Reader::default();
        for (at, line) in text.split_inclusive('\n').enumerate() {
            reader.line(at + 1, line)?;
        }
        reader.finish()
    }

    pub(super) fn has_section(&self, section: &str) -> bool {
        self.sections.contains_key(section)
    }

    /// Returns the names of the sections, in file order.
    pub(super) fn section_names(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// Returns the options that a section has itself, with their values and lines.
    pub(super) fn own_options(&self, section: &str) -> impl Iterator<Item = (&str, String, usize)> {
        let own = self.sections.get(section).into_iter().flatten();
        own.map(|(name, entry)| (name.as_str(), entry.value.clone(), entry.line))
    }

    /// Returns the names of a section's options, followed by those that only `[DEFAULT]` has.
    pub(super) fn options(&self, section: &str) -> Vec<&str> {
        let Some(own) = self.sections.get(section) else { return Vec::new() };
        let inherited = self.defaults.iter().filter(|(name, _)| !own.contains_key(*name));
        own.iter().chain(inherited).map(|(name, _)| name.as_str()).collect()
    }

    /// Returns an option's value, from `[DEFAULT]` if the section has none.
    pub(super) fn get(&self, section: &str, option: &str) -> Option<&str> {
        self.entry(section, option).map(|entry| entry.value.as_str())
    }

    /// Returns the line of the option's name.
    pub(super) fn line(&self, section: &str, option: &str) -> Option<usize> {
        self.entry(section, option).map(|entry| entry.line)
    }

    fn entry(&self, section: &str, option: &str) -> Option<&Entry> {
        let own = self.sections.get(section)?;
        own.get(option).or_else(|| self.defaults.get(option))
    }
}

/// The parser's state between two lines.
#[derive(Default)]
struct Reader {
    ini: Ini,
    section: Option<String>,
    /// The option that an indented line continues, if any.
    option: Option<String>,
    /// The indentation of the last header or option, in characters.
    indent: usize,
    seen_sections: BTreeSet<String>,
    seen_options: BTreeSet<(String, String)>,
    /// Lines that are neither a header nor an option. Reading continues after them, because errors
    /// about duplicates come first.
    bad: Vec<(usize, String)>,
}

impl Reader {
    fn line(&mut self, number: usize, line: &str) -> Result<(), IniError> {
        let value = strip(line);
        if value.starts_with(['#', ';']) {
            return Ok(());
        }
        if value.is_empty() {
            self.continue_value("");
            return Ok(());
        }
        let indent = line.chars().take_while(|c| is_space(*c)).count();
        if indent > self.indent && self.continue_value(value) {
            return Ok(());
        }
        self.indent = indent;
        match (header(value), self.section.clone()) {
            (Some(header), _) => self.open_section(number, header),
            (None, None) => Err(IniError::NoSection { line: number, text: line.to_owned() }),
            (None, Some(section)) => self.set_option(number, section, line, value),
        }
    }

    /// Adds a line to the value being read. Returns `false` if no value is being read.
    fn continue_value(&mut self, line: &str) -> bool {
        let (Some(section), Some(option)) = (&self.section, &self.option) else { return false };
        let options = options_of(&mut self.ini, section);
        let Some(entry) = options.and_then(|options| options.get_mut(option)) else { return false };
        entry.value.push('\n');
        entry.value.push_str(line);
        true
    }

    fn open_section(&mut self, line: usize, header: &str) -> Result<(), IniError> {
        if header != DEFAULT_SECTION {
            if !self.seen_sections.insert(header.to_owned()) {
                return Err(IniError::DuplicateSection { line, section: header.to_owned() });
            }
            self.ini.sections.insert(header.to_owned(), Options::new());
        }
        self.section = Some(header.to_owned());
        self.option = None;
        Ok(())
    }

    fn set_option(
        &mut self,
        number: usize,
        section: String,
        line: &str,
        text: &str,
    ) -> Result<(), IniError> {
        let Some((name, value)) = text.split_once(['=', ':']) else {
            self.bad.push((number, line.to_owned()));
            return Ok(());
        };
        let name = strip(name).to_lowercase();
        if name.is_empty() {
            self.bad.push((number, line.to_owned()));
        }
        if !self.seen_options.insert((section.clone(), name.clone())) {
            return Err(IniError::DuplicateOption { line: number, section, option: name });
        }
        if let Some(options) = options_of(&mut self.ini, &section) {
            options.insert(name.clone(), Entry { line: number, value: strip(value).to_owned() });
        }
        self.option = (!name.is_empty()).then_some(name);
        Ok(())
    }

    fn finish(mut self) -> Result<Ini, IniError> {
        if let Some(&(line, _)) = self.bad.first() {
            return Err(IniError::UnparsableLines { line, lines: self.bad });
        }
        for options in self.ini.sections.values_mut() {
            drop_trailing_space(options);
        }
        drop_trailing_space(&mut self.ini.defaults);
        Ok(self.ini)
    }
}

/// Returns the text between the first `[` and the last `]`. Anything may follow the `]`.
fn header(line: &str) -> Option<&str> {
    let (header, _) = line.strip_prefix('[')?.rsplit_once(']')?;
    (!header.is_empty()).then_some(header)
}

fn options_of<'a>(ini: &'a mut Ini, section: &str) -> Option<&'a mut Options> {
    if section == DEFAULT_SECTION { Some(&mut ini.defaults) } else { ini.sections.get_mut(section) }
}

fn drop_trailing_space(options: &mut Options) {
    for Entry { value, .. } in options.values_mut() {
        value.truncate(value.trim_end_matches(is_space).len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(text: &str, option: &str) -> Option<String> {
        Ini::parse(text).unwrap().get("run", option).map(str::to_owned)
    }

    #[test]
    fn values() {
        let cases = [
            ("[run]\nA = b", "b"),
            ("[run]\na:b=c", "b=c"),
            ("[run]\na = b # no comment", "b # no comment"),
            ("[run]\na = 1\n # comment\n 2\n; comment\n 3", "1\n2\n3"),
            ("[run]\na = 1\n\n 2\n\n", "1\n\n2"),
            ("[run]\na =\n  b = 2\n  [c]", "\nb = 2\n[c]"),
            ("[run]\n  a = 1\n  b = 2", "1"),
            ("[run]\n  a = 1\n   b = 2", "1\nb = 2"),
            ("  [run]\n a = 1", "1"),
            ("[run] and more\na = 1", "1"),
            ("[DEFAULT]\na = 0\n[run]\na = 1", "1"),
            ("[DEFAULT]\na = 0\n[run]\nb = 1", "0"),
            ("[run]\nb = 1\n[DEFAULT]\na = 0\n[x]\n[DEFAULT]\nc = 2", "0"),
        ];
        for (text, value) in cases {
            assert_eq!(get(text, "a").as_deref(), Some(value), "{text:?}");
        }
    }

    #[test]
    fn refusals_name_the_line() {
        let cases = [
            ("a = 1\n", 1, "File contains no section headers"),
            ("\u{feff}\u{feff}[run]\na = 1\n", 1, "File contains no section headers"),
            ("# x\n[run\n", 2, "File contains no section headers"),
            ("[]\n", 1, "File contains no section headers"),
            ("[run]\na\nb", 2, ": 'f'\n    [line  2]: 'a\\n'\n    [line  3]: 'b'"),
            ("[run]\n= a\n", 2, "'= a\\n'"),
            ("[run]\n[x]\n[run]\n", 3, "'f' [line  3]: section 'run' already exists"),
            ("[run]\nbad\na=1\nA : 2\n", 4, "option 'a' in section 'run' already exists"),
            ("[DEFAULT]\na=1\n[DEFAULT]\na=1\n", 4, "option 'a' in section 'DEFAULT'"),
        ];
        for (text, line, message) in cases {
            let error = Ini::parse(text).unwrap_err();
            assert_eq!(error.line(), line, "{text:?}");
            let said = error.message("f");
            assert!(said.contains(message), "{text:?}: {said}");
        }
    }
}
