//! Codecov's own format, the one for tools that it does not know
//! (<https://docs.codecov.com/docs/codecov-custom-coverage-format>).
//!
//! Each file has an object with its lines as keys, or a list whose indices are the lines. A value is how often the line ran, or a share of
//! its branches, such as `"1/2"`. `true` is a line of which a part ran. `null`, `false` and -1 are lines that do not count.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::cobertura::share_of;
use super::counts::Counts;
use super::json::{Cause, checked_name};
use super::lcov::hits;
use super::{File, Report};
use crate::Result;

/// The lines of a file.
pub(super) struct Lines(Vec<(u32, Line)>);

/// What became of a line.
#[derive(Clone, Copy)]
enum Line {
    Ignored,
    Hits(u64),
    /// How many branches were taken, and how many there are.
    Branches(u32, u32),
}

pub(super) fn add(report: &mut Report, name: String, lines: Lines) -> Result<(), Cause> {
    let name = checked_name(&name)?;
    if report.has(&name) {
        return Err(Cause::Twice(name));
    }
    let mut counts = Counts::default();
    for (line, state) in lines.0 {
        match state {
            Line::Ignored => {}
            Line::Hits(hits) => counts.add_line(line, hits),
            Line::Branches(taken, all) => {
                counts.add_line(line, u64::from(taken > 0));
                counts.add_branch_count(line, (taken, all));
            }
        }
    }
    counts.finish();
    report.add(name, String::new(), None, counts);
    Ok(())
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct OfFile;

        impl<'de> Visitor<'de> for OfFile {
            type Value = Lines;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or a list of lines")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Lines, A::Error> {
                let mut lines = Vec::new();
                while let Some(line) = members.next_entry()? {
                    lines.push(line);
                }
                Ok(Lines(lines))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Lines, A::Error> {
                // There is no line 0, so a list that counts it is in another format.
                match elements.next_element()? {
                    None | Some(Line::Ignored) => {}
                    Some(_) => return Err(de::Error::custom(Cause::NoLine)),
                }
                let mut lines = Vec::new();
                let mut number: u32 = 0;
                while let Some(line) = elements.next_element()? {
                    number = number.saturating_add(1);
                    if !matches!(line, Line::Ignored) {
                        lines.push((number, line));
                    }
                }
                Ok(Lines(lines))
            }
        }

        json.deserialize_any(OfFile)
    }
}

impl<'de> Deserialize<'de> for Line {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct State;

        impl Visitor<'_> for State {
            type Value = Line;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("how often the line ran, a share of its branches, or null")
            }

            fn visit_u64<E: de::Error>(self, hits: u64) -> Result<Line, E> {
                Ok(Line::Hits(hits))
            }

            fn visit_i64<E: de::Error>(self, hits: i64) -> Result<Line, E> {
                match hits {
                    -1 => Ok(Line::Ignored),
                    _ => Err(E::invalid_value(de::Unexpected::Signed(hits), &self)),
                }
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Line, E> {
                let hits = hits(number.to_string()).map(Line::Hits);
                hits.ok_or_else(|| E::invalid_value(de::Unexpected::Float(number), &self))
            }

            fn visit_bool<E: de::Error>(self, is_partial: bool) -> Result<Line, E> {
                Ok(if is_partial { Line::Branches(1, 2) } else { Line::Ignored })
            }

            fn visit_unit<E: de::Error>(self) -> Result<Line, E> {
                Ok(Line::Ignored)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Line, E> {
                let share = share_of(text).map(|(taken, all)| Line::Branches(taken, all));
                share
                    .or_else(|| hits(text).map(Line::Hits))
                    .ok_or_else(|| E::custom(Cause::Share(text.to_owned())))
            }
        }

        json.deserialize_any(State)
    }
}

/// Writes a report in Codecov's own format, one file a line.
///
/// If only some branches of a line were taken, the line has their share, and not its count. Codecov takes a share of 0 for a line that
/// did not run. So the share of a line that ran is at least one of two, which is a line of which a part ran.
///
/// # Errors
///
/// [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written to.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::{codecov, lcov};
///
/// let report = lcov::read(&b"SF:a.c\nBRDA:2,0,0,3\nBRDA:2,0,1,0\nDA:1,7\nDA:2,3\nDA:3,0\nend_of_record\n"[..])?;
/// let mut out = Vec::new();
/// codecov::write(&report, &mut out)?;
/// assert_eq!(out, b"{\"coverage\": {\n\"a.c\": {\"1\":7,\"2\":\"1/2\",\"3\":0}\n}}\n");
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(report: &Report, out: &mut impl Write) -> Result<()> {
    write!(out, "{{\"coverage\": {{")?;
    let mut separator = "";
    for (name, file) in report.files() {
        writeln!(out, "{separator}")?;
        separator = ",";
        serde_json::to_writer(&mut *out, name).map_err(io::Error::from)?;
        write!(out, ": ")?;
        serde_json::to_writer(&mut *out, &written_lines(file)).map_err(io::Error::from)?;
    }
    Ok(writeln!(out, "\n}}}}")?)
}

/// What is written of a line.
#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    Hits(u64),
    Share(String),
}

fn written_lines(file: &File) -> BTreeMap<u32, Written> {
    let counts = file.total();
    let branches = counts.taken_branches();
    let written = |&(line, hits): &(u32, u64)| {
        let state = match branches.get(&line) {
            Some((taken, all)) if hits > 0 && taken < all => {
                Written::Share(format!("{}/{}", taken.max(&1), all.max(&2)))
            }
            _ => Written::Hits(hits),
        };
        (line, state)
    };
    counts.lines().iter().map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::{json, lcov};

    #[test]
    fn a_line_that_ran_is_never_written_as_one_that_did_not() {
        let text = "SF:a\nBRDA:1,0,0,0\nBRDA:2,0,0,0\nBRDA:2,0,1,0\nBRDA:3,0,0,1\nBRDA:4,0,0,-\nDA:1,9\nDA:2,9\nDA:3,9\nDA:4,0\nend_of_record\n";
        let mut out = Vec::new();
        write(&lcov::read(text.as_bytes()).unwrap(), &mut out).unwrap();
        let expected =
            "{\"coverage\": {\n\"a\": {\"1\":\"1/2\",\"2\":\"1/2\",\"3\":9,\"4\":0}\n}}\n";
        assert_eq!(String::from_utf8_lossy(&out), expected);
        let mut again = Vec::new();
        write(&json::read(&*out).unwrap(), &mut again).unwrap();
        assert_eq!(again, out);
    }
}
