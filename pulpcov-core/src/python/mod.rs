//! What coverage.py knows about Python source, found without Python.
//!
//! The stages, in the order that a file goes through them:
//!
//! - [`decode`]: bytes to text, by byte order mark or PEP 263 cookie;
//! - [`syntax`]: text to syntax tree, tokens and line index, or the reason why it is no Python;
//! - [`check`]: what CPython's symbol table and compiler refuse although it parses;
//! - [`statements`]: the lines that CPython's compiler gives code to.
//!
//! Facts depend on the Python version in few places; [`PythonVersion`] names it.

pub(crate) mod constant;
pub(crate) mod decode;
mod leftovers;
pub(crate) mod statements;
pub(crate) mod syntax;
mod version;

pub use version::PythonVersion;
