//! What other tools measured, with the names that the files have here.

use std::path::{Component, Path, PathBuf};

use pulpcov_core::FilePath;
use pulpcov_core::config::Config;
use pulpcov_core::foreign::{self, Report};
use pulpcov_core::paths::PathAliases;
use pulpcov_core::text::plural;

use super::origin::Origin;
use super::reporting::named_in_part;
use super::repository;
use crate::exit::Failure;
use crate::plan::WithPlan;
use crate::{settings, ui};

/// Reads the reports, and finds their files among the sources. Files that are not below the top folder are left out.
pub(super) fn read(plan: &WithPlan, config: &Config, origin: &Origin) -> Result<Report, Failure> {
    let mut finder = Finder {
        aliases: settings::aliases(config)?,
        strip: plan.strip,
        top: repository::top_folder(origin.folder_path()),
        origin,
    };
    let mut all = Report::new();
    for (path, report) in plan.files.iter().zip(foreign::read_files(&plan.files)) {
        all.merge(finder.find(path, report?)?);
    }
    warn_of_differing_lines(&all);
    Ok(all)
}

/// Finds the files of reports.
struct Finder<'a> {
    aliases: PathAliases,
    strip: usize,
    /// The folder that sources are in.
    top: PathBuf,
    origin: &'a Origin,
}

impl Finder<'_> {
    /// Returns a report with the names that its files have here.
    fn find(&mut self, path: &Path, report: Report) -> Result<Report, Failure> {
        let count = report.files().len();
        let mut lost = Vec::new();
        let report = report.rename(|name| {
            let found = self.name_here(name);
            if found.is_none() {
                lost.push(PathBuf::from(name));
            }
            found
        });
        if report.files().len() == 0 {
            return Err(Failure::Refused(format!(
                "{}: none of its files is in {}: {}; --strip=N removes folders from the front of names, --source-root=. finds files by the ends of their paths, [paths] maps folders",
                ui::name(path),
                ui::name(&self.top),
                named_in_part(&lost)
            )));
        }
        if !lost.is_empty() {
            ui::warning(&format!(
                "{}: {} of {} are not in {}, so not shown: {}",
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
    fn name_here(&mut self, name: &str) -> Option<String> {
        let mapped = renamed(name, &mut self.aliases);
        let stripped = stripped(mapped, self.strip);
        if let Some(tree) = &self.origin.tree {
            return Some(tree.find(Path::new(&stripped))?.to_string_lossy().into_owned());
        }
        let path = without_steps_up(&self.origin.folder_path().join(&stripped));
        let real = path.canonicalize().ok().filter(|real| real.is_file())?;
        if !real.starts_with(&self.top) {
            return None;
        }
        // A name that cannot be told from others is not shown.
        path.into_os_string().into_string().ok()
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
