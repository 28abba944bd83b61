//! Which lines are one statement: from every line of a statement to its first.
//!
//! coverage.py's `multiline_map_from_tokens` (parser.py).

use super::syntax::Syntax;

/// The first line of the statement that a line belongs to, for statements of several lines.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct MultilineMap {
    /// Indexed by line; 0 where the line is not in a statement of several lines.
    first: Vec<i32>,
}

impl MultilineMap {
    pub(crate) fn new(syntax: &Syntax) -> Self {
        let mut map = Self { first: vec![0; syntax.line_count() as usize + 2] };
        for line in syntax.outline().logical_lines() {
            map.record(syntax.line(line.start()), syntax.line(line.end()));
        }
        map
    }

    fn record(&mut self, first: i32, last: i32) {
        if first == last {
            return;
        }
        if let Some(lines) = self.first.get_mut(first as usize..=last as usize) {
            lines.fill(first);
        }
    }

    /// The first line of the statement that `line` is in; an exit keeps its sign.
    pub(crate) fn first_line(&self, line: i32) -> i32 {
        match self.first.get(line.unsigned_abs() as usize) {
            None | Some(0) => line,
            Some(first) => first * line.signum(),
        }
    }

    /// Every line of a statement of several lines, with the statement's first line.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i32, i32)> + '_ {
        (0..).zip(&self.first).filter(|&(_, &first)| first != 0).map(|(line, &first)| (line, first))
    }
}
