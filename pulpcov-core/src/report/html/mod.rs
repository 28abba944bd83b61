//! A report to read in a browser: a folder of pages, or one page that holds everything.
//!
//! It says what coverage.py's `html` says, and its pages are named alike, but its design is our own. Pages
//! are thin: what the lists show is in `data.*.js` files that pages share, and one script draws it. Source pages
//! are readable without that script. All pages work from `file://`, ask no other host for anything,
//! and forbid everything but their own script and style sheet.
//!
//! | part | what is there |
//! |---|---|
//! | `pages.rs` | which files get a page, and its name |
//! | `tables.rs` | the figures of files, functions and classes |
//! | `source.rs` | the lines of a source page |
//! | `contexts.rs` | who ran what, compactly |
//! | `texts.rs` | source text to search in |
//! | `folder.rs` | the report as a folder, of which only what changed is written |
//! | `single.rs` | the report as one page |
//! | `views.rs` | the askama templates |

mod assets;
mod contexts;
mod escape;
mod folder;
mod highlight;
mod pages;
mod single;
mod source;
mod tables;
mod texts;
mod views;

use std::path::Path;

use crate::Result;
use crate::results::Precision;
use crate::summarize::Summary;

/// What is in the report.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::html::Options;
///
/// let options = Options::new().title("Nightly").show_contexts(true).skip_covered(true);
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    title: String,
    timestamp: String,
    extra_css: Option<Vec<u8>>,
    precision: Precision,
    show_contexts: bool,
    skip_covered: bool,
    skip_empty: bool,
    live: bool,
    problems: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            title: "Coverage report".to_owned(),
            timestamp: String::new(),
            extra_css: None,
            precision: Precision::default(),
            show_contexts: false,
            skip_covered: false,
            skip_empty: false,
            live: false,
            problems: Vec::new(),
        }
    }
}

impl Options {
    /// coverage.py's defaults, and no timestamp.
    pub fn new() -> Self {
        Self::default()
    }

    /// The title of the report, as text.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// When the report was made, in any words; only the first page says it.
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<String>) -> Self {
        self.timestamp = timestamp.into();
        self
    }

    /// A style sheet that comes after the report's own.
    #[must_use]
    pub fn extra_css(mut self, css: impl Into<Vec<u8>>) -> Self {
        self.extra_css = Some(css.into());
        self
    }

    /// The digits of percentages.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Whether to say which contexts ran each line.
    #[must_use]
    pub fn show_contexts(mut self, show: bool) -> Self {
        self.show_contexts = show;
        self
    }

    /// Whether to leave out what ran completely; totals count it.
    #[must_use]
    pub fn skip_covered(mut self, skip: bool) -> Self {
        self.skip_covered = skip;
        self
    }

    /// Whether to leave out what has no statements.
    #[must_use]
    pub fn skip_empty(mut self, skip: bool) -> Self {
        self.skip_empty = skip;
        self
    }

    /// What is missing from the report, or odd about it; the first page lists it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::summarize::Summary;
    /// use pulpcov_core::report::html::Options;
    ///
    /// # fn options(summary: &Summary<'_>) -> Options {
    /// Options::new().problems(summary.warnings().iter().map(ToString::to_string))
    /// # }
    /// ```
    #[must_use]
    pub fn problems(mut self, problems: impl IntoIterator<Item = String>) -> Self {
        self.problems = problems.into_iter().collect();
        self
    }

    /// Whether open pages are to be loaded again when the report in the folder has changed: it is written while
    /// people look at it. They say the [`timestamp`](Self::timestamp) of the data. A single file is never live.
    #[must_use]
    pub fn live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }
}

/// Write the report into a folder, and return the total in percent: 0 if there are no statements.
///
/// Its first page is `index.html`. What an earlier report left there is written again only if it changed, and
/// removed if it is no longer part of the report; other files in the folder are left alone.
///
/// # Errors
///
/// [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary [keeps](crate::summarize::Detail) too little of a file,
/// [`ErrorKind::NoSource`](crate::ErrorKind::NoSource) if a source is gone meanwhile,
/// [`ErrorKind::Output`](crate::ErrorKind::Output), with the path, for what cannot be written.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::html;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources)?.run()?;
///
/// let folder = tempfile::tempdir()?;
/// let total = html::write(&summary, &html::Options::new(), folder.path())?;
/// assert_eq!(format!("{total:.1}"), "66.7");
/// assert!(folder.path().join("index.html").is_file());
/// assert!(folder.path().join("a_py.html").is_file());
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(summary: &Summary<'_>, options: &Options, folder: impl AsRef<Path>) -> Result<f64> {
    let report = pages::Report::new(summary, options)?;
    folder::write(&report, folder.as_ref())?;
    Ok(report.total())
}

/// Write the report as one page that needs no other file, and return the total in percent.
///
/// # Errors
///
/// As [`write()`].
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::html;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1]))?;
/// let sources = |_: &Path| Ok(Some(b"x = '</script>'\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources)?.run()?;
///
/// let mut page = Vec::new();
/// html::write_single_file(&summary, &html::Options::new(), &mut page)?;
/// assert!(page.starts_with(b"<!doctype html>"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write_single_file(
    summary: &Summary<'_>,
    options: &Options,
    out: impl std::io::Write,
) -> Result<f64> {
    let report = pages::Report::new(summary, options)?;
    single::write(&report, out)?;
    Ok(report.total())
}
