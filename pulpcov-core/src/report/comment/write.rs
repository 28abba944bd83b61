//! The text of a comment.

use std::io::Write;

use super::Comment;
use crate::Result;
use crate::report::figures::covered;
use crate::report::fitted::{Fitted, Table};
use crate::report::gate::markdown::problems;
use crate::report::markdown_text::escape;
use crate::report::patch::markdown::{sentence, table};
use crate::results::Numbers;
use crate::text::{plural, printable};

const FILES: &str = "\n| Changed file | Covered | Not covered |\n| --- | ---: | --- |\n";

/// How many digits the difference of two percentages has at least.
const DIGITS: usize = 2;

impl Comment<'_> {
    /// Writes the comment: the marker, what became of the changes, the total, the gate, the changed files with gaps, those with
    /// the most gaps first, and the links.
    ///
    /// If all of that has too many bytes, the changed files lose their lists of lines, those with the fewest gaps first. Then
    /// they lose their rows, in the same order, and a line says how many. Failures of the gate go last. The sentences and the
    /// links stay.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::NotRepresentable`](crate::ErrorKind::NotRepresentable) if even the sentences and the links do not fit;
    /// - [`ErrorKind::Output`](crate::ErrorKind::Output) if `out` cannot be written.
    pub fn write(&self, out: impl Write) -> Result<()> {
        let mut text = Fitted::new();
        text.text(format!("{}\n", self.marker()));
        if let Some((patch, options)) = &self.changes {
            text.text(format!("{}\n", sentence(patch, options)));
        }
        text.text(self.total());
        if let Some(gate) = &self.gate {
            text.text(format!("\nGate: {}.\n", escape(&gate.total())));
            text.table(problems(gate, 0));
        }
        if let Some((patch, options)) = &self.changes {
            let (files, complete) = worst(table(patch, options, FILES, 1)?);
            text.table(files);
            if complete > 0 {
                text.text(format!("\n{}.\n", complete_files(complete)));
            }
        }
        text.text(self.links());
        text.write(Some(self.max_bytes), out)
    }

    /// Returns the sentence about the whole project.
    fn total(&self) -> String {
        let difference = self.before.map(|before| self.difference(before)).unwrap_or_default();
        format!("Project: {}{difference}.\n", covered(self.totals, self.precision))
    }

    /// Says how the percentage changed.
    fn difference(&self, before: Numbers) -> String {
        let (covered, all) = self.totals.ratio_covered();
        let (covered_before, all_before) = before.ratio_covered();
        let is_same = covered.max(usize::from(all == 0)) as u128 * all_before.max(1) as u128
            == covered_before.max(usize::from(all_before == 0)) as u128 * all.max(1) as u128;
        if is_same {
            return "; as much as before".to_owned();
        }
        let points = self.totals.percent_covered() - before.percent_covered();
        let more = if points > 0.0 { "more" } else { "less" };
        let digits = self.precision.digits().max(DIGITS);
        let shown = format!("{:.digits$}", points.abs());
        match shown.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
            true => format!("; {shown} points {more} than before"),
            false => format!("; a little {more} than before"),
        }
    }

    fn links(&self) -> String {
        if self.links.is_empty() {
            return String::new();
        }
        let link = |(text, address): &(String, String)| {
            format!("[{}](<{}>)", escape(text), escaped_address(address))
        };
        format!("\n{}\n", self.links.iter().map(link).collect::<Vec<_>>().join(" · "))
    }
}

/// Returns the rows with gaps, those with the most gaps first, and the number of the others.
fn worst(mut table: Table) -> (Table, usize) {
    let all = table.rows.len();
    table.rows.retain(|row| row.weight > 0);
    table.rows.sort_by_key(|row| std::cmp::Reverse(row.weight));
    let complete = all - table.rows.len();
    (table, complete)
}

fn complete_files(count: usize) -> String {
    format!("{} without gaps", plural(count, "changed file"))
}

/// Escapes what would end an address between `<` and `>`, and what is never part of one.
fn escaped_address(address: &str) -> String {
    let mut escaped = String::new();
    for c in printable(address).chars() {
        match c {
            '<' | '>' | '\\' | ' ' | '"' | '`' => {
                escaped.push_str(&format!("%{:02X}", u32::from(c)))
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(statements: usize, missing: usize) -> Numbers {
        Numbers { statements, missing, ..Numbers::default() }
    }

    #[test]
    fn differences_are_exact_where_percentages_are_rounded() {
        let difference = |now, before| Comment::new(now).difference(before);
        assert_eq!(difference(numbers(3, 1), numbers(6, 2)), "; as much as before");
        assert_eq!(difference(numbers(0, 0), numbers(6, 0)), "; as much as before");
        assert_eq!(difference(numbers(0, 0), numbers(0, 0)), "; as much as before");
        assert_eq!(difference(numbers(4, 1), numbers(2, 1)), "; 25.00 points more than before");
        assert_eq!(difference(numbers(8, 1), numbers(0, 0)), "; 12.50 points less than before");
        let (now, before) = (numbers(1_000_000, 1), numbers(1_000_000, 2));
        assert_eq!(difference(now, before), "; a little more than before");
    }

    #[test]
    fn addresses_and_names_cannot_leave_their_place() {
        assert_eq!(escaped_address("https://x/>) <b>"), "https://x/%3E)%20%3Cb%3E");
        assert_eq!(escaped_address("https://x/a\nb"), "https://x/a?b");
        let comment = || Comment::new(numbers(1, 0));
        for name in ["", "a-->b", "a--b", "<b>", "a\nb", "é"] {
            assert!(comment().name(name).is_err(), "{name:?}");
        }
        assert!(comment().link("x", "javascript:alert(1)").is_err());
        assert!(comment().link("x", "/relative").is_err());
    }
}
