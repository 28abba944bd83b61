//! Statements that Python 3.14 does not have: those that only annotate.
//!
//! `x: int` in a class or module is an instruction up to Python 3.13; 3.14 defers it (PEP 649). So
//! recorded data tells which it was: what runs only together with the line ran, and the line
//! did not. That the line ran tells less: 3.14 runs it when something asks for the annotations, as
//! data classes do.

use ruff_python_ast::Stmt;
use ruff_text_size::Ranged;

use super::PythonVersion;
use super::lines::LineSet;
use super::multiline::MultilineMap;
use super::statements::bytecode_lines;
use super::syntax::Syntax;
use super::walk::{compound_statements, for_each_body, line_of};

/// A line that is a statement before Python 3.14 only.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Deferred {
    pub(crate) line: i32,
    /// Before Python 3.14, the line ran if this one did, unless an exception came between.
    pub(crate) before: Option<i32>,
    /// Before Python 3.14, the line ran if this one did.
    pub(crate) after: Option<i32>,
}

/// What of a source tells whether Python 3.14 ran it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct DeferredLines {
    pub(crate) lines: Vec<Deferred>,
    /// Lines of which the first ran if the second did, in every version.
    pub(crate) in_order: Vec<(i32, i32)>,
}

/// The deferred lines of a source, and its lines in order, but for those that are left out of the
/// statements.
pub(crate) fn deferred(
    syntax: &Syntax,
    multiline: &MultilineMap,
    left_out: &[&LineSet],
) -> DeferredLines {
    let mut lines = annotations(syntax);
    if lines.is_empty() {
        return DeferredLines::default();
    }
    let statements = |version| {
        let lines = bytecode_lines(syntax, version);
        let first_lines = lines.iter().map(|line| multiline.first_line(line));
        let mut statements = LineSet::of(syntax.line_count(), first_lines);
        left_out.iter().for_each(|lines| statements.remove_all(lines));
        statements
    };
    let (earlier, later) = (statements(PythonVersion::Py311), statements(PythonVersion::Py314));
    lines.retain(|deferred| earlier.contains(deferred.line) && !later.contains(deferred.line));
    if lines.is_empty() {
        return DeferredLines::default();
    }
    for deferred in &mut lines {
        deferred.before = deferred.before.filter(|&line| earlier.contains(line));
        deferred.after = deferred.after.filter(|&line| earlier.contains(line));
    }
    let mut in_order = in_order(syntax);
    in_order.retain(|&(first, second)| earlier.contains(first) && earlier.contains(second));
    DeferredLines { lines, in_order }
}

fn in_order(syntax: &Syntax) -> Vec<(i32, i32)> {
    let mut found = Vec::new();
    let mut visit = |suite: &[Stmt]| {
        let pairs = suite.windows(2).filter_map(|pair| match pair {
            [first, second] if has_code(first) => {
                Some((line_of(syntax, first), line_of(syntax, second)))
            }
            _ => None,
        });
        found.extend(pairs);
    };
    visit(syntax.body());
    for stmt in compound_statements(syntax.body()) {
        for_each_body(stmt, &mut visit);
    }
    found
}

/// Statements that run whenever they are reached, and are seen to.
fn has_code(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Assign(_) | Stmt::AugAssign(_) | Stmt::Import(_) | Stmt::ImportFrom(_) => true,
        Stmt::Expr(node) => node.value.is_call_expr(),
        Stmt::FunctionDef(node) => node.decorator_list.is_empty(),
        _ => false,
    }
}

/// Every annotation without a value.
fn annotations(syntax: &Syntax) -> Vec<Deferred> {
    let mut found = Vec::new();
    visit_suite(syntax, syntax.body(), None, &mut found);
    for stmt in compound_statements(syntax.body()) {
        let class = Some(stmt).filter(|stmt| stmt.is_class_def_stmt());
        for_each_body(stmt, |body| visit_suite(syntax, body, class, &mut found));
    }
    found
}

/// The annotations of a suite, which belongs to a class or to something else.
fn visit_suite(syntax: &Syntax, suite: &[Stmt], class: Option<&Stmt>, found: &mut Vec<Deferred>) {
    let line = |stmt| line_of(syntax, stmt);
    let mut before = class;
    // Runs of annotations, and what is between them.
    for run in suite.chunk_by(|a, b| is_annotation(a) && is_annotation(b)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        if !is_annotation(first) {
            before = Some(first).filter(|stmt| always_goes_on(stmt));
            continue;
        }
        let behind = suite.partition_point(|stmt| stmt.start() <= last.start());
        let (before, after) = (before.map(line), suite.get(behind).map(line));
        let deferred = |stmt| Deferred { line: syntax.first_line(stmt), before, after };
        found.extend(run.iter().map(deferred));
    }
}

fn is_annotation(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::AnnAssign(node) if node.value.is_none())
}

/// What ran, ran to its end: no exception came out of it.
fn always_goes_on(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Assign(node) => node.value.is_literal_expr(),
        Stmt::FunctionDef(node) => node.decorator_list.is_empty(),
        Stmt::Pass(_) => true,
        _ => false,
    }
}
