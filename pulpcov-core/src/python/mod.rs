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
//! - `depth`: finds texts that nest too deeply for ruff's parser.
//! - `syntax`: parses text to a syntax tree and tokens.
//! - `refusal`: parses text by CPython's grammar, to find out why CPython refuses it.
//! - `outline`: what one pass over the tokens shows.
//! - `stack`: stack space for deep syntax trees.
//! - `check`: finds what CPython refuses although it parses.
//!
//! From the syntax tree to facts:
//!
//! - `facts`: analyzes a source file, and holds the result.
//! - `statements`: lines that CPython's compiler generates code for.
//! - `constant`: evaluates constant expressions as CPython's compiler does.
//! - `leftovers`: code objects that the compiler keeps although they are unreachable.
//! - `annotate`: functions named `__annotate__`, which coverage.py ignores.
//! - `deferred`: annotations that are statements only before Python 3.14.
//! - `multiline`: maps the lines of a statement to its first line.
//! - `patterns`: lines that match a regular expression.
//! - `exclude`: extends excluded lines to suites and definitions.
//! - `cases`: `case` clauses that match everything.
//! - `arcs`: from which line the program can go to which line.
//! - `regions`: functions and classes, and their lines.
//!
//! Other modules:
//!
//! - `tokens`: splits text into tokens, for highlighting.
//! - `record`: facts as JSON.
//! - `version`: the versions of Python that this crate models.
//! - `walk`: iterates over the statements of a syntax tree.
//! - `lines`: a set of line numbers.

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
