//! The XML report, in the format of Cobertura.
//!
//! A port of coverage.py's xmlreport.py.

mod parts;

pub use parts::{GITLAB_LIMIT, Part, parts};

use ordermap::OrderMap;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use super::parallel::render_in_order;
use super::xml_writer::{Indent, Tag, XmlWriter};
use crate::paths::{WorkingFolder, from_os, relpath};
use crate::results::Analysis;
use crate::summarize::{FileSummary, OtherFile, Summary};
use crate::text::{human_cmp, printable};
use crate::{REFERENCE_VERSION, Result};

const DTD: &str =
    "https://raw.githubusercontent.com/cobertura/web/master/htdocs/xml/coverage-04.dtd";

const INDENT: Indent = Indent::Tab;

/// How many elements contain a class: `coverage`, `packages`, `package` and `classes`.
const AROUND_CLASS: usize = 4;

/// Options of the XML report.
///
/// # Examples
///
/// ```
/// use pulpcov_core::report::xml::Options;
///
/// let options = Options::new().sources(["src"]).package_depth(2).timestamp(1_777_000_000_000);
/// ```
#[derive(Debug, Clone)]
pub struct Options {
    package_depth: i64,
    skip_empty: bool,
    sources: Vec<String>,
    root: Option<String>,
    timestamp: u128,
}

impl Default for Options {
    fn default() -> Self {
        Self { package_depth: 99, skip_empty: false, sources: Vec::new(), root: None, timestamp: 0 }
    }
}

impl Options {
    /// Returns coverage.py's defaults, with a timestamp of 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many levels of folders become packages. Files in deeper folders belong to the
    /// package of the folder at this depth.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::report::xml;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// data.add_lines("app/shop/cart.py", "", &Numbits::from_iter([1]))?;
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// xml::write(&summary, &xml::Options::new().package_depth(1), &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains(r#"<package name="app" "#));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn package_depth(mut self, depth: i64) -> Self {
        self.package_depth = depth;
        self
    }

    /// Sets whether to leave out files without statements.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::xml;
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
    /// xml::write(&summary, &xml::Options::new().skip_empty(true), &mut out)?;
    /// assert!(!String::from_utf8_lossy(&out).contains("empty.py"));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn skip_empty(mut self, skip: bool) -> Self {
        self.skip_empty = skip;
        self
    }

    /// Adds source folders, as in the setting `source`: file names in the report are relative to
    /// the source folder that contains the file. Folders that do not exist are ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::paths::WorkingFolder;
    /// # use pulpcov_core::report::xml;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let place = tempfile::tempdir()?;
    /// # std::fs::create_dir(place.path().join("src"))?;
    /// # let mut data = CoverageData::new();
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// # let folder = WorkingFolder::new(place.path());
    /// # let cart = String::from_utf8(folder.abs_file(b"src/cart.py")).unwrap();
    /// data.add_lines(cart, "", &Numbits::from_iter([1]))?;
    /// let summary = Summarizer::new(&data, &sources).folder(folder).run()?;
    /// let mut out = Vec::new();
    /// xml::write(&summary, &xml::Options::new().sources(["src"]), &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains(r#"filename="cart.py""#));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn sources<S: Into<String>>(mut self, sources: impl IntoIterator<Item = S>) -> Self {
        self.sources.extend(sources.into_iter().map(Into::into));
        self
    }

    /// Sets the only source folder, instead of [`sources`](Self::sources). Then no two files have
    /// the same name in the report. A file outside of this folder adds a source folder of its own.
    #[must_use]
    pub fn root(mut self, folder: impl Into<String>) -> Self {
        self.root = Some(folder.into());
        self
    }

    /// Sets the time of the report, in milliseconds since 1970.
    ///
    /// # Examples
    ///
    /// ```
    /// # use pulpcov_core::report::xml;
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// # data.add_lines("a.py", "", &Numbits::from_iter([1, 2]))?;
    /// # let sources = |_: &Path| Ok(Some(b"x = 1\nif x > 1:\n    x = 2\n".to_vec()));
    /// # let summary = Summarizer::new(&data, &sources).run()?;
    /// let mut out = Vec::new();
    /// xml::write(&summary, &xml::Options::new().timestamp(1_777_000_000_000), &mut out)?;
    /// assert!(String::from_utf8_lossy(&out).contains(r#"timestamp="1777000000000""#));
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    #[must_use]
    pub fn timestamp(mut self, milliseconds: u128) -> Self {
        self.timestamp = milliseconds;
        self
    }
}

/// Writes the report. Returns the total in percent, or 0 if there are neither statements nor
/// branches.
///
/// # Errors
///
/// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written;
/// - [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary does not
///   [keep](crate::summarize::Detail) enough of a file.
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::xml;
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// data.add_lines("a.py", "", &Numbits::from_iter([1]))?;
/// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
///
/// let mut out = Vec::new();
/// xml::write(&summary, &xml::Options::new(), &mut out)?;
/// assert!(String::from_utf8_lossy(&out).contains(r#"<line number="1" hits="1"/>"#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn write(summary: &Summary<'_>, options: &Options, out: impl Write) -> Result<f64> {
    let has_branches = |other: &OtherFile| other.summary().numbers().branches > 0;
    let has_arcs = summary.has_arcs() || summary.other_files().iter().any(has_branches);
    let mut sources = SourcePaths::new(summary, options);
    let mut packages = Packages::new();
    let is_wanted = |file: &FileSummary| file.numbers().statements > 0 || !options.skip_empty;
    for file in summary.files().iter().filter(|file| is_wanted(file)) {
        let class = Class::new(file, sources.name_of(file), summary, options.package_depth)?;
        packages.add(class);
    }
    for other in summary.other_files().iter().filter(|other| is_wanted(other.summary())) {
        let file = other.summary();
        let class = Class::new(file, sources.name_of(file), summary, options.package_depth)?;
        let counts = other.counts().total().lines().iter().copied().collect();
        packages.add(Class { counts, ..class });
    }
    let packages = packages.sorted();
    let totals = packages.iter().fold(Hits::default(), |sum, package| sum.plus(package.hits));
    let mut xml = XmlWriter::new(out, INDENT);
    start(totals, has_arcs, options.timestamp, &mut xml)?;
    sources.write(&mut xml)?;
    write_packages(&packages, has_arcs, &mut xml)?;
    xml.end("coverage")?;
    xml.finish()?;
    // The document has the sums of all its files, and the total of the report is that of the data.
    Ok(match summary.other_files().is_empty() {
        true => totals.percent(),
        false => summary.headline(false).percent_covered(),
    })
}

/// Writes the beginning of the root element, and the comments.
fn start(
    totals: Hits,
    has_arcs: bool,
    timestamp: u128,
    xml: &mut XmlWriter<impl Write>,
) -> Result<()> {
    xml.declaration("version=\"1.0\" ")?;
    let root =
        Tag::new("coverage").text("version", REFERENCE_VERSION).plain("timestamp", timestamp);
    xml.start(totals.add_to(root, has_arcs))?;
    xml.comment(&format!("Generated by pulpcov: {}", env!("CARGO_PKG_REPOSITORY")))?;
    xml.comment(&format!("Based on {DTD}"))
}

/// Returns the names that more than one file has in the report, each with the paths of its files.
/// The totals count all of these files, but the report shows only the last one.
///
/// As in coverage.py, files in different [`sources`](Options::sources) can have the same name. With
/// a [`root`](Options::root), each name is unique.
pub fn shared_names(summary: &Summary<'_>, options: &Options) -> Vec<(String, Vec<PathBuf>)> {
    let mut sources = SourcePaths::new(summary, options);
    let mut by_name = BTreeMap::<String, Vec<PathBuf>>::new();
    for file in summary.all_files() {
        by_name.entry(sources.name_of(file)).or_default().push(file.path().to_owned());
    }
    by_name.into_iter().filter(|(_, files)| files.len() > 1).collect()
}

/// The numbers of lines and branches, and how many of them ran.
#[derive(Debug, Clone, Copy, Default)]
struct Hits {
    lines: usize,
    lines_hit: usize,
    branches: usize,
    branches_hit: usize,
}

impl Hits {
    fn of(file: &FileSummary) -> Self {
        let numbers = file.numbers();
        Self {
            lines: numbers.statements,
            lines_hit: numbers.executed(),
            branches: numbers.branches,
            branches_hit: numbers.executed_branches(),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            lines: self.lines + other.lines,
            lines_hit: self.lines_hit + other.lines_hit,
            branches: self.branches + other.branches,
            branches_hit: self.branches_hit + other.branches_hit,
        }
    }

    fn line_rate(self) -> String {
        rate(self.lines_hit, self.lines)
    }

    fn branch_rate(self, has_arcs: bool) -> String {
        if has_arcs { rate(self.branches_hit, self.branches) } else { "0".to_owned() }
    }

    fn percent(self) -> f64 {
        match self.lines + self.branches {
            0 => 0.0,
            all => 100.0 * (self.lines_hit + self.branches_hit) as f64 / all as f64,
        }
    }

    /// Adds the attributes of the root element.
    fn add_to(self, root: Tag, has_arcs: bool) -> Tag {
        let root = root
            .plain("lines-valid", self.lines)
            .plain("lines-covered", self.lines_hit)
            .plain("line-rate", self.line_rate());
        let valid = ("branches-valid", self.branches);
        let covered = ("branches-covered", self.branches_hit);
        // coverage.py writes these two attributes in a different order if the data has no branches.
        let (first, second) = if has_arcs { (valid, covered) } else { (covered, valid) };
        root.plain(first.0, first.1)
            .plain(second.0, second.1)
            .plain("branch-rate", self.branch_rate(has_arcs))
            .plain("complexity", 0)
    }
}

/// Returns a fraction with up to four significant digits. Only exactly 0 and 1 are written as `0`
/// and `1`. A fraction of nothing is 1.
fn rate(hit: usize, all: usize) -> String {
    if hit == all {
        return "1".to_owned();
    }
    if all == 0 {
        return "1".to_owned();
    }
    if hit == 0 {
        return "0".to_owned();
    }
    let fraction = (hit as f64 / all as f64).clamp(0.0001, 0.9999);
    // `%.4g`: four digits after the leading zeros.
    let zeros = [0.1, 0.01, 0.001].iter().filter(|bound| fraction < **bound).count();
    let text = format!("{fraction:.0$}", 4 + zeros);
    text.trim_end_matches('0').to_owned()
}

/// The source folders of the report, which file names are relative to.
struct SourcePaths<'a> {
    /// The folder that makes paths absolute; `None` if the report uses the paths of the data.
    folder: Option<&'a WorkingFolder>,
    /// The only source folder, if [`Options::root`] is set: the folder that relative paths start
    /// from, and the path of the source folder.
    root: Option<(&'a WorkingFolder, String)>,
    paths: Vec<SourcePath>,
}

struct SourcePath {
    shown: String,
    /// What the paths of files in this folder begin with. If the name of a file is its whole path,
    /// its source folder is the empty path. As in coverage.py, making the empty path absolute gives
    /// the current folder.
    prefix: String,
}

impl<'a> SourcePaths<'a> {
    fn new(summary: &'a Summary<'_>, options: &Options) -> Self {
        let folder = summary.folder().filter(|_| !summary.relative_files());
        let mut paths = Self { folder, root: None, paths: Vec::new() };
        let Some(folder) = summary.folder() else { return paths };
        if let Some(root) = &options.root {
            paths.root = Some((folder, root.trim_end_matches('/').to_owned()));
            return paths;
        }
        for source in options.sources.iter().filter(|source| folder.has(source.as_bytes())) {
            paths.add(match paths.folder {
                Some(folder) => lossy(&folder.canonical_filename(source.as_bytes())),
                None => source.trim_end_matches(['/', '\\']).to_owned(),
            });
        }
        paths
    }

    fn add(&mut self, shown: String) {
        if self.paths.iter().any(|path| path.shown == shown) {
            return;
        }
        let prefix = match self.folder {
            Some(folder) => lossy(&folder.canonical_filename(shown.as_bytes())),
            None => shown.clone(),
        };
        self.paths.push(SourcePath { shown, prefix: prefix.replace('\\', "/") });
        // The outer of two nested folders comes first, because names relative to it stay distinct.
        // coverage.py keeps the folders in a set, and uses whichever the set has first.
        self.paths.sort_by_key(|path| path.prefix.len());
    }

    /// Returns the name of a file, relative to the source folder that contains it. If no source
    /// folder contains the file, its folder is added as a new one.
    fn name_of(&mut self, file: &FileSummary) -> String {
        let path = file.path().to_string_lossy();
        let slashed = path.replace('\\', "/");
        if let Some(name) = self.name_below_root(file) {
            return name;
        }
        for source in &self.paths {
            let inside = slashed.strip_prefix(source.prefix.as_str());
            if let Some(name) = inside.and_then(|inside| inside.strip_prefix('/')) {
                return name.to_owned();
            }
        }
        let name = file.name().replace('\\', "/");
        let length = path.chars().count().saturating_sub(name.chars().count());
        let folder: String = path.chars().take(length).collect();
        self.add(folder.trim_end_matches(['/', '\\']).to_owned());
        name
    }

    fn name_below_root(&self, file: &FileSummary) -> Option<String> {
        let (folder, root) = self.root.as_ref()?;
        let path = folder.local_path(&from_os(file.path()));
        let inside = path.strip_prefix(root).ok()?;
        Some(inside.to_string_lossy().into_owned())
    }

    fn write(mut self, xml: &mut XmlWriter<impl Write>) -> Result<()> {
        if let Some((_, root)) = self.root.take() {
            self.add(root);
        }
        if self.paths.is_empty() {
            return xml.empty(Tag::new("sources"));
        }
        self.paths.sort_by(|a, b| human_cmp(&a.shown, &b.shown));
        xml.start(Tag::new("sources"))?;
        for path in &self.paths {
            xml.text("source", &printable(&path.shown))?;
        }
        xml.end("sources")
    }
}

fn lossy(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// A file, which the format calls a class.
struct Class<'a> {
    package: String,
    name: String,
    /// The name that the packages sort by.
    file_name: String,
    /// The name that readers find the file by.
    shown: String,
    hits: Hits,
    analysis: &'a Analysis,
    /// How often lines ran, if another tool counted that.
    counts: HashMap<u32, u64>,
}

impl<'a> Class<'a> {
    fn new(file: &'a FileSummary, name: String, summary: &Summary<'_>, depth: i64) -> Result<Self> {
        let file_name = printable(&name).into_owned();
        let shown = file_name.replace('\\', "/");
        Self::named(file, file_name, shown, summary, depth)
    }

    /// Creates a class with the name that readers find the file by.
    fn named(
        file: &'a FileSummary,
        file_name: String,
        shown: String,
        summary: &Summary<'_>,
        depth: i64,
    ) -> Result<Self> {
        let folder = package_folder(&file_name, depth);
        let root = WorkingFolder::new("/");
        let cwd = summary.folder().unwrap_or(&root);
        let name = relpath(cwd, file_name.as_bytes(), folder.as_bytes());
        Ok(Self {
            package: folder.replace('/', "."),
            name: lossy(&name),
            file_name,
            shown,
            hits: Hits::of(file),
            analysis: file.analysis()?,
            counts: HashMap::new(),
        })
    }

    fn rendered(&self, has_arcs: bool) -> Result<Vec<u8>> {
        let mut xml = XmlWriter::inside(AROUND_CLASS, INDENT)?;
        let class = Tag::new("class")
            .text("name", &self.name)
            .text("filename", &self.shown)
            .plain("complexity", 0)
            .plain("line-rate", self.hits.line_rate())
            .plain("branch-rate", self.hits.branch_rate(has_arcs));
        xml.start(class)?;
        xml.empty(Tag::new("methods"))?;
        if self.analysis.statements().is_empty() {
            xml.empty(Tag::new("lines"))?;
        } else {
            xml.start(Tag::new("lines"))?;
            self.write_lines(has_arcs, &mut xml)?;
            xml.end("lines")?;
        }
        xml.end("class")?;
        Ok(xml.into_text())
    }

    fn write_lines(&self, has_arcs: bool, xml: &mut XmlWriter<impl Write>) -> Result<()> {
        let stats = if has_arcs { self.analysis.branch_stats() } else { BTreeMap::new() };
        let mut branches = self.analysis.missing_branch_arcs().iter().peekable();
        for line in self.analysis.statements() {
            let counted = u32::try_from(*line).ok().and_then(|line| self.counts.get(&line));
            let ran = || u64::from(self.analysis.missing().binary_search(line).is_err());
            let hits = counted.copied().unwrap_or_else(ran);
            let mut tag = Tag::new("line").plain("number", line).plain("hits", hits);
            if let Some((exits, taken)) = stats.get(line) {
                let percent = 100 * taken / exits;
                tag = tag
                    .plain("branch", true)
                    .plain("condition-coverage", format_args!("{percent}% ({taken}/{exits})"));
            }
            while branches.next_if(|(from, _)| from < line).is_some() {}
            let mut missing = String::new();
            while let Some((_, to)) = branches.next_if(|(from, _)| from == line) {
                let separator = if missing.is_empty() { "" } else { "," };
                // Writing to a string cannot fail.
                let _ = match to {
                    ..0 => write!(missing, "{separator}exit"),
                    to => write!(missing, "{separator}{to}"),
                };
            }
            if !missing.is_empty() {
                tag = tag.plain("missing-branches", missing);
            }
            xml.empty(tag)?;
        }
        Ok(())
    }
}

/// Returns the folder of a file, cut after `depth` components. As in a Python slice, a negative
/// depth counts from the end.
fn package_folder(file_name: &str, depth: i64) -> String {
    let folder = match file_name.rsplit_once('/') {
        None => "",
        Some((folder, _)) if folder.trim_end_matches('/').is_empty() => {
            file_name.get(..=folder.len()).unwrap_or("/")
        }
        Some((folder, _)) => folder.trim_end_matches('/'),
    };
    let folder = if folder.is_empty() { "." } else { folder };
    let parts: Vec<&str> = folder.split('/').collect();
    let kept = match usize::try_from(depth) {
        Ok(depth) => depth.min(parts.len()),
        Err(_) => {
            parts.len().saturating_sub(usize::try_from(depth.unsigned_abs()).unwrap_or(usize::MAX))
        }
    };
    parts.get(..kept).unwrap_or_default().join("/")
}

/// The files of each folder.
struct Packages<'a>(BTreeMap<String, PackageFiles<'a>>);

struct PackageFiles<'a> {
    classes: OrderMap<String, Class<'a>>,
    hits: Hits,
}

/// A folder, with its files sorted.
struct Package<'a> {
    name: String,
    classes: Vec<Class<'a>>,
    hits: Hits,
}

impl<'a> Packages<'a> {
    fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a file. Two files can have the same name: both count, and the later one is shown.
    fn add(&mut self, class: Class<'a>) {
        let new = || PackageFiles { classes: OrderMap::new(), hits: Hits::default() };
        let package = self.0.entry(class.package.clone()).or_insert_with(new);
        package.hits = package.hits.plus(class.hits);
        package.classes.insert(class.file_name.clone(), class);
    }

    fn sorted(self) -> Vec<Package<'a>> {
        let mut packages: Vec<Package<'a>> = self
            .0
            .into_iter()
            .map(|(name, PackageFiles { classes, hits })| {
                let mut classes: Vec<Class<'a>> =
                    classes.into_iter().map(|(_, class)| class).collect();
                classes.sort_by(|a, b| human_cmp(&a.file_name, &b.file_name));
                Package { name, classes, hits }
            })
            .collect();
        packages.sort_by(|a, b| human_cmp(&a.name, &b.name));
        packages
    }
}

fn write_packages(
    packages: &[Package<'_>],
    has_arcs: bool,
    xml: &mut XmlWriter<impl Write>,
) -> Result<()> {
    if packages.is_empty() {
        return xml.empty(Tag::new("packages"));
    }
    xml.start(Tag::new("packages"))?;
    for package in packages {
        start_package(&package.name, package.hits, has_arcs, xml)?;
        let render = |class: &Class<'_>| class.rendered(has_arcs);
        render_in_order(&package.classes, xml, render, |xml, class| xml.rendered(&class))?;
        end_package(xml)?;
    }
    xml.end("packages")
}

fn start_package(
    name: &str,
    hits: Hits,
    has_arcs: bool,
    xml: &mut XmlWriter<impl Write>,
) -> Result<()> {
    let package = Tag::new("package")
        .text("name", name)
        .plain("line-rate", hits.line_rate())
        .plain("branch-rate", hits.branch_rate(has_arcs))
        .plain("complexity", 0);
    xml.start(package)?;
    xml.start(Tag::new("classes"))
}

fn end_package(xml: &mut XmlWriter<impl Write>) -> Result<()> {
    xml.end("classes")?;
    xml.end("package")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_four_digits_and_no_exponent() {
        let cases = [
            (0, 0, "1"),
            (0, 10, "0"),
            (10, 10, "1"),
            (1, 3, "0.3333"),
            (1, 2, "0.5"),
            (1, 11, "0.09091"),
            (1, 10_000, "0.0001"),
            (1, 1_000_000, "0.0001"),
            (999_999, 1_000_000, "0.9999"),
            (99_996, 1_000_000, "0.1"),
            (7, 10_000, "0.0007"),
            (12_345, 10_000_000, "0.001234"),
        ];
        for (hit, all, text) in cases {
            assert_eq!(rate(hit, all), text, "{hit}/{all}");
        }
    }

    #[test]
    fn packages_are_folders_as_deep_as_wanted() {
        let cases = [
            ("a.py", 99, "."),
            ("a/b/c.py", 99, "a/b"),
            ("a/b/c.py", 1, "a"),
            ("a/b/c.py", 0, ""),
            ("a/b/c/d.py", -1, "a/b"),
            ("/a/b.py", 99, "/a"),
            ("/b.py", 99, "/"),
        ];
        for (file, depth, folder) in cases {
            assert_eq!(package_folder(file, depth), folder, "{file} {depth}");
        }
    }
}
