//! The file of the ratchet, and the merge driver.

use std::path::{Path, PathBuf};

use pulpcov_core::config::GateSettings;
use pulpcov_core::gates::Ratchet;
use pulpcov_core::output::WholeFile;
use pulpcov_core::text::plural;

use super::super::plain_file;
use crate::exit::{Exit, Failure};
use crate::{trust, ui};

/// The name of the file if no setting names another.
const NAME: &str = ".pulpcov-ratchet";

/// Returns the path of the ratchet, from the current folder.
pub(super) fn path_of(settings: &GateSettings) -> PathBuf {
    settings.ratchet.clone().unwrap_or_else(|| NAME.into())
}

/// The file of the ratchet. It comes with the repository, so it may be anybody's.
pub(super) struct RatchetFile {
    /// The path in the current folder.
    path: PathBuf,
}

impl RatchetFile {
    pub(super) fn new(settings: &GateSettings) -> Result<Self, Failure> {
        let path = path_of(settings);
        plain_file::check(&path)?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the ratchet. Returns `None` if there is no file.
    pub(super) fn read(&self) -> Result<Option<Ratchet>, Failure> {
        let Some(bytes) = plain_file::read_if_there(&self.path)? else { return Ok(None) };
        let ratchet = Ratchet::parse(&bytes).map_err(|err| of_line(&self.path, &err))?;
        Ok(Some(ratchet))
    }

    /// Writes the ratchet, unless the file has these entries already.
    pub(super) fn write(&self, ratchet: &Ratchet) -> Result<(), Failure> {
        let name = ui::name(&self.path);
        if self.read()?.as_ref() == Some(ratchet) {
            ui::message(&format!("{name} stays as it is"));
            return Ok(());
        }
        trust::check_output(&self.path)?;
        let text = ratchet.to_text();
        WholeFile::at(&self.path).write(|out| Ok(out.write_all(text.as_bytes())?))?;
        let files = plural(ratchet.len(), "file");
        ui::message(&format!("Wrote {name}: {files} below the floor"));
        Ok(())
    }
}

/// Names the file and the line of an error.
fn of_line(path: &Path, err: &pulpcov_core::Error) -> Failure {
    Failure::Refused(format!("{}: {err}", ui::name(path)))
}

/// Merges the ratchets of two branches into the file `ours`. If one of them cannot be read, all stay as they are, and git
/// reports a conflict.
pub(super) fn merge(base: &Path, ours: &Path, theirs: &Path) -> Result<Exit, Failure> {
    let side = |path: &Path, whose: &str| {
        let bytes = plain_file::read(path)?;
        Ratchet::parse(&bytes).map_err(|err| {
            Failure::Refused(format!("the ratchet of {whose} cannot be merged: {err}"))
        })
    };
    let base = side(base, "the common ancestor")?;
    let merged =
        Ratchet::merge(&base, &side(ours, "this branch")?, &side(theirs, "the other branch")?);
    let text = merged.to_text();
    WholeFile::at(ours).write(|out| Ok(out.write_all(text.as_bytes())?))?;
    Ok(Exit::Success)
}
