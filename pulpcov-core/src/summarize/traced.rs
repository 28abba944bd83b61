//! Files that a plugin of coverage.py traced, such as templates.

use std::collections::BTreeMap;

use super::outcome::Task;
use super::warning::Warning;
use crate::FilePath;

/// What to do with files that a plugin of coverage.py traced, such as templates.
///
/// The data only has the lines that ran. Only the plugin knows which other lines are statements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum PluginLines {
    /// Leave the files out, with a [`Warning`].
    #[default]
    LeftOut,
    /// Report the lines that ran, as if there were no others.
    Measured,
}

/// What a plugin says about a file that it traced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TracedFile {
    /// The lines that could have run.
    pub statements: Vec<i32>,
    /// The excluded lines.
    pub excluded: Vec<i32>,
}

/// What is known about files that plugins traced.
#[derive(Default)]
pub(super) struct Traced {
    pub(super) files: BTreeMap<FilePath, TracedFile>,
    /// What to do with all other files.
    pub(super) others: PluginLines,
}

impl Traced {
    /// Removes the files to leave out. Returns the warnings about files of which only the lines that
    /// ran are known.
    pub(super) fn leave_out(&self, tasks: &mut Vec<Task>) -> Vec<Warning> {
        let is_unknown = |task: &Task| {
            !task.tracer.is_empty() && !self.files.contains_key(&task.candidate.requested)
        };
        let unknown = tasks.iter().filter(|task| is_unknown(task));
        let warnings = plugin_warnings(unknown, self.others);
        if self.others == PluginLines::LeftOut {
            tasks.retain(|task| !is_unknown(task));
        }
        warnings
    }
}

/// Returns one warning for each plugin.
fn plugin_warnings<'t>(tasks: impl Iterator<Item = &'t Task>, lines: PluginLines) -> Vec<Warning> {
    let mut files = BTreeMap::<&str, usize>::new();
    for task in tasks {
        *files.entry(&task.tracer).or_default() += 1;
    }
    let measured = lines == PluginLines::Measured;
    let warning = |(plugin, files): (&str, usize)| Warning::Plugin {
        plugin: plugin.to_owned(),
        files,
        measured,
    };
    files.into_iter().map(warning).collect()
}
