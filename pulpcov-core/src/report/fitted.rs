//! Markdown that has to fit into a number of bytes.

use std::cmp::Reverse;
use std::io::Write;

use crate::text::plural;
use crate::{Error, ErrorKind, Result};

/// Paragraphs, and tables whose rows can be left out.
#[derive(Default)]
pub(super) struct Fitted {
    pieces: Vec<Piece>,
}

enum Piece {
    Text(String),
    Table(Table),
}

/// A table.
pub(super) struct Table {
    /// The header, with the blank line before it.
    pub(super) head: String,
    pub(super) rows: Vec<Row>,
    /// What comes after the rows.
    pub(super) foot: String,
    /// What a row stands for.
    pub(super) noun: &'static str,
    /// Of two tables, the one with the lower number keeps its rows.
    pub(super) level: u8,
    /// Whether the header and the foot stay if no row does.
    pub(super) stays: bool,
}

/// A row of a table.
pub(super) struct Row {
    pub(super) text: String,
    /// The row with less in it, if it can be shortened.
    pub(super) short: Option<String>,
    /// Of two rows, the one with the higher number stays.
    pub(super) weight: usize,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    Short,
    LeftOut,
}

impl Table {
    /// Creates a table without rows, which is not shown if no row is.
    pub(super) fn new(head: &str, noun: &'static str, level: u8) -> Self {
        let (head, foot) = (head.to_owned(), String::new());
        Self { head, rows: Vec::new(), foot, noun, level, stays: false }
    }

    /// Adds a row.
    pub(super) fn row(&mut self, weight: usize, text: String) {
        self.rows.push(Row { text, short: None, weight });
    }

    fn is_shown(&self, forms: &[Form]) -> bool {
        self.stays || forms.iter().any(|form| *form != Form::LeftOut)
    }

    /// Returns the line that says how many rows are left out.
    fn note(&self, count: usize) -> String {
        format!("\nLeft out, to fit: {}.\n", plural(count, self.noun))
    }

    /// Returns the bytes that are always needed.
    fn fixed(&self) -> usize {
        let always = if self.stays { self.head.len() + self.foot.len() } else { 0 };
        always + if self.rows.is_empty() { 0 } else { self.note(self.rows.len()).len() }
    }

    /// Returns the bytes of the header and the foot that the first row needs.
    fn frame(&self) -> usize {
        if self.stays { 0 } else { self.head.len() + self.foot.len() }
    }

    /// Returns the bytes of the table with all rows.
    fn size(&self) -> usize {
        if self.rows.is_empty() && !self.stays {
            return 0;
        }
        let rows: usize = self.rows.iter().map(|row| row.text.len()).sum();
        self.head.len() + rows + self.foot.len()
    }

    fn write(&self, forms: &[Form], out: &mut impl Write) -> Result<()> {
        if self.is_shown(forms) {
            out.write_all(self.head.as_bytes())?;
            for (row, form) in self.rows.iter().zip(forms) {
                match (form, &row.short) {
                    (Form::LeftOut, _) => {}
                    (Form::Short, Some(short)) => out.write_all(short.as_bytes())?,
                    _ => out.write_all(row.text.as_bytes())?,
                }
            }
            out.write_all(self.foot.as_bytes())?;
        }
        match forms.iter().filter(|form| **form == Form::LeftOut).count() {
            0 => Ok(()),
            count => Ok(out.write_all(self.note(count).as_bytes())?),
        }
    }
}

impl Fitted {
    /// Creates an empty text.
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds text that always stays.
    pub(super) fn text(&mut self, text: impl Into<String>) {
        self.pieces.push(Piece::Text(text.into()));
    }

    /// Adds a blank line, which ends what comes before: the text may be appended to another, or have another appended.
    pub(super) fn blank_line(&mut self) {
        self.text("\n");
    }

    /// Adds a table.
    pub(super) fn table(&mut self, table: Table) {
        self.pieces.push(Piece::Table(table));
    }

    /// Writes the text. If it has more bytes than `max`, rows are shortened, those of least weight first. If that is not
    /// enough, rows are left out, those of least weight first, and a line below the table says how many. A row that is too
    /// long for the rest of the space gives way to shorter ones, so nobody can hide rows behind a long name.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotRepresentable`] if the text does not fit even without rows;
    /// - [`ErrorKind::Output`] if `out` cannot be written.
    pub(super) fn write(&self, max: Option<usize>, mut out: impl Write) -> Result<()> {
        let mut forms = self.forms(max)?.into_iter();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.write_all(text.as_bytes())?,
                Piece::Table(table) => {
                    table.write(&forms.next().unwrap_or_default(), &mut out)?;
                }
            }
        }
        Ok(())
    }

    fn tables(&self) -> impl Iterator<Item = &Table> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Table(table) => Some(table),
        })
    }

    /// Decides what becomes of the rows of each table.
    fn forms(&self, max: Option<usize>) -> Result<Vec<Vec<Form>>> {
        let all = |form| self.tables().map(|table| vec![form; table.rows.len()]).collect();
        let size = |of_table: fn(&Table) -> usize| -> usize {
            let texts = self.pieces.iter().map(|piece| match piece {
                Piece::Text(text) => text.len(),
                Piece::Table(table) => of_table(table),
            });
            texts.sum()
        };
        let Some(max) = max.filter(|max| size(Table::size) > *max) else {
            return Ok(all(Form::Whole));
        };
        let fixed = size(Table::fixed);
        let mut left = max.checked_sub(fixed).ok_or_else(|| too_few(max, fixed))?;
        let mut forms: Vec<Vec<Form>> = all(Form::LeftOut);
        // The bytes of the header and the foot, until a row needs them.
        let mut frames: Vec<usize> = self.tables().map(Table::frame).collect();
        let candidates = self.by_weight();
        for Candidate { table, at, row, .. } in &candidates {
            let (Some(frame), Some(form)) =
                (frames.get_mut(*table), form_of(&mut forms, *table, *at))
            else {
                continue;
            };
            let (shortest, size) = row.shortest();
            if let Some(rest) = left.checked_sub(*frame + size) {
                (left, *frame, *form) = (rest, 0, shortest);
            }
        }
        // The list of one row must not cost another row.
        for Candidate { table, at, row, .. } in &candidates {
            let Some(form) = form_of(&mut forms, *table, *at) else { continue };
            let more = row.text.len().saturating_sub(row.shortest().1);
            if let (Form::Short, Some(rest)) = (*form, left.checked_sub(more)) {
                (left, *form) = (rest, Form::Whole);
            }
        }
        Ok(forms)
    }

    /// Returns the rows, the most important ones first.
    fn by_weight(&self) -> Vec<Candidate<'_>> {
        let rows = self.tables().enumerate().flat_map(|(number, table)| {
            let candidate =
                move |(at, row)| Candidate { level: table.level, table: number, at, row };
            table.rows.iter().enumerate().map(candidate)
        });
        let mut rows: Vec<Candidate<'_>> = rows.collect();
        // The sort is stable, so equal rows stay in their order.
        rows.sort_by_key(|candidate| (candidate.level, Reverse(candidate.row.weight)));
        rows
    }
}

/// A row that may stay.
struct Candidate<'a> {
    level: u8,
    /// The number of the table.
    table: usize,
    /// The number of the row.
    at: usize,
    row: &'a Row,
}

impl Row {
    /// Returns the shortest form of the row, and its size.
    fn shortest(&self) -> (Form, usize) {
        match self.short.as_ref().filter(|short| short.len() < self.text.len()) {
            Some(short) => (Form::Short, short.len()),
            None => (Form::Whole, self.text.len()),
        }
    }
}

fn form_of(forms: &mut [Vec<Form>], table: usize, at: usize) -> Option<&mut Form> {
    forms.get_mut(table)?.get_mut(at)
}

fn too_few(max: usize, needed: usize) -> Error {
    let message = format!("{max} bytes are too few: at least {needed} are needed");
    Error::new(ErrorKind::NotRepresentable, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(rows: &[(usize, &str)]) -> Fitted {
        let mut table = Table::new("\n| A |\n| --- |\n", "file", 0);
        for (weight, text) in rows {
            table.row(*weight, format!("| {text} |\n"));
        }
        let mut text = Fitted::new();
        text.text("All.\n");
        text.table(table);
        text
    }

    fn written(text: &Fitted, max: Option<usize>) -> String {
        let mut out = Vec::new();
        text.write(max, &mut out).unwrap();
        if let Some(max) = max {
            assert!(out.len() <= max, "{} > {max}", out.len());
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows_of_least_weight_go_first_and_are_counted() {
        let names = ["three", "one", "five", "two"].map(|name| format!("{name:30}"));
        let text = example(&[(3, &names[0]), (1, &names[1]), (5, &names[2]), (2, &names[3])]);
        let row = |name: &str| format!("| {name} |\n");
        let head = "All.\n\n| A |\n| --- |\n";
        let whole = written(&text, None);
        assert_eq!(whole, head.to_owned() + &names.each_ref().map(|name| row(name)).concat());
        assert_eq!(written(&text, Some(whole.len())), whole);
        assert_eq!(
            written(&text, Some(130)),
            format!("{head}{}{}\nLeft out, to fit: 2 files.\n", row(&names[0]), row(&names[2]))
        );
        // No row fits, and the header is not needed.
        assert_eq!(written(&text, Some(40)), "All.\n\nLeft out, to fit: 4 files.\n");
        let err = text.write(Some(10), Vec::new()).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotRepresentable);
    }

    #[test]
    fn a_long_row_does_not_hide_others() {
        let long = "x".repeat(500);
        let text = example(&[(9, &long), (1, "one")]);
        assert_eq!(
            written(&text, Some(100)),
            "All.\n\n| A |\n| --- |\n| one |\n\nLeft out, to fit: 1 file.\n"
        );
    }

    #[test]
    fn every_limit_is_kept() {
        let rows: Vec<(usize, String)> = (0..30).map(|n| (n * 7 % 11, "y".repeat(n))).collect();
        let rows: Vec<(usize, &str)> = rows.iter().map(|(n, text)| (*n, text.as_str())).collect();
        let mut text = example(&rows);
        let mut table = Table::new("\n| B |\n| --- |\n", "file", 1);
        table.rows.push(Row {
            text: "| long |\n".repeat(9),
            short: Some("| s |\n".into()),
            weight: 1,
        });
        text.table(table);
        let whole = written(&text, None).len();
        for max in 80..=whole {
            written(&text, Some(max));
        }
    }
}
