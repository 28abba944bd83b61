//! What `llvm-cov export` writes (`CoverageExporterJson.cpp`, LLVM 8 and later), for C, C++, Rust, Swift and others.
//!
//! A file has segments: places in it at which the count changes. The counts of its lines follow from them as in llvm-cov's own reports
//! (`LineCoverageStats` in `CoverageMapping.cpp`, LLVM 22).

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::counts::Counts;
use super::json::{Cause, Elements, checked_name};
use super::{Branch, BranchKind, BranchName, Report};

/// How many lines the first segments may stand for, and how many more each segment may. A segment stands for all lines up to the next
/// one, so a few bytes could stand for billions of lines.
const LINES: u64 = 1 << 20;
const LINES_OF_SEGMENT: u64 = 64;

/// Reads `data`: exports, of which llvm-cov writes one.
pub(super) struct Data<'r>(pub(super) &'r mut Report);

/// An export: files, and then functions.
struct Export<'d>(&'d mut Report, &'d mut Budget);

/// How many lines segments may still stand for.
struct Budget(u64);

impl Budget {
    fn take(&mut self, segments: &[Segment]) -> Result<(), Cause> {
        let (Some(first), Some(last)) = (segments.first(), segments.last()) else { return Ok(()) };
        let lines = u64::from(last.line.abs_diff(first.line)) + 1;
        let left = self.0.saturating_add(segments.len() as u64 * LINES_OF_SEGMENT);
        self.0 = left.checked_sub(lines).ok_or(Cause::TooLarge(lines))?;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Data<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Data<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of exports")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut exports: A) -> Result<(), A::Error> {
        let mut budget = Budget(LINES);
        while exports.next_element_seed(Export(&mut *self.0, &mut budget))?.is_some() {}
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Export<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Export<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an export with files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self(report, budget) = self;
        // Functions come with the file that they are in, and some files are left out of an export.
        let mut functions = BTreeMap::<String, Vec<Function>>::new();
        let mut files = BTreeMap::<String, Counts>::new();
        while let Some(key) = members.next_key::<String>()? {
            match key.as_str() {
                "files" => members.next_value_seed(Elements::new(|file: FileOfExport| {
                    let name = checked_name(&file.filename)?;
                    match files.contains_key(&name) {
                        true => Err(Cause::Twice(name)),
                        false => {
                            files.insert(name, file.counts(budget)?);
                            Ok(())
                        }
                    }
                }))?,
                "functions" => {
                    members.next_value_seed(Elements::new(|function: Function| {
                        if let Some(file) = function.filenames.first() {
                            functions.entry(checked_name(file)?).or_default().push(function);
                        }
                        Ok(())
                    }))?;
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        for (name, mut counts) in files {
            for function in functions.remove(&name).into_iter().flatten() {
                function.add_to(&mut counts).map_err(de::Error::custom)?;
            }
            counts.finish();
            report.add(name, String::new(), None, counts);
        }
        Ok(())
    }
}

/// A file of an export. Versions before 12 do not tell branches.
#[derive(Deserialize)]
struct FileOfExport {
    filename: String,
    segments: Option<Vec<First<Segment>>>,
    #[serde(default)]
    branches: Vec<First<BranchRegion>>,
    #[serde(default)]
    expansions: Vec<Expansion>,
}

/// A use of a macro. The branches in the macro are those of the line that uses it.
#[derive(Deserialize)]
struct Expansion {
    source_region: First<Region>,
    #[serde(default)]
    branches: Vec<First<BranchRegion>>,
}

impl FileOfExport {
    fn counts(self, budget: &mut Budget) -> Result<Counts, Cause> {
        let segments = self.segments.ok_or(Cause::OnlySums)?;
        let mut segments: Vec<Segment> = segments.into_iter().map(|First(first)| first).collect();
        segments.sort_by_key(|segment| segment.line);
        budget.take(&segments)?;
        let mut counts = Counts::default();
        add_lines(&segments, &mut counts);
        // Each instantiation of a template has the branches again.
        let mut branches = BTreeMap::<(u32, String), (u64, u64)>::new();
        let mut add = |line: u32, name: String, branch: &BranchRegion| {
            let sums = branches.entry((line, name)).or_default();
            sums.0 = sums.0.saturating_add(branch.taken);
            sums.1 = sums.1.saturating_add(branch.not_taken);
        };
        for First(branch) in &self.branches {
            add(branch.place.line, branch.place.to_string(), branch);
        }
        for Expansion { source_region: First(region), branches } in &self.expansions {
            for First(branch) in branches {
                add(region.place.line, format!("{} {}", region.place, branch.place), branch);
            }
        }
        for ((line, name), hits) in branches {
            add_branch(line, &name, hits, &mut counts);
        }
        Ok(counts)
    }
}

/// Counts the lines from the first to the last segment. `segments` are sorted by line.
fn add_lines(segments: &[Segment], counts: &mut Counts) {
    let mut before: Option<&Segment> = None;
    for of_line in segments.chunk_by(|a, b| a.line == b.line) {
        let (Some(first), Some(last)) = (of_line.first(), of_line.last()) else { continue };
        // No segment is on the lines between two.
        if let Some(before) = before.filter(|before| before.has_count) {
            (before.line + 1..first.line).for_each(|line| counts.add_line(line, before.count));
        }
        if let Some(hits) = hits_of_line(of_line, before) {
            counts.add_line(first.line, hits);
        }
        before = Some(last);
    }
}

/// Returns how often a line with segments ran, or `None` if it has no code. The count of the segment before is that of the start of the line.
fn hits_of_line(of_line: &[Segment], before: Option<&Segment>) -> Option<u64> {
    let is_skipped = of_line.first().is_some_and(|first| first.is_entry && !first.has_count);
    let goes_on = before.is_some_and(|before| before.has_count) && !is_skipped;
    let has_entry = of_line.iter().any(|segment| segment.is_entry && segment.has_count);
    if !goes_on && !has_entry {
        return None;
    }
    let entries =
        of_line.iter().filter(|segment| segment.is_entry && segment.has_count && !segment.is_gap);
    let most = entries.map(|segment| segment.count).max().unwrap_or_default();
    Some(before.map_or(most, |before| before.count.max(most)))
}

/// Adds a condition: it was true, or it was false.
fn add_branch(line: u32, name: &str, (taken, not_taken): (u64, u64), counts: &mut Counts) {
    let is_reached = taken > 0 || not_taken > 0;
    let all = counts.branches_mut();
    all.begin(line);
    for (sense, hits) in [("true", taken), ("false", not_taken)] {
        let name = BranchName::Text(format!("{name} {sense}").into());
        let taken = is_reached.then_some(hits);
        all.push(Branch { name, kind: BranchKind::Condition, is_excluded: false, taken });
    }
}

#[derive(Deserialize)]
struct Function {
    name: String,
    count: u64,
    regions: Vec<First<Region>>,
    filenames: Vec<String>,
}

impl Function {
    fn add_to(&self, counts: &mut Counts) -> Result<(), Cause> {
        if let Some(First(region)) = self.regions.first() {
            let (name, line) = (checked_name(&self.name)?, region.place.line);
            counts.functions_mut().define(&name, line, None, self.count);
        }
        Ok(())
    }
}

/// `[line, column, count, has a count, begins a region, is a gap]`
#[derive(Deserialize)]
struct Segment {
    line: u32,
    #[serde(rename = "column")]
    _column: IgnoredAny,
    count: u64,
    has_count: bool,
    is_entry: bool,
    /// Versions before 12 do not tell gaps.
    #[serde(default)]
    is_gap: bool,
}

/// `[line, column, last line, last column, taken, not taken, ...]`
#[derive(Deserialize)]
#[serde(from = "(u32, u32, u32, u32, u64, u64)")]
struct BranchRegion {
    place: Place,
    taken: u64,
    not_taken: u64,
}

/// `[line, column, last line, last column, ...]`
#[derive(Deserialize)]
#[serde(from = "(u32, u32, u32, u32)")]
struct Region {
    place: Place,
}

struct Place {
    line: u32,
    column: u32,
    last_line: u32,
    last_column: u32,
}

impl From<(u32, u32, u32, u32, u64, u64)> for BranchRegion {
    fn from(array: (u32, u32, u32, u32, u64, u64)) -> Self {
        let (line, column, last_line, last_column, taken, not_taken) = array;
        Self { place: Place { line, column, last_line, last_column }, taken, not_taken }
    }
}

impl From<(u32, u32, u32, u32)> for Region {
    fn from((line, column, last_line, last_column): (u32, u32, u32, u32)) -> Self {
        Self { place: Place { line, column, last_line, last_column } }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, last_line, last_column } = self;
        write!(f, "{line}:{column}-{last_line}:{last_column}")
    }
}

/// A type that is made of the first elements of an array, in the order of its fields. New versions of llvm-cov add elements.
struct First<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Array<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Array<T> {
            type Value = First<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<First<T>, A::Error> {
                let first = T::deserialize(SeqAccessDeserializer::new(&mut array))?;
                while array.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }

        json.deserialize_seq(Array(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use crate::foreign::{json, lcov};

    fn lines(segments: &str) -> Vec<(u32, u64)> {
        let text = format!(
            "{{\"data\":[{{\"files\":[{{\"filename\":\"a\",\"segments\":[{segments}]}}]}}]}}"
        );
        let report = json::read(text.as_bytes()).unwrap();
        report.files().next().unwrap().1.total().lines().to_vec()
    }

    #[test]
    fn a_line_has_the_largest_count_of_what_begins_on_it_or_goes_on() {
        // What goes on, what begins, and what is more.
        assert_eq!(
            lines(
                "[1,1,3,true,true,false],[3,5,9,true,true,false],[3,9,3,true,false,false],[4,2,0,false,false,false]"
            ),
            [(1, 3), (2, 3), (3, 9), (4, 3)]
        );
        // A gap counts only where nothing else goes on.
        assert_eq!(
            lines("[1,1,3,true,true,false],[2,5,7,true,true,true],[3,1,0,false,false,false]"),
            [(1, 3), (2, 3), (3, 7)]
        );
        // What the preprocessor skipped is no code, up to the line that it ends on.
        assert_eq!(
            lines("[1,1,3,true,true],[2,1,0,false,true],[3,7,3,true,false],[5,2,0,false,false]"),
            [(1, 3), (4, 3), (5, 3)]
        );
        assert_eq!(lines(""), []);
    }

    #[test]
    fn a_few_bytes_do_not_stand_for_billions_of_lines() {
        let text = r#"{"data":[{"files":[{"filename":"a","segments":[[1,1,1,true,true,false],[4294967295,1,0,false,false,false]]}]}]}"#;
        let err = json::read(text.as_bytes()).unwrap_err();
        assert!(err.to_string().contains("more than sources have"), "{err}");
    }

    #[test]
    fn instantiations_of_a_template_are_one() {
        let text = r#"{"data":[{"files":[{"filename":"a.h","segments":[[2,1,5,true,true,false],[2,20,0,false,false,false]],
            "branches":[[2,7,2,12,3,0,0,0,4],[2,7,2,12,0,2,0,0,4],[2,15,2,16,0,0,0,0,4]]}],
            "functions":[{"name":"f","count":3,"regions":[[2,1,2,20,3,0,0,0]],"filenames":["a.h"]},
                {"name":"g","count":1,"regions":[[1,1,1,2,1,0,0,0]],"filenames":["left-out.h"]}]}],
            "type":"llvm.coverage.json.export","version":"2.0.1"}"#;
        let mut out = Vec::new();
        lcov::write(&json::read(text.as_bytes()).unwrap(), &mut out).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "TN:\nSF:a.h\nFN:2,f\nFNDA:3,f\nFNF:1\nFNH:1\nBRDA:2,0,2:15-2:16 true,-\nBRDA:2,0,2:15-2:16 false,-\nBRDA:2,1,2:7-2:12 true,3\nBRDA:2,1,2:7-2:12 false,2\nBRF:4\nBRH:2\nDA:2,5\nLF:1\nLH:1\nend_of_record\n"
        );
    }
}
