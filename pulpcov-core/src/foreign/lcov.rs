//! Tracefiles of lcov, as the manual of geninfo describes them (lcov 2.4, `geninfo(1)`, "Files").

use std::borrow::Cow;
use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{HashMap, HashSet};
use std::io::{self, Read, Write};

use super::counts::{Condition, Counts, Decided, merge_all};
use super::{Branch, BranchKind, BranchName, File, Function, Report};
use crate::error::{Error, ErrorKind, Position, Result};

/// How many bytes are read at a time.
const CHUNK: usize = 1 << 20;

/// The longest line in bytes. Names of C++ functions can be long.
const LONGEST_LINE: usize = 16 << 20;

/// All numbers of this many digits fit into 64 bits.
const SHORT: usize = 19;

/// Why a tracefile cannot be read.
#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("this is not a tracefile of lcov")]
    NotATracefile,
    #[error("a record that no tracefile has: {0:?}")]
    Unknown(String),
    #[error("the parts of the record cannot be read: {0:?}")]
    Malformed(String),
    #[error("the record comes before the name of its file")]
    NoFile,
    #[error("the records of {0:?} have no `end_of_record`")]
    Cut(String),
    #[error("the name is not UTF-8: {0:?}")]
    NotUtf8(String),
    #[error("the report has no files")]
    NoFiles,
    #[error("a line of more than {LONGEST_LINE} bytes")]
    TooLong,
    #[error("FNA names the function {0}, which no FNL defines")]
    NoFunction(u32),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Returns whether bytes that a file begins with are those of a tracefile.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::lcov;
///
/// assert!(lcov::is_tracefile(b"# made by a tool\nTN:\nSF:a.c\n"));
/// assert!(!lcov::is_tracefile(b"<?xml version=\"1.0\"?>"));
/// ```
pub fn is_tracefile(head: &[u8]) -> bool {
    let mut lines = head.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with(b"#"));
    first.is_some_and(|line| [&b"TN:"[..], b"SF:", b"KF:"].iter().any(|key| line.starts_with(key)))
}

/// Reads a tracefile. The sums in it are not looked at: they follow from the other records.
///
/// # Errors
///
/// - [`ErrorKind::NotADataFile`] if it is no tracefile;
/// - [`ErrorKind::NoData`] if it has no files;
/// - [`ErrorKind::Corrupt`], with the line, if a record cannot be read, or if the end is missing;
/// - [`ErrorKind::Io`] if `input` cannot be read.
///
/// # Examples
///
/// ```
/// use pulpcov_core::ErrorKind;
/// use pulpcov_core::foreign::lcov;
///
/// let report = lcov::read(&b"TN:\nSF:src/a.js\nDA:1,4\nLF:1\nLH:1\nend_of_record\n"[..])?;
/// assert_eq!(report.files().len(), 1);
///
/// let err = lcov::read(&b"SF:a.js\nDA:one,4\n"[..]).unwrap_err();
/// assert_eq!(err.kind(), ErrorKind::Corrupt);
/// assert_eq!(err.to_string(), "line 2: the parts of the record cannot be read: \"DA:one,4\"");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn read(mut input: impl Read) -> Result<Report> {
    let mut reader = Reader::default();
    let done = reader.read(&mut input);
    done.map_err(|cause| {
        let position = Position::Line { line: reader.number, column: None };
        match cause {
            Cause::Io(err) => Error::new(ErrorKind::Io, err),
            Cause::NotATracefile => Error::new(ErrorKind::NotADataFile, cause),
            Cause::NoFiles => Error::new(ErrorKind::NoData, cause),
            cause => Error::new(ErrorKind::Corrupt, cause).at(position),
        }
    })?;
    Ok(reader.finish())
}

#[derive(Default)]
struct Reader {
    /// The records of each file under each test name. A tracefile may have several parts with both.
    sections: BTreeMap<(String, String), Vec<Counts>>,
    versions: BTreeMap<String, Box<str>>,
    /// The number of the line that is read.
    number: usize,
    test: String,
    section: Option<Section>,
}

/// The records of a file, up to `end_of_record`.
struct Section {
    name: String,
    version: Option<Box<str>>,
    counts: Counts,
    /// The line and the number of the last block of branches.
    block: Option<(u32, u64)>,
    /// The first and the last line of each function that `FNL` defined, by its number.
    functions: HashMap<u32, (u32, Option<u32>)>,
}

impl Reader {
    fn read(&mut self, input: &mut impl Read) -> Result<(), Cause> {
        let mut buffer = vec![0; CHUNK];
        let mut filled = 0;
        loop {
            let read = match input.read(buffer.get_mut(filled..).unwrap_or_default()) {
                Ok(read) => read,
                Err(err) if err.kind() == io::ErrorKind::Interrupted => continue,
                Err(err) => return Err(err.into()),
            };
            // Before the bytes that are new, there is no end of a line.
            let new = buffer.get(filled..filled + read).unwrap_or_default();
            let end = memchr::memrchr(b'\n', new).map_or(0, |newline| filled + newline + 1);
            filled += read;
            let bytes = buffer.get(..filled).unwrap_or_default();
            // The last line may have no end.
            let (lines, _) = bytes.split_at(if read == 0 { filled } else { end });
            let lines = match self.number {
                0 => lines.strip_prefix("\u{feff}".as_bytes()).unwrap_or(lines),
                _ => lines,
            };
            self.lines(lines)?;
            if read == 0 {
                break;
            }
            buffer.copy_within(end..filled, 0);
            filled -= end;
            if filled == buffer.len() {
                if filled >= LONGEST_LINE {
                    self.number += 1;
                    return Err(Cause::TooLong);
                }
                buffer.resize(2 * filled, 0);
            }
        }
        match (&self.section, self.number) {
            (Some(section), _) => Err(Cause::Cut(section.name.clone())),
            (None, 0) => Err(Cause::NotATracefile),
            (None, _) if self.sections.is_empty() => Err(Cause::NoFiles),
            (None, _) => Ok(()),
        }
    }

    fn lines(&mut self, text: &[u8]) -> Result<(), Cause> {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            self.line(text.get(start..end).unwrap_or_default())?;
            start = end + 1;
        }
        match text.get(start..) {
            Some(last) if !last.is_empty() => self.line(last),
            _ => Ok(()),
        }
    }

    #[inline]
    fn line(&mut self, line: &[u8]) -> Result<(), Cause> {
        self.number += 1;
        // Windows ends lines with a carriage return, and lcov takes no white space at their ends for a part of a name.
        let line = line.trim_ascii_end();
        // Most lines are of these kinds.
        if let Some(section) = &mut self.section {
            match line {
                [b'D', b'A', b':', rest @ ..] => {
                    return section.line(rest).ok_or_else(|| malformed(line));
                }
                [b'B', b'R', b'D', b'A', b':', rest @ ..] => {
                    return section.branch(rest).ok_or_else(|| malformed(line));
                }
                _ => {}
            }
        }
        self.other_line(line)
    }

    fn other_line(&mut self, line: &[u8]) -> Result<(), Cause> {
        let Some(colon) = memchr::memchr(b':', line) else { return self.word(line) };
        let (key, rest) = line.split_at(colon);
        let rest = rest.get(1..).unwrap_or_default();
        let text = || str::from_utf8(rest).map_err(|_| Cause::NotUtf8(excerpt(rest)));
        match key {
            b"TN" => {
                self.test.clear();
                self.test.push_str(text()?);
                return Ok(());
            }
            b"SF" | b"KF" => {
                if let Some(section) = &self.section {
                    return Err(Cause::Cut(section.name.clone()));
                }
                self.section = Some(Section::new(text()?.to_owned()));
                return Ok(());
            }
            // Sums, and what a comment is.
            b"LF" | b"LH" | b"FNF" | b"FNH" | b"BRF" | b"BRH" | b"MCF" | b"MCH" => return Ok(()),
            _ if line.starts_with(b"#") => return Ok(()),
            b"VER" | b"DA" | b"FN" | b"FNDA" | b"FNL" | b"FNA" | b"BRDA" | b"MCDC" => {}
            _ => return Err(self.unknown(line)),
        }
        let section = self.section.as_mut().ok_or(Cause::NoFile)?;
        let done = match key {
            b"VER" => {
                section.version = Some(text()?.into());
                Some(())
            }
            b"FN" => section.function(text()?),
            b"FNDA" => section.function_hits(text()?),
            b"FNL" => section.function_lines(text()?),
            b"FNA" => section.function_alias(text()?)?,
            b"BRDA" => section.branch(rest),
            _ => section.condition(text()?),
        };
        done.ok_or_else(|| malformed(line))
    }

    /// Reads a line without a colon.
    fn word(&mut self, line: &[u8]) -> Result<(), Cause> {
        match line.trim_ascii() {
            b"" => Ok(()),
            b"end_of_record" => {
                let Some(mut section) = self.section.take() else { return Err(Cause::NoFile) };
                section.counts.finish();
                let Section { name, version, counts, .. } = section;
                if let Some(version) = version {
                    self.versions.insert(name.clone(), version);
                }
                self.sections.entry((name, self.test.clone())).or_default().push(counts);
                Ok(())
            }
            comment if comment.starts_with(b"#") => Ok(()),
            _ => Err(self.unknown(line)),
        }
    }

    fn unknown(&self, line: &[u8]) -> Cause {
        match self.section.is_none() && self.sections.is_empty() {
            true => Cause::NotATracefile,
            false => Cause::Unknown(excerpt(line)),
        }
    }

    fn finish(mut self) -> Report {
        let mut report = Report::new();
        for ((name, test), parts) in self.sections {
            let version = self.versions.remove(&name);
            report.add(name, test, version, merge_all(parts));
        }
        report
    }
}

impl Section {
    fn new(name: String) -> Self {
        let counts = Counts::default();
        Self { name, version: None, counts, block: None, functions: HashMap::new() }
    }

    /// `<line>,<hits>[,<checksum>]`
    #[inline]
    fn line(&mut self, rest: &[u8]) -> Option<()> {
        let (line, rest) = number(rest)?;
        let rest = rest.strip_prefix(b",")?;
        let line = u32::try_from(line).ok()?;
        if let Some((hits, b"")) = number(rest) {
            self.counts.add_line(line, hits);
            return Some(());
        }
        let (count, checksum) = split_first(str::from_utf8(rest).ok()?);
        self.counts.add_line(line, hits(count)?);
        if let Some(checksum) = checksum {
            self.counts.add_checksum(line, checksum);
        }
        Some(())
    }

    /// `<first line>,[<last line>,]<name>`
    fn function(&mut self, rest: &str) -> Option<()> {
        let (first, rest) = rest.split_once(',')?;
        let (last, name) = match rest.split_once(',') {
            Some((last, name)) if last.bytes().all(|b| b.is_ascii_digit()) && !last.is_empty() => {
                (Some(last.parse().ok()?), name)
            }
            _ => (None, rest),
        };
        self.counts.functions_mut().define(name, first.parse().ok()?, last, 0);
        Some(())
    }

    /// `<hits>,<name>`
    fn function_hits(&mut self, rest: &str) -> Option<()> {
        let (count, name) = rest.split_once(',')?;
        self.counts.functions_mut().count(name, hits(count)?);
        Some(())
    }

    /// `<number>,<first line>[,<last line>]`
    fn function_lines(&mut self, rest: &str) -> Option<()> {
        let (number, rest) = rest.split_once(',')?;
        let (first, last) = split_first(rest);
        let last = last.map(str::parse).transpose().ok()?;
        self.functions.insert(number.parse().ok()?, (first.parse().ok()?, last));
        Some(())
    }

    /// `<number>,<hits>,<name>`
    fn function_alias(&mut self, rest: &str) -> Result<Option<()>, Cause> {
        let parts = || {
            let (number, rest) = rest.split_once(',')?;
            let (count, name) = rest.split_once(',')?;
            Some((number.parse::<u32>().ok()?, hits(count)?, name))
        };
        let Some((number, hits, name)) = parts() else { return Ok(None) };
        let (first, last) = *self.functions.get(&number).ok_or(Cause::NoFunction(number))?;
        self.counts.functions_mut().define(name, first, last, hits);
        Ok(Some(()))
    }

    /// `<line>,[e|f][U]<block>,<branch>,<taken>`. The branch may have commas.
    #[inline]
    fn branch(&mut self, rest: &[u8]) -> Option<()> {
        let (line, rest) = number(rest)?;
        let rest = rest.strip_prefix(b",")?;
        let (kind, rest) = match rest {
            [b'e', rest @ ..] => (BranchKind::Exception, rest),
            [b'f', rest @ ..] => (BranchKind::FallThrough, rest),
            _ => (BranchKind::Condition, rest),
        };
        let (is_excluded, rest) = match rest {
            [b'U', rest @ ..] => (true, rest),
            _ => (false, rest),
        };
        let (block, rest) = number(rest)?;
        let rest = rest.strip_prefix(b",")?;
        let (name, taken) = rest.split_at_checked(memchr::memrchr(b',', rest)?)?;
        let name = branch_name(name)?;
        let taken = match taken.get(1..)? {
            b"-" => None,
            taken => Some(hits(taken)?),
        };
        let of_block = (u32::try_from(line).ok()?, block);
        if self.block.replace(of_block) != Some(of_block) {
            self.counts.branches_mut().begin(of_block.0);
        }
        self.counts.branches_mut().push(Branch { name, kind, is_excluded, taken });
        Some(())
    }

    /// `<line>,[U]<group size>,<sense>,<hits>,<index>,<expression>`
    fn condition(&mut self, rest: &str) -> Option<()> {
        let mut parts = rest.splitn(6, ',');
        let mut next = || parts.next();
        let (line, size, sense) = (next()?, next()?, next()?);
        let (count, index, expression) = (next()?, next()?, next()?);
        let (is_excluded, size) = match size.strip_prefix('U') {
            Some(size) => (true, size),
            None => (false, size),
        };
        let condition = Condition {
            line: line.parse().ok()?,
            group_size: size.parse().ok()?,
            index: index.parse().ok()?,
            is_false: match sense {
                "t" => false,
                "f" => true,
                _ => return None,
            },
            expression: expression.into(),
        };
        self.counts.add_condition(condition, Decided { hits: hits(count)?, is_excluded });
        Some(())
    }
}

fn malformed(line: &[u8]) -> Cause {
    Cause::Malformed(excerpt(line))
}

/// Returns the start of a line, for a message.
fn excerpt(line: &[u8]) -> String {
    String::from_utf8_lossy(line).chars().take(60).collect()
}

/// Splits digits off, and returns their number, which is the largest one if it is too large.
#[inline]
fn number(text: &[u8]) -> Option<(u64, &[u8])> {
    let (mut sum, mut at) = (0_u64, 0);
    while let Some(digit) = text.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|d| *d < 10) {
        // Most numbers are short, and saturating takes longer.
        sum = match at < SHORT {
            true => sum * 10 + u64::from(digit),
            false => sum.saturating_mul(10).saturating_add(u64::from(digit)),
        };
        at += 1;
    }
    if at == 0 { None } else { Some((sum, text.get(at..).unwrap_or_default())) }
}

fn branch_name(name: &[u8]) -> Option<BranchName> {
    // `01` is another name than `1`.
    match number(name) {
        Some((number, b"")) if name.first() != Some(&b'0') || name.len() == 1 => {
            u32::try_from(number).ok().map(BranchName::Number)
        }
        _ => None,
    }
    .or_else(|| Some(BranchName::Text(str::from_utf8(name).ok()?.into())))
}

/// Reads a count. Tools write large ones as floating-point numbers. A negative one is the fault of the tool, and says nothing.
pub(super) fn hits(text: impl AsRef<[u8]>) -> Option<u64> {
    let text = text.as_ref();
    if let Some((hits, b"")) = number(text) {
        return Some(hits);
    }
    let hits: f64 = str::from_utf8(text).ok()?.parse().ok()?;
    // The cast saturates.
    (hits.is_finite() && hits >= 0.0).then_some(hits as u64)
}

fn split_first(text: &str) -> (&str, Option<&str>) {
    text.split_once(',').map_or((text, None), |(first, rest)| (first, Some(rest)))
}

/// Writes a report as a tracefile, with sums.
///
/// Test names have only letters, digits and underscores there. Other characters become underscores, as they do when lcov reads a
/// tracefile, and tests whose names become the same are one.
///
/// Functions are written as lcov before 2.2 did, because older versions and most services read no other records. The last line of a
/// function, which coverage.py writes too, is read by lcov 2.
///
/// # Errors
///
/// [`ErrorKind::Output`] if `out` cannot be written to.
///
/// # Examples
///
/// See the [module](super).
pub fn write(report: &Report, out: &mut impl Write) -> Result<()> {
    write_report(report, out).map_err(|err| Error::new(ErrorKind::Output, err))
}

fn write_report(report: &Report, out: &mut impl Write) -> io::Result<()> {
    report.files().try_for_each(|(name, file)| write_file(name, file, out))
}

/// Writes the records of a file.
pub(crate) fn write_file(name: &str, file: &File, out: &mut impl Write) -> io::Result<()> {
    for (test, counts) in &tests_by_word(file) {
        write!(out, "TN:{test}\nSF:{name}\n")?;
        if let Some(version) = file.version() {
            writeln!(out, "VER:{version}")?;
        }
        write_functions(counts, out)?;
        write_branches(counts, out)?;
        write_conditions(counts, out)?;
        write_lines(counts, out)?;
        writeln!(out, "end_of_record")?;
    }
    Ok(())
}

/// Returns the tests by names that lcov takes.
fn tests_by_word(file: &File) -> BTreeMap<String, Cow<'_, Counts>> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut tests = BTreeMap::new();
    for (name, counts) in file.tests() {
        match tests.entry(name.replace(|c| !is_word(c), "_")) {
            Entry::Vacant(entry) => drop(entry.insert(Cow::Borrowed(counts))),
            Entry::Occupied(entry) => entry.into_mut().to_mut().merge(counts.clone()),
        }
    }
    tests
}

fn write_functions(counts: &Counts, out: &mut impl Write) -> io::Result<()> {
    let functions = counts.bound_functions();
    if functions.is_empty() {
        return Ok(());
    }
    let (mut known, mut shared) = (HashSet::new(), HashSet::new());
    for Function { name, .. } in &functions {
        if !known.insert(name) {
            shared.insert(name);
        }
    }
    // A name that begins with a number would be taken for a last line, and a name of several functions would not say which.
    let is_unclear = |function: &&Function| {
        let digits = function.name.bytes().take_while(u8::is_ascii_digit).count();
        let begins = digits > 0 && function.name.as_bytes().get(digits) == Some(&b',');
        function.first_line.is_some() && (begins || shared.contains(&function.name))
    };
    let (unclear, clear): (Vec<_>, Vec<_>) = functions.iter().partition(is_unclear);
    let last = |function: &Function| {
        function.last_line.map_or_else(String::new, |last| format!(",{last}"))
    };
    for function in &clear {
        if let Some(first) = function.first_line {
            writeln!(out, "FN:{first}{},{}", last(function), function.name)?;
        }
    }
    for Function { name, hits, .. } in &clear {
        writeln!(out, "FNDA:{hits},{name}")?;
    }
    for (number, function) in unclear.iter().enumerate() {
        let Function { name, hits, .. } = function;
        let first = function.first_line.unwrap_or_default();
        write!(out, "FNL:{number},{first}{}\nFNA:{number},{hits},{name}\n", last(function))?;
    }
    let hit = functions.iter().filter(|function| function.hits > 0).count();
    write!(out, "FNF:{}\nFNH:{hit}\n", functions.len())
}

fn write_branches(counts: &Counts, out: &mut impl Write) -> io::Result<()> {
    if counts.branches().is_empty() && counts.branch_counts().is_empty() {
        return Ok(());
    }
    let (mut found, mut hit) = (0_usize, 0_usize);
    let mut blocks_of = BTreeMap::<u32, usize>::new();
    for (line, block) in counts.branches().blocks() {
        let next = blocks_of.entry(line).or_default();
        let block_number = *next;
        *next += 1;
        for branch in block {
            let kind = match branch.kind {
                BranchKind::Condition => "",
                BranchKind::Exception => "e",
                BranchKind::FallThrough => "f",
            };
            let excluded = if branch.is_excluded { "U" } else { "" };
            write!(out, "BRDA:{line},{kind}{excluded}{block_number},{},", branch.name)?;
            match branch.taken {
                Some(taken) => writeln!(out, "{taken}")?,
                None => writeln!(out, "-")?,
            }
            found += usize::from(!branch.is_excluded);
            hit += usize::from(!branch.is_excluded && branch.taken.is_some_and(|taken| taken > 0));
        }
    }
    // Which of them were taken is not known, so these are the first ones.
    let mut text = Vec::new();
    for (line, (taken, all)) in counts.unnamed_branches() {
        let block_number = blocks_of.get(&line).copied().unwrap_or_default();
        for branch in 0..all {
            text.extend_from_slice(b"BRDA:");
            push(&mut text, line, b',');
            push(&mut text, block_number, b',');
            push(&mut text, branch, b',');
            text.extend_from_slice(if branch < taken { b"1\n" } else { b"0\n" });
        }
        found += all as usize;
        hit += taken as usize;
    }
    out.write_all(&text)?;
    write!(out, "BRF:{found}\nBRH:{hit}\n")
}

fn write_conditions(counts: &Counts, out: &mut impl Write) -> io::Result<()> {
    if counts.conditions().is_empty() {
        return Ok(());
    }
    let (mut found, mut hit) = (0_usize, 0_usize);
    for (condition, &Decided { hits, is_excluded }) in counts.conditions() {
        let excluded = if is_excluded { "U" } else { "" };
        let sense = if condition.is_false { 'f' } else { 't' };
        let Condition { line, group_size, index, expression, .. } = condition;
        writeln!(out, "MCDC:{line},{excluded}{group_size},{sense},{hits},{index},{expression}")?;
        found += usize::from(!is_excluded);
        hit += usize::from(!is_excluded && hits > 0);
    }
    write!(out, "MCF:{found}\nMCH:{hit}\n")
}

fn write_lines(counts: &Counts, out: &mut impl Write) -> io::Result<()> {
    let mut text = Vec::new();
    let mut hit = 0_usize;
    for &(line, hits) in counts.lines() {
        hit += usize::from(hits > 0);
        text.extend_from_slice(b"DA:");
        push(&mut text, line, b',');
        match counts.checksums().get(&line) {
            Some(checksum) => {
                push(&mut text, hits, b',');
                text.extend_from_slice(checksum.as_bytes());
                text.push(b'\n');
            }
            None => push(&mut text, hits, b'\n'),
        }
    }
    out.write_all(&text)?;
    write!(out, "LF:{}\nLH:{hit}\n", counts.lines().len())
}

/// Appends a number and what is behind it. Most of a tracefile are numbers, and `write!` takes several times as long.
fn push(text: &mut Vec<u8>, number: impl itoa::Integer, behind: u8) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    text.push(behind);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is written of tracefiles that are merged.
    fn merged(texts: &[&str]) -> String {
        let mut all = Report::new();
        for text in texts {
            all.merge(read(text.as_bytes()).unwrap());
        }
        let mut out = Vec::new();
        write(&all, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Puts records into a file, as they are written.
    fn file(records: &str) -> String {
        format!("TN:\nSF:a.c\n{records}end_of_record\n")
    }

    #[test]
    fn each_record_is_read_and_written() {
        let all = file(
            "VER:7\nFN:3,9,f\nFN:4,g(int, char)\nFNDA:2,f\nFNDA:0,g(int, char)\nFNF:2\nFNH:1\n\
             BRDA:5,e0,a,b,0\nBRDA:5,1,0,-\nBRDA:5,1,1,3\nBRDA:6,fU0,x,1\nBRF:3\nBRH:1\n\
             MCDC:6,2,t,1,0,a\nMCDC:6,U2,f,0,1,b, c\nMCF:1\nMCH:1\n\
             DA:3,2,abc==\nDA:4,0\nLF:2\nLH:1\n",
        );
        assert_eq!(merged(&[&all]), all);
        let windows = all.replace('\n', "\r\n");
        assert_eq!(merged(&[&format!("# made by hand\n\n{windows}")]), all);
    }

    #[test]
    fn sums_that_lie_are_computed_again() {
        let records = "DA:1,1\nLF:99\nLH:0\n";
        assert_eq!(merged(&[&file(records)]), file("DA:1,1\nLF:1\nLH:1\n"));
    }

    #[test]
    fn counts_are_read_as_tools_write_them() {
        for (count, hits) in
            [("1.5e+03", "1500"), ("99999999999999999999", "18446744073709551615"), ("0012", "12")]
        {
            let hit = usize::from(hits != "0");
            let expected = file(&format!("DA:1,{hits}\nLF:1\nLH:{hit}\n"));
            assert_eq!(merged(&[&file(&format!("DA:1,{count}\n"))]), expected);
        }
        let most = file(&format!("DA:1,{}\n", u64::MAX));
        assert_eq!(merged(&[&most, &most]), file(&format!("DA:1,{}\nLF:1\nLH:1\n", u64::MAX)));
    }

    #[test]
    fn lines_need_no_order() {
        let records = "DA:7,1\nDA:2,1\nDA:7,4\nDA:5,0\nDA:2,1\n";
        let expected = file("DA:2,2\nDA:5,0\nDA:7,5\nLF:3\nLH:2\n");
        assert_eq!(merged(&[&file(records)]), expected);
        assert_eq!(
            merged(&[&file("DA:1,1\nDA:4,1\n"), &file("DA:1,1\nDA:3,0\nDA:9,2\n")]),
            file("DA:1,2\nDA:3,0\nDA:4,1\nDA:9,2\nLF:4\nLH:3\n")
        );
    }

    #[test]
    fn functions_are_found_by_their_names() {
        let expected = file("FN:1,f\nFN:5,g\nFNDA:3,f\nFNDA:4,g\nFNF:2\nFNH:2\nLF:0\nLH:0\n");
        for texts in [
            // In another order, counted before they are defined, and in the format since lcov 2.2.
            vec![file("FN:5,g\nFN:1,f\nFNDA:3,f\nFNDA:4,g\n")],
            vec![file("FNDA:4,g\nFN:1,f\nFNDA:3,f\nFN:5,g\n")],
            vec![file("FNL:0,5\nFNA:0,4,g\nFNL:1,1\nFNA:1,3,f\n")],
            vec![file("FN:1,f\nFNDA:3,f\n"), file("FN:5,g\nFNDA:4,g\n")],
            vec![file("FN:1,f\nFN:5,g\nFNDA:3,f\nFNDA:1,g\n"), file("FN:1,f\nFN:5,g\nFNDA:3,g\n")],
        ] {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            assert_eq!(merged(&texts), expected, "{texts:?}");
        }
        // Functions of one name that begin on two lines are two.
        let two = file("FN:1,f\nFN:9,f\nFNDA:1,f\nFNDA:2,f\n");
        let expected = file("FNL:0,1\nFNA:0,1,f\nFNL:1,9\nFNA:1,2,f\nFNF:2\nFNH:2\nLF:0\nLH:0\n");
        assert_eq!(merged(&[&two]), expected);
        assert_eq!(merged(&[&expected]), expected);
    }

    #[test]
    fn blocks_of_branches_are_merged_one_by_one() {
        let block = |number: usize, names: &str, taken: u32| -> String {
            names.chars().map(|name| format!("BRDA:1,{number},{name},{taken}\n")).collect()
        };
        // Two blocks that are the same, and one that is not.
        let first = block(0, "01", 1) + &block(1, "01", 2) + &block(2, "ab", 3);
        let second = block(0, "ab", 30) + &block(1, "01", 10) + &block(2, "ac", 40);
        let all =
            block(0, "01", 11) + &block(1, "01", 2) + &block(2, "ab", 33) + &block(3, "ac", 40);
        let expected = file(&(all + "BRF:8\nBRH:8\nLF:0\nLH:0\n"));
        assert_eq!(merged(&[&file(&first), &file(&second)]), expected);
    }

    #[test]
    fn test_names_stay_apart() {
        let run =
            |test: &str| file("DA:1,1\nLF:1\nLH:1\n").replacen("TN:", &format!("TN:{test}"), 1);
        let (unit, web) = (run("unit"), run("web"));
        assert_eq!(merged(&[&web, &unit]), unit.clone() + &web);
        assert_eq!(merged(&[&(unit.clone() + &web)]), unit + &web);
    }

    #[test]
    fn test_names_are_words() {
        let run = |test: &str, hits: u32| {
            let text = file(&format!("DA:1,{hits}\nLF:1\nLH:1\n"));
            text.replacen("TN:", &format!("TN:{test}"), 1)
        };
        // Names that become the same are one test.
        let texts = [run("a/b.py::c", 1), run("a.b/py--c", 2), run("größe", 4)];
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert_eq!(merged(&texts), run("a_b_py__c", 3) + &run("gr__e", 4));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, kind, message) in [
            ("", ErrorKind::NotADataFile, "this is not a tracefile of lcov"),
            ("<html>\n", ErrorKind::NotADataFile, "this is not a tracefile of lcov"),
            (
                "SF:a\nSF:b\n",
                ErrorKind::Corrupt,
                "line 2: the records of \"a\" have no `end_of_record`",
            ),
            (
                "TN:\nDA:1,1\n",
                ErrorKind::Corrupt,
                "line 2: the record comes before the name of its file",
            ),
            (
                "SF:a\nDA:1\nend_of_record\n",
                ErrorKind::Corrupt,
                "line 2: the parts of the record cannot be read: \"DA:1\"",
            ),
            (
                "SF:a\nDA:4294967296,1\n",
                ErrorKind::Corrupt,
                "line 2: the parts of the record cannot be read: \"DA:4294967296,1\"",
            ),
            (
                "SF:a\nFNA:3,1,f\n",
                ErrorKind::Corrupt,
                "line 2: FNA names the function 3, which no FNL defines",
            ),
            (
                "SF:a\nXYZ:1\n",
                ErrorKind::Corrupt,
                "line 2: a record that no tracefile has: \"XYZ:1\"",
            ),
        ] {
            let err = read(text.as_bytes()).unwrap_err();
            assert_eq!((err.kind(), err.to_string().as_str()), (kind, message), "{text}");
        }
        let err = read(&b"SF:\xff\n"[..]).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Corrupt);
    }

    /// The same, however few bytes are read at a time, and for lines that are longer than what is read at once.
    #[test]
    fn lines_are_read_across_chunks() {
        struct Slow<'a>(&'a [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let count = self.0.len().min(into.len()).min(7);
                let (now, later) = self.0.split_at(count);
                into[..count].copy_from_slice(now);
                self.0 = later;
                Ok(count)
            }
        }
        let text = file(&format!("FN:1,{}\nDA:1,1\n", "long".repeat(CHUNK)));
        assert!(read(Slow(text.as_bytes())).unwrap() == read(text.as_bytes()).unwrap());
        let endless = io::repeat(b'x').take(2 * LONGEST_LINE as u64);
        let err = read((&b"SF:a\n"[..]).chain(endless)).unwrap_err();
        assert_eq!(err.to_string(), format!("line 2: a line of more than {LONGEST_LINE} bytes"));
    }
}
