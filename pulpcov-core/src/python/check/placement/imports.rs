//! Checks lazy imports, and imports from `__future__`.

use ruff_python_ast::{Alias, Stmt, StmtImportFrom};
use ruff_text_size::Ranged;

use super::super::future::is_future;
use super::{Kind, Walk};
use crate::python::PythonVersion;
use crate::python::check::Stage;

impl<'a> Walk<'a, '_> {
    /// Checks a lazy import, like `check_lazy_import_context`: it must be at module level, and in
    /// no `try`. Returns whether it is.
    pub(super) fn lazy_import(&mut self, node: impl Ranged, what: &str) -> bool {
        let scope = self.scopes.last();
        let place = match self.kind() {
            Kind::Class => "classes",
            Kind::Module if scope.is_none_or(|scope| scope.tries == 0) => return true,
            Kind::Module => "try/except blocks",
            _ => "functions",
        };
        self.refuse(Stage::Symbols, node, format!("{what} not allowed inside {place}"));
        false
    }

    pub(super) fn lazy_import_from(&mut self, node: &StmtImportFrom) {
        let is_star = node.names.iter().any(|alias| alias.name.as_str() == "*");
        if is_future(node) {
            self.refuse(Stage::Parser, node, "lazy from __future__ import is not allowed");
            return;
        }
        if self.lazy_import(node, "lazy from ... import") && is_star {
            self.refuse(Stage::Symbols, node, "lazy from ... import * is not allowed");
        }
    }

    pub(super) fn imported(&mut self, statement: &Stmt, names: &[Alias]) {
        for alias in names {
            let name = alias.asname.as_ref().unwrap_or(&alias.name);
            // `import a.b` binds `a`.
            if name.split('.').next() == Some("__debug__") {
                let is_late = self.version >= PythonVersion::Py314;
                self.refuse_debug(if is_late { alias.range() } else { statement.range() });
            }
        }
    }

    pub(super) fn future_import(&mut self, node: &StmtImportFrom) {
        if node.start() > self.features.last {
            let stage = Stage::moved_in_3_14(self.version);
            let message = "from __future__ imports must occur at the beginning of the file";
            self.refuse(stage, node, message);
        }
        // After this import, CPython's parser accepts `<>` instead of `!=`.
        self.errors.needs_grammar_check |= self.version >= PythonVersion::Py313
            && node.names.iter().any(|alias| alias.name.as_str() == "barry_as_FLUFL");
    }
}
