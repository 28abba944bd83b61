//! XML reports in the format of Cobertura, as coverage.py, gcovr, and converters of JaCoCo and .NET write them
//! (`coverage-04.dtd`).

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufRead, Read, Write};
use std::path::{Component, Path, PathBuf};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader as XmlReader, XmlVersion};

use super::counts::Counts;
use super::lcov::hits;
use super::{File, Report, name_in_tracefile};
use crate::error::{Error, ErrorKind, Position, Result};
use crate::report::xml_writer::{Indent, Tag, XmlWriter};

/// The longest tag or text in bytes.
const LONGEST: u64 = 16 << 20;

/// Why a report cannot be read.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("this XML is no report in the format of Cobertura")]
    NotCobertura,
    #[error("this is not XML: {0}")]
    Xml(String),
    #[error("a `{0}` has no attribute `{1}`, or one that cannot be read")]
    Attribute(&'static str, &'static str),
    #[error("the attribute `{0}` has the end of a line in it")]
    LineEnd(&'static str),
    #[error("there is more behind `</coverage>`: each report needs a file of its own")]
    Appended,
    #[error("there is a `coverage` in a `coverage`")]
    Nested,
    #[error("the file ends before `</coverage>`")]
    Cut,
    #[error("a tag or a text of more than {LONGEST} bytes")]
    TooLong,
    #[error("{0}")]
    Io(io::Error),
}

impl From<quick_xml::Error> for Cause {
    fn from(err: quick_xml::Error) -> Self {
        match err {
            quick_xml::Error::Io(err) if err.kind() == io::ErrorKind::FileTooLarge => Self::TooLong,
            quick_xml::Error::Io(err) => Self::Io(io::Error::new(err.kind(), err.to_string())),
            err => Self::Xml(err.to_string()),
        }
    }
}

/// Reads a report. A class is a part of its file. If several classes have a line, its largest count is that of the file, for it is
/// one line.
///
/// The names of files start from the source folder, if the report has one, or the one in which the file exists.
///
/// # Errors
///
/// - [`ErrorKind::NotADataFile`] if it is no such report;
/// - [`ErrorKind::Corrupt`], with the byte, if it is no XML, a part is missing, or it is cut;
/// - [`ErrorKind::Io`] if `input` cannot be read.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::cobertura;
///
/// let text = br#"<coverage><sources><source>/srv/app</source></sources><packages><package><classes>
///     <class filename="a.py"><lines><line number="1" hits="2"/>
///     <line number="3" hits="0" branch="true" condition-coverage="50% (1/2)"/></lines></class>
///     </classes></package></packages></coverage>"#;
/// let report = cobertura::read(&text[..])?;
/// let (name, file) = report.files().next().unwrap();
/// assert_eq!((name, file.total().lines()), ("/srv/app/a.py", &[(1, 2), (3, 0)][..]));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn read(input: impl BufRead) -> Result<Report> {
    let mut xml = XmlReader::from_reader(Bounded { input, left: LONGEST });
    let mut reader = Reader::default();
    let done = reader.read(&mut xml);
    done.map_err(|cause| match cause {
        Cause::Io(err) => Error::new(ErrorKind::Io, err),
        Cause::NotCobertura => Error::new(ErrorKind::NotADataFile, cause),
        cause => {
            let position = Position::Byte(xml.buffer_position() + reader.beside_parser);
            Error::new(ErrorKind::Corrupt, cause).at(position)
        }
    })?;
    let report = reader.finish();
    if report.files().len() == 0 {
        return Err(Error::new(ErrorKind::NoData, "the report has no files"));
    }
    Ok(report)
}

/// An input that gives no more than a number of bytes for one tag or text.
struct Bounded<R> {
    input: R,
    left: u64,
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.left = self.left.saturating_sub(amount as u64);
        self.input.consume(amount);
    }
}

#[derive(Default)]
struct Reader {
    sources: Vec<String>,
    files: BTreeMap<String, Lines>,
    class: Option<Class>,
    /// The method that is read: its name, and its first line and count, once they are known.
    method: Option<(String, Option<(u32, u64)>)>,
    methods: BTreeMap<String, Vec<(String, u32, u64)>>,
    /// How many bytes of lines were read without the parser.
    beside_parser: u64,
}

/// The class that is read: its file, and the lines of the file.
struct Class {
    file: String,
    lines: Lines,
}

/// The lines of a file, in the order of the report.
#[derive(Default)]
struct Lines {
    all: Vec<Line>,
    /// How many there were when they were put in order the last time.
    in_order: usize,
}

/// How many lines are never worth to be put in order before the end.
const FEW: usize = 1 << 12;

#[derive(Clone, Copy)]
struct Line {
    number: u32,
    hits: u64,
    /// How many branches were taken, and how many there are.
    branches: Option<(u32, u32)>,
}

impl Lines {
    fn add(&mut self, line: Line) {
        self.all.push(line);
        // Lines of methods are repeated, so memory grows with the result, and not with the report.
        if self.all.len() > 2 * self.in_order + FEW {
            self.put_in_order();
        }
    }

    /// Sorts the lines, and makes one of those with the same number.
    fn put_in_order(&mut self) {
        self.all.sort_by_key(|line| line.number);
        self.all.dedup_by(|line, before| {
            let is_same = line.number == before.number;
            if is_same {
                before.join(*line);
            }
            is_same
        });
        self.in_order = self.all.len();
    }
}

impl Line {
    fn join(&mut self, other: Self) {
        self.hits = self.hits.max(other.hits);
        self.branches = self.branches.max(other.branches);
    }
}

impl Reader {
    fn read<R: BufRead>(&mut self, xml: &mut XmlReader<Bounded<R>>) -> Result<(), Cause> {
        let mut buffer = Vec::new();
        let (mut is_inside, mut is_source) = (false, false);
        loop {
            buffer.clear();
            xml.get_mut().left = LONGEST;
            let event = xml.read_event_into(&mut buffer)?;
            // The parser has looked at what is behind a text, but not at what is behind a tag.
            let is_tag = matches!(event, Event::Start(_) | Event::Empty(_));
            match event {
                Event::Start(tag) => {
                    let name = tag.local_name();
                    match name.as_ref() {
                        "coverage" if is_inside => return Err(Cause::Nested),
                        "coverage" => is_inside = true,
                        _ if !is_inside => return Err(Cause::NotCobertura),
                        "source" => {
                            is_source = true;
                            self.sources.push(String::new());
                        }
                        _ => self.start(&tag)?,
                    }
                }
                Event::Empty(tag) => match tag.local_name().as_ref() {
                    // A report without files.
                    "coverage" if !is_inside => return self.end(xml),
                    _ if !is_inside => return Err(Cause::NotCobertura),
                    "class" => {
                        self.start(&tag)?;
                        self.end_class();
                    }
                    "method" => {}
                    _ => self.start(&tag)?,
                },
                Event::Text(text) if is_source => {
                    if let Some(source) = self.sources.last_mut() {
                        source.push_str(text.as_ref());
                    }
                }
                Event::GeneralRef(reference) if is_source => {
                    let resolved = quick_xml::escape::unescape(&format!("&{};", &*reference))
                        .map_err(|err| Cause::Xml(err.to_string()))?
                        .into_owned();
                    if let Some(source) = self.sources.last_mut() {
                        source.push_str(&resolved);
                    }
                }
                Event::End(tag) => match tag.local_name().as_ref() {
                    "source" => is_source = false,
                    "class" => self.end_class(),
                    "method" => self.end_method(),
                    "coverage" => return self.end(xml),
                    _ => {}
                },
                Event::Eof if is_inside => return Err(Cause::Cut),
                Event::Eof => return Err(Cause::NotCobertura),
                _ => {}
            }
            if is_tag && self.class.is_some() {
                self.plain_lines(&mut xml.get_mut().input).map_err(Cause::Io)?;
            }
        }
    }

    /// Reads what is behind the report, which must be nothing: what somebody appended would be lost.
    fn end<R: BufRead>(&self, xml: &mut XmlReader<Bounded<R>>) -> Result<(), Cause> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            xml.get_mut().left = LONGEST;
            match xml.read_event_into(&mut buffer)? {
                Event::Eof => return Ok(()),
                Event::Text(text) if text.as_ref().trim().is_empty() => {}
                Event::Comment(_) | Event::PI(_) => {}
                _ => return Err(Cause::Appended),
            }
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>) -> Result<(), Cause> {
        match tag.local_name().as_ref() {
            "class" => {
                let name = attribute(tag, "filename")?;
                let name = name.ok_or(Cause::Attribute("class", "filename"))?;
                self.end_class();
                let lines = self.files.remove(&name).unwrap_or_default();
                self.class = Some(Class { file: name, lines });
            }
            "method" if self.class.is_some() => {
                let name = attribute(tag, "name")?.ok_or(Cause::Attribute("method", "name"))?;
                let signature = attribute(tag, "signature")?.unwrap_or_default();
                self.method = Some((name + &signature, None));
            }
            "line" => self.line(tag)?,
            _ => {}
        }
        Ok(())
    }

    /// Reads the lines that come next and are written as usual. They are nearly all of a report, and the parser would take three times
    /// as long.
    fn plain_lines(&mut self, input: &mut impl BufRead) -> io::Result<()> {
        loop {
            let buffer = match input.fill_buf() {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let mut rest = buffer;
            while let Some((line, behind)) = plain_line(rest) {
                self.add_line(line);
                rest = behind;
            }
            let used = buffer.len() - rest.len();
            if used == 0 {
                return Ok(());
            }
            self.beside_parser += used as u64;
            input.consume(used);
        }
    }

    fn line(&mut self, tag: &BytesStart<'_>) -> Result<(), Cause> {
        let mut attributes = LineAttributes::default();
        for attribute in tag.attributes().with_checks(false) {
            let attribute = attribute.map_err(xml)?;
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(xml)?;
            attributes.set(attribute.key.as_ref().as_bytes(), value.as_bytes());
        }
        self.add_line(attributes.line()?);
        Ok(())
    }

    fn add_line(&mut self, line: Line) {
        let Some(class) = &mut self.class else { return };
        if let Some((_, first)) = &mut self.method {
            first.get_or_insert((line.number, line.hits));
        }
        class.lines.add(line);
    }

    fn end_class(&mut self) {
        if let Some(Class { file, lines }) = self.class.take() {
            self.files.insert(file, lines);
        }
    }

    fn end_method(&mut self) {
        let Some((name, first)) = self.method.take() else { return };
        // Nothing is known of a method without lines.
        if let (Some((line, count)), Some(class)) = (first, &self.class) {
            self.methods.entry(class.file.clone()).or_default().push((name, line, count));
        }
    }

    fn finish(mut self) -> Report {
        self.end_class();
        let sources = Sources::new(self.sources);
        let mut report = Report::new();
        for (name, mut lines) in self.files {
            lines.put_in_order();
            let mut counts = Counts::default();
            for Line { number, hits, branches } in lines.all {
                counts.add_line(number, hits);
                if let Some(branches) = branches {
                    counts.add_branch_count(number, branches);
                }
            }
            for (method, line, count) in self.methods.get(&name).into_iter().flatten() {
                counts.functions_mut().define(method, *line, None, *count);
            }
            counts.finish();
            report.add(sources.name(&name), String::new(), None, counts);
        }
        report
    }
}

fn xml(err: impl std::fmt::Display) -> Cause {
    Cause::Xml(err.to_string())
}

/// The attributes of a line that say something.
#[derive(Default)]
struct LineAttributes {
    number: Option<u32>,
    hits: Option<u64>,
    has_branches: bool,
    /// The share of branches, and whether it can be read.
    share: Option<Option<(u32, u32)>>,
}

impl LineAttributes {
    fn set(&mut self, name: &[u8], value: &[u8]) {
        let value = value.trim_ascii();
        match name {
            b"number" => self.number = hits(value).and_then(|number| number.try_into().ok()),
            b"hits" => self.hits = hits(value),
            b"branch" => self.has_branches = value == b"true",
            b"condition-coverage" => {
                self.share = Some(str::from_utf8(value).ok().and_then(share_in_percent));
            }
            _ => {}
        }
    }

    fn line(self) -> Result<Line, Cause> {
        let number = self.number.ok_or(Cause::Attribute("line", "number"))?;
        let hits = self.hits.ok_or(Cause::Attribute("line", "hits"))?;
        let branches = match self.share.filter(|_| self.has_branches) {
            Some(share) => Some(share.ok_or(Cause::Attribute("line", "condition-coverage"))?),
            None => None,
        };
        Ok(Line { number, hits, branches })
    }
}

/// Reads a line that a text begins with, if it is an empty tag without references. Returns what is behind it.
fn plain_line(text: &[u8]) -> Option<(Line, &[u8])> {
    let mut rest = text.trim_ascii_start().strip_prefix(b"<line")?;
    let mut attributes = LineAttributes::default();
    loop {
        let tag = rest.trim_ascii_start();
        if let Some(behind) = tag.strip_prefix(b"/>") {
            return Some((attributes.line().ok()?, behind));
        }
        // White space is between attributes.
        if tag.len() == rest.len() {
            return None;
        }
        let (name, value) = tag.split_at_checked(tag.iter().position(|&b| b == b'=')?)?;
        let (quote, value) = value.get(1..)?.split_first()?;
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let (value, behind) = value.split_at_checked(value.iter().position(|b| b == quote)?)?;
        if value.contains(&b'&') {
            return None;
        }
        attributes.set(name, value);
        rest = behind.get(1..)?;
    }
}

/// Returns an attribute of a tag.
fn attribute(tag: &BytesStart<'_>, name: &'static str) -> Result<Option<String>, Cause> {
    let Some(attribute) = tag.try_get_attribute(name).map_err(xml)? else {
        return Ok(None);
    };
    let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(xml)?;
    Ok(Some(name_in_tracefile(&value).ok_or(Cause::LineEnd(name))?.to_owned()))
}

/// Reads `50% (1/2)`.
fn share_in_percent(text: &str) -> Option<(u32, u32)> {
    let (_, inside) = text.split_once('(')?;
    share_of(inside.split_once(')')?.0)
}

/// The most branches that a line can have. Tracefiles have a record for each of them.
const MOST_BRANCHES: u32 = 1 << 16;

/// Reads `1/2`.
pub(super) fn share_of(text: &str) -> Option<(u32, u32)> {
    let (taken, all) = text.split_once('/')?;
    let (taken, all) = (taken.trim().parse().ok()?, all.trim().parse().ok()?);
    (taken <= all && all <= MOST_BRANCHES).then_some((taken, all))
}

/// How many folders a file is looked for in. A report could name any number of them.
const MOST_SOURCES: usize = 100;

/// The source folders of a report.
enum Sources {
    /// Names start from here, whether it exists or not.
    One(String),
    /// Names start from the one that has the file. These are those that exist.
    Several(Vec<String>),
}

impl Sources {
    fn new(named: Vec<String>) -> Self {
        let named: Vec<String> =
            named.iter().map(|source| source.trim().replace('\n', " ")).collect();
        match named.as_slice() {
            [] => Self::One(String::new()),
            [source] => Self::One(source.clone()),
            _ => {
                let mut seen = HashSet::new();
                let is_new = |source: &String| {
                    let real = Path::new(source).canonicalize().ok();
                    real.is_some_and(|real| real.is_dir() && seen.insert(real))
                };
                Self::Several(named.into_iter().filter(is_new).take(MOST_SOURCES).collect())
            }
        }
    }

    /// Returns the name of a file with its source folder in front.
    fn name(&self, name: &str) -> String {
        if name.starts_with(['/', '\\']) || name.get(1..2) == Some(":") {
            return name.to_owned();
        }
        match self {
            Self::One(source) => joined(source, name),
            Self::Several(sources) => {
                let mut places = sources.iter().map(|source| joined(source, name));
                places.find(|place| Path::new(place).is_file()).unwrap_or_else(|| name.to_owned())
            }
        }
    }
}

fn joined(source: &str, name: &str) -> String {
    match source {
        "" | "." => name.to_owned(),
        // The folder of another system.
        _ if source.contains('\\') => format!("{}\\{name}", source.trim_end_matches('\\')),
        _ => {
            let path: PathBuf = Path::new(source).join(name).components().filter(is_step).collect();
            path.to_string_lossy().into_owned()
        }
    }
}

fn is_step(component: &Component<'_>) -> bool {
    *component != Component::CurDir
}

/// Writes a report in the format of Cobertura, of what was counted under all test names. `timestamp` is in milliseconds since 1970.
///
/// Functions have no place in it: a method needs its lines. Of branches, it has only how many were taken.
///
/// # Errors
///
/// [`ErrorKind::Output`] if `out` cannot be written to.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::{cobertura, lcov};
///
/// let report = lcov::read(&b"SF:/srv/app/a.c\nDA:1,2\nDA:2,0\nend_of_record\n"[..])?;
/// let mut out = Vec::new();
/// cobertura::write(&report, 0, &mut out)?;
/// let text = String::from_utf8_lossy(&out);
/// assert!(text.contains("<source>/srv/app</source>"));
/// assert!(text.contains(r#"<class name="a.c" filename="a.c" line-rate="0.5" branch-rate="0" complexity="0">"#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(report: &Report, timestamp: u128, out: &mut impl Write) -> Result<()> {
    let names: Vec<&str> = report.files().map(|(name, _)| name).collect();
    let root = common_folder(&names);
    let mut packages = BTreeMap::<&str, Vec<(&str, Summed)>>::new();
    let mut total = Sums::default();
    for (name, file) in report.files() {
        let name = name.get(root.len()..).unwrap_or(name);
        let folder = name.rsplit_once(['/', '\\']).map_or("", |(folder, _)| folder);
        let summed = Summed::new(file);
        total.add(summed.sums);
        packages.entry(folder).or_default().push((name, summed));
    }
    let mut xml = XmlWriter::new(out, Indent::TwoSpaces);
    xml.declaration("version=\"1.0\" encoding=\"UTF-8\"")?;
    xml.start(
        total
            .rates(Tag::new("coverage"))
            .plain("lines-covered", total.lines.0)
            .plain("lines-valid", total.lines.1)
            .plain("branches-covered", total.branches.0)
            .plain("branches-valid", total.branches.1)
            .plain("complexity", 0)
            .plain("version", concat!("pulpcov ", env!("CARGO_PKG_VERSION")))
            .plain("timestamp", timestamp),
    )?;
    xml.start(Tag::new("sources"))?;
    xml.text("source", if root.is_empty() { "." } else { root.trim_end_matches(['/', '\\']) })?;
    xml.end("sources")?;
    xml.start(Tag::new("packages"))?;
    for (folder, files) in packages {
        let mut sums = Sums::default();
        files.iter().for_each(|(_, summed)| sums.add(summed.sums));
        let name =
            if folder.is_empty() { ".".to_owned() } else { folder.replace(['/', '\\'], ".") };
        let tag = Tag::new("package").text("name", &name);
        xml.start(sums.rates(tag).plain("complexity", 0))?;
        xml.start(Tag::new("classes"))?;
        for (name, summed) in files {
            summed.write(name, &mut xml)?;
        }
        xml.end("classes")?;
        xml.end("package")?;
    }
    xml.end("packages")?;
    xml.end("coverage")?;
    xml.finish()?;
    Ok(())
}

/// How many lines and branches ran, and how many there are.
#[derive(Clone, Copy, Default)]
struct Sums {
    lines: (usize, usize),
    branches: (u64, u64),
}

impl Sums {
    fn add(&mut self, other: Self) {
        self.lines = (self.lines.0 + other.lines.0, self.lines.1 + other.lines.1);
        self.branches = (self.branches.0 + other.branches.0, self.branches.1 + other.branches.1);
    }

    fn rates(&self, tag: Tag) -> Tag {
        let rate = |(some, all): (f64, f64)| {
            if all > 0.0 { (some / all * 1e4).round() / 1e4 } else { 0.0 }
        };
        let lines = (self.lines.0 as f64, self.lines.1 as f64);
        let branches = (self.branches.0 as f64, self.branches.1 as f64);
        tag.plain("line-rate", rate(lines)).plain("branch-rate", rate(branches))
    }
}

/// A file, its counts of all tests, and their sums.
struct Summed {
    counts: Counts,
    branches: BTreeMap<u32, (u64, u64)>,
    sums: Sums,
}

impl Summed {
    fn new(file: &File) -> Self {
        let counts = file.total();
        let branches = counts.taken_branches();
        let hit = counts.lines().iter().filter(|line| line.1 > 0).count();
        let mut sums = Sums { lines: (hit, counts.lines().len()), ..Sums::default() };
        for (taken, all) in branches.values() {
            sums.branches = (sums.branches.0 + taken, sums.branches.1 + all);
        }
        Self { counts, branches, sums }
    }

    fn write(&self, name: &str, xml: &mut XmlWriter<impl Write>) -> Result<()> {
        let class = name.rsplit_once(['/', '\\']).map_or(name, |(_, class)| class);
        let tag = Tag::new("class").text("name", class).text("filename", name);
        xml.start(self.sums.rates(tag).plain("complexity", 0))?;
        xml.empty(Tag::new("methods"))?;
        xml.start(Tag::new("lines"))?;
        for (line, hits) in self.counts.lines() {
            let tag = Tag::new("line").plain("number", line).plain("hits", hits);
            xml.empty(match self.branches.get(line) {
                None => tag,
                Some((taken, all)) => {
                    let percent = taken * 100 / all.max(&1);
                    let share = format!("{percent}% ({taken}/{all})");
                    tag.plain("branch", true).plain("condition-coverage", share)
                }
            })?;
        }
        xml.end("lines")?;
        xml.end("class")
    }
}

/// Returns the folders that all names begin with, up to and with the last separator.
fn common_folder<'n>(names: &[&'n str]) -> &'n str {
    let Some((first, rest)) = names.split_first() else { return "" };
    let folder = |name: &str| name.rfind(['/', '\\']).map_or(0, |at| at + 1);
    let mut end = folder(first);
    for name in rest {
        let same = first.bytes().zip(name.bytes()).take_while(|(a, b)| a == b).count();
        end = end.min(same);
        // No folder is cut in two.
        end = first.get(..end).map_or(0, folder);
    }
    // Relative names start from where the reader is.
    let is_absolute = first.starts_with(['/', '\\']) || first.get(1..2) == Some(":");
    if is_absolute { first.get(..end).unwrap_or_default() } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::lcov;

    fn report(sources: &str, classes: &str) -> String {
        format!(
            "<?xml version='1.0'?>\n<!DOCTYPE coverage SYSTEM 'http://cobertura.sourceforge.net/xml/coverage-04.dtd'>\n<coverage line-rate='1'><sources>{sources}</sources><packages><package name='p'><classes>{classes}</classes></package></packages></coverage>"
        )
    }

    fn as_lcov(text: &str) -> String {
        let mut out = Vec::new();
        lcov::write(&read(text.as_bytes()).unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn classes_of_one_file_are_one_file() {
        // The line of the method is one of the class, and an inner class has lines of its own.
        let text = report(
            "",
            "<class name='A' filename='p/A.java'><methods><method name='f' signature='(I)V'><lines><line number='2' hits='3'/></lines></method></methods>
             <lines><line number='2' hits='3'/><line number='4' hits='0' branch='true' condition-coverage='50% (1/2)'/></lines></class>
             <class name='A$B' filename='p/A.java'><methods/><lines><line number='2' hits='1' branch='false'/><line number='9' hits='1'/></lines></class>
             <class name='C' filename='p/C.java'/>",
        );
        assert_eq!(
            as_lcov(&text),
            "TN:\nSF:p/A.java\nFN:2,f(I)V\nFNDA:3,f(I)V\nFNF:1\nFNH:1\nBRDA:4,0,0,1\nBRDA:4,0,1,0\nBRF:2\nBRH:1\nDA:2,3\nDA:4,0\nDA:9,1\nLF:3\nLH:2\nend_of_record\nTN:\nSF:p/C.java\nLF:0\nLH:0\nend_of_record\n"
        );
    }

    /// The parser reads lines that are not written as usual, and those that a buffer cuts.
    #[test]
    fn lines_are_read_alike_with_and_without_the_parser() {
        let lines = "<methods><method name='f'><lines><line number='1' hits='3'/></lines></method></methods><lines><line number=\"1\" hits=\"3\"/>
            <line hits='4'  number='2' other='&lt;é' branch='true'\n condition-coverage='50% (1/2)' />
            <line number='3' hits='&#53;'/><line number='4' hits='0'></line><!-- one --><line number = '5' hits='1.5e3'/>
            <line number='6' hits='1' branch='true' condition-coverage='100% (2/2)'><conditions/></line><line number='7' hits='1'/></lines>";
        let good = report("", &format!("<class filename='a'>{lines}</class>"));
        let bad = good.replace("</class>", "<line number='x' hits='1'/></class>");
        let read_in = |text: &str, size: usize| {
            read(io::BufReader::with_capacity(size, text.as_bytes())).map_err(|err| err.to_string())
        };
        assert_eq!(
            as_lcov(&good),
            "TN:\nSF:a\nFN:1,f\nFNDA:3,f\nFNF:1\nFNH:1\nBRDA:2,0,0,1\nBRDA:2,0,1,0\nBRDA:6,0,0,1\nBRDA:6,0,1,1\nBRF:4\nBRH:3\nDA:1,3\nDA:2,4\nDA:3,5\nDA:4,0\nDA:5,1500\nDA:6,1\nDA:7,1\nLF:7\nLH:6\nend_of_record\n"
        );
        // With one byte at a time, the parser reads all.
        for text in [&good, &bad] {
            let expected = read_in(text, 1);
            for size in [2, 7, 30, 64, 100, 1 << 18] {
                assert_eq!(read_in(text, size), expected, "{size}");
            }
        }
        assert!(read_in(&bad, 64).unwrap_err().contains("a `line` has no attribute `number`"));
    }

    #[test]
    fn names_start_from_the_source_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        std::fs::create_dir(folder.path().join("two")).unwrap();
        std::fs::write(folder.path().join("two/a.py"), "").unwrap();
        let several = format!("<source>{place}/one</source><source>{place}/two</source>");
        let there = format!("{place}/two/a.py");
        for (sources, name, expected) in [
            ("", "a.py", "a.py"),
            ("<source>.</source>", "a.py", "a.py"),
            ("<source>/srv/&amp;app/</source>", "a.py", "/srv/&app/a.py"),
            ("<source>./src</source>", "a.py", "src/a.py"),
            ("<source>/srv</source>", "/opt/a.py", "/opt/a.py"),
            ("<source>C:\\srv</source>", "a\\b.cs", "C:\\srv\\a\\b.cs"),
            ("<source>/srv</source>", "C:\\b.cs", "C:\\b.cs"),
            (several.as_str(), "a.py", there.as_str()),
            (several.as_str(), "gone.py", "gone.py"),
        ] {
            let text = report(sources, &format!("<class filename='{name}'/>"));
            let report = read(text.as_bytes()).unwrap();
            assert_eq!(report.files().next().unwrap().0, expected, "{sources}");
        }
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let text = "SF:/srv/app/a.c\nBRDA:2,0,0,3\nBRDA:2,0,1,-\nDA:1,5\nDA:2,0\nend_of_record\nSF:/srv/app/sub/\"b\" & <c>.c\nDA:7,1\nend_of_record\n";
        let first = lcov::read(text.as_bytes()).unwrap();
        let mut out = Vec::new();
        write(&first, 0, &mut out).unwrap();
        let again = read(&*out).unwrap();
        for ((name, file), (other, of_other)) in first.files().zip(again.files()) {
            assert_eq!(name, other);
            let (file, of_other) = (file.total(), of_other.total());
            assert_eq!(file.lines(), of_other.lines());
            assert_eq!(file.taken_branches(), of_other.taken_branches());
        }
        assert_eq!(again.files().len(), 2);
        // Nothing is lost by another turn.
        let mut twice = Vec::new();
        write(&again, 0, &mut twice).unwrap();
        assert_eq!(String::from_utf8(twice).unwrap(), String::from_utf8(out).unwrap());
    }

    #[test]
    fn branches_that_are_only_counted_stay_the_least_number() {
        let text = |taken: u32| {
            report(
                "",
                &format!(
                    "<class filename='a'><lines><line number='1' hits='1' branch='true' condition-coverage='5% ({taken}/4)'/></lines></class>"
                ),
            )
        };
        let mut both = read(text(1).as_bytes()).unwrap();
        both.merge(read(text(3).as_bytes()).unwrap());
        let counts = both.files().next().unwrap().1.total();
        assert_eq!(counts.branch_counts().get(&1), Some(&(3, 4)));
        assert_eq!(counts.lines(), [(1, 2)]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_byte() {
        let not_cobertura = "this XML is no report in the format of Cobertura";
        for (text, kind, message) in [
            ("<html/>", ErrorKind::NotADataFile, not_cobertura),
            ("<report name='jacoco'><class/></report>", ErrorKind::NotADataFile, not_cobertura),
            ("<coverage><packages>", ErrorKind::Corrupt, "the file ends before `</coverage>`"),
            (
                "<coverage><class/></coverage>",
                ErrorKind::Corrupt,
                "a `class` has no attribute `filename`",
            ),
            (
                "<coverage><class filename='a'><line number='x' hits='1'/></class></coverage>",
                ErrorKind::Corrupt,
                "a `line` has no attribute `number`",
            ),
            (
                "<coverage><class filename='a'><line number='1'/></class></coverage>",
                ErrorKind::Corrupt,
                "a `line` has no attribute `hits`",
            ),
            (
                "<coverage><class filename='&other;'/></coverage>",
                ErrorKind::Corrupt,
                "this is not XML",
            ),
            (
                "<coverage><class filename='a&#10;DA:1,1'/></coverage>",
                ErrorKind::Corrupt,
                "the attribute `filename` has the end of a line in it",
            ),
            ("<coverage></packages></coverage>", ErrorKind::Corrupt, "this is not XML"),
            (
                "<coverage><class filename='a'/></coverage>\n<coverage/>",
                ErrorKind::Corrupt,
                "there is more behind `</coverage>`",
            ),
            (
                "<coverage><class filename='a'/></coverage>SF:a.c",
                ErrorKind::Corrupt,
                "there is more behind `</coverage>`",
            ),
            (
                "<coverage><coverage></coverage><class filename='a'/></coverage>",
                ErrorKind::Corrupt,
                "there is a `coverage` in a `coverage`",
            ),
        ] {
            let err = read(text.as_bytes()).unwrap_err();
            assert_eq!(err.kind(), kind, "{text}");
            assert!(err.to_string().contains(message), "{text}: {err}");
        }
    }

    #[test]
    fn what_says_nothing_may_follow() {
        let text = "<coverage><class filename='a'><line number='1' hits='1'/></class></coverage>\n<!-- made by a tool -->\n";
        assert_eq!(read(text.as_bytes()).unwrap().files().len(), 1);
    }

    #[test]
    fn an_attribute_without_end_is_refused() {
        let endless = io::repeat(b'x').take(2 * LONGEST);
        let input = io::BufReader::new((&b"<coverage a='"[..]).chain(endless));
        let err = read(input).unwrap_err();
        assert!(err.to_string().contains("a tag or a text of more than"), "{err}");
        // Depth costs nothing.
        let deep = format!("<coverage>{}", "<a>".repeat(100_000));
        assert_eq!(read(deep.as_bytes()).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}
