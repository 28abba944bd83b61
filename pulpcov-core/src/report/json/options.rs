//! The options of the report.

use crate::results::Precision;

/// Options of the JSON report.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::json::Options;
///
/// let options = Options::new().pretty_print(true).timestamp("2026-05-04T12:00:00.000001");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Options {
    pub(super) precision: Precision,
    pub(super) pretty_print: bool,
    pub(super) show_contexts: bool,
    pub(super) contexts_once: bool,
    pub(super) timestamp: String,
}

impl Options {
    /// Returns coverage.py's defaults, with an empty timestamp.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the number of decimal places of percentages that are written as text.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::json;
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
    /// let options = json::Options::new().precision(Precision::new(1)?);
    /// json::write(&summary, &options, &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains(r#""percent_covered_display": "66.7""#));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets whether to indent the JSON.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::json;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// json::write(&summary, &json::Options::new().pretty_print(true), &mut out)?;
    /// assert!(out.starts_with(b"{\n    \"meta\": {\n        \"format\": 3,"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn pretty_print(mut self, pretty: bool) -> Self {
        self.pretty_print = pretty;
        self
    }

    /// Sets whether to show which contexts ran each line.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::report::json;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// data.add_lines("a.py", "test_login", &Numbits::from_iter([1]))?;
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// json::write(&summary, &json::Options::new().show_contexts(true), &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains(r#""contexts": {"1": ["test_login"]}"#));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn show_contexts(mut self, show: bool) -> Self {
        self.show_contexts = show;
        self
    }

    /// Sets whether to write the name of each context only once. Without
    /// [`show_contexts`](Self::show_contexts) this has no effect.
    ///
    /// The report then has a list `contexts` of all names. The `contexts` of a file map each line
    /// to indices in that list. Functions and classes have no `contexts`, because their lines are
    /// also lines of the file.
    ///
    /// coverage.py has no such form. Its own form repeats the names for each line, up to three
    /// times.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::report::json;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// data.add_lines("a.py", "test_login", &Numbits::from_iter([1]))?;
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// json::write(&summary, &json::Options::new().show_contexts(true).contexts_once(true), &mut out)?;
    /// let report = String::from_utf8_lossy(&out);
    /// assert!(report.contains(r#""contexts": ["test_login"]"#));
    /// assert!(report.contains(r#""contexts": {"1": [0]}"#));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn contexts_once(mut self, once: bool) -> Self {
        self.contexts_once = once;
        self
    }

    /// Sets the time of the report. coverage.py writes the local time in ISO 8601, without a time
    /// zone.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::json;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// let options = json::Options::new().timestamp("2026-05-04T12:00:00.000001");
    /// json::write(&summary, &options, &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains(r#""timestamp": "2026-05-04T12:00:00.000001""#));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<String>) -> Self {
        self.timestamp = timestamp.into();
        self
    }
}
