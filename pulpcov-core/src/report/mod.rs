//! Reports: what a [`Summary`](crate::summarize::Summary) says, in coverage.py's formats.
//!
//! | module | coverage.py's command |
//! |---|---|
//! | [`text`] | `report`, with `--format=markdown` and `--format=total` too |
//! | [`json`] | `json` |
//! | [`xml`] | `xml`, in the format of Cobertura |
//! | [`lcov`] | `lcov` |
//! | [`annotate`] | `annotate` |
//! | `html` | `html`, with feature `html`: a report of our own design |
//!
//! Each writes the bytes that coverage.py writes, to any [`Write`](std::io::Write). What
//! is written is buffered by the caller, if at all. All but `annotate` return the total in percent that
//! [`should_fail_under`](crate::results::should_fail_under) judges.

pub mod annotate;
mod flat;
mod folders;
#[cfg(feature = "html")]
pub mod html;
pub mod json;
mod json_format;
pub mod lcov;
mod ordered;
mod parallel;
mod splitlines;
pub mod text;
pub mod xml;

pub use flat::flat_name;
