//! A comment for a pull request, as Markdown.
//!
//! One comment says what a reader of a change wants to know: whether the changes are covered, where the project stands, and
//! whether the gate passes. It begins with an HTML comment, which nobody sees, so that a program finds the comment and
//! replaces it.
//!
//! - `write`: the text, and what is left out if it does not fit.

mod write;

use crate::report::gate::GateReport;
use crate::report::patch::{self, Patch};
use crate::results::{Numbers, Precision};
use crate::{Error, ErrorKind, Result};

/// The most characters of a comment that GitHub takes.
const LARGEST: usize = 65_536;

/// What a comment says.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::comment::Comment;
/// use pulpcov_core::results::Numbers;
///
/// let before = Numbers { statements: 200, missing: 30, ..Numbers::default() };
/// let now = Numbers { statements: 200, missing: 26, ..Numbers::default() };
/// let comment = Comment::new(now)
///     .name("unit tests")?
///     .baseline(before)
///     .link("All files", "https://ci.example.org/42/htmlcov/index.html")?;
/// let mut out = Vec::new();
/// comment.write(&mut out)?;
/// assert_eq!(
///     String::from_utf8_lossy(&out),
///     "<!-- pulpcov unit tests -->\n\
///      Project: 87% covered: 174 of 200 statements; 2.00 points more than before.\n\
///      \n\
///      [All files](<https://ci.example.org/42/htmlcov/index.html>)\n",
/// );
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Comment<'a> {
    name: String,
    totals: Numbers,
    before: Option<Numbers>,
    changes: Option<(&'a Patch<'a>, patch::Options)>,
    gate: Option<GateReport<'a>>,
    links: Vec<(String, String)>,
    precision: Precision,
    max_bytes: usize,
}

impl<'a> Comment<'a> {
    /// Creates a comment that says how much of the whole project is covered. Its name is `coverage`.
    pub fn new(totals: Numbers) -> Self {
        Self {
            name: "coverage".to_owned(),
            totals,
            before: None,
            changes: None,
            gate: None,
            links: Vec::new(),
            precision: Precision::default(),
            max_bytes: LARGEST,
        }
    }

    /// Sets the name of the comment. A project with several comments on a pull request names each.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRepresentable`] if the name has other characters than ASCII letters and digits, spaces, and `.`, `_`,
    /// `/` and single `-`. Others could end the HTML comment.
    pub fn name(mut self, name: impl Into<String>) -> Result<Self> {
        let name = name.into();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || " ._/-".contains(c);
        if name.is_empty() || !name.chars().all(is_plain) || name.contains("--") {
            let message = format!(
                "{name:?} cannot be the name of a comment: a name has letters, digits, spaces, `.`, `_`, `/` and single `-`"
            );
            return Err(Error::new(ErrorKind::NotRepresentable, message));
        }
        self.name = name;
        Ok(self)
    }

    /// Returns the first line of the comment, by which a program finds it.
    pub fn marker(&self) -> String {
        format!("<!-- pulpcov {} -->", self.name)
    }

    /// Adds what became of the changes. `options` are those of the [patch](patch::write_markdown); its limit does not count.
    #[must_use]
    pub fn changes(mut self, patch: &'a Patch<'a>, options: patch::Options) -> Self {
        self.changes = Some((patch, options));
        self
    }

    /// Adds the counts of another version, which the total is compared with.
    #[must_use]
    pub fn baseline(mut self, before: Numbers) -> Self {
        self.before = Some(before);
        self
    }

    /// Adds what a gate says.
    #[must_use]
    pub fn gate(mut self, report: GateReport<'a>) -> Self {
        self.gate = Some(report);
        self
    }

    /// Adds a link, at the end of the comment.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRepresentable`] if the address does not begin with `https://` or `http://`.
    pub fn link(mut self, text: impl Into<String>, address: impl Into<String>) -> Result<Self> {
        let address = address.into();
        if !["https://", "http://"].iter().any(|scheme| address.starts_with(scheme)) {
            let message = format!("{address:?} is not an address that begins with https://");
            return Err(Error::new(ErrorKind::NotRepresentable, message));
        }
        self.links.push((text.into(), address));
        Ok(self)
    }

    /// Sets the number of decimals of percentages.
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets the most bytes of the comment. By default, it has 65,536: GitHub takes no longer ones.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }
}
