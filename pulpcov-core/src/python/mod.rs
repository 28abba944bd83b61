//! Facts about Python source, as coverage.py finds them, but without Python.
//!
//! [`PythonSource`] decodes a file, and [`analyze`](PythonSource::analyze) returns its [`Facts`]:
//! statements, exclusions, arcs and regions. Some facts depend on the version of Python that ran the
//! file, a [`PythonVersion`].
//!
//! From bytes to a syntax tree:
//!
//! - `decode`: decodes source bytes by byte order mark or PEP 263 cookie.
//! - `codecs`: the text encodings that Python knows.
//! - `parser_limits`: finds texts that nest too deeply for ruff's parser.
//! - `not_python`: the error of a text that Python refuses.
//! - `line_index`: finds the line of an offset.
//! - `identifiers`: which texts are names.
//! - `syntax`: parses text to a syntax tree and tokens.
//! - `refusal`: parses text by CPython's grammar, to find out why CPython refuses it.
//! - `token_summary`: what one pass over the tokens shows.
//! - `stack`: stack space for deep syntax trees.
//! - `check`: finds what CPython refuses although it parses.
//!
//! From the syntax tree to facts:
//!
//! - `facts`: analyzes a source file, and holds the result.
//! - `bytecode_lines`: lines that CPython's compiler generates code for.
//! - `constant`: evaluates constant expressions as CPython's compiler does.
//! - `kept_code`: code objects that the compiler keeps although they are unreachable.
//! - `dunder_annotate`: functions named `__annotate__`, which coverage.py ignores.
//! - `deferred_annotations`: annotations that are statements only before Python 3.14.
//! - `multiline`: maps the lines of a statement to its first line.
//! - `line_patterns`: lines that match a regular expression.
//! - `excluded`: the lines that are excluded from a report.
//! - `exclude`: extends excluded lines to suites and definitions.
//! - `irrefutable_cases`: `case` clauses that match everything.
//! - `arcs`: from which line the program can go to which line.
//! - `regions`: functions and classes, and their lines.
//!
//! Other facts, which coverage.py does not need:
//!
//! - `source_names`: what a source imports and defines.
//! - `imports`: the modules that a source names.
//! - `source_change`: what changed between two versions, as Python sees it.
//! - `test_definitions`: the functions and classes by which a test can be named.
//!
//! Other modules:
//!
//! - `facts_json`: facts as JSON.
//! - `stored`: how the cache of facts stores values.
//! - `version`: the versions of Python that this crate models.
//! - `walk`: iterates over the statements of a syntax tree.
//! - `line_set`: a set of line numbers.

mod arcs;
pub(crate) mod bytecode_lines;
pub(crate) mod check;
mod codecs;
pub(crate) mod constant;
pub(crate) mod decode;
pub(crate) mod deferred_annotations;
mod dunder_annotate;
mod exclude;
mod excluded;
mod facts;
mod facts_json;
mod identifiers;
mod imports;
mod irrefutable_cases;
mod kept_code;
mod line_index;
mod line_patterns;
pub(crate) mod line_set;
mod multiline;
mod not_python;
mod parser_limits;
mod refusal;
mod regions;
mod source_change;
mod source_names;
mod stack;
mod stored;
pub(crate) mod syntax;
mod test_definitions;
mod token_summary;
mod version;
mod walk;

pub use crate::pyre::{DEFAULT_EXCLUDE, DEFAULT_PARTIAL, DEFAULT_PARTIAL_ALWAYS};
pub use facts::{AnalyzeOptions, Facts, PythonSource};
pub use facts_json::FactsJson;
pub use imports::Imports;
pub use line_patterns::LinePatterns;
pub use regions::{Region, RegionKind};
pub use source_change::{ChangedFunction, SourceChange};
pub(crate) use source_names::SourceNames;
pub(crate) use stored::{AsStored, Stored};
pub use test_definitions::Definitions;
pub use version::PythonVersion;
