//! Checks `from __future__ import`: known features, at the beginning of the file (`future.c`).

use ruff_python_ast::{Stmt, StmtImportFrom};
use ruff_text_size::{Ranged, TextSize};

use crate::python::not_python::NotPython;
use crate::python::syntax::Syntax;

const FEATURES: [&str; 10] = [
    "nested_scopes",
    "generators",
    "division",
    "absolute_import",
    "with_statement",
    "print_function",
    "unicode_literals",
    "barry_as_FLUFL",
    "generator_stop",
    "annotations",
];

/// What the future imports of a module ask for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Features {
    pub(super) annotations: bool,
    /// The start of the last future import at the beginning of the file. Any later one is an error.
    pub(super) last: TextSize,
}

pub(super) fn check(syntax: &Syntax) -> Result<Features, NotPython> {
    let mut features = Features::default();
    for (position, statement) in syntax.body().iter().enumerate() {
        let line = syntax.first_line(statement);
        match statement {
            Stmt::ImportFrom(import) if is_future(import) && !import.is_lazy => {
                for alias in &import.names {
                    check_feature(alias.name.as_str(), line)?;
                    features.annotations |= alias.name.as_str() == "annotations";
                }
                features.last = import.start();
            }
            Stmt::Expr(docstring) if position == 0 && docstring.value.is_string_literal_expr() => {}
            _ => break,
        }
    }
    Ok(features)
}

pub(super) fn is_future(import: &StmtImportFrom) -> bool {
    import.level == 0 && import.module.as_ref().is_some_and(|name| name.as_str() == "__future__")
}

fn check_feature(name: &str, line: i32) -> Result<(), NotPython> {
    match name {
        "braces" => Err(NotPython::new("not a chance", Some(line))),
        name if FEATURES.contains(&name) => Ok(()),
        name => Err(NotPython::new(format!("future feature {name} is not defined"), Some(line))),
    }
}
