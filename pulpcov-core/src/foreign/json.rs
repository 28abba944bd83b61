//! JSON reports of other tools. What they have in common, and which one it is.
//!
//! The keys of the outer object tell the formats apart: coverage.py and slipcover have `files`, Codecov's own format has `coverage`,
//! and llvm-cov has `data`. A file of the report is read after the other, so the JSON is never in memory as a whole.

use std::fmt;
use std::io::BufRead;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess};
use serde::de::{SeqAccess, Visitor};
use serde_json::error::Category;

use super::coverage_json::{self, ContextNames, Meta, OtherLanguage};
use super::{Report, codecov, llvm_cov, name_in_tracefile};
use crate::error::{Error, ErrorKind, Position, Result};

/// Why a report cannot be read, apart from what serde says.
#[derive(Debug, thiserror::Error)]
pub(super) enum Cause {
    #[error(
        "this JSON is no report of coverage.py, slipcover or llvm-cov, and not in Codecov's format"
    )]
    Unknown,
    #[error("the report has no files")]
    NoFiles,
    #[error("the name {0:?} has the end of a line in it")]
    LineEnd(String),
    #[error("{0:?} is named twice")]
    Twice(String),
    #[error("the list of contexts has no number {0}")]
    NoContext(usize),
    #[error("the list of a file begins with what is no line: line 1 has the index 1")]
    NoLine,
    #[error("the segments are of {0} lines, which is more than sources have")]
    TooLarge(u64),
    #[error("a file has no `segments`: llvm-cov exported only its summary")]
    OnlySums,
    #[error("{0:?} is no share of branches, such as \"1/2\"")]
    Share(String),
}

/// Reads a JSON report of coverage.py, slipcover or llvm-cov, or one in Codecov's own format.
///
/// | keys | format |
/// |---|---|
/// | `files` | `coverage json` (formats 1 to 3), or `slipcover --json` if `meta` has slipcover as its `software` |
/// | `coverage` | [Codecov's own](https://docs.codecov.com/docs/codecov-custom-coverage-format): an object or a list of lines for each file |
/// | `data` | `llvm-cov export`, also that of `cargo llvm-cov --json` |
///
/// coverage.py and slipcover say that a line ran, but not how often. Such a line counts once, or once for each of its contexts, which
/// become [test names](super::File::tests). So the count is the least number that is possible.
///
/// # Errors
///
/// - [`ErrorKind::NotADataFile`] if it is JSON, but no such report;
/// - [`ErrorKind::NoData`] if it has no files;
/// - [`ErrorKind::Corrupt`], with line and column, if it is no JSON, a part is missing, or it is cut;
/// - [`ErrorKind::Io`] if `input` cannot be read.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::json;
///
/// let text = br#"{"coverage": {"a.rb": {"1": 5, "2": 0, "3": "1/2"}}}"#;
/// let report = json::read(&text[..])?;
/// let (name, file) = report.files().next().unwrap();
/// assert_eq!((name, file.total().lines()), ("a.rb", &[(1, 5), (2, 0), (3, 1)][..]));
/// assert_eq!(file.total().branch_counts()[&3], (1, 2));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn read(mut input: impl BufRead) -> Result<Report> {
    let io = |err: std::io::Error| Error::new(ErrorKind::Io, err);
    if input.fill_buf().map_err(io)?.starts_with("\u{feff}".as_bytes()) {
        input.consume("\u{feff}".len());
    }
    let mut content = Content::default();
    let mut json = serde_json::Deserializer::from_reader(input);
    let done = content.deserialize(&mut json).and_then(|()| json.end());
    done.map_err(|err| located(&err))?;
    let Content { is_known, mut report, meta, python, .. } = content;
    if !is_known {
        return Err(Error::new(ErrorKind::NotADataFile, Cause::Unknown));
    }
    python.add_to(&mut report, meta.producer());
    if report.files().len() == 0 {
        return Err(Error::new(ErrorKind::NoData, Cause::NoFiles));
    }
    Ok(report)
}

/// Makes the error for bad JSON.
fn located(err: &serde_json::Error) -> Error {
    let text = err.to_string();
    let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
    match err.classify() {
        Category::Io => Error::new(ErrorKind::Io, reason.to_owned()),
        _ => Error::new(ErrorKind::Corrupt, reason.to_owned())
            .at(Position::Line { line: err.line(), column: Some(err.column()) }),
    }
}

/// What was read of the outer object.
#[derive(Default)]
struct Content {
    is_known: bool,
    report: Report,
    meta: Meta,
    contexts: ContextNames,
    /// The files of coverage.py or slipcover. Which of them it is may be known only at the end.
    python: coverage_json::Files,
}

impl<'de> DeserializeSeed<'de> for &mut Content {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Content {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(key) = members.next_key::<String>()? {
            self.is_known |= matches!(key.as_str(), "files" | "coverage" | "data");
            let Content { report, meta, contexts, python, .. } = &mut *self;
            match key.as_str() {
                "meta" => *meta = members.next_value()?,
                "contexts" => *contexts = members.next_value()?,
                "files" => {
                    members.next_value_seed(Members::new(|name, file| {
                        python.add(name, file, contexts)
                    }))?;
                }
                "other_languages" => {
                    members.next_value_seed(Members::new(|_, language: OtherLanguage| {
                        language.add_to(report)
                    }))?;
                }
                "coverage" => {
                    members.next_value_seed(Members::new(|name, lines| {
                        codecov::add(report, name, lines)
                    }))?;
                }
                "data" => members.next_value_seed(llvm_cov::Data(report))?,
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// Returns the name of a file or a function as a report holds it.
pub(super) fn checked_name(name: &str) -> Result<String, Cause> {
    name_in_tracefile(name).map(str::to_owned).ok_or_else(|| Cause::LineEnd(name.to_owned()))
}

/// Hands each member of an object to a function, one after the other.
pub(super) struct Members<T, F> {
    take: F,
    of: PhantomData<T>,
}

impl<T, F: FnMut(String, T) -> Result<(), Cause>> Members<T, F> {
    pub(super) fn new(take: F) -> Self {
        Self { take, of: PhantomData }
    }
}

impl<'de, T, F> DeserializeSeed<'de> for Members<T, F>
where
    T: Deserialize<'de>,
    F: FnMut(String, T) -> Result<(), Cause>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de, T, F> Visitor<'de> for Members<T, F>
where
    T: Deserialize<'de>,
    F: FnMut(String, T) -> Result<(), Cause>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        while let Some((key, value)) = members.next_entry()? {
            (self.take)(key, value).map_err(de::Error::custom)?;
        }
        Ok(())
    }
}

/// Hands each element of an array to a function, one after the other.
pub(super) struct Elements<T, F> {
    take: F,
    of: PhantomData<T>,
}

impl<T, F: FnMut(T) -> Result<(), Cause>> Elements<T, F> {
    pub(super) fn new(take: F) -> Self {
        Self { take, of: PhantomData }
    }
}

impl<'de, T, F> DeserializeSeed<'de> for Elements<T, F>
where
    T: Deserialize<'de>,
    F: FnMut(T) -> Result<(), Cause>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, T, F> Visitor<'de> for Elements<T, F>
where
    T: Deserialize<'de>,
    F: FnMut(T) -> Result<(), Cause>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        while let Some(element) = elements.next_element()? {
            (self.take)(element).map_err(de::Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::lcov;

    fn as_lcov(text: &str) -> String {
        let mut out = Vec::new();
        lcov::write(&read(text.as_bytes()).unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Returns the sections of a tracefile of one file.
    fn sections(records: &[(&str, &str)]) -> String {
        let section = |(test, records): &(&str, &str)| {
            format!("TN:{test}\nSF:a.py\n{records}end_of_record\n")
        };
        records.iter().map(section).collect()
    }

    #[test]
    fn contexts_become_tests() {
        // Line 1 ran outside of tests, line 2 in both tests, and line 3 in one of them and outside. Line 7 is excluded.
        let expected = sections(&[
            ("", "DA:1,1\nDA:2,0\nDA:3,1\nDA:4,0\nLF:4\nLH:2\n"),
            ("one", "DA:2,1\nDA:3,1\nLF:2\nLH:2\n"),
            ("two", "DA:2,1\nLF:1\nLH:1\n"),
        ]);
        let names = r#"{"meta": {"format": 3}, "files": {"a.py": {"executed_lines": [1, 2, 3, 7], "missing_lines": [4], "excluded_lines": [7],
            "contexts": {"1": [""], "2": ["one", "two"], "3": ["one", ""], "7": ["one"], "-1": ["two"]}}}}"#;
        assert_eq!(as_lcov(names), expected);
        let numbers = r#"{"contexts": ["", "one", "two", "two"], "files": {"a.py": {"executed_lines": [1, 2, 3], "missing_lines": [4],
            "contexts": {"2": [1, 3], "3": [1, 0]}}}}"#;
        assert_eq!(as_lcov(numbers), expected);
        // The lines of a file are those of all its tests, so these two reports do not differ.
        let mut both = read(names.as_bytes()).unwrap();
        both.merge(read(numbers.replace("[1, 3]", "[2]").as_bytes()).unwrap());
        assert_eq!(both.differing().count(), 0);
        let total = both.files().next().unwrap().1.total();
        assert_eq!(total.lines(), [(1, 2), (2, 3), (3, 4), (4, 0)]);
    }

    #[test]
    fn branches_have_the_words_of_their_tool() {
        let branches = r#""executed_lines": [1], "missing_lines": [4], "executed_branches": [[1, 2], [1, -3]], "missing_branches": [[1, 0], [4, 5]]"#;
        let coverage = format!(r#"{{"files": {{"a.py": {{{branches}}}}}}}"#);
        assert_eq!(
            as_lcov(&coverage),
            sections(&[(
                "",
                "BRDA:1,0,exit the code of line 3,1\nBRDA:1,0,exit the code of line 0,0\nBRDA:1,0,jump to line 2,1\nBRDA:4,0,jump to line 5,-\nBRF:4\nBRH:2\nDA:1,1\nDA:4,0\nLF:2\nLH:1\n"
            )])
        );
        // Who wrote it may come at the end.
        let slipcover = format!(
            r#"{{"files": {{"a.py": {{{branches}}}}}, "meta": {{"software": "slipcover"}}}}"#
        );
        assert!(as_lcov(&slipcover).contains("BRDA:1,0,1->exit,0\nBRDA:1,0,1->2,1\n"));
        // Branches of one tool are not those of the other.
        let mut both = read(coverage.as_bytes()).unwrap();
        both.merge(read(slipcover.as_bytes()).unwrap());
        assert_eq!(both.files().next().unwrap().1.total().branches().blocks().count(), 4);
    }

    #[test]
    fn lines_of_codecov_are_objects_or_lists() {
        let expected = sections(&[(
            "",
            "BRDA:4,0,0,1\nBRDA:4,0,1,0\nBRDA:4,0,2,0\nBRF:3\nBRH:1\nDA:1,5\nDA:2,0\nDA:4,1\nLF:3\nLH:2\n",
        )]);
        for lines in [
            r#"{"1": 5, "2": 0, "3": null, "4": "1/3"}"#,
            r#"{"4": "1/3", "2": "0", "1": 5.0, "6": false, "7": -1}"#,
            r#"[null, 5, 0, null, "1/3"]"#,
        ] {
            let text =
                format!("\u{feff}{{\"coverage\": {{\"a.py\": {lines}}}, \"messages\": {{}}}}");
            assert_eq!(as_lcov(&text), expected, "{lines}");
        }
        assert!(
            as_lcov(r#"{"coverage": {"a.py": [null, true]}}"#).contains("BRF:2\nBRH:1\nDA:1,1")
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        use ErrorKind::{Corrupt, NoData, NotADataFile};
        for (text, kind, message) in [
            ("{}", NotADataFile, "this JSON is no report of coverage.py"),
            (r#"{"a.js": {"statementMap": {}}}"#, NotADataFile, "this JSON is no report"),
            (r#"{"files": {}}"#, NoData, "the report has no files"),
            (r#"{"coverage": {"a": {"1": 1}}"#, Corrupt, "line 1, column 28: EOF while parsing"),
            (
                r#"{"coverage": {"a": {"1": 1}}} x"#,
                Corrupt,
                "line 1, column 31: trailing characters",
            ),
            (
                "{\n\"coverage\": [1]}",
                Corrupt,
                "line 2, column 13: invalid type: sequence, expected an object",
            ),
            (
                r#"{"files": {"a": {"executed_lines": []}}}"#,
                Corrupt,
                "missing field `missing_lines`",
            ),
            (
                r#"{"coverage": {"a": {"x": 1}}}"#,
                Corrupt,
                "column 22: invalid value: expected key to be a number in quotes",
            ),
            (r#"{"coverage": {"a": {"1": "2/1"}}}"#, Corrupt, "\"2/1\" is no share of branches"),
            (
                r#"{"coverage": {"a": {"1": -2}}}"#,
                Corrupt,
                "invalid value: integer `-2`, expected how often",
            ),
            (r#"{"coverage": {"a": [1, null]}}"#, Corrupt, "line 1 has the index 1"),
            (r#"{"coverage": {"a": {}, "a": {}}}"#, Corrupt, "\"a\" is named twice"),
            (r#"{"coverage": {"a\nDA:1,1": {}}}"#, Corrupt, "has the end of a line in it"),
            (
                r#"{"data": [{"files": [{"filename": "a", "summary": {}}]}]}"#,
                Corrupt,
                "llvm-cov exported only its summary",
            ),
            (
                r#"{"files": {"a": {"executed_lines": [1], "missing_lines": [], "contexts": {"1": [7]}}}}"#,
                Corrupt,
                "the list of contexts has no number 7",
            ),
        ] {
            let err = read(text.as_bytes()).unwrap_err();
            assert_eq!(err.kind(), kind, "{text}: {err}");
            assert!(err.to_string().contains(message), "{text}: {err}");
        }
        // Depth costs nothing.
        let deep = format!("{{\"messages\": {}", "[".repeat(1_000_000));
        assert_eq!(read(deep.as_bytes()).unwrap_err().kind(), Corrupt);
    }
}
