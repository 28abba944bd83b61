//! Checks fields of f-strings and t-strings.

use ruff_python_ast::visitor::Visitor;
use ruff_python_ast::{ConversionFlag, InterpolatedElement};
use ruff_text_size::Ranged;

use super::Walk;
use crate::python::PythonVersion;
use crate::python::syntax::Syntax;

impl<'a> Walk<'a, '_> {
    pub(super) fn interpolation(&mut self, element: &'a InterpolatedElement) {
        let is_3_11 = self.version == PythonVersion::Py311;
        if is_3_11
            && (element.expression.is_starred_expr()
                || may_have_wrong_conversion(self.syntax, element))
        {
            self.errors.needs_grammar_check = true;
        }
        if !(is_3_11 && element.expression.is_starred_expr()) {
            self.visit_expr(&element.expression);
        }
        let Some(spec) = &element.format_spec else { return };
        // Python 3.11 allows fewer nested format specifications than later versions.
        let most = if is_3_11 { 1 } else { 2 };
        for inner in spec.elements.iter().filter_map(|element| element.as_interpolation()) {
            self.errors.needs_grammar_check |= self.format_specs >= most;
            self.format_specs += 1;
            self.interpolation(inner);
            self.format_specs -= 1;
        }
    }
}

/// Returns whether Python 3.11 may refuse the conversion of a field. Python 3.11 requires an ASCII
/// letter, directly followed by `}` or `:`.
fn may_have_wrong_conversion(syntax: &Syntax, element: &InterpolatedElement) -> bool {
    let text = syntax.slice(element.range());
    let spec = element.format_spec.as_ref().map(|spec| spec.start() - element.start());
    let before = text.get(..spec.map_or(text.len(), |at| at.to_usize())).unwrap_or_default();
    element.conversion != ConversionFlag::None
        && !before.trim_end_matches(['}', ':']).ends_with(|c: char| c.is_ascii_alphabetic())
}
