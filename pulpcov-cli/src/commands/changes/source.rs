//! The diff that git or the user gives.

use std::io::Read;
use std::path::{Path, PathBuf};

use pulpcov_core::changes::Diff;
use pulpcov_core::config::PatchSettings;

use super::super::git::{self, Base};
use super::super::reporting::is_python;
use crate::args::ChangesArgs;
use crate::exit::Failure;
use crate::{settings, ui};

/// The text of a diff, what it is from, and where its names start.
pub(super) struct DiffSource {
    text: Vec<u8>,
    pub(super) base: Option<Base>,
    pub(super) top: PathBuf,
    /// Files that git does not track, and the numbers of their lines if they are Python.
    untracked: Vec<(PathBuf, i32)>,
}

impl DiffSource {
    pub(super) fn of(
        args: &ChangesArgs,
        revision: Option<&str>,
        baseline_rev: Option<&str>,
        own: &PatchSettings,
    ) -> Result<Self, Failure> {
        let is_of_working_tree = args.diff.is_none() && revision.is_none();
        let top = || git::top_folder().map_or_else(settings::cwd, Ok);
        let untracked = || if is_of_working_tree { git::untracked() } else { Ok(Vec::new()) };
        let changes = || changes(args, revision, baseline_rev, own);
        let (changes, (top, untracked)) = git::beside(changes, || (top(), untracked()));
        let ((text, base), top, untracked) = (changes?, top?, untracked?);
        let counted = untracked.into_iter().map(|path| {
            let lines = if is_python(&path) { count_lines(&top.join(&path)) } else { 0 };
            (path, lines)
        });
        Ok(Self { untracked: counted.collect(), text, base, top })
    }

    /// Returns the files that git does not track.
    pub(super) fn untracked(&self) -> impl Iterator<Item = &Path> {
        self.untracked.iter().map(|(path, _)| path.as_path())
    }

    /// Parses the diff, which is from `file` or from git.
    ///
    /// Text that is no diff is refused: a gate must not pass because of it. An empty file causes a warning, for it may be the
    /// diff of nothing, or the output of a program that failed.
    pub(super) fn parse(&self, file: Option<&Path>) -> Result<Diff, Failure> {
        let mut diff = Diff::parse(&self.text)?;
        for (path, lines) in &self.untracked {
            diff.add_new_file(path, *lines);
        }
        let Some(file) = file.filter(|_| diff.files().is_empty()) else { return Ok(diff) };
        if self.text.trim_ascii().is_empty() {
            ui::warning(&format!("{}: the diff is empty", ui::name(file)));
            return Ok(diff);
        }
        Err(Failure::Refused(format!("{}: this is not a unified diff", ui::name(file))))
    }
}

/// Returns the text of the diff, and what it is from, unless a file has it.
fn changes(
    args: &ChangesArgs,
    revision: Option<&str>,
    baseline_rev: Option<&str>,
    own: &PatchSettings,
) -> Result<(Vec<u8>, Option<Base>), Failure> {
    if let Some(file) = &args.diff {
        return Ok((read(file)?, None));
    }
    let base = args.base.as_deref().or(own.base.as_deref());
    let (text, base) = match baseline_rev {
        Some(baseline) => git::changes_since(baseline, revision)?,
        None => git::changes(base, revision, Some("read a diff with --diff=FILE"))?,
    };
    Ok((text, Some(base)))
}

/// Counts lines as git does. A file that is not regular or cannot be read has none; the report says that its source is
/// missing.
fn count_lines(path: &Path) -> i32 {
    let is_regular = path.symlink_metadata().is_ok_and(|status| status.is_file());
    let bytes = if is_regular { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    let ends = bytes.iter().filter(|&&b| b == b'\n').count();
    let open = usize::from(bytes.last().is_some_and(|&b| b != b'\n'));
    i32::try_from(ends + open).unwrap_or(i32::MAX)
}

/// Reads a diff from a file, or from standard input if its name is `-`.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let done = match file.as_os_str() == "-" {
        true => std::io::stdin().lock().read_to_end(&mut text),
        false => std::fs::File::open(file).and_then(|mut file| file.read_to_end(&mut text)),
    };
    done.map_err(|err| Failure::reading(file, &err))?;
    Ok(text)
}
