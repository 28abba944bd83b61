//! Checks the cases of a `match` (`codegen_pattern` and related functions in CPython's
//! `compile.c`).

use ruff_python_ast::{Expr, Identifier, MatchCase, Operator, Pattern, PatternMatchMapping};
use ruff_text_size::{Ranged, TextRange};

use super::repeated_names::{WrongKeyword, wrong_keyword};
use super::{FirstErrors, Stage};
use crate::python::PythonVersion;
use crate::python::constant::{Complex, Constant, fold};
use crate::python::syntax::Syntax;
use crate::text::py_repr;

pub(super) fn check(
    syntax: &Syntax,
    version: PythonVersion,
    cases: &[MatchCase],
    errors: &mut FirstErrors,
) {
    for (position, case) in cases.iter().enumerate() {
        let is_last = position + 1 == cases.len();
        let mut walk =
            Walk { syntax, version, errors, bound: Vec::new(), line: 0, is_refused: false };
        walk.pattern(&case.pattern, is_last || case.guard.is_some());
    }
}

struct Walk<'a, 'e> {
    syntax: &'a Syntax<'a>,
    version: PythonVersion,
    errors: &'e mut FirstErrors,
    bound: Vec<&'a str>,
    /// The line of the pattern that was visited last. Python 3.11 reports errors on this line.
    line: i32,
    /// Whether the pattern has an error. Later errors in the pattern do not count, whatever their
    /// lines are.
    is_refused: bool,
}

impl<'a> Walk<'a, '_> {
    fn refuse(&mut self, pattern: &Pattern, message: impl Into<String>) {
        self.refuse_in(Stage::Code, pattern, message);
    }

    fn refuse_in(&mut self, stage: Stage, pattern: &Pattern, message: impl Into<String>) {
        let line = self.line_of(pattern);
        if stage != Stage::Code || !self.is_refused {
            self.errors.add(stage, line, message);
        }
        self.is_refused |= stage == Stage::Code;
    }

    fn line_of(&self, pattern: &Pattern) -> i32 {
        let is_old = self.version == PythonVersion::Py311;
        if is_old { self.line } else { self.syntax.first_line(pattern) }
    }

    fn refuse_debug(&mut self, pattern: &Pattern) {
        self.refuse_in(Stage::moved_in_3_14(self.version), pattern, "cannot assign to __debug__");
    }

    /// Checks a pattern. If `may_be_irrefutable` is false, the pattern must not match everything,
    /// because what comes after it would be unreachable.
    fn pattern(&mut self, pattern: &'a Pattern, may_be_irrefutable: bool) {
        self.line = self.syntax.first_line(pattern);
        match pattern {
            Pattern::MatchSingleton(_) => {}
            Pattern::MatchValue(value) => {
                self.literal_or_attribute(&value.value);
                if is_formatted(&value.value) {
                    let message = "patterns may only match literals and attribute lookups";
                    self.refuse(pattern, message);
                }
            }
            Pattern::MatchStar(star) => self.bind(pattern, star.name.as_ref()),
            Pattern::MatchAs(binding) => match &binding.pattern {
                Some(inner) => {
                    self.pattern(inner, may_be_irrefutable);
                    self.bind(pattern, binding.name.as_ref());
                }
                None => self.capture(pattern, binding.name.as_ref(), may_be_irrefutable),
            },
            Pattern::MatchOr(choice) => {
                self.alternatives(pattern, &choice.patterns, may_be_irrefutable);
            }
            Pattern::MatchSequence(sequence) => {
                let stars = sequence.patterns.iter().filter(|item| item.is_match_star()).count();
                if stars > 1 {
                    self.refuse(pattern, "multiple starred names in sequence pattern");
                }
                self.patterns(&sequence.patterns);
            }
            Pattern::MatchMapping(mapping) => {
                mapping.keys.iter().for_each(|key| self.literal_or_attribute(key));
                self.keys(pattern, mapping);
                self.patterns(&mapping.patterns);
                self.bind(pattern, mapping.rest.as_ref());
            }
            Pattern::MatchClass(class) => {
                self.attribute(&class.cls);
                self.note_parentheses(TextRange::new(class.start(), class.cls.end()));
                let keywords = &class.arguments.keywords;
                let names = || keywords.iter().map(|keyword| keyword.attr.as_str());
                let wrong = wrong_keyword(names, self.version);
                let wrong =
                    wrong.and_then(|(place, wrong)| Some((&keywords.get(place)?.pattern, wrong)));
                if let Some((pattern, _)) = wrong {
                    self.line = self.syntax.first_line(pattern);
                }
                match wrong {
                    Some((pattern, WrongKeyword::Debug)) => self.refuse_debug(pattern),
                    Some((pattern, WrongKeyword::Repeated(name))) => {
                        let message = format!("attribute name repeated in class pattern: {name}");
                        self.refuse(pattern, message);
                    }
                    None => {}
                }
                self.patterns(&class.arguments.patterns);
                keywords.iter().for_each(|keyword| self.pattern(&keyword.pattern, true));
            }
        }
    }

    /// Notes `_.a` and `_()`. CPython's grammar refuses them, because `_` is the wildcard.
    fn attribute(&mut self, expr: &Expr) {
        let mut root = expr;
        while let Expr::Attribute(attribute) = root {
            root = &attribute.value;
        }
        if matches!(root, Expr::Name(name) if name.id.as_str() == "_") {
            self.errors.needs_grammar_check = true;
        }
    }

    /// Notes what ruff's parser accepts as a literal but CPython's grammar does not: `-1(x)`,
    /// `(1)+2j`.
    fn literal_or_attribute(&mut self, expr: &Expr) {
        let is_signed = |expr: &Expr| match expr {
            Expr::UnaryOp(signed) => signed.operand.is_number_literal_expr(),
            expr => expr.is_number_literal_expr(),
        };
        match expr {
            Expr::Attribute(_) => self.attribute(expr),
            Expr::BinOp(sum) => {
                let is_complex = matches!(sum.op, Operator::Add | Operator::Sub)
                    && is_signed(&sum.left)
                    && sum.right.is_number_literal_expr();
                self.errors.needs_grammar_check |= !is_complex;
            }
            Expr::UnaryOp(_) => self.errors.needs_grammar_check |= !is_signed(expr),
            _ => self.errors.needs_grammar_check |= !expr.is_literal_expr() && !is_formatted(expr),
        }
        if matches!(expr, Expr::Attribute(_) | Expr::BinOp(_) | Expr::UnaryOp(_)) {
            self.note_parentheses(expr.range());
        }
    }

    fn note_parentheses(&mut self, range: TextRange) {
        self.errors.needs_grammar_check |= self.syntax.slice(range).contains('(');
    }

    fn patterns(&mut self, patterns: &'a [Pattern]) {
        patterns.iter().for_each(|pattern| self.pattern(pattern, true));
    }

    fn capture(&mut self, pattern: &Pattern, name: Option<&'a Identifier>, allowed: bool) {
        if !allowed {
            let what = match name {
                Some(name) => format!("name capture {}", py_repr(name.as_str())),
                None => "wildcard".to_owned(),
            };
            self.refuse(pattern, format!("{what} makes remaining patterns unreachable"));
        }
        self.bind(pattern, name);
    }

    fn bind(&mut self, pattern: &Pattern, name: Option<&'a Identifier>) {
        let Some(name) = name.map(Identifier::as_str) else { return };
        if name == "__debug__" {
            self.refuse_debug(pattern);
        }
        if self.bound.contains(&name) {
            let name = py_repr(name);
            self.refuse(pattern, format!("multiple assignments to name {name} in pattern"));
        }
        self.bound.push(name);
    }

    fn alternatives(
        &mut self,
        pattern: &Pattern,
        choices: &'a [Pattern],
        may_be_irrefutable: bool,
    ) {
        let outside = std::mem::take(&mut self.bound);
        let mut expected: Option<Vec<&str>> = None;
        for (position, choice) in choices.iter().enumerate() {
            let is_last = position + 1 == choices.len();
            self.pattern(choice, is_last && may_be_irrefutable);
            let mut bound = std::mem::take(&mut self.bound);
            bound.sort_unstable();
            if expected.as_ref().is_some_and(|expected| *expected != bound) {
                self.refuse(pattern, "alternative patterns bind different names");
                break;
            }
            expected = Some(bound);
        }
        self.bound = outside;
        for name in expected.unwrap_or_default() {
            if self.bound.contains(&name) {
                let name = py_repr(name);
                self.refuse(pattern, format!("multiple assignments to name {name} in pattern"));
            }
            self.bound.push(name);
        }
    }

    /// Returns the value of a constant key.
    fn key(&self, key: &Expr) -> Option<Constant> {
        match (fold(key)?, key) {
            // From 3.14 on, a real number minus an imaginary zero has a negative imaginary zero.
            (Constant::Complex(value), Expr::BinOp(sum))
                if sum.op == Operator::Sub
                    && value.im == 0.0
                    && self.version >= PythonVersion::Py314 =>
            {
                Some(Constant::Complex(Complex { im: -0.0, ..value }))
            }
            (value, _) => Some(value),
        }
    }

    fn keys(&mut self, pattern: &Pattern, mapping: &PatternMatchMapping) {
        let mut seen: Vec<Constant> = Vec::new();
        for key in mapping.keys.iter().filter_map(|key| self.key(key)) {
            if seen.iter().any(|other| other.equals(&key)) {
                let message = match key.repr() {
                    Ok(key) => format!("mapping pattern checks duplicate key ({key})"),
                    Err(message) => message.to_owned(),
                };
                self.refuse(pattern, message);
                return;
            }
            seen.push(key);
        }
    }
}

fn is_formatted(expr: &Expr) -> bool {
    matches!(expr, Expr::FString(_) | Expr::TString(_))
}
