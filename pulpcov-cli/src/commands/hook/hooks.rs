//! The hooks of some Pythons: where their processes write, and what they measure.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::installed::{self, Places, Settings, State};
use super::interpreter::Interpreter;
use super::refusal_about;
use crate::args::{DATA_ROOT, DEFAULT_PYTHON};
use crate::exit::Failure;

/// What to do if the data root does not exist.
pub(in crate::commands) const HOW_TO_NAME_ONE: &str =
    "name another one; or with --python the Python with the hook that writes into it";

/// The hooks of the Pythons that the user has named.
pub(in crate::commands) struct Hooks(Vec<Hook>);

struct Hook {
    interpreter: Interpreter,
    settings: Settings,
}

impl Hooks {
    pub(in crate::commands) fn of(pythons: &[PathBuf]) -> Result<Self, Failure> {
        pythons.iter().map(|python| Hook::of(python)).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the data roots: the chosen folder, or else the folders that these hooks write into, or else
    /// [`DATA_ROOT`].
    ///
    /// If no Python is named, the hook of [`DEFAULT_PYTHON`] counts.
    pub(in crate::commands) fn data_roots(&self, chosen: Option<&Path>) -> BTreeSet<PathBuf> {
        if let Some(root) = chosen {
            return [root.into()].into();
        }
        // The default Python need not have the hook.
        let unnamed = if self.0.is_empty() { Hook::of(DEFAULT_PYTHON.as_ref()).ok() } else { None };
        let hooks = self.0.iter().chain(&unnamed);
        let roots: BTreeSet<PathBuf> =
            hooks.filter_map(|hook| hook.settings.get("root")).map(PathBuf::from).collect();
        if roots.is_empty() { [DATA_ROOT.into()].into() } else { roots }
    }

    /// Returns the sources that are shown whichever user measured them: those chosen when the hook was
    /// installed.
    pub(in crate::commands) fn sources(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut sources = Vec::new();
        for Hook { interpreter, settings } in &self.0 {
            sources.extend(settings.all("folder").map(PathBuf::from));
            let packages: Vec<&str> = settings.all("package").collect();
            sources.extend(interpreter.find_packages(&packages)?);
        }
        Ok(sources)
    }
}

impl Hook {
    fn of(python: &Path) -> Result<Self, Failure> {
        let interpreter = Interpreter::ask(python)?;
        match installed::inspect(&Places::new(&interpreter.site))? {
            State::Intact(settings) => Ok(Self { interpreter, settings }),
            State::Changed(path, how) => Err(refusal_about(&path, how)),
            State::Absent => Err(refusal_about(python, "the hook is not installed in it")),
        }
    }
}
