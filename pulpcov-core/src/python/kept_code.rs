//! Finds code objects that CPython's compiler keeps although their definitions are unreachable.
//!
//! The optimizer removes unreachable instructions. But a code object is a constant, and coverage.py
//! looks for code objects among the constants. Some unused constants stay:
//!
//! - Python 3.11 keeps all constants before the last one that is used (`trim_unused_consts` in
//!   `compile.c`).
//! - Later versions keep only the first constant, because it may be a docstring
//!   (`remove_unused_consts` in `flowgraph.c`).
//!
//! So this module follows the order in which the compiler adds constants, and finds those that are
//! used. It does so only for code objects that contain unreachable statements.

use std::collections::HashMap;

use ruff_python_ast::visitor::{self, Visitor};
use ruff_python_ast::{
    Arguments, CmpOp, Comprehension, ExceptHandler, Expr, Keyword, Parameters, Pattern, Stmt,
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::PythonVersion;
use super::constant::{Constant, fold};

/// The kind of a code object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Module,
    Class,
    Function,
}

/// A part of the source that is compiled to its own code object.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CodeSource<'a> {
    Statement(&'a Stmt),
    Expression(&'a Expr),
}

/// Returns the code objects in the `dead` ranges of a body that stay among its constants. `ends`
/// says whether the end of the body is reachable, because the compiler adds `return None` there.
pub(crate) fn kept_code_objects<'a>(
    version: PythonVersion,
    scope: Scope,
    body: &'a [Stmt],
    dead: &[TextRange],
    ends: bool,
) -> Vec<CodeSource<'a>> {
    let mut constants = Constants {
        version,
        dead: DeadRanges::new(dead),
        is_dead: false,
        indexes: HashMap::new(),
        last_used: None,
        dead_code: Vec::new(),
    };
    constants.add_first_constants(scope, body);
    constants.visit_body(body);
    if ends {
        constants.load(Constant::None);
    }
    constants.kept_code_objects()
}

/// Ranges of the source that are unreachable.
struct DeadRanges {
    /// The start of each range, sorted, with the largest end of the ranges up to it.
    ends: Vec<(TextSize, TextSize)>,
}

impl DeadRanges {
    fn new(dead: &[TextRange]) -> Self {
        let mut ends: Vec<(TextSize, TextSize)> =
            dead.iter().map(|range| (range.start(), range.end())).collect();
        ends.sort_unstable();
        let mut latest = TextSize::default();
        for (_, end) in &mut ends {
            latest = latest.max(*end);
            *end = latest;
        }
        Self { ends }
    }

    /// Returns whether one of the ranges contains all of `range`.
    fn contains(&self, range: TextRange) -> bool {
        let started = self.ends.partition_point(|(start, _)| *start <= range.start());
        let last = started.checked_sub(1).and_then(|last| self.ends.get(last));
        last.is_some_and(|(_, latest)| *latest >= range.end())
    }
}

struct Constants<'a> {
    version: PythonVersion,
    dead: DeadRanges,
    is_dead: bool,
    indexes: HashMap<String, usize>,
    last_used: Option<usize>,
    dead_code: Vec<(usize, CodeSource<'a>)>,
}

impl<'a> Constants<'a> {
    fn add_first_constants(&mut self, scope: Scope, body: &[Stmt]) {
        let docstring = match body.first() {
            Some(Stmt::Expr(first)) if first.value.is_string_literal_expr() => fold(&first.value),
            _ => None,
        };
        match scope {
            // Up to 3.13, a function without a docstring has `None` as its first constant.
            Scope::Function => {
                if docstring.is_some() || self.version < PythonVersion::Py314 {
                    let index = self.index_of(&docstring.unwrap_or(Constant::None));
                    self.last_used = Some(index);
                }
            }
            Scope::Class => self.load(Constant::Str("__qualname__".to_owned())),
            Scope::Module => {
                if let Some(docstring) = docstring {
                    self.load(docstring);
                }
            }
        }
    }

    fn index_of(&mut self, constant: &Constant) -> usize {
        let next = self.next_index();
        *self.indexes.entry(constant.key()).or_insert(next)
    }

    fn next_index(&self) -> usize {
        self.indexes.len() + self.dead_code.len()
    }

    /// Notes that the compiler emits a `LOAD_CONST`.
    fn load(&mut self, constant: Constant) {
        let index = self.index_of(&constant);
        if !self.is_dead {
            self.last_used = self.last_used.max(Some(index));
        }
    }

    fn load_names<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        self.load(Constant::Tuple(names.map(|name| Constant::Str(name.to_owned())).collect()));
    }

    /// Notes that the optimizer makes a constant. It comes after all constants of the compiler.
    fn load_folded(&mut self) {
        if !self.is_dead {
            self.last_used = Some(usize::MAX);
        }
    }

    fn add_code_object(&mut self, source: CodeSource<'a>) {
        if self.is_dead {
            self.dead_code.push((self.next_index(), source));
        } else {
            let index = self.next_index();
            self.indexes.insert(format!("code {index}"), index);
            self.last_used = self.last_used.max(Some(index));
        }
    }

    fn kept_code_objects(self) -> Vec<CodeSource<'a>> {
        let kept = match self.version {
            PythonVersion::Py311 => self.last_used.unwrap_or(0),
            _ => 0,
        };
        let kept = self.dead_code.into_iter().filter(|(index, _)| *index <= kept);
        kept.map(|(_, source)| source).collect()
    }

    fn parameters(&mut self, parameters: &'a Parameters) {
        let positional = || parameters.posonlyargs.iter().chain(&parameters.args);
        let mut defaults = positional().filter_map(|parameter| parameter.default()).peekable();
        if defaults.peek().is_some() {
            let mut all_constant = true;
            for default in defaults {
                all_constant &= fold(default).is_some();
                self.visit_expr(default);
            }
            if all_constant {
                self.load_folded();
            }
        }
        let keyword = || parameters.kwonlyargs.iter().filter(|p| p.default.is_some());
        if keyword().next().is_some() {
            keyword().filter_map(|parameter| parameter.default()).for_each(|d| self.visit_expr(d));
            self.load_names(keyword().map(|parameter| parameter.name().as_str()));
        }
        for parameter in parameters.iter() {
            if let Some(annotation) = parameter.annotation() {
                self.load(Constant::Str(parameter.name().to_string()));
                self.visit_annotation(annotation);
            }
        }
    }

    /// Visits a comprehension. It has its own code object only in 3.11, but a generator expression
    /// has one in every version.
    fn comprehension(&mut self, expr: &'a Expr, generators: &'a [Comprehension]) {
        if matches!(expr, Expr::Generator(_)) || self.version == PythonVersion::Py311 {
            self.add_code_object(CodeSource::Expression(expr));
            if let Some(first) = generators.first() {
                self.visit_expr(&first.iter);
            }
        } else {
            visitor::walk_expr(self, expr);
        }
    }

    fn compare(&mut self, ops: &'a [CmpOp], comparators: &'a [Expr]) {
        for (op, operand) in ops.iter().zip(comparators) {
            let elements = match operand {
                Expr::List(list) => Some(&list.elts),
                Expr::Set(set) => Some(&set.elts),
                _ => None,
            };
            let folded = elements.and_then(|elements| elements.iter().map(fold).collect());
            match (op, folded) {
                // `x in [1, 2]` compares `x` with a constant tuple.
                (CmpOp::In | CmpOp::NotIn, Some(items)) => self.load(Constant::Tuple(items)),
                _ => self.visit_expr(operand),
            }
        }
    }

    /// Visits the display of a list or set. The compiler builds a display of more than two
    /// constants from one tuple (`starunpack_helper`).
    fn display(&mut self, expr: &'a Expr, elements: &'a [Expr]) {
        let folded: Option<Vec<_>> = elements.iter().map(fold).collect();
        match folded {
            Some(items) if items.len() > 2 => self.load(Constant::Tuple(items)),
            _ => visitor::walk_expr(self, expr),
        }
    }
}

/// Makes a string with U+FFFD unique by adding its place in the source. The parser replaces each
/// surrogate with U+FFFD, so different strings may look the same.
fn with_place_if_replaced(constant: Constant, expr: &Expr) -> Constant {
    match constant {
        Constant::Str(text) if text.contains(char::REPLACEMENT_CHARACTER) => {
            Constant::Str(format!("{text}{:?}", expr.range()))
        }
        constant => constant,
    }
}

impl<'a> Visitor<'a> for Constants<'a> {
    fn visit_stmt(&mut self, statement: &'a Stmt) {
        let was_dead = self.is_dead;
        self.is_dead |= self.dead.contains(statement.range());
        match statement {
            Stmt::FunctionDef(node) => {
                node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.parameters(&node.parameters);
                if let Some(returns) = &node.returns {
                    self.load(Constant::Str("return".to_owned()));
                    self.visit_annotation(returns);
                }
                self.add_code_object(CodeSource::Statement(statement));
            }
            Stmt::ClassDef(node) => {
                node.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                self.add_code_object(CodeSource::Statement(statement));
                self.load(Constant::Str(node.name.to_string()));
                if let Some(arguments) = &node.arguments {
                    self.visit_arguments(arguments);
                }
            }
            // A statement that is only a constant has no code.
            Stmt::Expr(node) if fold(&node.value).is_some() => {}
            Stmt::Return(node) if node.value.is_none() => self.load(Constant::None),
            Stmt::Import(node) => {
                for _ in &node.names {
                    self.load(Constant::Int(0.into()));
                    self.load(Constant::None);
                }
            }
            Stmt::ImportFrom(node) => {
                self.load(Constant::Int(node.level.into()));
                self.load_names(node.names.iter().map(|alias| alias.name.as_str()));
            }
            Stmt::AnnAssign(node) => {
                visitor::walk_stmt(self, statement);
                if let Expr::Name(name) = &*node.target {
                    self.load(Constant::Str(name.id.to_string()));
                }
            }
            Stmt::With(_) => {
                visitor::walk_stmt(self, statement);
                self.load(Constant::None);
            }
            _ => visitor::walk_stmt(self, statement),
        }
        self.is_dead = was_dead;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Some(constant) = fold(expr) {
            self.load(with_place_if_replaced(constant, expr));
            return;
        }
        match expr {
            Expr::Lambda(node) => {
                if let Some(parameters) = &node.parameters {
                    self.parameters(parameters);
                }
                self.add_code_object(CodeSource::Expression(expr));
            }
            Expr::Generator(node) => self.comprehension(expr, &node.generators),
            Expr::ListComp(node) => self.comprehension(expr, &node.generators),
            Expr::SetComp(node) => self.comprehension(expr, &node.generators),
            Expr::DictComp(node) => self.comprehension(expr, &node.generators),
            Expr::Compare(node) => {
                self.visit_expr(&node.left);
                self.compare(&node.ops, &node.comparators);
            }
            Expr::List(node) => self.display(expr, &node.elts),
            Expr::Set(node) => self.display(expr, &node.elts),
            Expr::Await(_) | Expr::YieldFrom(_) => {
                visitor::walk_expr(self, expr);
                self.load(Constant::None);
            }
            Expr::Yield(node) if node.value.is_none() => self.load(Constant::None),
            Expr::Slice(node) => {
                visitor::walk_expr(self, expr);
                if node.lower.is_none() || node.upper.is_none() {
                    self.load(Constant::None);
                }
            }
            Expr::FString(node) => {
                for literal in node.value.elements().filter_map(|element| element.as_literal()) {
                    self.load(Constant::Str(literal.value.to_string()));
                }
                visitor::walk_expr(self, expr);
            }
            _ => visitor::walk_expr(self, expr),
        }
    }

    fn visit_arguments(&mut self, arguments: &'a Arguments) {
        visitor::walk_arguments(self, arguments);
        let names = || arguments.keywords.iter().filter_map(|Keyword { arg, .. }| arg.as_ref());
        if names().next().is_some() {
            self.load_names(names().map(|name| name.as_str()));
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        visitor::walk_except_handler(self, handler);
        let ExceptHandler::ExceptHandler(handler) = handler;
        if handler.name.is_some() {
            self.load(Constant::None);
        }
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        match pattern {
            Pattern::MatchClass(node) => {
                visitor::walk_pattern(self, pattern);
                self.load_names(node.arguments.keywords.iter().map(|k| k.attr.as_str()));
            }
            _ => visitor::walk_pattern(self, pattern),
        }
    }
}
