//! Reports: the content of a [`Summary`](crate::summarize::Summary) in coverage.py's formats.
//!
//! | module | coverage.py's command |
//! |---|---|
//! | [`text`] | `report`, also with `--format=markdown` and `--format=total` |
//! | [`json`] | `json` |
//! | [`xml`] | `xml`, in the format of Cobertura |
//! | [`lcov`] | `lcov` |
//! | [`annotate`] | `annotate` |
//! | [`badge`] | none: the total as JSON for shields.io, or as SVG |
//! | [`codecov`] | none: Codecov's own JSON |
//! | [`comment`] | none: a comment for a pull request |
//! | [`gaps`] | none: what is not covered, as annotations of GitHub and as code quality of GitLab |
//! | [`patch`] | none: whether the changed lines of a diff ran |
//! | [`sonar`] | none: SonarQube's generic coverage |
//! | [`gate`] | none: whether enough of each file is covered |
//! | [`tests_for`] | none: the tests that a change can affect |
//! | [`who`] | none: which tests ran the lines of a file |
//! | `html` | `html`, with a design of its own; requires the feature `html` |
//!
//! [`RepositoryFiles`] has the names of files for services of CI. The reports share private modules: `flat_name` and `folders`
//! name files and folders, `splitlines` finds lines as Python does, `parallel` renders on all cores, `findings` joins lines to
//! ranges, `code_quality`, `markdown_text`, `workflow_commands` and `xml_writer` write what services read, `fitted` leaves out
//! what does not fit, `sentence` keeps names apart from words, and `figures` has counts in words.
//!
//! All reports but `html` and those that coverage.py does not have write the same bytes as coverage.py. They write to any
//! [`Write`](std::io::Write), and do not buffer their output: the caller does, if necessary. All
//! reports of coverage.py but `annotate` return the total in percent, which
//! [`should_fail_under`](crate::results::should_fail_under) can check.

pub mod annotate;
pub mod badge;
mod code_quality;
pub mod codecov;
pub mod comment;
mod figures;
mod findings;
mod fitted;
mod flat_name;
mod folders;
pub mod gaps;
pub mod gate;
#[cfg(feature = "html")]
pub mod html;
pub mod json;
pub mod lcov;
mod markdown_text;
mod parallel;
pub mod patch;
mod repository;
mod sentence;
pub mod sonar;
mod splitlines;
pub mod tests_for;
pub mod text;
pub mod who;
mod workflow_commands;
pub mod xml;
pub(crate) mod xml_writer;

pub use flat_name::flat_name;
pub use repository::RepositoryFiles;
