//! `pulpcov tests-for`
//!
//! - `worktree`: the files of the repository, and what changed in them.
//! - `data`: what was measured.
//! - `newer`: files and tests of which the data does not know what they run now.
//! - `names`: tests by the names that exist now.

mod data;
mod names;
mod newer;
mod worktree;

use std::collections::BTreeSet;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use pulpcov_core::config::{Config, OwnSettings};
use pulpcov_core::gates::PathPattern;
use pulpcov_core::impact::{Change, Selector, TestLayout, failed_tests};
use pulpcov_core::report::tests_for::{
    TestsFor, write_ids, write_json, write_reasons, write_unittest,
};
use pulpcov_core::text::plural;

use super::reporting::to_output;
use super::{gate, own};
use crate::args::{TestsForArgs, TestsForFormat};
use crate::exit::{Exit, Failure};
use crate::{settings, ui};

use data::Data;
use names::Names;
use worktree::Worktree;

/// The file that has only settings of pulpcov.
const OWN_SETTINGS: &str = "pulpcov.toml";

/// How many tests a message names.
const TESTS_NAMED: usize = 10;

pub(crate) fn run(args: &TestsForArgs) -> Result<Exit, Failure> {
    let config = settings::load(&args.data.config)?;
    let own = own::load(&args.data.config)?;
    let worktree = Worktree::open(args, &own)?;
    let ours = Ours::new(args, &config, &own);
    let changes: Vec<Change> =
        worktree.changes().into_iter().filter(|change| !ours.has(change, &worktree)).collect();
    let project = worktree.project();
    // Freeing it would take longer than finding the tests, and the process ends soon.
    let data = ManuallyDrop::new(Data::read(args, &config, &worktree, &project, &changes)?);
    let test_files = data.test_files(&project);
    let layout = layout(args, own, &worktree, &changes, &test_files)?;
    let newer = newer::files(args, &worktree, &data, &project, &changes, &test_files)?;
    let selector = Selector::new(&project, &layout).newer_than_data(newer);
    let names = Names::new(&worktree, &data, &test_files);
    let tests = names.current(&selector.select(&changes, &*data), &project, args.exact);
    worktree.save_cache();
    let base = Some(worktree.base.name.as_str());
    to_output(args.output.as_deref(), |out| match args.format {
        _ if args.explain => write_reasons(&tests, out),
        TestsForFormat::Pytest => write_ids(&tests, out),
        TestsForFormat::Unittest => write_unittest(&tests, &names.of_test_files(), out),
        TestsForFormat::Json => write_json(&tests, base, out),
    })?;
    match &args.shadow {
        Some(report) => shadow(report, &tests),
        None if tests.ids().is_empty() => {
            ui::message("no test is selected");
            Ok(Exit::NothingSelected)
        }
        None => Ok(Exit::Success),
    }
}

/// The files that pulpcov itself writes, from the current folder. They change nothing that a test runs.
struct Ours {
    files: Vec<PathBuf>,
    data_file: PathBuf,
}

impl Ours {
    fn new(args: &TestsForArgs, config: &Config, own: &OwnSettings) -> Self {
        let outputs = args.output.iter().map(PathBuf::from).chain(args.shadow.clone());
        Self {
            files: outputs.chain([gate::ratchet_path(&own.gate), OWN_SETTINGS.into()]).collect(),
            data_file: settings::data_file(args.data.data_file.clone(), config),
        }
    }

    fn has(&self, change: &Change, worktree: &Worktree) -> bool {
        let Change::Other(path) = change else { return false };
        let path = worktree.top.join(path);
        let data_file = worktree.cwd.join(&self.data_file).into_os_string();
        // Parallel data files have the name of the data file, a dot, and more.
        let rest = path.as_os_str().as_encoded_bytes().strip_prefix(data_file.as_encoded_bytes());
        self.files.iter().any(|file| worktree.cwd.join(file) == path)
            || rest.is_some_and(|rest| matches!(rest, [] | [b'.', ..]))
    }
}

/// Returns where tests are, and what the settings and options map to them. An option counts before a setting.
fn layout(
    args: &TestsForArgs,
    own: OwnSettings,
    worktree: &Worktree,
    changes: &[Change],
    test_files: &BTreeSet<String>,
) -> Result<TestLayout, Failure> {
    let mut layout = TestLayout::new(test_files.iter().cloned());
    let mut map = args.map.iter().map(|entry| mapping(entry)).collect::<Result<Vec<_>, _>>()?;
    map.extend(own.map);
    let targets = map.iter().flat_map(|(_, tests)| tests);
    if let Some(gone) = targets.into_iter().find(|test| !worktree.top.join(file_of(test)).exists())
    {
        let gone = ui::name(Path::new(gone));
        return Err(Failure::Refused(format!("{gone}: the map names this, and it does not exist")));
    }
    for change in changes {
        let Change::Other(path) = change else { continue };
        // The most specific pattern counts.
        let matching = map.iter().filter(|(pattern, _)| pattern.is_match(path)).rev();
        if let Some((_, tests)) = matching.max_by(|a, b| a.0.cmp_specificity(&b.0)) {
            layout = layout.map(path, tests.iter().cloned());
        }
    }
    for pattern in args.always.iter().chain(&own.always) {
        let found: Vec<String> =
            test_files.iter().filter(|file| pattern.is_match(file)).cloned().collect();
        if found.is_empty() {
            let pattern = ui::name(Path::new(pattern.as_str()));
            return Err(Failure::Refused(format!(
                "always = {pattern}: this matches no file with tests"
            )));
        }
        layout = layout.always(found);
    }
    Ok(layout)
}

/// Reads `PATTERN=TEST,TEST`.
fn mapping(entry: &str) -> Result<(PathPattern, Vec<String>), Failure> {
    let (pattern, tests) = entry.split_once('=').ok_or_else(|| {
        let entry = ui::name(Path::new(entry));
        Failure::Refused(format!("{entry}: a mapping is PATTERN=TEST,TEST"))
    })?;
    let tests = tests.split(',').filter(|test| !test.is_empty()).map(str::to_owned);
    Ok((pattern.parse()?, tests.collect()))
}

/// Says which failures of a run of all tests would not have been selected.
fn shadow(report: &Path, tests: &TestsFor) -> Result<Exit, Failure> {
    let bytes = std::fs::read(report).map_err(|err| Failure::reading(report, &err))?;
    let failed = failed_tests(&bytes).map_err(|err| err.with_path(report))?;
    let missed = tests.missed(&failed);
    ui::message(&format!(
        "{} failed, of which {} would have been run",
        plural(failed.len(), "test"),
        failed.len() - missed.len()
    ));
    missed.iter().take(TESTS_NAMED).for_each(|test| {
        ui::message(&format!("missed: {}", ui::name(Path::new(test))));
    });
    if missed.len() > TESTS_NAMED {
        ui::message(&format!("missed: {} more", missed.len() - TESTS_NAMED));
    }
    Ok(if missed.is_empty() { Exit::Success } else { Exit::FailUnder })
}

/// Returns the file or folder of a test's name.
fn file_of(name: &str) -> &str {
    name.split_once("::").map_or(name, |(file, _)| file)
}
