//! Data files of coverage.py 4.x: a fixed sentence, then one JSON object.
//!
//! `lines` maps a path to its line numbers. `arcs` maps a path to its pairs of line numbers. A file has only
//! one of the two. `file_tracers` maps a path to its plugin, and `runs` describes the processes that recorded
//! the data. There are no contexts (coverage.py 4.5.4, `data.py`).
//!
//! If a path is not valid UTF-8, Python wrote a lone surrogate, such as `\udce9`, for each byte that it could
//! not decode (PEP 383). The later formats of coverage.py cannot hold such a path, so a data file that has
//! one is refused.

use std::collections::btree_map::{BTreeMap, Entry};
use std::fmt;
use std::io::Write;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::detect::JSON_SENTINEL;
use super::limits::{self, BitmapBudget};
use crate::data::stored_text::StoredText;
use crate::data::{Authors, CoverageData, FilePath, LineArc, Measurement, Numbits};
use crate::error::{Error, ErrorKind, Position, Result};

/// The key of [`CoverageData::meta`] that holds `runs`, as JSON text.
const RUNS: &str = "runs";
/// The key that holds, for each source file that only other users' data files name, who these users are.
const AUTHORS: &str = "pulpcov_authors";

/// Reads a data file of coverage.py 4.x.
///
/// # Errors
///
/// Returns an error whose kind is:
///
/// - [`ErrorKind::NotADataFile`] if the sentence is missing;
/// - [`ErrorKind::Corrupt`], with line and column, if the JSON is not valid or not of the expected shape;
/// - [`ErrorKind::TooLarge`] if a line number is out of bounds, or if the line numbers are too sparse for
///   memory.
///
/// # Examples
///
/// ```
/// let file = br#"!coverage.py: This is a private format, don't read it directly!{"lines":{"a.py":[1,3]}}"#;
/// let data = pulpcov_core::formats::json::read(file)?;
/// assert_eq!(data.lines("a.py").unwrap().len(), 2);
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn read(bytes: &[u8]) -> Result<CoverageData> {
    let json = bytes.strip_prefix(JSON_SENTINEL).ok_or_else(|| {
        Error::new(ErrorKind::NotADataFile, "it does not start as coverage.py 4.x does")
    })?;
    let raw: Raw = serde_json::from_slice(json).map_err(|err| corrupt(&err))?;
    raw.into_data(BitmapBudget::for_size(bytes.len() as u64))
}

/// Makes the error for bad JSON. The sentence is on the first line, before the JSON, so it is added to the
/// column.
fn corrupt(err: &serde_json::Error) -> Error {
    let column = if err.line() == 1 { err.column() + JSON_SENTINEL.len() } else { err.column() };
    let text = err.to_string();
    let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
    Error::new(ErrorKind::Corrupt, reason)
        .at(Position::Line { line: err.line(), column: Some(column) })
}

#[derive(Deserialize)]
struct Raw {
    lines: Option<ByPath<Vec<i64>>>,
    arcs: Option<ByPath<Vec<(i64, i64)>>>,
    file_tracers: Option<ByPath<Text>>,
    runs: Option<serde_json::Value>,
    /// An addition to the format. coverage.py ignores keys that it does not know.
    pulpcov_authors: Option<ByPath<Text>>,
}

impl Raw {
    fn into_data(self, mut budget: BitmapBudget) -> Result<CoverageData> {
        let mut data = CoverageData::new();
        if let Some(lines) = self.lines {
            data.set_measurement(Measurement::Lines)?;
            add_lines(&mut data, lines, &mut budget)?;
        }
        if let Some(arcs) = self.arcs {
            data.set_measurement(Measurement::Arcs)?;
            add_arcs(&mut data, arcs)?;
        }
        for (path, Text(tracer)) in self.file_tracers.unwrap_or_default().0 {
            data.set_file_tracer(path, &tracer)?;
        }
        if let Some(runs) = self.runs {
            data.set_meta(RUNS, &runs.to_string())?;
        }
        for (path, Text(authors)) in self.pulpcov_authors.unwrap_or_default().0 {
            data.set_authors_of(&path, Authors::parse(&authors));
        }
        Ok(data)
    }
}

fn add_lines(
    data: &mut CoverageData,
    files: ByPath<Vec<i64>>,
    budget: &mut BitmapBudget,
) -> Result<()> {
    for (path, lines) in files.0 {
        let numbits = numbits(&lines, budget).map_err(|err| in_file(&err, &path))?;
        match lines.is_empty() {
            true => data.touch_file(path)?,
            false => data.add_lines(path, "", &numbits)?,
        }
    }
    Ok(())
}

fn add_arcs(data: &mut CoverageData, files: ByPath<Vec<(i64, i64)>>) -> Result<()> {
    for (path, arcs) in files.0 {
        let arcs = checked_arcs(&arcs).map_err(|err| in_file(&err, &path))?;
        match arcs.is_empty() {
            true => data.touch_file(path)?,
            false => data.add_arcs(path, "", arcs)?,
        }
    }
    Ok(())
}

fn numbits(lines: &[i64], budget: &mut BitmapBudget) -> Result<Numbits> {
    let lines: Vec<i32> = lines.iter().map(|&line| limits::line(line)).collect::<Result<_>>()?;
    budget.take(lines.iter().copied().max().unwrap_or(0))?;
    Ok(lines.into_iter().collect())
}

fn checked_arcs(arcs: &[(i64, i64)]) -> Result<Vec<LineArc>> {
    let checked = |&(from, to): &(i64, i64)| Ok((limits::arc_end(from)?, limits::arc_end(to)?));
    arcs.iter().map(checked).collect()
}

fn in_file(err: &Error, path: &FilePath) -> Error {
    Error::new(err.kind(), format!("{path}: {}", err.reason()))
}

/// A JSON object whose keys are paths.
///
/// A path that occurs twice is an error. Python never writes such an object, and most readers would drop the
/// rows of the first occurrence.
struct ByPath<T>(BTreeMap<FilePath, T>);

impl<T> Default for ByPath<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for ByPath<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = ByPath<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut members: A,
            ) -> std::result::Result<ByPath<T>, A::Error> {
                let mut files = BTreeMap::new();
                while let Some(Text(path)) = members.next_key()? {
                    let path = FilePath::try_from(path).map_err(de::Error::custom)?;
                    match files.entry(path) {
                        Entry::Vacant(entry) => drop(entry.insert(members.next_value()?)),
                        Entry::Occupied(entry) => {
                            let message = format!("{} is named twice", entry.key());
                            return Err(de::Error::custom(message));
                        }
                    }
                }
                Ok(ByPath(files))
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// A JSON string that is a [`StoredText`].
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Bytes;

        impl Visitor<'_> for Bytes {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> std::result::Result<Text, E> {
                match StoredText::of_bytes(bytes) {
                    Ok(text) => Ok(Text(text.as_str().to_owned())),
                    Err(why) => {
                        let text = String::from_utf8_lossy(bytes);
                        Err(E::custom(format!("the text {text:?} {why}")))
                    }
                }
            }

            fn visit_str<E: de::Error>(self, text: &str) -> std::result::Result<Text, E> {
                self.visit_bytes(text.as_bytes())
            }
        }

        // When asked for bytes, serde_json passes lone surrogates through, so the error can show the text.
        deserializer.deserialize_bytes(Bytes)
    }
}

/// Writes `data` as coverage.py 4.x did.
///
/// # Errors
///
/// Returns an error whose kind is:
///
/// - [`ErrorKind::NotRepresentable`] if there are contexts, which the format does not have; see
///   [`CoverageData::drop_contexts`];
/// - [`ErrorKind::Io`] if `out` fails.
///
/// # Examples
///
/// ```
/// use pulpcov_core::{CoverageData, formats::json};
///
/// let mut data = CoverageData::new();
/// data.add_arcs("a.py", "", [(-1, 1), (1, -1)])?;
/// let mut file = Vec::new();
/// json::write(&data, &mut file)?;
/// assert!(file.ends_with(br#"{"arcs":{"a.py":[[-1,1],[1,-1]]}}"#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(data: &CoverageData, mut out: impl Write) -> Result<()> {
    if let Some(context) = data.contexts().into_iter().find(|name| !name.is_empty()) {
        let message =
            format!("the 4.x format has no contexts, and the data has some, such as {context:?}");
        return Err(Error::new(ErrorKind::NotRepresentable, message));
    }
    let mut text = String::new();
    object(&mut text, sections(data));
    out.write_all(JSON_SENTINEL)
        .and_then(|()| out.write_all(text.as_bytes()))
        .map_err(|err| Error::new(ErrorKind::Io, err))
}

/// Returns the members of the JSON object, in coverage.py's order.
fn sections(data: &CoverageData) -> Vec<(&str, String)> {
    let mut sections = Vec::new();
    match data.measurement() {
        // The format names files only in `lines` or `arcs`, so files without a measurement are named in
        // `lines`.
        None if data.files().len() == 0 => {}
        Some(Measurement::Arcs) => {
            sections.push(("arcs", by_path(data, |path| arcs_json(data, path))))
        }
        Some(Measurement::Lines) | None => {
            sections.push(("lines", by_path(data, |path| lines_json(data, path))))
        }
    }
    let mut tracers = String::new();
    let traced = data.files().filter(|file| !file.tracer().is_empty());
    object(&mut tracers, traced.map(|file| (file.path().as_str(), string(file.tracer()))));
    if tracers != "{}" {
        sections.push(("file_tracers", tracers));
    }
    let others = data.files().filter(|file| *file.authors() != Authors::Caller);
    let mut authors = String::new();
    object(
        &mut authors,
        others.map(|file| (file.path().as_str(), string(&file.authors().to_string()))),
    );
    if authors != "{}" {
        sections.push((AUTHORS, authors));
    }
    // Metadata from a SQLite data file can be any text, so `runs` may not be JSON.
    if let Some(runs) =
        data.meta().get(RUNS).filter(|text| serde_json::from_str::<de::IgnoredAny>(text).is_ok())
    {
        sections.push((RUNS, runs.clone()));
    }
    sections
}

fn by_path(data: &CoverageData, value: impl Fn(&FilePath) -> String) -> String {
    let mut text = String::new();
    object(&mut text, data.files().map(|file| (file.path().as_str(), value(file.path()))));
    text
}

fn lines_json(data: &CoverageData, path: &FilePath) -> String {
    list(data.lines(path).unwrap_or_default().iter().map(|line| line.to_string()))
}

fn arcs_json(data: &CoverageData, path: &FilePath) -> String {
    list(data.arcs(path).unwrap_or_default().iter().map(|(from, to)| format!("[{from},{to}]")))
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn object<'k>(out: &mut String, members: impl IntoIterator<Item = (&'k str, String)>) {
    out.push('{');
    for (index, (key, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push_str(&string(key));
        out.push(':');
        out.push_str(&value);
    }
    out.push('}');
}

/// Returns `text` as a JSON string in ASCII.
fn string(text: &str) -> String {
    let mut out = String::from("\"");
    text.chars().for_each(|c| push_escaped(&mut out, c));
    out.push('"');
    out
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '"' | '\\' => out.extend(['\\', c]),
        ' '..='~' => out.push(c),
        c => c
            .encode_utf16(&mut [0; 2])
            .iter()
            .for_each(|unit| out.push_str(&format!("\\u{unit:04x}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(data: &CoverageData) -> CoverageData {
        let mut file = Vec::new();
        write(data, &mut file).unwrap();
        read(&file).unwrap()
    }

    #[test]
    fn paths_of_any_text_survive() {
        let mut data = CoverageData::new();
        for path in ["café.py", "größe 😀.py", "a\"b\\c\n.py", "\u{fffd}"] {
            data.add_lines(path, "", &Numbits::from_iter([3])).unwrap();
        }
        assert_eq!(round_trip(&data), data);
    }

    #[test]
    fn contexts_are_refused_not_lost() {
        let mut data = CoverageData::new();
        data.add_lines("a.py", "test_one", &Numbits::from_iter([3])).unwrap();
        let err = write(&data, Vec::new()).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotRepresentable);
        data.drop_contexts();
        assert_eq!(round_trip(&data), data);
    }

    /// A number that is read as its neighbour changes with each reading.
    #[test]
    fn numbers_of_runs_survive() {
        let file = [
            JSON_SENTINEL,
            br#"{"lines": {}, "runs": [41943045555555555555555555555555555555555, 0.1]}"#,
        ];
        let data = read(&file.concat()).unwrap();
        assert_eq!(round_trip(&data), data);
    }

    #[test]
    fn errors_say_where() {
        let file = [JSON_SENTINEL, br#"{"lines":{"a.py":[1,"x"]}}"#].concat();
        let err = read(&file).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::Corrupt);
        assert_eq!(err.to_string(), "line 1, column 86: invalid type: string \"x\", expected i64");
    }

    #[test]
    fn sparse_lines_cannot_fill_the_memory() {
        let files: Vec<String> =
            (0..9000).map(|n| format!("\"{n}.py\":[{}]", crate::MAX_LINE)).collect();
        let file =
            [JSON_SENTINEL, format!("{{\"lines\":{{{}}}}}", files.join(",")).as_bytes()].concat();
        assert_eq!(read(&file).unwrap_err().kind(), ErrorKind::TooLarge);
    }
}
