//! Gates: whether enough is covered, file by file.
//!
//! A [`Gate`] has floors and [rules](Rule). It judges [files](GateFile) by their counts, and returns a [`Verdict`]. It
//! reads no files: the caller has the counts from a [`Summary`], as [`gate_files`] returns them.
//!
//! A [`Ratchet`] allows old files to be below the floor, but not to become worse. It counts what is missing instead of
//! keeping percentages: to delete covered code does not make a file worse, and the numbers of two branches can be
//! [merged](Ratchet::merge).
//!
//! A [`Comparison`] compares with the data of another version, and [`Flapping`] finds lines that only some runs of the same
//! code reach.
//!
//! - `patterns`: the patterns of paths, and which is the most specific.
//! - `limits`: how much must be covered.
//! - `gate` and `judge`: the rules, and what they say of files.
//! - `ratchet` and `merge`: the ratchet's text, and the ratchets of two branches.
//! - `comparison`, `flapping`: two versions, and several runs of one version.
//!
//! # Examples
//!
//! ```
//! use std::path::Path;
//!
//! use pulpcov_core::gates::{Gate, gate_files};
//! use pulpcov_core::summarize::Summarizer;
//! use pulpcov_core::{CoverageData, Numbits};
//!
//! let mut data = CoverageData::new();
//! data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
//! let sources = |_: &Path| Ok(Some(b"x = 1\nif x == 2:\n    x = 3\n".to_vec()));
//! let summary = Summarizer::new(&data, &sources).run()?;
//!
//! let gate = Gate::new().floor("80".parse()?);
//! let verdict = gate.judge(gate_files(&summary, None), None, |_| true)?;
//! let file = verdict.failing_files().next().unwrap();
//! assert_eq!(file.remedies(), ["cover or remove the missing line"]);
//! # Ok::<(), pulpcov_core::Error>(())
//! ```

pub(crate) mod comparison;
mod flapping;
mod gate;
mod judge;
mod limits;
mod merge;
mod patterns;
mod ratchet;

pub use comparison::{Comparison, FileComparison, RegionComparison};
pub use flapping::{Flapping, FlappingFile, Run};
pub use gate::{Gate, GateFile, Rule};
pub use judge::{FileVerdict, GroupVerdict, JudgedBy, Outcome, Verdict};
pub use limits::{Bound, Limit, Limits, Measure, Shortfall};
pub use patterns::PathPattern;
pub use ratchet::{Debt, Ratchet};

use std::collections::HashMap;

use crate::summarize::{FileSummary, Summary};

/// Returns the files of a summary for a [`Gate`], none of which is new.
pub fn gate_files(summary: &Summary<'_>, flapping: Option<&Flapping>) -> Vec<GateFile> {
    let flapping = flapping.map(Flapping::files).unwrap_or_default();
    let counts: HashMap<&str, (usize, usize)> =
        flapping.iter().map(|file| (file.name(), file.counts())).collect();
    let file = |file: &FileSummary| GateFile {
        flapping: counts.get(file.name()).copied().unwrap_or_default(),
        ..GateFile::new(file.name(), file.numbers())
    };
    summary.all_files().map(file).collect()
}
