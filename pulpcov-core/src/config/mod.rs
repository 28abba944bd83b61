//! Configuration files, read as coverage.py reads them.
//!
//! A [`Loader`] finds the config file of a folder. It returns a [`Config`] with every setting, and
//! warnings for the user. This module prints nothing and does not read the environment: the caller
//! passes the variables in.
//!
//! | file | sections |
//! |---|---|
//! | `.coveragerc`, or a file that is named explicitly | `[run]`, or `[coverage:run]`, which wins |
//! | `.coveragerc.toml`, or a named file ending in `.toml` | `[run]`, or `[tool.coverage.run]`, which wins |
//! | `setup.cfg`, `tox.ini` | `[coverage:run]` |
//! | `pyproject.toml` | `[tool.coverage.run]` |
//!
//! # Differences from coverage.py
//!
//! * Some files make coverage.py fail with a Python traceback: a file that is not UTF-8, or a value
//!   such as `run = 3` where a table belongs. Here the caller gets an
//!   [error](crate::ErrorKind::Config) with the file and the place.
//! * A file that is not UTF-8 is refused for that reason, even if an error comes before the bad
//!   bytes.
//! * In TOML, coverage.py accepts a value of any type for a text option. Here such a value becomes
//!   text, written as Python writes it. Numbers must fit in 64 bits.
//! * TOML 1.1 is accepted. coverage.py uses Python's own TOML parser, and most Python versions read
//!   TOML 1.0.
//! * The message about a TOML syntax error is this crate's; coverage.py shows the message of
//!   Python's parser. The messages about INI syntax are the same as Python's.
//!
//! The modules:
//!
//! - `files` chooses the files and applies one. It knows the user's folder from `home`.
//! - `ini` and `toml` parse a file, and `document` finds sections in the result.
//! - `settings` are the fields and their defaults. `options` lists the option of each field, its
//!   type, and the attribute of coverage.py that `debug` shows it as.
//! - `values` reads a value as a type, with `numbers` and `substitute`, which replaces environment
//!   variables. `value` is a value of any type.
//! - `aliases` makes path aliases of the section `[paths]`.
//! - `info` prints facts as `coverage debug` does.
//! - `error` has the errors of all these.
//! - `own` has the settings of pulpcov itself, which coverage.py does not have.

mod aliases;
mod debug;
mod document;
mod error;
mod files;
mod home;
mod info;
mod ini;
mod numbers;
mod options;
mod own;
mod settings;
mod substitute;
mod toml;
mod value;
mod values;

pub use files::{Loaded, Loader};
pub use info::{Info, format_info};
pub use numbers::{parse_float, parse_int};
pub use own::{GateSettings, LoadedOwn, OwnSettings, PatchSettings};
pub use settings::{
    Config, ConfigFiles, HtmlSettings, JsonSettings, LcovSettings, ReportSettings, RunSettings,
    XmlSettings,
};
pub use value::{Datetime, Value};
