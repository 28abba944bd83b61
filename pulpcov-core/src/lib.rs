//! Reads, merges, writes and reports the data files of Python's [coverage.py], without Python.
//!
//! coverage.py writes one data file per process. A real deployment leaves a folder of them: from web
//! processes and workers on several hosts, from hundreds of CI shards, from ten years of versions. This crate
//! reads them all, maps the paths of several machines to one, and merges them into one data set. The data set
//! stays in memory for a tool that embeds the crate, or goes to disk for coverage.py.
//!
//! # Example
//!
//! Combine a folder, and find out which tests ran a line:
//!
//! ```
//! # #[cfg(feature = "combine")] {
//! use pulpcov_core::combine::{Combiner, StoreFormat, store};
//! use pulpcov_core::paths::{PathAliases, WorkingFolder};
//! use pulpcov_core::{CoverageData, Numbits};
//!
//! // Two processes that checked out the same sources in different places.
//! let folder = tempfile::tempdir()?;
//! for (host, root, test, line) in [("ci-1", "/build/1/src", "test_add", 3), ("ci-2", "/build/2/src", "test_sub", 7)] {
//!     let mut data = CoverageData::new();
//!     data.add_lines(format!("{root}/calc.py"), test, &Numbits::from_iter([1, line]))?;
//!     store(&data, folder.path().join(format!(".coverage.{host}.pid9.Xabcdefx")), StoreFormat::Sqlite)?;
//! }
//!
//! // Combine them. The aliases would check that the result exists here; this example has no sources.
//! let mut aliases = PathAliases::new(WorkingFolder::new("/work")).exists(|_| true);
//! aliases.add("/build/*/src", "/work/src")?;
//! let result = Combiner::new(folder.path().join(".coverage")).aliases(aliases).run()?;
//! assert_eq!(result.summary(), "Combined 2 files");
//!
//! // Who ran what?
//! let data = result.data.expect("no limit of memory was set");
//! let by_line = data.contexts_by_line("/work/src/calc.py");
//! assert_eq!(by_line[&1], ["test_add", "test_sub"]);
//! assert_eq!(by_line[&7], ["test_sub"]);
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is where
//!
//! | | |
//! |---|---|
//! | [`CoverageData`] | files, contexts, lines, arcs, plugins: queries and merging, no I/O |
//! | [`formats`] | one data file of any version: recognized by content, read, written |
//! | [`discover`] | the data files of a folder, and the parts of their names |
//! | [`containers`] | data files in zip, tar, gzip and zstd, read in place |
//! | [`folder`] | folders that other users can write to, accessed by descriptor |
//! | [`paths`] | `[paths]` aliases; the patterns of `include` and `omit` |
//! | [`config`] | configuration files: `.coveragerc` and the others |
//! | [`python`] | what could run: statements, exclusions, arcs and regions of Python source |
//! | [`results`] | what ran compared with what could run: missing lines and branches, percentages |
//! | [`summarize`] | the contents of reports, made from data and sources |
//! | [`changes`] | what a diff changed, line by line |
//! | [`impact`] | which tests ran what |
//! | [`foreign`] | what other tools measured: tracefiles of lcov, Cobertura's XML and JSON, read, merged and written |
//! | [`subunit`] | data files that are attached to the streams of test runners |
//! | [`report`] | text, Markdown, JSON, XML, LCOV, annotated source, HTML |
//! | [`output`] | report files, written completely or not at all |
//! | [`combine`] | all steps together: combines a folder of data files into one, without losing data |
//! | [`design`] | the design of the crate, and the reasons for it |
//!
//! # Examples by task
//!
//! Each is a program of less than 60 lines, which `cargo run -p pulpcov-core --all-features --example NAME` runs.
//!
//! | | |
//! |---|---|
//! | merge data files in memory | [merge_in_memory] |
//! | ask which tests ran a line | [who_ran_it] |
//! | report on data and sources in memory | [json_report] |
//! | write LCOV for an uploader | [lcov] |
//! | color the lines of an editor's buffer | [editor] |
//! | record coverage in a test runner | [test_runner] |
//!
//! [merge_in_memory]: https://github.com/pulp/pulpcov/blob/main/examples/merge_in_memory.rs
//! [who_ran_it]: https://github.com/pulp/pulpcov/blob/main/examples/who_ran_it.rs
//! [json_report]: https://github.com/pulp/pulpcov/blob/main/examples/json_report.rs
//! [lcov]: https://github.com/pulp/pulpcov/blob/main/examples/lcov.rs
//! [editor]: https://github.com/pulp/pulpcov/blob/main/examples/editor.rs
//! [test_runner]: https://github.com/pulp/pulpcov/blob/main/examples/test_runner.rs
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | | | with no features: the data model only, with one small dependency |
//! | `combine` | yes | data files of every version, aliases, and combining on all cores; compiles SQLite |
//! | `report` | | settings, facts about Python source, and all reports but HTML; implies `combine` |
//! | `html` | | the HTML report; implies `report` |
//! | `archives` | | data files in zip, tar, gzip and zstd as inputs of a combine; implies `combine` |
//! | `full` | | everything |
//!
//! # What this crate does not do
//!
//! It does not measure; coverage.py does. It never prints, never ends the process, and never reads the
//! environment: progress and warnings are values, and folders are arguments. It does not read the pickles of
//! coverage.py 3.x.
//!
//! # Which coverage.py
//!
//! The behavior is that of coverage.py [`REFERENCE_VERSION`]. Where coverage.py is the source of a rule, the
//! documentation names the place.
//!
//! [coverage.py]: https://coverage.readthedocs.io/

#![cfg_attr(docsrs, feature(doc_cfg))]

/// The release of coverage.py that this crate is compared with. Data files and reports contain it where
/// coverage.py writes its own version.
pub const REFERENCE_VERSION: &str = include_str!("../reference-version.txt").trim_ascii();

#[cfg(feature = "report")]
pub mod changes;
#[cfg(feature = "combine")]
pub mod combine;
#[cfg(feature = "report")]
pub mod config;
#[cfg(feature = "archives")]
pub mod containers;
#[cfg_attr(not(feature = "combine"), expect(dead_code, reason = "combining uses all of it"))]
pub mod data;
#[doc = include_str!("../DESIGN.md")]
pub mod design {}
#[cfg(feature = "combine")]
pub mod discover;
#[cfg_attr(
    not(feature = "combine"),
    expect(dead_code, reason = "readers and writers use all of it")
)]
mod error;
#[cfg(feature = "combine")]
pub mod folder;
#[cfg(feature = "report")]
pub mod foreign;
#[cfg(feature = "combine")]
pub mod formats;
#[cfg(feature = "report")]
pub mod gates;
#[cfg(feature = "combine")]
pub mod impact;
#[cfg(feature = "combine")]
mod links;
#[cfg(feature = "combine")]
pub mod output;
#[cfg(feature = "combine")]
pub mod paths;
#[cfg(feature = "report")]
pub mod plugins;
#[cfg(feature = "report")]
#[doc(hidden)] // For the tests, which compare it with Python's `re`. It may change at any time.
pub mod pyre;
#[cfg(feature = "report")]
mod pytext;
#[cfg(feature = "report")]
pub mod python;
#[cfg(feature = "report")]
pub mod report;
#[cfg(feature = "report")]
pub mod results;
#[cfg(feature = "combine")]
pub mod subunit;
#[cfg(feature = "report")]
pub mod summarize;
#[doc(hidden)] // For the `pulpcov` command. It may change at any time.
pub mod text;
#[cfg(feature = "report")]
mod unicode_names;

/// The Rust code of README.md is tested with the documentation's.
#[cfg(all(doctest, feature = "combine"))]
#[doc = include_str!("../../README.md")]
struct Readme;

pub use data::{
    ArcSet, Author, Authors, ContextSelection, CoverageData, FileData, FilePath, LineArc, MAX_LINE,
    Measurement, Numbits,
};
pub use error::{Error, ErrorKind, Position, Result};
