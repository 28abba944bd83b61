//! What a gate says of the files of a report.

use std::collections::HashMap;

use crate::report::gate::GateReport;
use crate::report::gate::page::FileBelow;
use crate::results::Floor;
use crate::text::printable;

/// The verdict of a gate, for [`Options::gate`](super::Options::gate): which files are below their floors, and what makes them
/// pass.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::gates::{Gate, GateFile};
/// use pulpcov_core::report::gate::GateReport;
/// use pulpcov_core::report::html;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let files = summary.files().iter().map(|file| GateFile::new(file.name(), file.numbers()));
/// let verdict = Gate::new().floor("80".parse()?).judge(files, None, |_| true)?;
/// let options = html::Options::new().gate(html::Gate::new(&GateReport::new(&verdict)));
///
/// let mut page = Vec::new();
/// html::write_single_file(&summary, &options, &mut page)?;
/// assert!(String::from_utf8_lossy(&page).contains("Gate: 1 of 1 file fails"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Gate {
    /// How many files fail.
    pub(super) sentence: String,
    pub(super) passes: bool,
    /// The files below their floors, in the order of the verdict.
    pub(super) files: Vec<JudgedFile>,
    /// What fails beside files: rules, and files that were not measured.
    pub(super) others: Vec<String>,
    by_name: HashMap<String, usize>,
}

/// A file below its floor.
#[derive(Debug, Clone)]
pub(super) struct JudgedFile {
    /// The name in the report.
    pub(super) name: String,
    /// Whether it fails. Otherwise, the ratchet or the baseline allows it.
    pub(super) fails: bool,
    /// How much is missing, what asks for more, and what makes the file pass.
    pub(super) words: String,
    /// The percentage that is asked of its lines and branches together, if that is asked.
    pub(super) floor: Option<Floor>,
}

impl Gate {
    /// Takes what the report shows from the report of a gate, whose names must be those of the HTML report.
    pub fn new(report: &GateReport<'_>) -> Self {
        let files: Vec<JudgedFile> = report
            .files_below()
            .into_iter()
            .map(|FileBelow { name, fails, words, floor }| JudgedFile {
                name,
                fails,
                words: printable(&words).into_owned(),
                floor,
            })
            .collect();
        let by_name = files.iter().enumerate().map(|(at, file)| (file.name.clone(), at)).collect();
        let others = report.other_sentences();
        Self {
            sentence: printable(&report.total()).into_owned(),
            passes: report.passes(),
            others: others.iter().map(|words| printable(words).into_owned()).collect(),
            files,
            by_name,
        }
    }

    /// Returns what is said of the file with this name. Nothing is said of a file that reaches its floor.
    pub(super) fn file(&self, name: &str) -> Option<&JudgedFile> {
        self.files.get(*self.by_name.get(name)?)
    }
}
