//! What coverage.py knows about Python source, found without Python.
//!
//! The stages, in the order that a file goes through them:
//!
//! - `decode`: bytes to text, by byte order mark or PEP 263 cookie;
//! - `syntax`: text to syntax tree, tokens and line index, or the reason why it is no Python;
//! - `refusal`: why CPython refuses a text that does not parse;
//! - `outline`: what one look at all tokens tells;
//! - `check`: what CPython's symbol table and compiler refuse although it parses;
//! - `statements`: the lines that CPython's compiler gives code to;
//! - `multiline`, `patterns`, `exclude`: lines that are one statement, lines left out;
//! - `arcs`: where the program can go from a line;
//! - `regions`: functions and classes;
//! - `tokens`: the text once more, as tokens to highlight.
//!
//! [`PythonSource`] and [`Facts`] are the way in.
//!
//! Facts depend on the Python version in few places; [`PythonVersion`] names it.

mod annotate;
mod arcs;
mod cases;
pub(crate) mod check;
mod codecs;
pub(crate) mod constant;
pub(crate) mod decode;
pub(crate) mod deferred;
mod depth;
mod exclude;
mod facts;
mod leftovers;
pub(crate) mod lines;
mod multiline;
mod outline;
mod patterns;
mod record;
mod refusal;
mod regions;
mod stack;
pub(crate) mod statements;
pub(crate) mod syntax;
mod tokens;
mod version;
mod walk;

pub use crate::pyre::{DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS};
pub use facts::{AnalyzeOptions, Facts, PythonSource};
pub use patterns::LinePatterns;
pub use record::FactsRecord;
pub use regions::{Region, RegionKind};
pub use tokens::{SourceToken, TokenClass, TokenLine};
pub use version::PythonVersion;
