//! An HTML report: a folder of pages, or one page that contains everything.
//!
//! The report has the content of coverage.py's `html` report and similar page names, but a design
//! of its own. Pages are small: the data of the lists is in `data.*.js` files, which all pages
//! share and one script displays. Source pages are readable without the script. All pages work from
//! `file://` and make no request to another host. A Content-Security-Policy forbids all scripts and
//! style sheets but the report's own.
//!
//! | module | content |
//! |---|---|
//! | `pages.rs` | which files get a page, and the name of each page |
//! | `tables.rs` | the numbers of files, functions and classes |
//! | `source.rs` | the lines of a source page |
//! | `source_url.rs` | the address of a source on a website |
//! | `outline.rs` | the functions and classes of a source page |
//! | `page_text.rs` | the text of a source page, as it is written |
//! | `highlight.rs` | the tokens of a source line as HTML |
//! | `changes.rs` | the changes of a branch, as the report shows them |
//! | `hunks.rs` | the changed lines that are not covered, with the lines around them |
//! | `history.rs` | the runs of a project, one line each |
//! | `baseline.rs` | what was covered before, in another version |
//! | `gate.rs` | what a gate says of the files of a report |
//! | `contexts.rs` | a compact encoding of which contexts ran which lines |
//! | `search_text.rs` | source text for the search |
//! | `payload.rs` | the data that pages load, in the form that the script reads |
//! | `escape.rs` | text as HTML, and JSON as a script |
//! | `assets.rs` | the style sheet and the scripts |
//! | `views.rs` | the askama templates and their data |
//! | `folder.rs` | the report as a folder, in which only files that changed are written again |
//! | `fingerprint.rs` | hashes of what a file of the folder is made from |
//! | `single.rs` | the report as one page |
//! | `compressed.rs` | text of the one page that is compressed |

mod assets;
mod baseline;
mod changes;
mod compressed;
mod contexts;
mod escape;
mod fingerprint;
mod folder;
mod gate;
mod highlight;
mod history;
mod hunks;
mod outline;
mod page_text;
mod pages;
mod payload;
mod search_text;
mod single;
mod source;
mod source_url;
mod tables;
mod views;

use std::path::Path;

pub use baseline::Baseline;
pub use changes::Changes;
pub use gate::Gate;
pub use history::{History, Run};

use source_url::SourceUrl;

use crate::Result;
use crate::results::Precision;
use crate::summarize::Summary;

/// Options of the HTML report.
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
    changes: Option<Changes>,
    gate: Option<Gate>,
    baseline: Option<Baseline>,
    history: Option<History>,
    origin: Vec<String>,
    source_url: Option<SourceUrl>,
    one_total: bool,
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
            changes: None,
            gate: None,
            baseline: None,
            history: None,
            origin: Vec::new(),
            source_url: None,
            one_total: false,
        }
    }
}

impl Options {
    /// Returns coverage.py's defaults, with an empty timestamp.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the title of the report, as plain text.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::html;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// html::write_single_file(&summary, &html::Options::new().title("Nightly"), &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("<title>Nightly"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the time of the report, in any format. Only the first page shows it.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::html;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// let options = html::Options::new().timestamp("4 May 2026, 12:00");
    /// html::write_single_file(&summary, &options, &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("4 May 2026, 12:00"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<String>) -> Self {
        self.timestamp = timestamp.into();
        self
    }

    /// Sets a style sheet to load after the report's own.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::html;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// let options = html::Options::new().extra_css("body { color: teal }");
    /// html::write_single_file(&summary, &options, &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("body { color: teal }"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn extra_css(mut self, css: impl Into<Vec<u8>>) -> Self {
        self.extra_css = Some(css.into());
        self
    }

    /// Sets the number of decimal places of percentages.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::html;
    /// # use pulpcov_core::results::Precision;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// // Two of the three lines of `a.py` ran.
    /// let mut out = Vec::new();
    /// let options = html::Options::new().precision(Precision::new(2)?);
    /// html::write_single_file(&summary, &options, &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("66.67%"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets whether to show which contexts ran each line.
    #[must_use]
    pub fn show_contexts(mut self, show: bool) -> Self {
        self.show_contexts = show;
        self
    }

    /// Sets whether to leave out files and regions that are fully covered. The totals still count
    /// them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::{flat_name, html};
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("app/done.py", "", &Numbits::from_iter([1]))?;
    /// # data.add_lines("app/half.py", "", &Numbits::from_iter([2]))?;
    /// # data.add_lines("empty.py", "", &Numbits::new())?;
    /// # let sources = |path: &Path| {
    /// #     let text = match path.to_str() {
    /// #         Some("app/done.py") => "x = 1\n",
    /// #         Some("app/half.py") => "x = 1\ny = 2\n",
    /// #         _ => "",
    /// #     };
    /// #     Ok(Some(text.as_bytes().to_vec()))
    /// # };
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// # let folder = tempfile::tempdir()?;
    /// // All of `app/done.py` ran, half of `app/half.py`, and `empty.py` has no statements.
    /// html::write(&summary, &html::Options::new().skip_covered(true), folder.path())?;
    /// let page = |path| folder.path().join(flat_name(path) + ".html");
    /// assert!(!page("app/done.py").exists());
    /// assert!(page("app/half.py").exists());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn skip_covered(mut self, skip: bool) -> Self {
        self.skip_covered = skip;
        self
    }

    /// Sets whether to leave out files and regions without statements.
    #[must_use]
    pub fn skip_empty(mut self, skip: bool) -> Self {
        self.skip_empty = skip;
        self
    }

    /// Sets messages about the report, such as the warnings of the summary. The first page lists
    /// them.
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

    /// Sets where the report is from, in a few words each: the tool, the revision of the sources, the data. The list of files
    /// says so at its end.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::report::html::Options;
    ///
    /// let options = Options::new().origin(["pulpcov 1.0".to_owned(), "revision 1d2a7c3".to_owned()]);
    /// ```
    #[must_use]
    pub fn origin(mut self, parts: impl IntoIterator<Item = String>) -> Self {
        self.origin = parts.into_iter().collect();
        self
    }

    /// Sets a template for the address of a source on a website, such as a forge. Each source page has a link to it.
    ///
    /// In the template, `{path}` stands for `folder` and the name that the file has in the report, and `{line}` for the number of
    /// a line. `folder` is where names of the report start, seen from the top of the repository; it may be empty.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Config`](crate::ErrorKind::Config) if the template does not begin with `https://` or `http://`, or has
    /// no `{path}`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::report::html::Options;
    ///
    /// let options = Options::new().source_url("https://git.example.org/shop/blob/main/{path}#L{line}", "")?;
    /// assert!(Options::new().source_url("javascript:{path}", "").is_err());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn source_url(mut self, template: &str, folder: &str) -> Result<Self> {
        self.source_url = Some(SourceUrl::new(template, folder)?);
        Ok(self)
    }

    /// Sets whether open pages reload when the report in the folder changes.
    ///
    /// Use this if the report is written again and again while users look at it. Live pages show
    /// the [`timestamp`](Self::timestamp) of the data. [`write_single_file`] ignores this option.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::html;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// # let folder = tempfile::tempdir()?;
    /// html::write(&summary, &html::Options::new().live(true), folder.path())?;
    /// // Open pages poll this file.
    /// assert!(folder.path().join("live.data.js").exists());
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn live(mut self, live: bool) -> Self {
        self.live = live;
        self
    }

    /// Shows the changes of a branch: a page of them, marks at changed lines, and filters for what changed.
    ///
    /// [`Changes`] has an example.
    #[must_use]
    pub fn changes(mut self, changes: Changes) -> Self {
        self.changes = Some(changes);
        self
    }

    /// Shows what was covered before: how much each file, function and class rose or fell, and the lines that were lost or won.
    ///
    /// [`Baseline`] has an example.
    #[must_use]
    pub fn baseline(mut self, baseline: Baseline) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// Sets whether the report begins with the total of all languages. By default, it begins with the total of the data. Other
    /// languages have lists of their own either way.
    #[must_use]
    pub fn one_total(mut self, is_one: bool) -> Self {
        self.one_total = is_one;
        self
    }

    /// Draws the total, folders and files over the runs of a history, which should end with the run of this report.
    ///
    /// [`History`] has an example.
    #[must_use]
    pub fn history(mut self, history: History) -> Self {
        self.history = Some(history);
        self
    }

    /// Shows what a gate says: at the top of the list of files and of the folders, at each file and folder, and on the page of each
    /// file.
    ///
    /// [`Gate`] has an example.
    #[must_use]
    pub fn gate(mut self, gate: Gate) -> Self {
        self.gate = Some(gate);
        self
    }
}

/// Writes the report into a folder. Returns the total in percent, or 0 if there are no statements.
///
/// The first page is `index.html`. If the folder holds an earlier report, its files are written
/// again only if they changed, and removed if they are no longer part of the report. Other files in
/// the folder are left alone.
///
/// # Errors
///
/// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary does not
///   [keep](crate::summarize::Detail) enough of a file;
/// - [`ErrorKind::NoSource`](crate::ErrorKind::NoSource) if a source can no longer be read;
/// - [`ErrorKind::Output`](crate::ErrorKind::Output), with the path, if a file cannot be written.
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
/// let summary = Summarizer::new(&data, &sources).run()?;
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

/// Writes the report as one page that needs no other file. Returns the total in percent, or 0 if
/// there are no statements.
///
/// # Errors
///
/// The same as for [`write()`].
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
/// let summary = Summarizer::new(&data, &sources).run()?;
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
