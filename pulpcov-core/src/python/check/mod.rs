//! What CPython refuses although it has the form of Python.
//!
//! CPython looks for errors in stages: tokens, `__future__` imports, symbol table, code. It
//! reports the first error of the first stage that has one. [`Errors`] keeps that order, so that
//! the parts can look at the tree in theirs:
//!
//! - [`limits`]: how deep source may nest, how long a number may be;
//! - [`future`]: `from __future__ import` in its place;
//! - [`names`]: `global` and `nonlocal` (`symtable.c`);
//! - [`placement`]: statements and expressions where they may not be (`symtable.c`, `compile.c`);
//! - [`suspects`]: which expressions may be wrong at all;
//! - [`patterns`]: what the cases of a `match` may bind and repeat (`compile.c`).

mod future;
mod limits;
mod names;
mod patterns;
mod placement;
mod suspects;

use self::future::Features;
use super::PythonVersion;
use super::syntax::{NotPython, Syntax};

/// Refuse what CPython of `version` refuses.
pub(crate) fn check(syntax: &Syntax, version: PythonVersion) -> Result<(), NotPython> {
    syntax.check_version(version)?;
    limits::check(syntax)?;
    let future = future::check(syntax);
    let features = *future.as_ref().unwrap_or(&Features::default());
    let mut errors = Errors::default();
    if let Some((line, message)) = syntax.later() {
        errors.add(Stage::Code, line, message);
    }
    names::check(syntax, version, features, &mut errors);
    placement::check(syntax, version, features, &mut errors);
    if errors.is_no_grammar {
        syntax.check_grammar(version)?;
    }
    future?;
    errors.into_result()
}

/// The later stages of CPython's compiler, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The parser makes the tree.
    Parser,
    /// The symbol table is built, scope by scope.
    Symbols,
    /// Names are resolved.
    Resolution,
    /// Code is generated.
    Code,
}

impl Stage {
    /// The stage that refuses to bind `__debug__`, and what is asynchronous outside of what is.
    fn moved(version: PythonVersion) -> Self {
        if version >= PythonVersion::Py314 { Self::Symbols } else { Self::Code }
    }
}

/// The first error of each stage.
#[derive(Debug, Default)]
struct Errors {
    parser: Option<Found>,
    symbols: Option<Found>,
    resolution: Option<Found>,
    code: Option<Found>,
    /// CPython's grammar may have no such text.
    is_no_grammar: bool,
    /// No code is generated for what is looked at.
    is_without_code: bool,
}

#[derive(Debug)]
struct Found {
    line: i32,
    message: String,
}

impl Errors {
    fn add(&mut self, stage: Stage, line: i32, message: impl Into<String>) {
        if stage == Stage::Code && self.is_without_code {
            return;
        }
        let first = match stage {
            Stage::Parser => &mut self.parser,
            Stage::Symbols => &mut self.symbols,
            Stage::Resolution => &mut self.resolution,
            Stage::Code => &mut self.code,
        };
        if first.as_ref().is_none_or(|found| line < found.line) {
            *first = Some(Found { line, message: message.into() });
        }
    }

    fn into_result(self) -> Result<(), NotPython> {
        match self.parser.or(self.symbols).or(self.resolution).or(self.code) {
            Some(found) => Err(NotPython::new(found.message, Some(found.line))),
            None => Ok(()),
        }
    }
}
