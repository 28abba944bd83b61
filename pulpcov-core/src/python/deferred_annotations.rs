//! Finds annotations that are statements only before Python 3.14.
//!
//! A line such as `x: int` in a class or module has code up to Python 3.13. Python 3.14 defers it
//! (PEP 649). So recorded data can show which version ran a file. If the lines around an annotation
//! ran, but the annotation did not, the version was 3.14 or later. If the annotation ran, that
//! shows less: 3.14 also runs annotations when something asks for them, as data classes do.

use ruff_python_ast::Stmt;
use ruff_text_size::Ranged;

use super::PythonVersion;
use super::bytecode_lines::bytecode_lines;
use super::line_set::LineSet;
use super::multiline::MultilineMap;
use super::syntax::Syntax;
use super::walk::{compound_statements, for_each_body, line_of};

/// The line of an annotation that is a statement only before Python 3.14.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct DeferredAnnotation {
    pub(crate) line: i32,
    /// A line before the annotation. Before Python 3.14, the annotation ran if that line ran,
    /// unless an exception came in between.
    pub(crate) before: Option<i32>,
    /// The line after the annotation. Before Python 3.14, the annotation ran if that line ran.
    pub(crate) after: Option<i32>,
}

/// The lines of a source file that can show whether Python 3.14 ran it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct DeferredLines {
    pub(crate) lines: Vec<DeferredAnnotation>,
    /// Pairs of lines. In every version, the first line ran if the second did.
    pub(crate) in_order: Vec<(i32, i32)>,
}

/// Returns the deferred lines of a source file, and pairs of lines that run in order. Lines in
/// `left_out` are not statements, so they are skipped.
pub(crate) fn deferred_lines(
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
            [first, second] if is_always_recorded(first) => {
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

/// Returns whether a statement always has code, so that data records it whenever it runs.
fn is_always_recorded(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Assign(_) | Stmt::AugAssign(_) | Stmt::Import(_) | Stmt::ImportFrom(_) => true,
        Stmt::Expr(node) => node.value.is_call_expr(),
        Stmt::FunctionDef(node) => node.decorator_list.is_empty(),
        _ => false,
    }
}

/// Returns every annotation without a value. [`deferred_lines`] drops those that are never
/// statements, such as those in functions.
fn annotations(syntax: &Syntax) -> Vec<DeferredAnnotation> {
    let mut found = Vec::new();
    visit_suite(syntax, syntax.body(), None, &mut found);
    for stmt in compound_statements(syntax.body()) {
        let class = Some(stmt).filter(|stmt| stmt.is_class_def_stmt());
        for_each_body(stmt, |body| visit_suite(syntax, body, class, &mut found));
    }
    found
}

/// Adds the annotations of a suite. If the suite is the body of a class, `class` is that class.
fn visit_suite(
    syntax: &Syntax,
    suite: &[Stmt],
    class: Option<&Stmt>,
    found: &mut Vec<DeferredAnnotation>,
) {
    let line = |stmt| line_of(syntax, stmt);
    let mut before = class;
    // Each chunk is a run of annotations, or one other statement.
    for run in suite.chunk_by(|a, b| is_annotation(a) && is_annotation(b)) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        if !is_annotation(first) {
            before = Some(first).filter(|stmt| cannot_raise(stmt));
            continue;
        }
        let next = suite.partition_point(|stmt| stmt.start() <= last.start());
        let (before, after) = (before.map(line), suite.get(next).map(line));
        let deferred = |stmt| DeferredAnnotation { line: syntax.first_line(stmt), before, after };
        found.extend(run.iter().map(deferred));
    }
}

fn is_annotation(stmt: &Stmt) -> bool {
    matches!(stmt, Stmt::AnnAssign(node) if node.value.is_none())
}

/// Returns whether the next statement runs whenever this one does, because this one should not
/// raise an exception.
fn cannot_raise(stmt: &Stmt) -> bool {
    match stmt {
        Stmt::Assign(node) => node.value.is_literal_expr(),
        Stmt::FunctionDef(node) => node.decorator_list.is_empty(),
        Stmt::Pass(_) => true,
        _ => false,
    }
}
