//! What other tools measured, with the names that the files have here.

use std::collections::{BTreeSet, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use nix::unistd::geteuid;
use pulpcov_core::config::Config;
use pulpcov_core::foreign::{self, Report, has_language, language};
use pulpcov_core::paths::PathAliases;
use pulpcov_core::report::patch::{FileState, Patch};
use pulpcov_core::text::plural;
use pulpcov_core::{Author, Authors, ErrorKind, FilePath};

use super::origin::Origin;
use super::reporting::{Reporting, is_python, named_in_part};
use super::repository;
use crate::args::WithArgs;
use crate::exit::Failure;
use crate::plan::{ReportPlan, WithPlan};
use crate::{settings, ui};

/// What other tools measured.
pub(super) struct With {
    /// The reports as one.
    pub(super) report: Report,
    /// When the oldest report of each file was written.
    pub(super) written: HashMap<PathBuf, SystemTime>,
}

/// Reads the reports, and finds their files among the sources. Files that are not below the top folder are left out.
pub(super) fn read(
    with: &WithPlan,
    plan: &ReportPlan,
    config: &Config,
    origin: &Origin,
) -> Result<With, Failure> {
    let mut finder = Finder {
        aliases: settings::aliases(config)?,
        strip: with.strip,
        shows_all: plan.include.is_some(),
        top: repository::top_folder(origin.folder_path()),
        origin,
    };
    let mut all = With { report: Report::new(), written: HashMap::new() };
    for (path, report) in with.files.iter().zip(foreign::read_files(&with.files)) {
        // The error names the report.
        let report = report.map_err(|err| Failure::Refused(err.to_string()))?;
        let report = finder.find(path, report)?;
        if let Ok(written) = path.metadata().and_then(|status| status.modified()) {
            for (name, _) in report.files() {
                let oldest = all.written.entry(name.into()).or_insert(written);
                *oldest = written.min(*oldest);
            }
        }
        all.report.merge(report);
    }
    warn_of_differing_lines(&all.report);
    Ok(all)
}

/// Refuses to compare other languages with data of coverage.py, which says nothing of them.
pub(super) fn check_that_nothing_is_compared(
    with: &WithArgs,
    baseline: Option<&Path>,
) -> Result<(), Failure> {
    if with.with.is_empty() || baseline.is_none() {
        return Ok(());
    }
    let message = "--baseline is data of coverage.py, which says nothing of other languages: leave out --with";
    Err(Failure::Refused(message.to_owned()))
}

/// Warns of changed files in the languages of the reports that no report has. Only the tools know whether these have code.
pub(super) fn warn_of_unmeasured(reporting: &Reporting, patch: &Patch<'_>) {
    let languages: BTreeSet<&str> = reporting.names_of_other_tools().map(language).collect();
    let unmeasured = patch.files().iter().filter(|file| {
        let is_unknown = matches!(file.state(), FileState::NoStatements | FileState::LeftOut);
        let name = file.name();
        is_unknown
            && file.change().new_path().is_some()
            && !is_python(Path::new(&name))
            && has_language(&name)
            && languages.contains(language(&name))
    });
    let unmeasured: Vec<PathBuf> = unmeasured.map(|file| file.name().into()).collect();
    if !unmeasured.is_empty() {
        ui::warning(&format!(
            "changed, and in no report of another tool: {}; if there is code, it was not measured",
            named_in_part(&unmeasured)
        ));
    }
}

/// Finds the files of reports.
struct Finder<'a> {
    aliases: PathAliases,
    strip: usize,
    /// Whether files whose names say no language are shown, too.
    shows_all: bool,
    /// The folder that sources are in.
    top: PathBuf,
    origin: &'a Origin,
}

impl Finder<'_> {
    /// Returns a report with the names that its files have here.
    fn find(&mut self, path: &Path, report: Report) -> Result<Report, Failure> {
        let count = report.files().len();
        let authors = authors_of(path);
        let (mut lost, mut unclear) = (Vec::new(), Vec::new());
        let report = report.rename(|name| {
            let name = stripped(renamed(name, &mut self.aliases), self.strip);
            let found = self.name_here(&name, path, &authors);
            if found.is_none() {
                unclear.extend(self.candidates(&name));
                lost.push(PathBuf::from(name));
            }
            found
        });
        let why = match unclear.is_empty() {
            true => String::new(),
            false => format!("; one may be any of {}", named_in_part(&unclear)),
        };
        if report.files().len() == 0 {
            return Err(Failure::Refused(format!(
                "{}: none of its files is in {}: {}{why}; --strip=N removes folders from the front of names, --source-root=. finds files by the ends of their paths, [paths] maps folders",
                ui::name(path),
                ui::name(&self.top),
                named_in_part(&lost)
            )));
        }
        if !lost.is_empty() {
            ui::warning(&format!(
                "{}: {} of {} are not sources in {}, so not shown: {}{why}",
                ui::name(path),
                lost.len(),
                plural(count, "file"),
                ui::name(&self.top),
                named_in_part(&lost)
            ));
        }
        Ok(report)
    }

    /// Returns the name of a file as the data would have it, if it is among the sources.
    ///
    /// A report may be anybody's, and may name any file. So nothing of git's folder is shown, nothing that the owner of the report may not
    /// read, and no file whose name says no language, unless the user chooses files.
    fn name_here(&self, name: &str, report: &Path, authors: &Authors) -> Option<String> {
        if !has_language(name) && !self.shows_all {
            return None;
        }
        if let Some(tree) = &self.origin.tree {
            return Some(tree.find(Path::new(name))?.to_string_lossy().into_owned());
        }
        let real = self.places(name, report).find_map(|path| {
            let real = without_steps_up(&path).canonicalize().ok()?;
            (real.is_file() && real.starts_with(&self.top)).then_some(real)
        })?;
        let is_of_git = real.components().any(|part| part.as_os_str() == ".git");
        if is_of_git || self.is_withheld(&real, authors) {
            return None;
        }
        // A name that cannot be told from others is not shown.
        real.into_os_string().into_string().ok()
    }

    /// Returns where a file may be: from the folder of the command, of the report, and from the top folder.
    fn places(&self, name: &str, report: &Path) -> impl Iterator<Item = PathBuf> {
        let folder = self.origin.folder_path();
        let beside = folder.join(report.parent().unwrap_or(Path::new("")));
        [folder, beside, self.top.clone()].map(|start| start.join(name)).into_iter()
    }

    fn is_withheld(&self, path: &Path, authors: &Authors) -> bool {
        let read = || self.origin.sources.read_for(path, authors);
        *authors != Authors::Caller && read().is_err_and(|err| err.kind() == ErrorKind::Withheld)
    }

    /// Returns the files that a name may be, if it may be several.
    fn candidates(&self, name: &str) -> Vec<PathBuf> {
        let tree = self.origin.tree.iter();
        tree.flat_map(|tree| tree.several(Path::new(name))).map(Path::to_owned).collect()
    }
}

/// Returns who may have written a report.
fn authors_of(report: &Path) -> Authors {
    let Ok(status) = report.metadata() else { return Authors::Caller };
    match status.uid() {
        _ if status.mode() & 0o002 != 0 && status.is_file() => Author::Anybody.into(),
        owner if owner == geteuid().as_raw() => Authors::Caller,
        owner => Author::User(owner).into(),
    }
}

/// Returns a name without so many folders at its front.
pub(super) fn stripped(name: String, folders: usize) -> String {
    if folders == 0 {
        return name;
    }
    let parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !part.is_empty()).collect();
    let last = parts.len().saturating_sub(1);
    parts.get(folders.min(last)..).unwrap_or_default().join("/")
}

/// Returns the name of a file after the rules of `[paths]`.
pub(super) fn renamed(name: &str, aliases: &mut PathAliases) -> String {
    let mapped = FilePath::try_from(name).and_then(|path| aliases.map_file(&path));
    // No rule is for a name that no data file can have.
    mapped.map_or_else(|_| name.to_owned(), |path| path.as_str().to_owned())
}

pub(super) fn warn_of_differing_lines(report: &Report) {
    let differing: Vec<PathBuf> = report.differing().map(PathBuf::from).collect();
    if !differing.is_empty() {
        ui::warning(&format!(
            "the reports have different lines or versions of {}: they may be of different sources",
            named_in_part(&differing)
        ));
    }
}

/// Returns a path without `..` and what it leads out of. Compilers write such names, and patterns do not.
pub(super) fn without_steps_up(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}
