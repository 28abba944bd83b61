//! The runs of a project, one line each.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::results::Numbers;
use crate::summarize::Summary;
use crate::{Error, ErrorKind, Position, Result};

/// The version of the format of a line.
const FORMAT: u32 = 1;

/// How many runs a report draws, the newest.
const RUNS_DRAWN: usize = 100;

/// How many statements and branches were covered, and how many there were.
type Covered = (usize, usize);

/// What was covered in one run, as a line of a [`History`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Run {
    format: u32,
    /// When it was, as `2026-11-30T12:00:00Z`. The text of times in UTC sorts as the times do.
    time: String,
    revision: String,
    total: Covered,
    files: BTreeMap<String, Covered>,
}

/// The runs of a project, for [`Options::history`](super::Options::history). A file has one line of JSON for each run, so that
/// git can merge what two branches add.
///
/// A line is `{"format": 1, "time": "2026-11-30T12:00:00Z", "revision": "1d2a7c3", "total": [90, 100], "files":
/// {"src/app.py": [90, 100]}}`. Each pair says how many statements and branches were covered, and how many there were.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::html::{self, History, Run};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let run = Run::new(&summary, "2026-11-30T12:00:00Z", "1d2a7c3");
/// let line = run.to_line();
/// assert!(line.ends_with("\"total\":[2,3],\"files\":{\"a.py\":[2,3]}}\n"));
/// let mut history = History::parse(line.as_bytes())?;
/// assert_eq!(history.runs(), [run]);
///
/// // A report draws the runs so far, and its own.
/// history.push(Run::new(&summary, "2026-12-01T12:00:00Z", "8f3e2aa"));
/// let mut page = Vec::new();
/// html::write_single_file(&summary, &html::Options::new().history(history), &mut page)?;
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    runs: Vec<Run>,
}

impl Run {
    /// Takes the numbers of a report. `time` is in UTC, such as `2026-11-30T12:00:00Z`, and `revision` names the sources.
    pub fn new(
        summary: &Summary<'_>,
        time: impl Into<String>,
        revision: impl Into<String>,
    ) -> Self {
        let covered = |numbers: Numbers| numbers.ratio_covered();
        let files = summary.files().iter();
        Self {
            format: FORMAT,
            time: time.into(),
            revision: revision.into(),
            total: covered(summary.totals()),
            files: files.map(|file| (file.name().to_owned(), covered(file.numbers()))).collect(),
        }
    }

    /// Returns the line of a file, with its end.
    pub fn to_line(&self) -> String {
        // Text, numbers and maps of text can always be written.
        let mut line = serde_json::to_string(self).unwrap_or_default();
        line.push('\n');
        line
    }
}

impl History {
    /// Reads the runs of a file, and puts them in the order of time. Skips empty lines. Keeps one of several equal lines, which a
    /// merge can leave.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`], with the line, if a line is no run.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut runs: Vec<Run> = Vec::new();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for (number, line) in (1..).zip(bytes.split(|&b| b == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            runs.push(parse_line(line).map_err(|why| {
                Error::new(ErrorKind::Config, why).at(Position::Line { line: number, column: None })
            })?);
        }
        runs.sort();
        runs.dedup();
        Ok(Self { runs })
    }

    /// Returns the runs, the oldest first.
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Adds a run, the newest.
    pub fn push(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// Returns the files of the runs that `is_known` does not know, by the revisions of the last runs that have them, the newest
    /// run first. They were deleted or renamed since.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::report::html::History;
    ///
    /// let run = |time, file| {
    ///     format!("{{\"format\":1,\"time\":\"{time}\",\"revision\":\"of {time}\",\"total\":[1,2],\"files\":{{\"{file}\":[1,2]}}}}\n")
    /// };
    /// let mut history = History::parse((run("1", "a.py") + &run("2", "b.py")).as_bytes())?;
    /// let gone = history.gone(|name| name == "b.py");
    /// assert_eq!(gone, [("of 1".to_owned(), ["a.py".to_owned()].into())]);
    ///
    /// history.rename("a.py", "b.py");
    /// assert!(history.gone(|name| name == "b.py").is_empty());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn gone(&self, is_known: impl Fn(&str) -> bool) -> Vec<(String, BTreeSet<String>)> {
        let mut seen = BTreeSet::new();
        let mut gone = Vec::new();
        for run in self.runs.iter().rev().take(RUNS_DRAWN) {
            let unknown = run.files.keys().filter(|name| !is_known(name));
            let unknown: BTreeSet<String> =
                unknown.filter(|name| seen.insert(name.as_str())).cloned().collect();
            if !unknown.is_empty() {
                gone.push((run.revision.clone(), unknown));
            }
        }
        gone
    }

    /// Gives a file of the runs another name. A run that has a file of the new name stays as it is.
    ///
    /// [`gone`](Self::gone) has an example.
    pub fn rename(&mut self, old: &str, new: &str) {
        for run in self.runs.iter_mut().filter(|run| !run.files.contains_key(new)) {
            if let Some(covered) = run.files.remove(old) {
                run.files.insert(new.to_owned(), covered);
            }
        }
    }

    /// Returns what pages draw: the runs, and for each of these files what was covered in each run.
    pub(super) fn drawn<'h>(&'h self, names: impl Iterator<Item = &'h str>) -> Drawn<'h> {
        let runs = self.runs.get(self.runs.len().saturating_sub(RUNS_DRAWN)..).unwrap_or_default();
        let files_shown: Vec<&str> = names.collect();
        let mut files = BTreeMap::new();
        for (row, name) in files_shown.iter().copied().enumerate() {
            let points: Vec<_> = runs.iter().map(|run| run.files.get(name).copied()).collect();
            if points.iter().any(Option::is_some) {
                files.insert(row, points);
            }
        }
        Drawn {
            time: runs.iter().map(|run| run.time.as_str()).collect(),
            revision: runs.iter().map(|run| run.revision.as_str()).collect(),
            total: runs.iter().map(|run| run.total).collect(),
            folders: folders_of(runs, &files_shown),
            files,
        }
    }
}

/// Returns what was covered of each folder that has one of these files, in each run. Files that are gone count, too.
fn folders_of(runs: &[Run], shown: &[&str]) -> BTreeMap<String, Vec<Option<Covered>>> {
    let mut folders: BTreeMap<String, Vec<Option<Covered>>> = BTreeMap::new();
    for folder in shown.iter().flat_map(|name| folders_above(name)) {
        folders.entry(folder).or_insert_with(|| vec![None; runs.len()]);
    }
    for (at, run) in runs.iter().enumerate() {
        for (name, (covered, all)) in &run.files {
            for folder in folders_above(name) {
                if let Some(point) = folders.get_mut(&folder).and_then(|points| points.get_mut(at))
                {
                    let (sum, total) = point.get_or_insert((0, 0));
                    (*sum, *total) = (sum.saturating_add(*covered), total.saturating_add(*all));
                }
            }
        }
    }
    folders
}

/// Returns the folders that a file is in, as the script names them: `src/`, `src/app/`.
fn folders_above(name: &str) -> Vec<String> {
    let mut folders = Vec::new();
    let mut parts: Vec<&str> = name.split(['/', '\\']).collect();
    parts.pop();
    let mut folder = String::new();
    for part in parts {
        folder.push_str(part);
        folder.push('/');
        folders.push(folder.clone());
    }
    folders
}

/// The content of `data.history.js`.
#[derive(Serialize)]
pub(super) struct Drawn<'a> {
    time: Vec<&'a str>,
    revision: Vec<&'a str>,
    total: Vec<Covered>,
    /// The points of the folders, by their paths with a `/` at the end.
    folders: BTreeMap<String, Vec<Option<Covered>>>,
    /// The points of the files, by their rows.
    files: BTreeMap<usize, Vec<Option<Covered>>>,
}

fn parse_line(line: &[u8]) -> Result<Run, String> {
    const CONFLICT: [&[u8]; 4] = [b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>"];
    if CONFLICT.iter().any(|mark| line.starts_with(mark)) {
        return Err("this is a mark of a conflict: keep the lines of both sides".to_owned());
    }
    let run: Run = serde_json::from_slice(line).map_err(|err| format!("this is no run: {err}"))?;
    if run.format != FORMAT {
        let format = run.format;
        return Err(format!("format {format} is unknown: a newer pulpcov may have written it"));
    }
    let counts = run.files.values().chain([&run.total]);
    let impossible = counts.copied().find(|(covered, all)| covered > all);
    match impossible {
        Some((covered, all)) => Err(format!("{covered} of {all} cannot be covered")),
        None => Ok(run),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(time: &str, covered: usize) -> String {
        format!(
            "{{\"format\":1,\"time\":\"{time}\",\"revision\":\"r\",\"total\":[{covered},9],\"files\":{{\"a.py\":[{covered},9]}}}}\n"
        )
    }

    #[test]
    fn runs_are_in_the_order_of_time_and_once() {
        let text =
            [line("2026-02-01T00:00:00Z", 5), "\n".to_owned(), line("2026-01-01T00:00:00Z", 3)];
        let text = text.concat() + &line("2026-02-01T00:00:00Z", 5);
        let history = History::parse(text.as_bytes()).unwrap();
        assert_eq!(history.runs().iter().map(|run| run.total.0).collect::<Vec<_>>(), [3, 5]);
        let drawn = history.drawn(["b.py", "a.py"].into_iter());
        assert_eq!(drawn.files, BTreeMap::from([(1, vec![Some((3, 9)), Some((5, 9))])]));
        assert_eq!(folders_above("src/app\\x.py"), ["src/", "src/app/"]);
    }

    #[test]
    fn what_is_no_run_is_named_with_its_line() {
        let refusal = |text: &str| History::parse(text.as_bytes()).unwrap_err().to_string();
        let good = line("2026-01-01T00:00:00Z", 3);
        assert!(refusal(&format!("{good}<<<<<<< ours\n")).contains("line 2"), "{}", refusal("x"));
        assert!(refusal("{}").contains("this is no run"));
        assert!(refusal(&good.replace(":1,", ":7,")).contains("format 7"));
        assert!(refusal(&good.replace("[3,9]", "[10,9]")).contains("10 of 9 cannot be covered"));
        assert!(refusal("||||||| base\n").contains("mark of a conflict"));
        assert!(History::parse(format!("\u{feff}{good}").as_bytes()).is_ok());
    }
}
