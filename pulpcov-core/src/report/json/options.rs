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
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets whether to indent the JSON.
    #[must_use]
    pub fn pretty_print(mut self, pretty: bool) -> Self {
        self.pretty_print = pretty;
        self
    }

    /// Sets whether to show which contexts ran each line.
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
    #[must_use]
    pub fn contexts_once(mut self, once: bool) -> Self {
        self.contexts_once = once;
        self
    }

    /// Sets the time of the report. coverage.py writes the local time in ISO 8601, without a time
    /// zone.
    #[must_use]
    pub fn timestamp(mut self, timestamp: impl Into<String>) -> Self {
        self.timestamp = timestamp.into();
        self
    }
}
