//! What a user should know about a summary although it was made.

use std::fmt;
use std::path::PathBuf;

use crate::Error;
use crate::text::{plural, printable};
use crate::{Authors, FilePath};

/// Something that is odd about the data or its sources, but no reason to stop.
#[derive(Debug)]
#[non_exhaustive]
pub enum Warning {
    /// A file was left out: it is no Python, or its source is not there. Errors were to be ignored.
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

impl Warning {
    /// The name by which coverage.py's setting `disable_warnings` knows this warning.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::LeftOut { .. } => "couldnt-parse",
            Self::Withheld { .. } => "source-withheld",
            Self::Mismatch { .. } => "source-mismatch",
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
