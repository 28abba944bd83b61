//! Which tests ran what, and which a change can affect: test impact analysis.
//!
//! A test runner records each test as a context of its own. [`TestName`] reads such a context, and [`TestRuns`]
//! groups what a file's contexts ran by test. [`UniqueLines`] compares tests over all files.
//!
//! - `current_names`: names of tests in data, as names that exist now.
//! - `junit`: failed tests of a JUnit report.
//! - `project`: the files of a project, and which of them import which.
//! - `selection`: the tests that a change can affect.
//! - `test_name`: contexts as names of tests.
//! - `test_files`: the files that tests are in.
//! - `test_runs`: what the tests ran of one file.
//! - `unique_lines`: what only one test ran, of all files.
//!
//! # Examples
//!
//! ```
//! use pulpcov_core::impact::TestRuns;
//! use pulpcov_core::{CoverageData, Numbits};
//!
//! let mut data = CoverageData::new();
//! data.add_lines("cart.py", "", &Numbits::from_iter([1]))?;
//! data.add_lines("cart.py", "tests/test_cart.py::test_add|setup", &Numbits::from_iter([2]))?;
//! data.add_lines("cart.py", "tests/test_cart.py::test_add|run", &Numbits::from_iter([2, 3]))?;
//! data.add_lines("cart.py", "tests/test_cart.py::test_sub|run", &Numbits::from_iter([2, 5]))?;
//!
//! let runs = TestRuns::new(data.file("cart.py").unwrap().lines_by_context().into_iter());
//! let ids: Vec<_> = runs.of_lines(|line| line == 3).tests().iter().map(|test| test.id()).collect();
//! assert_eq!(ids, ["tests/test_cart.py::test_add"]);
//! // No other test runs lines 3 and 5.
//! assert_eq!(runs.alone().lines(), Numbits::from_iter([3, 5]));
//! # Ok::<(), pulpcov_core::Error>(())
//! ```

#[cfg(feature = "report")]
mod current_names;
#[cfg(feature = "report")]
mod junit;
#[cfg(feature = "report")]
mod project;
#[cfg(feature = "report")]
mod selection;
mod test_files;
mod test_name;
mod test_runs;
mod unique_lines;

#[cfg(feature = "report")]
pub use current_names::CurrentNames;
#[cfg(feature = "report")]
pub use junit::failed_tests;
#[cfg(feature = "report")]
pub use project::Project;
#[cfg(feature = "report")]
pub use selection::{Change, Measured, Reason, Rule, Selection, Selector, TestLayout};
pub use test_files::{TestFiles, is_test_file};
#[cfg(feature = "html")]
pub(crate) use test_name::without_phase;
pub use test_name::{NameKind, Phase, TestName};
pub use test_runs::{Part, TestRun, TestRuns};
pub use unique_lines::UniqueLines;
