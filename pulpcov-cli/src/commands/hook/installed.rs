//! The files of the hook in site-packages, and the record of what was written.
//!
//! The settings file ends with the record. It has a line for each file that was written, with a hash of the
//! file's bytes. The last line is a hash of the settings themselves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pulpcov_core::output::WholeFile;

use crate::exit::Failure;

/// The module that Python runs in every process.
pub(super) const MODULE: &str = include_str!("../../../hook/pulpcov_hook.py");
/// Python reads `.pth` files in the order of their names. This one comes last, when the others have added the
/// folders of packages.
const SWITCH_NAME: &str = "zzz_pulpcov_hook.pth";
const SWITCH: &str = "import pulpcov_hook\n";
const HEADER: &str = "# The settings of pulpcov's hook, as `pulpcov hook install` wrote them. `pulpcov hook uninstall` removes them.";

/// The paths of the files of one Python's hook.
pub(super) struct Places {
    pub(super) site: PathBuf,
    pub(super) module: PathBuf,
    pub(super) settings: PathBuf,
    pub(super) switch: PathBuf,
}

impl Places {
    pub(super) fn new(site: &Path) -> Self {
        Self {
            site: site.into(),
            module: site.join("pulpcov_hook.py"),
            settings: site.join("pulpcov_hook.conf"),
            switch: site.join(SWITCH_NAME),
        }
    }
}

/// The lines of the settings file: what the hook does, and what was written for it.
///
/// A line is a name and, after a space, a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings(Vec<(String, String)>);

impl Settings {
    /// Adds a line.
    ///
    /// # Errors
    ///
    /// Returns a refusal if the value has a line break.
    pub(super) fn add(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        if value.contains(['\n', '\r']) {
            return Err(Failure::Refused(format!(
                "{name}: a line break cannot be in it: {value:?}"
            )));
        }
        self.0.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    pub(super) fn add_path(&mut self, name: &str, path: &Path) -> Result<(), Failure> {
        let text = path.to_str().ok_or_else(|| super::refusal_about(path, "is not UTF-8"))?;
        self.add(name, text)
    }

    /// Adds a record of a file: the hash of the bytes that were written, and the path.
    pub(super) fn add_written(
        &mut self,
        name: &str,
        path: &Path,
        bytes: &[u8],
    ) -> Result<(), Failure> {
        let text = path.to_str().ok_or_else(|| super::refusal_about(path, "is not UTF-8"))?;
        self.add(name, &format!("{} {text}", hash(bytes)))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |line| line.0 == name).map(|line| line.1.as_str())
    }

    /// Returns the lines that say how to measure, for the self-test. What, where and whom to measure is left
    /// out.
    pub(super) fn measurement_lines(&self) -> impl Iterator<Item = String> {
        let matters = |name: &str| matches!(name, "branch" | "context" | "config" | "signal");
        self.0
            .iter()
            .filter(move |line| matters(&line.0))
            .map(|(name, value)| format!("{name} {value}"))
    }

    /// Returns the recorded files of a kind, with their hashes.
    pub(super) fn written(&self, name: &str) -> impl Iterator<Item = (&str, &Path)> {
        self.all(name)
            .filter_map(|value| value.split_once(' '))
            .map(|(hash, path)| (hash, Path::new(path)))
    }

    /// Returns the text of the settings file.
    pub(super) fn render(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for (name, value) in &self.0 {
            text += name;
            if !value.is_empty() {
                text.push(' ');
                text += value;
            }
            text.push('\n');
        }
        let own = hash(text.as_bytes());
        text + &format!("self {own}\n")
    }

    fn parse(text: &str) -> Option<Self> {
        let body = text.strip_prefix(HEADER)?.strip_prefix('\n')?;
        let (lines, own) = body.strip_suffix('\n')?.rsplit_once("self ")?;
        let covered = text.len() - "self ".len() - own.len() - 1;
        let is_whole = own == hash(text.get(..covered)?.as_bytes());
        let line = |line: &str| {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            (name.to_owned(), value.to_owned())
        };
        is_whole.then(|| Self(lines.lines().map(line).collect()))
    }
}

/// The state of the hook in a Python.
pub(super) enum State {
    Absent,
    /// All files are as they were written.
    Intact(Settings),
    /// Somebody else changed a file: its path, and what has changed.
    Changed(PathBuf, &'static str),
}

/// Compares the files of a hook with the record.
pub(super) fn inspect(places: &Places) -> Result<State, Failure> {
    let Some(text) = read(&places.settings)? else {
        let orphan = [&places.switch, &places.module].into_iter().find(|path| path.exists());
        return Ok(match orphan {
            Some(path) => {
                State::Changed(path.clone(), "is there without the settings that belong to it")
            }
            None => State::Absent,
        });
    };
    let Some(settings) = std::str::from_utf8(&text).ok().and_then(Settings::parse) else {
        return Ok(State::Changed(places.settings.clone(), CHANGED));
    };
    for (hash, path) in settings.written("wrote").chain(settings.written("marked")) {
        match read(path)? {
            None => {
                return Ok(State::Changed(
                    path.into(),
                    "is gone, though the hook was installed into it",
                ));
            }
            Some(bytes) if self::hash(&bytes) != hash => {
                return Ok(State::Changed(path.into(), CHANGED));
            }
            Some(_) => {}
        }
    }
    Ok(State::Intact(settings))
}

const CHANGED: &str = "was changed by someone else since the hook was installed";

/// Returns the bytes of a file, or `None` if it does not exist.
fn read(path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(err) => Err(super::refusal_about(path, err)),
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// Writes a file that everybody can read. It is written completely or not at all.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    WholeFile::at(path)
        .mode(0o644)
        .durable()
        .write(|out| Ok(out.write_all(bytes)?))
        .map_err(|err| cannot_write(folder, &err))
}

/// Writes the file that switches the hook on.
pub(super) fn write_switch(places: &Places) -> Result<(), Failure> {
    write(&places.switch, SWITCH.as_bytes())
}

/// Records the two files whose bytes are always the same.
pub(super) fn add_fixed(settings: &mut Settings, places: &Places) -> Result<(), Failure> {
    settings.add_written("wrote", &places.switch, SWITCH.as_bytes())?;
    settings.add_written("wrote", &places.module, MODULE.as_bytes())
}

fn cannot_write(folder: &Path, err: &pulpcov_core::Error) -> Failure {
    let advice = match err.io_kind() {
        Some(io::ErrorKind::PermissionDenied) => {
            "\nRun this as a user who may, or name the Python of a virtual environment with --python."
        }
        Some(io::ErrorKind::ReadOnlyFilesystem) => {
            "\nThe file system is read-only: name another Python with --python."
        }
        _ => "",
    };
    super::refusal_about(folder, format!("cannot be written into: {}{advice}", err.reason()))
}

/// Removes a file, which may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(super::refusal_about(path, err)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Settings {
        let mut settings = Settings::default();
        settings.add("root", "/srv/a folder").unwrap();
        settings.add("branch", "").unwrap();
        settings.add("package", "self help").unwrap();
        settings
    }

    #[test]
    fn settings_survive_being_written() {
        assert_eq!(Settings::parse(&some().render()), Some(some()));
    }

    #[test]
    fn settings_that_were_edited_are_told() {
        let text = some().render();
        assert_eq!(Settings::parse(&text.replace("/srv", "/tmp")), None);
        assert_eq!(Settings::parse(&text.replace("branch\n", "")), None);
        assert_eq!(Settings::parse(""), None);
    }

    #[test]
    fn a_value_is_one_line() {
        assert!(Settings::default().add("context", "a\nroot /").is_err());
    }
}
