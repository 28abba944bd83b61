//! The table for people: as text, as Markdown, or only the total.
//!
//! A port of coverage.py's report.py.

use std::cmp::Ordering;
use std::io::Write;
use std::str::FromStr;

use super::fitted::Fitted;
use super::folders::folder_totals;
use crate::pytext::is_space;
use crate::results::{Numbers, Precision, display_covered};
use crate::summarize::{FileSummary, OtherFile, Summary};
use crate::text::{human_cmp, plural, printable, py_repr};
use crate::{Error, ErrorKind, Result};

/// The format of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Aligned columns of text.
    #[default]
    Text,
    /// A Markdown table.
    Markdown,
    /// Only the total, without a percent sign.
    Total,
}

impl FromStr for Format {
    type Err = Error;

    /// # Errors
    ///
    /// [`ErrorKind::Config`], with coverage.py's message, if the text is not the name of a format.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "text" => Ok(Self::Text),
            "markdown" => Ok(Self::Markdown),
            "total" => Ok(Self::Total),
            other => Err(config(format!("Unknown report format choice: {}", py_repr(other)))),
        }
    }
}

/// What the rows of the table stand for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum By {
    /// One row for each file.
    #[default]
    File,
    /// One row for each folder. It counts all files below the folder.
    Folder,
}

/// Options of the table.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::text::{Format, Options};
///
/// let options = Options::new().format(Format::Markdown).show_missing(true).sort("-cover");
/// ```
#[derive(Debug, Clone, Default)]
pub struct Options {
    by: By,
    format: Format,
    precision: Precision,
    show_missing: bool,
    skip_covered: bool,
    skip_empty: bool,
    sort: Option<String>,
    max_bytes: Option<usize>,
    one_total: bool,
}

impl Options {
    /// Returns coverage.py's defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether the rows are files or folders.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::text;
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
    /// // All of `app/done.py` ran, half of `app/half.py`, and `empty.py` has no statements.
    /// let mut out = Vec::new();
    /// text::write(&summary, &text::Options::new().by(text::By::Folder), &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("\napp/        3      1    67%\n"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn by(mut self, by: By) -> Self {
        self.by = by;
        self
    }

    /// Sets the format of the table.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::text;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// // Two of the three lines of `a.py` ran.
    /// let mut out = Vec::new();
    /// text::write(&summary, &text::Options::new().format(text::Format::Total), &mut out)?;
    /// assert_eq!(out, b"67\n");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sets the number of decimal places of percentages.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::text;
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
    /// let options = text::Options::new().format(text::Format::Total).precision(Precision::new(2)?);
    /// text::write(&summary, &options, &mut out)?;
    /// assert_eq!(out, b"66.67\n");
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn precision(mut self, precision: Precision) -> Self {
        self.precision = precision;
        self
    }

    /// Sets whether to list the lines and branches that did not run.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::text;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// // Two of the three lines of `a.py` ran.
    /// let mut out = Vec::new();
    /// text::write(&summary, &text::Options::new().show_missing(true), &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains("a.py        3      1    67%   3\n"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn show_missing(mut self, show: bool) -> Self {
        self.show_missing = show;
        self
    }

    /// Sets whether to leave out rows that are fully covered. A note below the table counts them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::text;
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
    /// // All of `app/done.py` ran, half of `app/half.py`, and `empty.py` has no statements.
    /// let mut out = Vec::new();
    /// text::write(&summary, &text::Options::new().skip_covered(true), &mut out)?;
    /// let table = String::from_utf8_lossy(&out);
    /// assert!(!table.contains("done.py"));
    /// assert!(table.ends_with("2 files skipped due to complete coverage.\n"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn skip_covered(mut self, skip: bool) -> Self {
        self.skip_covered = skip;
        self
    }

    /// Sets whether to leave out rows without statements. A note below the table counts them.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::text;
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
    /// // All of `app/done.py` ran, half of `app/half.py`, and `empty.py` has no statements.
    /// let mut out = Vec::new();
    /// text::write(&summary, &text::Options::new().skip_empty(true), &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).ends_with("1 empty file skipped.\n"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn skip_empty(mut self, skip: bool) -> Self {
        self.skip_empty = skip;
        self
    }

    /// Sets the column to sort by: `name`, `stmts`, `miss`, `branch`, `brpart` or `cover`. A `-`
    /// before the name reverses the order.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::text;
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
    /// // All of `app/done.py` ran, half of `app/half.py`, and `empty.py` has no statements.
    /// let mut out = Vec::new();
    /// text::write(&summary, &text::Options::new().sort("-miss"), &mut out)?;
    /// let table = String::from_utf8_lossy(&out);
    /// assert!(table.lines().nth(2).unwrap().starts_with("app/half.py"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn sort(mut self, column: impl Into<String>) -> Self {
        self.sort = Some(column.into());
        self
    }

    /// Sets whether there is a total of all languages, which is then the total of the report. By default, the total is that of
    /// the data, and each language that only other tools measured has a table and a total of its own.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::foreign::lcov;
    /// # use pulpcov_core::report::text;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// let report = lcov::read(&b"SF:a.c\nDA:1,1\nend_of_record\n"[..])?;
    /// let summary = Summarizer::new(&data, &sources).with(&report).run()?;
    /// // Two of the three lines of `a.py` ran, and the only one of `a.c`.
    /// let options = text::Options::new().format(text::Format::Total);
    /// assert_eq!(text::write(&summary, &options, std::io::sink())?.round(), 67.0);
    /// assert_eq!(text::write(&summary, &options.one_total(true), std::io::sink())?, 75.0);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn one_total(mut self, is_one: bool) -> Self {
        self.one_total = is_one;
        self
    }

    /// Sets the most bytes that a Markdown table may have. Rows of which little is missing are left out until the rest
    /// fits, and a line says how many. coverage.py has no such limit.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::text;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # for n in 0..50 {
    /// #     data.add_lines(format!("app/file{n}.py"), "", &Numbits::from_iter([1]))?;
    /// # }
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\ny = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// // Fifty files do not fit into 500 bytes.
    /// let mut out = Vec::new();
    /// let options = text::Options::new().format(text::Format::Markdown).max_bytes(500);
    /// text::write(&summary, &options, &mut out)?;
    /// assert!(out.len() <= 500);
    /// assert!(String::from_utf8_lossy(&out).contains("\nLeft out, to fit: "));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }
}

/// Writes the table. Returns the total in percent.
///
/// # Errors
///
/// - [`ErrorKind::NoData`] if the summary contains no files, or if the table lists missing lines
///   and the summary does not [keep](crate::summarize::Detail) them;
/// - [`ErrorKind::NotRepresentable`] if [`Options::max_bytes`] is too little even without rows;
/// - [`ErrorKind::Config`] if the column to sort by does not exist;
/// - [`ErrorKind::Output`] if `out` cannot be written.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::text;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let mut out = Vec::new();
/// let total = text::write(&summary, &text::Options::new().show_missing(true), &mut out)?;
/// assert_eq!(total.round(), 67.0);
/// assert_eq!(
///     String::from_utf8_lossy(&out),
///     "Name    Stmts   Miss  Cover   Missing\n\
///      -------------------------------------\n\
///      a.py        3      1    67%   3\n\
///      -------------------------------------\n\
///      TOTAL       3      1    67%\n",
/// );
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(summary: &Summary<'_>, options: &Options, mut out: impl Write) -> Result<f64> {
    if summary.all_files().next().is_none() {
        return Err(Error::new(ErrorKind::NoData, "No data to report."));
    }
    let total = summary.headline(options.one_total).percent_covered();
    let lines = match options.format {
        Format::Total => vec![display_covered(total, options.precision)],
        Format::Text => {
            let tables = tables(summary, options)?;
            tables.iter().map(Table::text).collect::<Vec<_>>().join(&String::new())
        }
        Format::Markdown => {
            let tables = tables(summary, options)?;
            let lines = tables.iter().map(Table::markdown).collect::<Vec<_>>().join(&String::new());
            let size: usize =
                lines.iter().map(|line| line.trim_end_matches(is_space).len() + 1).sum();
            if options.max_bytes.is_some_and(|max| size > max) {
                compact_markdown(&tables, options.by).write(options.max_bytes, &mut out)?;
                return Ok(total);
            }
            lines
        }
    };
    for line in lines {
        writeln!(out, "{}", line.trim_end_matches(is_space))?;
    }
    Ok(total)
}

/// Returns the tables: that of the data, those of languages that only other tools measured, and that of all, if it is asked for.
fn tables(summary: &Summary<'_>, options: &Options) -> Result<Vec<Table>> {
    let missing = options.show_missing;
    let mut tables = Vec::new();
    if !summary.files().is_empty() {
        let columns = Columns { branches: summary.has_arcs(), missing };
        let files: Vec<&FileSummary> = summary.files().iter().collect();
        tables.push(Table::new("Name", &files, summary.totals(), options, columns)?);
    }
    for (language, files, totals) in summary.other_languages() {
        let columns = Columns { branches: totals.branches > 0, missing };
        let files: Vec<&FileSummary> = files.iter().map(OtherFile::summary).collect();
        tables.push(Table::new(language, &files, totals, options, columns)?);
    }
    if options.one_total && summary.other_languages().next().is_some() {
        let totals = summary.totals_of_all();
        let columns = Columns { branches: totals.branches > 0, missing: false };
        tables.push(Table::new("All languages", &[], totals, options, columns)?);
    }
    Ok(tables)
}

/// Returns the Markdown tables without the spaces that align their columns. Their rows can be left out.
fn compact_markdown(tables: &[Table], by: By) -> Fitted {
    let mut text = Fitted::new();
    for (at, table) in tables.iter().enumerate() {
        if at > 0 {
            text.text("\n".to_owned());
        }
        table.add_compact_markdown(by, &mut text);
    }
    text
}

/// Which of the optional columns the table has.
#[derive(Debug, Clone, Copy)]
struct Columns {
    branches: bool,
    missing: bool,
}

impl Columns {
    /// Returns the headers of the columns with counts.
    fn counts(self) -> &'static [&'static str] {
        if self.branches { &["Stmts", "Miss", "Branch", "BrPart"] } else { &["Stmts", "Miss"] }
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    name: String,
    counts: Vec<usize>,
    cover: String,
    missing: Option<String>,
    percent: f64,
}

impl Row {
    fn new(name: &str, numbers: Numbers, options: &Options, columns: Columns) -> Self {
        let mut counts = vec![numbers.statements, numbers.missing];
        if columns.branches {
            counts.extend([numbers.branches, numbers.partial_branches]);
        }
        let percent = numbers.percent_covered();
        Self {
            name: name.to_owned(),
            counts,
            cover: display_covered(percent, options.precision),
            missing: columns.missing.then(String::new),
            percent,
        }
    }

    fn of_file(file: &FileSummary, options: &Options, columns: Columns) -> Result<Self> {
        let missing = match columns.missing {
            true => Some(file.analysis()?.missing_formatted(true)),
            false => None,
        };
        Ok(Self { missing, ..Self::new(&printable(file.name()), file.numbers(), options, columns) })
    }
}

/// The content of a table, independent of its format.
struct Table {
    /// The header of the column with names.
    title: &'static str,
    columns: Columns,
    rows: Vec<Row>,
    total: Row,
    /// How many rows were left out, and why.
    notes: Vec<String>,
}

impl Table {
    fn new(
        title: &'static str,
        files: &[&FileSummary],
        totals: Numbers,
        options: &Options,
        columns: Columns,
    ) -> Result<Self> {
        let (mut rows, mut covered, mut empty) = (Vec::new(), 0, 0);
        let mut add = |numbers: Numbers, row: &dyn Fn() -> Result<Row>| -> Result<()> {
            if options.skip_covered && numbers.missing == 0 && numbers.partial_branches == 0 {
                covered += 1;
            } else if options.skip_empty && numbers.statements == 0 {
                empty += 1;
            } else {
                rows.push(row()?);
            }
            Ok(())
        };
        let noun = match options.by {
            By::File => {
                for file in files {
                    add(file.numbers(), &|| Row::of_file(file, options, columns))?;
                }
                "file"
            }
            By::Folder => {
                for (name, numbers) in folder_totals(files.iter().copied()) {
                    let row = || Row::new(&printable(&name), numbers, options, columns);
                    add(numbers, &|| Ok(row()))?;
                }
                "folder"
            }
        };
        sort(&mut rows, options.sort.as_deref(), columns)?;
        let mut notes = Vec::new();
        if covered > 0 {
            notes.push(format!("\n{} skipped due to complete coverage.", plural(covered, noun)));
        }
        if empty > 0 {
            notes.push(format!("\n{} skipped.", plural(empty, &format!("empty {noun}"))));
        }
        let total = Row::new("TOTAL", totals, options, columns);
        Ok(Self { title, columns, rows, total, notes })
    }

    fn text(&self) -> Vec<String> {
        let longest = self.rows.iter().map(|row| width(&row.name)).max().unwrap_or(0).max(5);
        let name = 1 + longest.max(width(self.title));
        let cover = self.rows.iter().map(|row| row.cover.len() + 2).max().unwrap_or(0);
        let cover = cover.max((self.total.cover.len() + 2).max(6) + 1);
        let mut header = format!("{:name$}", self.title);
        self.columns.counts().iter().for_each(|count| header.push_str(&format!("{count:>7}")));
        header.push_str(&format!("{:>cover$}", "Cover"));
        if self.columns.missing {
            header.push_str(&format!("{:>10}", "Missing"));
        }
        let rule = "-".repeat(width(&header));
        let line = |row: &Row| {
            let mut line = format!("{:name$}", row.name);
            row.counts.iter().for_each(|count| line.push_str(&format!("{count:>7}")));
            line.push_str(&format!("{:>1$}%", row.cover, cover - 1));
            if let Some(missing) = &row.missing {
                line.push_str(&format!("   {missing:9}"));
            }
            line
        };
        let mut lines = vec![header, rule.clone()];
        lines.extend(self.rows.iter().map(line));
        if !self.rows.is_empty() {
            lines.push(rule);
        }
        lines.push(line(&self.total));
        lines.extend(self.notes.iter().cloned());
        lines
    }

    fn markdown(&self) -> Vec<String> {
        let names = self.rows.iter().map(|row| width(&escape_markdown(&row.name)));
        let name = 1 + names.max().unwrap_or(0).max("**TOTAL**".len()).max(width(self.title));
        let cover = (self.total.cover.len() + 6).max(" Cover ".len());
        let mut header = vec![format!("| {:name$}|", self.title)];
        header.extend(self.columns.counts().iter().map(|count| format!("{count:>9} |")));
        header.push(format!("{:>cover$} |", "Cover"));
        if self.columns.missing {
            header.push(format!("{:>10} |", "Missing"));
        }
        let mut lines = vec![header.concat(), markdown_rule(&header)];
        lines.extend(self.rows.iter().map(|row| {
            let mut line = format!("| {:name$}|", escape_markdown(&row.name));
            row.counts.iter().for_each(|count| line.push_str(&format!("{count:>9} |")));
            line.push_str(&format!("{:>1$}% |", row.cover, cover - 1));
            if let Some(missing) = &row.missing {
                line.push_str(&format!("{:>10} |", escape_markdown(missing)));
            }
            line
        }));
        lines.push(self.markdown_total(name, cover));
        lines.extend(self.notes.iter().cloned());
        lines
    }

    fn add_compact_markdown(&self, by: By, text: &mut Fitted) {
        let missing = if self.columns.missing { " Missing |" } else { "" };
        let mut head = vec![self.title];
        head.extend(self.columns.counts());
        let mut head = format!("| {} | Cover |{missing}\n| --- |", head.join(" | "));
        head.push_str(&" ---: |".repeat(self.columns.counts().len() + 1));
        head.push_str(if self.columns.missing { " --- |\n" } else { "\n" });
        let total = self.compact_row(&self.total, "**TOTAL**");
        let mut table = super::fitted::Table {
            foot: total,
            stays: true,
            ..super::fitted::Table::new(&head, if by == By::Folder { "folder" } else { "file" }, 0)
        };
        table.rows = self.rows.iter().map(|row| self.fitted_row(row)).collect();
        text.table(table);
        text.text(self.notes.iter().map(|note| format!("{note}\n")).collect::<String>());
    }

    fn fitted_row(&self, row: &Row) -> super::fitted::Row {
        let name = escape_markdown(&row.name);
        // Without the list of lines, more rows fit.
        let without_list =
            Row { missing: row.missing.as_ref().map(|_| String::new()), ..row.clone() };
        super::fitted::Row {
            text: self.compact_row(row, &name),
            short: row.missing.is_some().then(|| self.compact_row(&without_list, &name)),
            // The missing statements, and the lines with missing branches.
            weight: row.counts.iter().skip(1).step_by(2).sum(),
        }
    }

    fn compact_row(&self, row: &Row, name: &str) -> String {
        let mut line = format!("| {name} |");
        row.counts.iter().for_each(|count| line.push_str(&format!(" {count} |")));
        line.push_str(&format!(" {}% |", row.cover));
        if let Some(missing) = &row.missing {
            line.push_str(&format!(" {} |", escape_markdown(missing)));
        }
        line.push('\n');
        line
    }

    fn markdown_total(&self, name: usize, cover: usize) -> String {
        let mut line = format!("|{:name$} |", " **TOTAL**");
        for count in &self.total.counts {
            line.push_str(&format!("{:>9} |", format!(" **{count}**")));
        }
        line.push_str(&format!("{:>cover$} |", format!(" **{}%**", self.total.cover)));
        if self.columns.missing {
            line.push_str(&format!("{:>10} |", ""));
        }
        line
    }
}

/// Returns the line below the header, which sets the alignment of the columns.
fn markdown_rule(header: &[String]) -> String {
    let ends = std::iter::once("- |").chain(std::iter::repeat("-: |"));
    let cells = header.iter().zip(ends).map(|(title, end)| {
        let dashes = (width(title) - 1).saturating_sub(end.len());
        format!("{}{end}", "-".repeat(dashes))
    });
    format!("|{}", cells.collect::<Vec<_>>().join(" "))
}

/// Escapes characters that have a meaning in Markdown with a backslash.
fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '/' | '-') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The column to sort by.
#[derive(Debug, Clone, Copy)]
enum SortKey {
    Name,
    Count(usize),
    Cover,
}

impl SortKey {
    fn new(column: &str, columns: Columns) -> Option<Self> {
        match column {
            "name" => Some(Self::Name),
            "stmts" => Some(Self::Count(0)),
            "miss" => Some(Self::Count(1)),
            "branch" if columns.branches => Some(Self::Count(2)),
            "brpart" if columns.branches => Some(Self::Count(3)),
            "cover" => Some(Self::Cover),
            _ => None,
        }
    }

    fn compare(self, a: &Row, b: &Row) -> Ordering {
        match self {
            Self::Name => human_cmp(&a.name, &b.name).then_with(|| a.counts.cmp(&b.counts)),
            Self::Count(at) => {
                a.counts.get(at).cmp(&b.counts.get(at)).then_with(|| a.name.cmp(&b.name))
            }
            Self::Cover => a.percent.total_cmp(&b.percent).then_with(|| a.name.cmp(&b.name)),
        }
    }
}

fn sort(rows: &mut [Row], option: Option<&str>, columns: Columns) -> Result<()> {
    let option = option.filter(|option| !option.is_empty()).unwrap_or("name");
    let lower = option.to_lowercase();
    let (reverse, column) = match lower.strip_prefix('-') {
        Some(column) => (true, column),
        None => (false, lower.strip_prefix('+').unwrap_or(&lower)),
    };
    let key = SortKey::new(column, columns)
        .ok_or_else(|| config(format!("Invalid sorting option: {}", py_repr(option))))?;
    // As in Python, equal rows keep their order even if the order is reversed.
    rows.sort_by(|a, b| if reverse { key.compare(b, a) } else { key.compare(a, b) });
    Ok(())
}

fn config(message: String) -> Error {
    Error::new(ErrorKind::Config, message)
}
