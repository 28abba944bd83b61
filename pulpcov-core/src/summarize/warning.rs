//! Warnings about a summary that was made nevertheless.

use std::fmt;
use std::path::PathBuf;

use crate::Error;
use crate::paths::{isabs, isabs_nt};
use crate::text::{plural, printable};
use crate::{Authors, FilePath};

/// The maximum number of unmatched files that a message names: all files may be unmatched.
const UNMATCHED_NAMED: usize = 3;

/// A problem with the data or its sources that does not stop the summary.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warning {
    /// A file was left out because it is not Python or has no source. Either errors are ignored, or
    /// only data files of other users name the file.
    #[non_exhaustive]
    LeftOut {
        /// coverage.py's message.
        message: String,
        /// The error.
        error: Error,
    },
    /// The source of a file may not be shown: only data files of other users name it, and none of
    /// these users may read it.
    #[non_exhaustive]
    Withheld {
        /// The path in the data.
        path: FilePath,
        /// Whose data files name the file.
        authors: Authors,
    },
    /// The data has lines that the source does not have.
    ///
    /// Either another version of the file was measured, or coverage.py recorded lines of another
    /// file under this name. coverage.py does this in two cases: if code switches between greenlets
    /// and its setting `concurrency` does not say so, and in Python 3.11 if an asyncio task is
    /// cancelled while coroutines wait for it.
    #[non_exhaustive]
    Mismatch {
        /// The path of the source.
        path: PathBuf,
        /// The last line in the data.
        recorded: i32,
        /// The number of lines in the source.
        lines: i32,
    },
    /// Another tool counted lines that the source does not have, so it measured another version. These lines are left out.
    #[non_exhaustive]
    OtherMismatch {
        /// The path of the source.
        path: PathBuf,
        /// The last line that was counted.
        counted: u32,
        /// The number of lines in the source.
        lines: u32,
    },
    /// Files count as not run although the data has rows of them, because the report looks for
    /// these rows under another name. coverage.py does the same, without a warning.
    #[non_exhaustive]
    UnmatchedRows {
        /// Why the names differ.
        why: Unmatched,
        /// The name of each file in the data, and the name that the report looks for.
        files: Vec<(FilePath, FilePath)>,
    },
    /// The report counts only what ran in some contexts, and the data has none of them. Nothing counts as run. coverage.py does the
    /// same, without a warning.
    #[non_exhaustive]
    NoSuchContext {
        /// The regular expressions, of which no context matches any.
        patterns: Vec<String>,
        /// The number of contexts that the data has. One without a name does not count.
        contexts: usize,
        /// The first of them.
        first: Option<String>,
    },
    /// A plugin of coverage.py traced files, and only the plugin knows their statements.
    #[non_exhaustive]
    Plugin {
        /// The name of the plugin.
        plugin: String,
        /// The number of files that the plugin traced.
        files: usize,
        /// Whether the lines that ran are reported. Otherwise the files are left out.
        measured: bool,
    },
}

/// Why a report looks for the rows of a file under a name that is not the name in the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unmatched {
    /// The data has relative paths, but `relative_files` is off.
    Relative,
    /// The data has absolute paths, but `relative_files` is on.
    Absolute,
    /// The data has a path that is not the path of the source: the path of a link or of a compiled
    /// file, a path with `..`, or a Windows path.
    OtherName,
}

impl Unmatched {
    /// Returns why the report does not find the rows of the file that the data calls `requested`.
    pub(super) fn of(asked: &FilePath, relative_files: bool) -> Self {
        let is_absolute = isabs(asked.as_bytes()) || isabs_nt(asked.as_bytes());
        match (is_absolute, relative_files) {
            (false, false) => Self::Relative,
            (true, true) => Self::Absolute,
            _ => Self::OtherName,
        }
    }
}

impl Warning {
    /// Returns the name of this warning in coverage.py's setting `disable_warnings`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::path::Path;
    /// # use pulpcov_core::summarize::Summarizer;
    /// # use pulpcov_core::{CoverageData, Numbits};
    /// # let mut data = CoverageData::new();
    /// data.add_lines("cart.py", "", &Numbits::from_iter([1, 30]))?;
    /// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
    /// let summary = Summarizer::new(&data, &sources).run()?;
    /// let muted = ["source-mismatch"];
    /// let shown = summary.warnings().iter().filter(|warning| !muted.contains(&warning.slug()));
    /// assert_eq!(shown.count(), 0);
    /// # Ok::<(), pulpcov_core::Error>(())
    /// ```
    pub fn slug(&self) -> &'static str {
        match self {
            Self::LeftOut { .. } => "couldnt-parse",
            Self::Withheld { .. } => "source-withheld",
            Self::Mismatch { .. } | Self::OtherMismatch { .. } => "source-mismatch",
            Self::UnmatchedRows { .. } => "unmatched-rows",
            Self::NoSuchContext { .. } => "no-such-context",
            Self::Plugin { .. } => "plugin-lines",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LeftOut { message, .. } => f.write_str(&printable(message)),
            Self::Withheld { path, authors } => write!(
                f,
                "{path} is withheld: none of those whose data files name it may read it (user {authors})"
            ),
            Self::Mismatch { path, recorded, lines } => {
                let path = path.to_string_lossy();
                let path = printable(&path);
                let lines = plural((*lines).max(0) as usize, "line");
                write!(
                    f,
                    "{path} has {lines}, but the data names line {recorded}: it was measured in another version, \
                     or with greenlets that the setting `concurrency` does not name"
                )
            }
            Self::OtherMismatch { path, counted, lines } => {
                let path = path.to_string_lossy();
                let path = printable(&path);
                let lines = plural(*lines as usize, "line");
                write!(
                    f,
                    "{path} has {lines}, but another tool counted line {counted}: it measured another version"
                )
            }
            Self::UnmatchedRows { why, files } => {
                let count = plural(files.len(), "file");
                write!(f, "the report does not count what the data has of {count}: ")?;
                match why {
                    Unmatched::Relative => {
                        f.write_str("the paths are relative, and `relative_files` is off")
                    }
                    Unmatched::Absolute => {
                        f.write_str("the paths are absolute, and `relative_files` is on")
                    }
                    Unmatched::OtherName => f.write_str("their paths are not those of the sources"),
                }?;
                let named = files.iter().take(UNMATCHED_NAMED);
                for (number, (asked, recorded)) in named.enumerate() {
                    let separator = if number == 0 { ": " } else { ", " };
                    write!(f, "{separator}{asked}")?;
                    if *why == Unmatched::OtherName {
                        write!(f, " (the source is {recorded})")?;
                    }
                }
                match files.len().saturating_sub(UNMATCHED_NAMED) {
                    0 => Ok(()),
                    more => write!(f, ", and {more} more"),
                }
            }
            Self::NoSuchContext { patterns, contexts, first } => {
                let patterns: Vec<String> =
                    patterns.iter().map(|pattern| format!("{pattern:?}")).collect();
                let patterns = patterns.join(", ");
                write!(
                    f,
                    "no context matches {}, so nothing counts as run: ",
                    printable(&patterns)
                )?;
                match first {
                    None => f.write_str("no contexts were measured"),
                    Some(first) => {
                        let contexts = plural(*contexts, "context");
                        write!(f, "the data has {contexts}, such as {}", printable(first))
                    }
                }
            }
            Self::Plugin { plugin, files, measured } => {
                let (files, plugin) = (plural(*files, "file"), printable(plugin));
                if *measured {
                    write!(
                        f,
                        "{files} traced by plugin {plugin}: only lines that ran are known, so all of them count as covered"
                    )
                } else {
                    write!(
                        f,
                        "{files} traced by plugin {plugin} left out: only the plugin knows their statements"
                    )
                }
            }
        }
    }
}
