//! Finds what CPython refuses although it parses.
//!
//! CPython looks for errors in stages: tokens, `__future__` imports, symbol table, code. It reports
//! the first error of the first stage that has one. [`FirstErrors`] keeps the first error of each
//! stage, so the modules can walk the tree in any order.
//!
//! - [`limits`]: how deep a source may nest, and how long a number may be.
//! - [`future`]: `from __future__ import` at the beginning of the file.
//! - [`global_nonlocal`]: `global` and `nonlocal` (`symtable.c`).
//! - [`placement`]: statements and expressions where they may not be (`symtable.c`, `compile.c`).
//! - [`suspects`]: which expressions may be wrong at all.
//! - [`match_patterns`]: what the cases of a `match` may bind and repeat (`compile.c`).
//! - [`repeated_names`]: which name repeats an earlier one.

mod future;
mod global_nonlocal;
mod limits;
mod match_patterns;
mod placement;
mod repeated_names;
mod suspects;

use self::future::Features;
use super::PythonVersion;
use super::not_python::NotPython;
use super::syntax::Syntax;

/// Checks that CPython of `version` accepts a text that parses.
pub(crate) fn check(syntax: &Syntax, version: PythonVersion) -> Result<(), NotPython> {
    syntax.check_version(version)?;
    limits::check(syntax)?;
    let future = future::check(syntax);
    let features = *future.as_ref().unwrap_or(&Features::default());
    let mut errors = FirstErrors::default();
    if let Some((line, message)) = syntax.compiler_error() {
        errors.add(Stage::Code, line, message);
    }
    global_nonlocal::check(syntax, version, features, &mut errors);
    placement::check(syntax, version, features, &mut errors);
    if errors.needs_grammar_check {
        syntax.check_grammar(version)?;
    }
    future?;
    errors.into_result()
}

/// The stages of CPython's compiler that find these errors, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Builds the tree.
    Parser,
    /// Builds the symbol table, scope by scope.
    Symbols,
    /// Resolves names.
    Resolution,
    /// Generates code.
    Code,
}

impl Stage {
    /// Returns the stage of checks that 3.14 moved from code generation to the symbol table, for
    /// example of assignments to `__debug__` and of `await` outside async functions.
    fn moved_in_3_14(version: PythonVersion) -> Self {
        if version >= PythonVersion::Py314 { Self::Symbols } else { Self::Code }
    }
}

/// The first error of each stage.
#[derive(Debug, Default)]
struct FirstErrors {
    parser: Option<FoundError>,
    symbols: Option<FoundError>,
    resolution: Option<FoundError>,
    code: Option<FoundError>,
    /// Whether CPython's grammar may refuse the text, so that it has to be parsed again.
    needs_grammar_check: bool,
    /// Whether the walk is in a part that CPython generates no code for. Errors of [`Stage::Code`]
    /// do not count there.
    in_part_without_code: bool,
}

#[derive(Debug)]
struct FoundError {
    line: i32,
    message: String,
}

impl FirstErrors {
    fn add(&mut self, stage: Stage, line: i32, message: impl Into<String>) {
        if stage == Stage::Code && self.in_part_without_code {
            return;
        }
        let first = match stage {
            Stage::Parser => &mut self.parser,
            Stage::Symbols => &mut self.symbols,
            Stage::Resolution => &mut self.resolution,
            Stage::Code => &mut self.code,
        };
        if first.as_ref().is_none_or(|found| line < found.line) {
            *first = Some(FoundError { line, message: message.into() });
        }
    }

    fn into_result(self) -> Result<(), NotPython> {
        match self.parser.or(self.symbols).or(self.resolution).or(self.code) {
            Some(found) => Err(NotPython::new(found.message, Some(found.line))),
            None => Ok(()),
        }
    }
}
