//! Which files get a page, and the name of each page.

use ordermap::OrderMap;

use std::collections::{BTreeSet, HashMap, HashSet};

use blake3::Hasher;

use super::Options;
use super::baseline::FileBefore;
use super::changes::ChangedFile;
use super::gate::JudgedFile;
use crate::Result;
use crate::impact::without_phase;
use crate::python::Facts;
use crate::report::flat_name;
use crate::results::{Analysis, Numbers, Precision, display_covered, display_covered_below};
use crate::summarize::{FileSummary, Summary};
use crate::text::{human_cmp, printable};

/// The names of the pages that are not the page of a source file.
pub(super) const VIEWS: [&str; 7] =
    ["index", "function_index", "class_index", "tree", "worst", "contexts", "patch"];

/// The maximum length of a page name, to which a hash may be added. File systems limit names to 255
/// bytes.
const LONGEST_NAME: usize = 150;

/// The displayed name of the context with the empty name.
const EMPTY_CONTEXT: &str = "(at import)";

/// A report before it is written.
pub(super) struct Report<'a> {
    pub(super) summary: &'a Summary<'a>,
    pub(super) options: &'a Options,
    /// The title, safe to display.
    pub(super) title: String,
    /// The pages of source files, in the order of the files' paths.
    pub(super) pages: Vec<Page<'a>>,
    pub(super) skipped: Skipped,
    pub(super) contexts: Option<ContextNames<'a>>,
}

/// The page of a source file.
pub(super) struct Page<'a> {
    pub(super) file: &'a FileSummary,
    pub(super) facts: &'a Facts,
    pub(super) analysis: &'a Analysis,
    /// The language of a file that only other tools measured.
    pub(super) language: Option<&'static str>,
    /// The name of the page, without `.html`. It depends on the other files only if two names
    /// clash.
    pub(super) name: String,
    /// The name of the file, safe to display.
    pub(super) shown: String,
    /// What changed in the file, if the report shows changes.
    pub(super) changed: Option<&'a ChangedFile>,
    /// What the gate says of the file, if it is below its floor.
    pub(super) judged: Option<&'a JudgedFile>,
    /// What was covered of the file before, if the report compares.
    pub(super) before: Option<&'a FileBefore>,
}

/// How many files or regions were left out, and why.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Skipped {
    pub(super) covered: usize,
    pub(super) empty: usize,
}

impl Skipped {
    /// Returns whether to leave out a file or a region with these numbers, and counts it if so.
    pub(super) fn count_if_skipped(&mut self, numbers: Numbers, options: &Options) -> bool {
        if options.skip_covered && numbers.missing == 0 && numbers.partial_branches == 0 {
            self.covered += 1;
            return true;
        }
        if options.skip_empty && numbers.statements == 0 {
            self.empty += 1;
            return true;
        }
        false
    }

    /// Returns coverage.py's sentences about what was left out.
    pub(super) fn sentences(self, one: &str, many: &str) -> Vec<String> {
        let things =
            |count, kind: &str| format!("{count} {kind}{}", if count == 1 { one } else { many });
        let mut sentences = Vec::new();
        if self.covered > 0 {
            sentences
                .push(format!("{} skipped due to complete coverage.", things(self.covered, "")));
        }
        if self.empty > 0 {
            sentences.push(format!("{} skipped.", things(self.empty, "empty ")));
        }
        sentences
    }
}

/// The contexts of the report, in the order in which they are shown. The setup, the run and the teardown of a test are one.
pub(super) struct ContextNames<'a> {
    /// The names by id.
    pub(super) names: Vec<&'a str>,
    /// The id of each context of the data.
    pub(super) ids: HashMap<&'a str, u32>,
}

impl<'a> ContextNames<'a> {
    fn new(contexts: &[&'a str]) -> Self {
        let names: BTreeSet<&str> = contexts.iter().copied().map(without_phase).collect();
        let mut names: Vec<&str> = names.into_iter().collect();
        names.sort_by(|a, b| human_cmp(shown_context(a), shown_context(b)));
        let known: HashMap<&str, u32> = names.iter().copied().zip(0..).collect();
        let id = |&context: &&'a str| Some((context, *known.get(without_phase(context))?));
        let ids = contexts.iter().filter_map(id).collect();
        Self { names, ids }
    }

    /// Returns whether there is no context but the one with the empty name.
    pub(super) fn is_trivial(&self) -> bool {
        self.names.iter().all(|name| name.is_empty())
    }
}

/// Returns the displayed name of a context.
pub(super) fn shown_context(name: &str) -> &str {
    if name.is_empty() { EMPTY_CONTEXT } else { name }
}

impl Page<'_> {
    /// Returns how much of the file is covered, as text. If that is below the floor of the file, it is not shown as the floor.
    pub(super) fn percent(&self, precision: Precision) -> String {
        let percent = self.file.numbers().percent_covered();
        match self.judged.and_then(|judged| judged.floor) {
            Some(floor) => display_covered_below(percent, floor, precision),
            None => display_covered(percent, precision),
        }
    }

    /// Returns what the lists say of the file: the percentage, or that there is nothing to cover.
    pub(super) fn coverage(&self, precision: Precision) -> String {
        match self.file.numbers().statements {
            0 => "no statements".to_owned(),
            _ => format!("{}%", self.percent(precision)),
        }
    }

    /// Returns the changed lines.
    pub(super) fn changed_lines(&self) -> &[i32] {
        self.changed.map_or(&[], |changed| &changed.lines)
    }
}

impl<'a> Report<'a> {
    pub(super) fn new(summary: &'a Summary<'a>, options: &'a Options) -> Result<Self> {
        let mut skipped = Skipped::default();
        // Two files can have the same name: only the later one is reported, as in the JSON report.
        let named = summary.files().iter().map(|file| (file.name(), (None, file)));
        let others = summary.other_files().iter();
        let others =
            others.map(|other| (other.summary().name(), (Some(other.language()), other.summary())));
        let files: Vec<(Option<&'static str>, &FileSummary)> = named
            .chain(others)
            .collect::<OrderMap<_, _>>()
            .into_values()
            .filter(|(_, file)| !skipped.count_if_skipped(file.numbers(), options))
            .collect();
        let mut names = PageNames::default();
        let pages = files
            .into_iter()
            .map(|(language, file)| {
                Ok(Page {
                    file,
                    language,
                    facts: file.facts()?,
                    analysis: file.analysis()?,
                    name: names.name(file.name()),
                    shown: printable(file.name()).into_owned(),
                    before: options.baseline.as_ref().and_then(|old| old.file(file.name())),
                    judged: options.gate.as_ref().and_then(|gate| gate.file(file.name())),
                    changed: options.changes.as_ref().and_then(|changes| changes.file(file.name())),
                })
            })
            .collect::<Result<_>>()?;
        let contexts = options.show_contexts.then(|| ContextNames::new(&summary.contexts()));
        let title = printable(&options.title).into_owned();
        Ok(Self { summary, options, title, pages, skipped, contexts })
    }

    pub(super) fn total(&self) -> f64 {
        let totals = self.totals();
        if totals.statements == 0 { 0.0 } else { totals.percent_covered() }
    }

    /// Returns the counts that the report begins with.
    pub(super) fn totals(&self) -> Numbers {
        self.summary.headline(self.options.one_total)
    }

    /// Returns the pages by the names of their files.
    pub(super) fn by_name(&self) -> HashMap<&str, &Page<'a>> {
        self.pages.iter().map(|page| (page.file.name(), page)).collect()
    }

    /// Returns the names of the views that the report has.
    pub(super) fn views(&self) -> impl Iterator<Item = &'static str> {
        VIEWS.into_iter().filter(|view| match *view {
            "contexts" => self.has_contexts(),
            "patch" => self.has_changes(),
            _ => true,
        })
    }

    /// Returns whether the report shows changes.
    pub(super) fn has_changes(&self) -> bool {
        self.options.changes.is_some()
    }

    /// Returns whether the report has a page of contexts.
    pub(super) fn has_contexts(&self) -> bool {
        self.contexts.as_ref().is_some_and(|contexts| !contexts.is_trivial())
    }

    /// Returns the names of the first page and of the last page.
    pub(super) fn ends(&self) -> (&str, &str) {
        fn name<'p>(page: Option<&'p Page<'_>>) -> &'p str {
            page.map_or("index", |page| &page.name)
        }
        (name(self.pages.first()), name(self.pages.last()))
    }

    /// Returns the names of the previous page and of the next page.
    pub(super) fn neighbours(&self, at: usize) -> (&str, &str) {
        let name = |at: Option<usize>| {
            at.and_then(|at| self.pages.get(at)).map_or("index", |page| page.name.as_str())
        };
        (name(at.checked_sub(1)), name(at.checked_add(1)))
    }
}

/// Makes page names that are unique, need no escaping anywhere, and are the same in the next
/// report.
#[derive(Default)]
struct PageNames(HashSet<String>);

impl PageNames {
    fn name(&mut self, path: &str) -> String {
        let flat = flat_name(path);
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let mut name: String =
            flat.chars().map(|c| if is_plain(c) { c } else { '_' }).take(LONGEST_NAME).collect();
        // Some file systems are not case-sensitive.
        let is_taken = |name: &str| VIEWS.contains(&&*name.to_lowercase());
        if name != flat || is_taken(&name) || self.0.contains(&name.to_lowercase()) {
            let mut hasher = Hasher::new();
            hasher.update(path.as_bytes());
            name = format!("{name}_{}", hasher.finalize().to_hex().get(..12).unwrap_or_default());
        }
        self.0.insert(name.to_lowercase());
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phases_of_a_test_are_one_context() {
        let contexts = [
            "t.py::b|run",
            "t.py::b_x|run",
            "t.py::b|setup",
            "",
            "t.py::a[2]|run",
            "t.py::a[10]|run",
            "t.py::b|teardown",
            "no test|run",
        ];
        let found = ContextNames::new(&contexts);
        let names = ["", "no test|run", "t.py::a[2]", "t.py::a[10]", "t.py::b", "t.py::b_x"];
        assert_eq!(found.names, names);
        assert_eq!(contexts.map(|context| found.ids[context]), [4, 5, 4, 0, 2, 3, 4, 1]);
    }

    #[test]
    fn pages_are_named_as_coverage_names_them_unless_that_clashes() {
        let mut names = PageNames::default();
        assert_eq!(names.name("a/b/c.py"), "z_86bbcbe134d28fd2_c_py");
        assert_eq!(names.name("c.py"), "c_py");
        let others = ["C.py", "c_py", "index", "<b>#?.py", "größe.py", &"x".repeat(300)];
        let made: HashSet<String> = others.iter().map(|path| names.name(path)).collect();
        assert_eq!(made.len(), others.len());
        for name in &made {
            assert!(!VIEWS.contains(&name.as_str()) && name != "c_py" && name.len() < 200);
            assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
        }
    }
}
