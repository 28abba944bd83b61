//! What a user should know about a summary although it was made.

use std::fmt;
use std::path::PathBuf;

use crate::Error;
use crate::paths::{isabs, isabs_nt};
use crate::text::{plural, printable};
use crate::{Authors, FilePath};

/// How many files with rows that are not found are named; all of them may be of this kind.
const UNMATCHED_NAMED: usize = 3;

/// Something that is odd about the data or its sources, but no reason to stop.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warning {
    /// A file was left out: it is no Python, or its source is not there. Errors were to be ignored, or only others' data
    /// files name it.
    #[non_exhaustive]
    LeftOut {
        /// coverage.py's sentence.
        message: String,
        /// What happened.
        error: Error,
    },
    /// The source of a file may not be shown: only data files of others name it, and none of them may read it.
    #[non_exhaustive]
    Withheld {
        /// The file, as the data has it.
        path: FilePath,
        /// Whose data files name it.
        authors: Authors,
    },
    /// The data names lines that the source does not have.
    ///
    /// Another version of the file was measured. Or coverage.py recorded lines of another file under this one's name: it
    /// does so if greenlets take turns and its setting `concurrency` does not say so, and in Python 3.11 if an asyncio
    /// task is cancelled while coroutines wait for it.
    #[non_exhaustive]
    Mismatch {
        /// The file.
        path: PathBuf,
        /// The last line that the data names.
        recorded: i32,
        /// How many lines the source has.
        lines: i32,
    },
    /// Files that count as if they had not run, although the data has rows of them: the report looks for the rows by another
    /// name. coverage.py does the same, and says nothing.
    #[non_exhaustive]
    UnmatchedRows {
        /// Why the names differ.
        why: Unmatched,
        /// What the data calls each file, and what the report looks for.
        files: Vec<(FilePath, FilePath)>,
    },
    /// Files whose statements only a plugin of coverage.py knows.
    #[non_exhaustive]
    Plugin {
        /// The plugin's name.
        plugin: String,
        /// How many of the files it traced.
        files: usize,
        /// Whether the lines that ran are reported; else the files are left out.
        measured: bool,
    },
}

/// Why a report looks for the rows of a file by another name than the data's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Unmatched {
    /// The data has relative paths, and the report was not told so.
    Relative,
    /// The data has absolute paths, and the report was told that they are relative.
    Absolute,
    /// The data has the path of a link, of a compiled file, one with `..` in it, or one of Windows.
    OtherName,
}

impl Unmatched {
    /// Why the rows of a file are not found that the data calls `asked`.
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
    /// The name by which coverage.py's setting `disable_warnings` knows this warning.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::LeftOut { .. } => "couldnt-parse",
            Self::Withheld { .. } => "source-withheld",
            Self::Mismatch { .. } => "source-mismatch",
            Self::UnmatchedRows { .. } => "unmatched-rows",
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
