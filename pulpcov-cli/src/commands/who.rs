//! `pulpcov who`

use std::collections::{BTreeSet, HashSet};
use std::io::Write;
use std::path::{Path, PathBuf};

use pulpcov_core::changes::lines_of_another_version;
use pulpcov_core::impact::{NameKind, TestFiles, TestName, TestRuns, UniqueLines};
use pulpcov_core::report::who::{
    FilePart, TestReach, WhoFile, write_json, write_pytest, write_reach_json, write_reach_text,
    write_text, write_unused_json,
};
use pulpcov_core::summarize::{Detail, FileSummary, Summary};
use pulpcov_core::text::{plural, printable};
use pulpcov_core::{CoverageData, Error};

use super::reporting::{Reporting, base_name, named_in_part, to_output};
use crate::args::{WhoArgs, WhoFormat};
use crate::exit::{Exit, Failure};
use crate::plan::ReportPlan;
use crate::ui;

/// How many tests a message names.
const TESTS_NAMED: usize = 3;

pub(crate) fn run(mut args: WhoArgs) -> Result<Exit, Failure> {
    let places: Vec<Place> =
        args.reporting.files.iter().map(|text| Place::parse(text)).collect::<Result<_, _>>()?;
    args.reporting.files = places.iter().map(|place| place.file.clone()).collect();
    if places.is_empty() && args.of.is_none() && !args.unused_tests {
        let message =
            "say which file: `pulpcov who FILE`, FILE:LINE, FILE:LINE-LINE or FILE::FUNCTION";
        return Err(Failure::Refused(message.to_owned()));
    }
    let names = places.iter().map(Place::file_name).collect::<Option<HashSet<_>>>();
    // What other files say is needed only if tests are compared over all files.
    let names = names.filter(|names| !names.is_empty());
    let is_wanted = |path: &str| names.as_ref().is_none_or(|names| names.contains(base_name(path)));
    let reporting = Reporting::of_rows(ReportPlan::try_from(&args.reporting)?, is_wanted)?;
    reporting.check_that_there_is_data()?;
    check_contexts(&args, reporting.data())?;
    check_files(&reporting, &places)?;
    let summary = reporting.summarize(Detail::Everything)?;
    if let Some(test) = &args.of {
        return reach(&args, &reporting, &summary, test);
    }
    if args.unused_tests {
        return unused_tests(&args, &reporting, &summary);
    }
    let files = who_files(&args, &reporting, &summary, &places)?;
    to_output(args.output.as_deref(), |out| match args.format {
        WhoFormat::Text => write_text(&files, out),
        WhoFormat::Json => write_json(&files, out),
        WhoFormat::Pytest => write_pytest(ids(&files), out),
    })?;
    Ok(exit_code(&args, &reporting, ids(&files).is_empty()))
}

/// A file, and the part of it that is asked about.
struct Place {
    file: PathBuf,
    part: FilePart,
}

impl Place {
    /// Reads `FILE`, `FILE:LINE`, `FILE:LINE-LINE` or `FILE::NAME`. A file whose name looks like that is a file.
    fn parse(text: &Path) -> Result<Self, Failure> {
        let whole = || Self { file: text.to_owned(), part: FilePart::All };
        let Some(name) = text.to_str().filter(|_| !text.exists()) else { return Ok(whole()) };
        if let Some((file, name)) = name.split_once("::") {
            let part = FilePart::Named(name.replace("::", "."));
            return Ok(Self { file: file.into(), part });
        }
        let Some((file, lines)) = name.rsplit_once(':') else { return Ok(whole()) };
        let (first, last) = lines.split_once('-').unwrap_or((lines, lines));
        match (first.parse(), last.parse()) {
            (Ok(first), Ok(last)) => {
                Ok(Self { file: file.into(), part: FilePart::Lines(first..=last) })
            }
            // A drive of Windows, or a file of which only the data knows.
            _ if !Path::new(file).is_file() => Ok(whole()),
            _ => Err(Failure::Refused(format!(
                "{}: \"{}\" is neither a line nor a range of lines; FILE::NAME is a function or a class",
                ui::name(text),
                printable(lines)
            ))),
        }
    }

    /// Returns the name of the file without its folder, or `None` for a folder.
    fn file_name(&self) -> Option<String> {
        let name = self.file.file_name().filter(|_| !self.file.is_dir())?;
        Some(name.to_string_lossy().into_owned())
    }
}

/// Refuses data that does not say which test ran what.
fn check_contexts(args: &WhoArgs, data: &CoverageData) -> Result<(), Failure> {
    let contexts = data.contexts();
    let needs_tests = args.of.is_some()
        || args.unused_tests
        || args.alone
        || args.format == WhoFormat::Pytest
        || contexts.iter().all(|context| context.is_empty());
    if needs_tests { check_that_tests_are_named(contexts) } else { Ok(()) }
}

/// Refuses data of which no context is a test.
pub(super) fn check_that_tests_are_named<'a>(
    contexts: impl IntoIterator<Item = &'a str>,
) -> Result<(), Failure> {
    if contexts.into_iter().any(|context| TestName::parse(context).is_some()) {
        return Ok(());
    }
    Err(Failure::Refused(
        "the data does not say which test ran what: record that with `pytest --cov --cov-context=test`, or with `dynamic_context = test_function` in [run]"
            .to_owned(),
    ))
}

/// Returns what is asked about, in the order of the arguments.
fn who_files<'a>(
    args: &WhoArgs,
    reporting: &Reporting,
    summary: &'a Summary<'_>,
    places: &[Place],
) -> Result<Vec<WhoFile<'a>>, Failure> {
    let mut files = Vec::new();
    for place in places {
        let found: Vec<&FileSummary> = summary
            .files()
            .iter()
            .filter(|file| reporting.is_in(file.path(), &place.file))
            .collect();
        if found.is_empty() || found.iter().all(|file| !summary.is_measured(file)) {
            return Err(no_such_file(reporting, &place.file));
        }
        for file in found {
            warn_of_another_version(summary, file)?;
            let who = WhoFile::new(summary, file, place.part.clone())?;
            files.push(if args.alone { who.alone() } else { who });
        }
    }
    Ok(files)
}

/// Refuses files that the data does not have.
fn check_files(reporting: &Reporting, places: &[Place]) -> Result<(), Failure> {
    let data = reporting.data();
    let is_known = |place: &&Place| {
        let paths = data.files().map(|file| Path::new(file.path().as_str()));
        let mut paths = paths.filter(|path| reporting.is_in(path, &place.file));
        paths.next().is_some()
    };
    match places.iter().find(|place| !is_known(place)) {
        Some(place) => Err(no_such_file(reporting, &place.file)),
        None => Ok(()),
    }
}

/// Says that the data does not have a file, and names files of the same name in other folders.
fn no_such_file(reporting: &Reporting, file: &Path) -> Failure {
    let (name, folder) = (base_name(file.to_str().unwrap_or_default()), reporting.folder());
    let from_folder = |path: &str| {
        let path = Path::new(path);
        path.strip_prefix(&folder).unwrap_or(path).to_owned()
    };
    let alike: Vec<PathBuf> = reporting
        .data()
        .files()
        .map(|file| file.path().as_str())
        .filter(|path| base_name(path) == name)
        .map(from_folder)
        .collect();
    let file = ui::name(file);
    Failure::Refused(match alike.is_empty() {
        true => format!("{file}: the data has no such file"),
        false => format!("{file}: the data has no such file, but {}", named_in_part(&alike)),
    })
}

/// Warns if the data has lines that this source does not have: the answer is then about other lines.
fn warn_of_another_version(summary: &Summary<'_>, file: &FileSummary) -> Result<(), Failure> {
    let others = lines_of_another_version(file.facts()?, summary.lines_that_ran(file));
    if !others.is_empty() {
        let name = ui::name(Path::new(file.name()));
        ui::warning(&format!(
            "{name} changed after measuring, so its lines may be others; --source-rev=REV reads the version that was measured"
        ));
    }
    Ok(())
}

/// Returns the node ids of all tests, each once.
fn ids<'a>(files: &'a [WhoFile<'a>]) -> BTreeSet<&'a str> {
    let tests = files.iter().flat_map(|who| who.runs().tests());
    node_ids(tests.map(|test| test.id()))
}

/// Returns those of the tests that pytest finds by their names.
fn node_ids<'a>(tests: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let is_node_id =
        |id: &&str| TestName::parse(id).is_some_and(|name| name.kind() == NameKind::NodeId);
    tests.filter(is_node_id).collect()
}

/// Says what a test ran.
fn reach(
    args: &WhoArgs,
    reporting: &Reporting,
    summary: &Summary<'_>,
    test: &str,
) -> Result<Exit, Failure> {
    let reach = TestReach::new(summary, test)?;
    if reach.tests().is_empty() {
        return Err(Failure::Refused(no_such_test(reporting.data(), test)));
    }
    let ids = node_ids(reach.tests().iter().copied());
    to_output(args.output.as_deref(), |out| match args.format {
        WhoFormat::Text => write_reach_text(&reach, out),
        WhoFormat::Json => write_reach_json(&reach, out),
        WhoFormat::Pytest => write_pytest(ids.iter().copied(), out),
    })?;
    Ok(exit_code(args, reporting, ids.is_empty()))
}

fn no_such_test(data: &CoverageData, test: &str) -> String {
    let last = test.rsplit([':', '.']).next().unwrap_or(test);
    let contexts = data.contexts();
    let mut alike: Vec<&str> = contexts
        .iter()
        .filter_map(|context| Some(TestName::parse(context)?.id()))
        .filter(|id| id.contains(last))
        .collect();
    alike.dedup();
    alike.truncate(TESTS_NAMED);
    let names: Vec<String> = alike.iter().map(|id| ui::name(Path::new(id))).collect();
    let test = ui::name(Path::new(test));
    match names.is_empty() {
        true => format!("{test}: no test of this name ran any of these files"),
        false => {
            format!(
                "{test}: no test of this name ran any of these files; similar names are {}",
                names.join(", ")
            )
        }
    }
}

/// Lists the tests that run no line that another test does not run, too.
fn unused_tests(
    args: &WhoArgs,
    reporting: &Reporting,
    summary: &Summary<'_>,
) -> Result<Exit, Failure> {
    let test_files = TestFiles::of_contexts(reporting.data().contexts());
    let mut unique = UniqueLines::default();
    for file in
        summary.files().iter().filter(|file| !test_files.contains(file.recorded_path().as_str()))
    {
        unique.add(&TestRuns::new(summary.lines_by_context(file).into_iter()));
    }
    let unused: Vec<&str> = unique.tests_without().collect();
    let ids = node_ids(unused.iter().copied());
    to_output(args.output.as_deref(), |out| match args.format {
        WhoFormat::Text => write_unused(&unused, unique.test_count(), out),
        WhoFormat::Json => write_unused_json(&unused, unique.test_count(), out),
        WhoFormat::Pytest => write_pytest(ids.iter().copied(), out),
    })?;
    Ok(exit_code(args, reporting, ids.is_empty()))
}

fn write_unused(unused: &[&str], tests: usize, out: &mut dyn Write) -> Result<(), Error> {
    for id in unused {
        writeln!(out, "{}", ui::name(Path::new(id)))?;
    }
    let (count, verb) = (unused.len(), if unused.len() == 1 { "runs" } else { "run" });
    let of = plural(tests, "test");
    writeln!(out, "{count} of {of} {verb} no line that no other test runs")?;
    if count > 1 {
        writeln!(
            out,
            "Each can be deleted without losing a line. Deleting several may lose lines."
        )?;
    }
    Ok(())
}

/// Returns the exit code. pytest runs all tests if it is given none, so that has a code of its own.
fn exit_code(args: &WhoArgs, reporting: &Reporting, is_empty: bool) -> Exit {
    if args.format == WhoFormat::Pytest && is_empty {
        ui::message("no test that pytest finds by its name");
        return Exit::NothingSelected;
    }
    reporting.exit_code()
}
