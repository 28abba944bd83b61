//! Configuration: `.coveragerc` and its kin, read as coverage.py reads them.
//!
//! A [`Loader`] finds the file of a folder and gives back a [`Config`] with every setting, and
//! warnings for the user. Nothing here reads the environment or prints; what the environment says
//! is passed in.
//!
//! | file | sections |
//! |---|---|
//! | `.coveragerc`, or the file that is named | `[run]`, or `[coverage:run]`, which wins |
//! | `.coveragerc.toml`, or a file that is named so | `[run]`, or `[tool.coverage.run]`, which wins |
//! | `setup.cfg`, `tox.ini` | `[coverage:run]` |
//! | `pyproject.toml` | `[tool.coverage.run]` |
//!
//! # Differences from coverage.py
//!
//! * Where coverage.py fails with a Python traceback (a file that is not UTF-8, `run = 3` in place
//!   of a table), there is an [error](crate::ErrorKind::Config) with the file and the place.
//! * A file that is not UTF-8 is refused for that, whatever else may be wrong before those bytes.
//! * In TOML, coverage.py takes a value of any type for options that are text; here other values become text as Python
//!   writes them. Numbers must fit 64 bits.
//! * TOML 1.1 is understood; coverage.py leaves TOML to Python, most of whose versions read 1.0.
//! * What is no TOML is refused in our words; coverage.py has those of Python's parser. Those of the INI parser are the
//!   same.
//!
//! Ways through the modules: `files` chooses the files and applies one; `document` finds sections
//! in what `ini` or `toml` parsed; `settings` says which option is read as what, `values` does it.

mod debug;
mod document;
mod error;
mod files;
mod home;
mod ini;
mod numbers;
mod ordered;
mod settings;
mod substitute;
mod toml;
mod value;
mod values;

pub use debug::{Info, format_info};
pub use files::{Loaded, Loader};
pub use numbers::{parse_float, parse_int};
pub use ordered::OrderedMap;
pub use settings::{Config, ConfigFiles, Html, Json, Lcov, Report, Run, Xml};
pub use value::{Datetime, Value};
