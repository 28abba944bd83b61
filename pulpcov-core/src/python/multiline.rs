//! Maps the lines of a statement to its first line.
//!
//! This is coverage.py's `multiline_map_from_tokens` (parser.py).

use super::syntax::Syntax;

/// For each line of a statement that has several lines, the first line of the statement.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct MultilineMap {
    /// Indexed by line. It is 0 for a line that is not in such a statement.
    first: Vec<i32>,
}

impl MultilineMap {
    pub(crate) fn new(syntax: &Syntax) -> Self {
        let mut map = Self { first: vec![0; syntax.line_count() as usize + 2] };
        for line in syntax.token_summary().logical_lines() {
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

    /// Returns the first line of the statement that contains `line`. An exit is negative, and stays
    /// negative.
    pub(crate) fn first_line(&self, line: i32) -> i32 {
        match self.first.get(line.unsigned_abs() as usize) {
            None | Some(0) => line,
            Some(first) => first * line.signum(),
        }
    }

    /// Returns each line of a statement that has several lines, with the first line of the
    /// statement.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i32, i32)> + '_ {
        (0..).zip(&self.first).filter(|&(_, &first)| first != 0).map(|(line, &first)| (line, first))
    }
}
