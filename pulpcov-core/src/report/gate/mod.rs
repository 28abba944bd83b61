//! What a [gate](crate::gates) says, for people and programs.
//!
//! A [`GateReport`] has the verdict, and what else the caller found out: what fell since a baseline, and which lines only
//! some runs reach. The formats are those that people read ([`write_text`], [`write_markdown`]), programs ([`write_json`]),
//! and the CI of GitHub ([`write_github`]).
//!
//! - `text`, `markdown`, `json`, `github`: the formats.
//! - `words`: the sentences that they share.
//! - `page`: what the HTML report shows.

mod github;
mod json;
pub(in crate::report) mod markdown;
#[cfg(feature = "html")]
pub(in crate::report) mod page;
mod text;
mod words;

pub use github::write_github;
pub use json::write_json;
pub use markdown::write_markdown;
pub use text::write_text;

use std::path::Path;

use crate::gates::{Comparison, Flapping, Verdict};
use crate::paths::{from_os, normpath, to_os};

/// What a gate says, and what was found out beside it.
///
/// # Examples
///
/// ```
/// use pulpcov_core::gates::{Gate, GateFile};
/// use pulpcov_core::report::gate::{GateReport, write_text};
/// use pulpcov_core::results::Numbers;
///
/// let numbers = Numbers { statements: 40, missing: 12, ..Numbers::default() };
/// let gate = Gate::new().floor("80".parse()?);
/// let verdict = gate.judge([GateFile::new("src/app.py", numbers)], None, |_| true)?;
/// let mut out = Vec::new();
/// write_text(&GateReport::new(&verdict), &mut out)?;
/// assert_eq!(
///     String::from_utf8_lossy(&out),
///     "src/app.py: 12 of 40 lines missing, floor 80%\n\
///      \u{20}   cover 4 of the 12 missing lines, or remove 5\n\
///      \n\
///      1 of 1 file fails\n",
/// );
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct GateReport<'a> {
    verdict: &'a Verdict,
    comparison: Option<&'a Comparison>,
    flapping: Option<&'a Flapping>,
    max_bytes: Option<usize>,
    folders: Option<Folders<'a>>,
}

/// The folders that names start from.
#[derive(Debug, Clone, Copy)]
struct Folders<'a> {
    /// The top folder of the repository.
    top: &'a Path,
    /// The folder that the names of the verdict start from.
    folder: &'a Path,
}

impl<'a> GateReport<'a> {
    /// Creates a report of a verdict, made with a ratchet or without.
    pub fn new(verdict: &'a Verdict) -> Self {
        Self { verdict, comparison: None, flapping: None, max_bytes: None, folders: None }
    }

    /// Adds what became of files since a baseline. The verdict was made with this baseline.
    #[must_use]
    pub fn comparison(mut self, comparison: &'a Comparison) -> Self {
        self.comparison = Some(comparison);
        self
    }

    /// Adds what only some runs reach.
    #[must_use]
    pub fn flapping(mut self, flapping: &'a Flapping) -> Self {
        self.flapping = Some(flapping);
        self
    }

    /// Names files from the top folder of the repository. The names of the verdict start from `folder`.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// use pulpcov_core::gates::{Gate, GateFile};
    /// use pulpcov_core::report::gate::{GateReport, write_github};
    /// use pulpcov_core::results::Numbers;
    ///
    /// let numbers = Numbers { statements: 4, missing: 2, ..Numbers::default() };
    /// let files = [GateFile::new("src/a.py", numbers)];
    /// let verdict = Gate::new().floor("80".parse()?).judge(files, None, |_| true)?;
    /// let report = GateReport::new(&verdict);
    /// let report = report.named_from(Path::new("/work"), Path::new("/work/services/app"));
    /// let mut out = Vec::new();
    /// write_github(&report, &mut out)?;
    /// assert!(out.starts_with(b"::error file=services/app/src/a.py,"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn named_from(mut self, top: &'a Path, folder: &'a Path) -> Self {
        self.folders = Some(Folders { top, folder });
        self
    }

    /// Returns the name of a file of the verdict, as the report shows it.
    fn shown(&self, name: &str) -> String {
        let Some(Folders { top, folder }) = self.folders else { return name.to_owned() };
        let path = to_os(&normpath(&from_os(&folder.join(name))));
        match path.strip_prefix(top) {
            Ok(inside) => inside.to_string_lossy().into_owned(),
            Err(_) => name.to_owned(),
        }
    }

    /// Sets the most bytes that [`write_markdown`] may write. Rows are left out until the rest fits: first lines that only
    /// some runs reach, then files that fell since the baseline, and failures last.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::gates::{Gate, GateFile};
    /// use pulpcov_core::report::gate::{GateReport, write_markdown};
    /// use pulpcov_core::results::Numbers;
    ///
    /// let numbers = Numbers { statements: 40, missing: 12, ..Numbers::default() };
    /// let files = (0..9).map(|n| GateFile::new(format!("src/{n}.py"), numbers));
    /// let verdict = Gate::new().floor("80".parse()?).judge(files, None, |_| true)?;
    /// let mut out = Vec::new();
    /// write_markdown(&GateReport::new(&verdict).max_bytes(280), &mut out)?;
    /// assert!(out.len() <= 280);
    /// assert!(String::from_utf8_lossy(&out).contains("\nLeft out, to fit: 8 failures.\n"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }
}
