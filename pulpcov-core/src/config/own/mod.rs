//! The settings of pulpcov itself, which coverage.py does not have.
//!
//! They are never in coverage.py's own sections:
//!
//! | file | place |
//! |---|---|
//! | `pulpcov.toml` | the top level: `[gate]`, `[patch]`, `[map]`, `[routes]`, `always` |
//! | `pyproject.toml`, `.coveragerc.toml`, or a named file ending in `.toml` | `[tool.pulpcov]`: `[tool.pulpcov.gate]` |
//! | `.coveragerc`, `setup.cfg`, `tox.ini`, or another named file | `[pulpcov]`: `[pulpcov:gate]` |
//!
//! The settings are in one file. If two files of a folder have some, both are refused: neither would be the one that
//! everybody expects. If a file is named, with `--rcfile` or `COVERAGE_RCFILE`, and has settings of pulpcov, only that file
//! is read. If it has none, they may be in `pulpcov.toml` or `pyproject.toml`.
//!
//! An unknown setting is refused, because a misspelt floor would let everything pass.
//!
//! - `load`: finds the file.
//! - `tree`: the settings of a file in either dialect, with their lines.
//! - `info`: the settings as `pulpcov debug config` prints them.
//! - `routes`: the aliases of routes.
//! - `keys`: the names of the settings, and how each is read. A new setting is a field here, a line in `keys` and one in `info`.

mod info;
mod keys;
mod load;
mod routes;
mod tree;

use std::path::PathBuf;

pub(super) use tree::{Item, Table, Tree};

use crate::gates::{Gate, Limits, PathPattern, Rule};
use crate::results::Floor;
use crate::subunit::RoutePattern;

/// The settings of pulpcov itself.
///
/// # Examples
///
/// ```
/// use pulpcov_core::config::Loader;
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("pyproject.toml"), "[tool.pulpcov.patch]\nfail_under = 90\n")?;
/// let loaded = Loader::new(folder.path(), |_| None).load_own()?;
/// assert_eq!(loaded.settings.patch.fail_under, Some("90".parse()?));
///
/// std::fs::write(folder.path().join("pyproject.toml"), "[tool.pulpcov.patch]\nfail-under = 90\n")?;
/// let err = Loader::new(folder.path(), |_| None).load_own().unwrap_err();
/// assert!(err.to_string().starts_with("pyproject.toml: line 2, [tool.pulpcov.patch] fail-under: there is no such setting"));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnSettings {
    /// `patch`: what the changes of a branch must keep.
    pub patch: PatchSettings,
    /// `gate`: what files must keep.
    pub gate: GateSettings,
    /// `always`: the files with tests that `tests-for` always selects.
    pub always: Vec<PathPattern>,
    /// `map`: files that are not Python, and the tests that need them.
    pub map: Vec<(PathPattern, Vec<String>)>,
    /// `routes`: for data that came by a route of a subunit stream, the folder of the sources here and those on the machines there,
    /// as in a set of `[paths]`.
    pub routes: Vec<(RoutePattern, Vec<String>)>,
    /// The file that has the settings, if any has some.
    pub file: Option<PathBuf>,
}

/// The settings of `pulpcov patch`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatchSettings {
    /// The branch, tag or commit that changes are compared with.
    pub base: Option<String>,
    /// The percentage of the changed statements and branches that must be covered.
    pub fail_under: Option<Floor>,
    /// How many changed statements and branches may be missing.
    pub max_missing: Option<usize>,
}

/// The settings of `pulpcov gate`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateSettings {
    /// The floor of each file that no rule judges.
    pub floor: Option<Limits>,
    /// The floor of each new file that no rule judges.
    pub new_files: Option<Limits>,
    /// The rules.
    pub rules: Vec<Rule>,
    /// The file of the ratchet, relative to the folder of the settings.
    pub ratchet: Option<PathBuf>,
}

impl GateSettings {
    /// Returns the gate that the settings describe.
    ///
    /// # Examples
    ///
    /// ```
    /// use pulpcov_core::config::GateSettings;
    ///
    /// assert!(GateSettings::default().gate().is_empty());
    /// ```
    pub fn gate(&self) -> Gate {
        let mut gate = self.rules.iter().cloned().fold(Gate::new(), Gate::rule);
        if let Some(floor) = &self.floor {
            gate = gate.floor(floor.clone());
        }
        if let Some(limits) = &self.new_files {
            gate = gate.new_files(limits.clone());
        }
        gate
    }
}

/// The settings of pulpcov itself, as [`Loader::load_own`](super::Loader::load_own) returns them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadedOwn {
    /// The settings.
    pub settings: OwnSettings,
    /// Problems that do not stop the loading, for the user to read.
    pub warnings: Vec<String>,
}
