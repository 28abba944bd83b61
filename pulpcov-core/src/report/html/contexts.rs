//! A compact encoding of which contexts ran which lines of a file.
//!
//! Lines that the same contexts ran form one *class*. Each context ran a set of classes; contexts
//! with the same set share one row. A row is encoded as runs of classes or as a bitmap, whichever
//! is shorter. Numbers are encoded with five bits a character. The names of the contexts are in one
//! table for all files.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem::replace;

use serde::Serialize;

use super::escape::push_text;
use super::pages::ContextNames;
use super::views::thousands;
use crate::Numbits;
use crate::impact::TestName;

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The class of a line that no context ran.
const NO_CLASS: u32 = u32::MAX;

/// The number of characters of a context's name that stand beside a line.
const LABEL: usize = 28;

/// The contexts that ran each line of a file.
pub(super) struct LineContexts {
    /// The class of each line, indexed by line; [`NO_CLASS`] if no context ran the line.
    classes: Vec<u32>,
    /// The number of contexts that ran each class, indexed by class.
    counts: Vec<u32>,
    /// The label of each class, as HTML.
    labels: Vec<String>,
    /// The id of each context with the classes that it ran, in the order of the ids.
    rows: Vec<(u32, Vec<u32>)>,
    /// The number of lines in each class, indexed by class.
    sizes: Vec<u32>,
}

/// How many lines of a file a context ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContextCounts {
    pub(super) context: u32,
    pub(super) lines: u32,
    /// How many of these lines no other context ran.
    pub(super) only_this_context: u32,
}

/// The content of `ctx.PAGE.js`, where `PAGE` is the name of the page.
#[derive(Serialize)]
pub(super) struct Encoded {
    /// Two numbers for each line that ran: the distance from the previous such line, and the class.
    lines: String,
    /// The id of each context, as the distance from the previous id.
    contexts: String,
    /// The index in `sets` of each context's row.
    rows: String,
    /// The sets of classes. A set is `!` and a bitmap, or a list of runs. A run is two numbers: how
    /// many classes to skip, and how many classes after them are in the set.
    sets: Vec<String>,
}

impl LineContexts {
    /// Groups lines into classes. `rows` has each context's name and lines; lines that are not in
    /// `shown` are dropped.
    pub(super) fn new<'a>(
        rows: Vec<(&'a str, Cow<'a, Numbits>)>,
        names: &ContextNames<'_>,
        shown: &Numbits,
    ) -> Self {
        let mut rows: Vec<(u32, Vec<u32>)> = rows
            .into_iter()
            .filter_map(|(name, lines)| {
                let lines: Vec<u32> =
                    lines.intersection(shown).iter().map(i32::unsigned_abs).collect();
                Some((*names.ids.get(name)?, lines)).filter(|(_, lines)| !lines.is_empty())
            })
            .collect();
        rows.sort_unstable_by_key(|row| row.0);
        join_equal_ids(&mut rows);
        let (classes, sizes) = classes(&rows);
        let mut counts = vec![0; sizes.len()];
        let mut last = vec![0; sizes.len()];
        let mut seen = vec![NO_CLASS; sizes.len()];
        for (id, lines) in &mut rows {
            // A context ran all lines of a class or none, and classes are numbered in the order of
            // their first lines. So the classes of a context come out sorted.
            lines.retain_mut(|line| {
                *line = class_of(&classes, *line).unwrap_or_default();
                seen.get_mut(*line as usize).is_some_and(|seen| replace(seen, *id) != *id)
            });
            for &class in lines.iter() {
                increment(&mut counts, class);
                if let Some(last) = last.get_mut(class as usize) {
                    *last = *id;
                }
            }
        }
        let name = |id: u32| names.names.get(id as usize).copied().unwrap_or_default();
        let labels =
            counts.iter().zip(last).map(|(&count, last)| label(count, name(last))).collect();
        Self { classes, counts, labels, rows, sizes }
    }

    /// Appends the label of a line: who ran it, or how many contexts did.
    pub(super) fn push_label(&self, html: &mut String, line: i32) {
        let class = u32::try_from(line).ok().and_then(|line| class_of(&self.classes, line));
        if let Some(label) = class.and_then(|class| self.labels.get(class as usize)) {
            html.push_str(label);
        }
    }

    pub(super) fn context_counts(&self) -> impl Iterator<Item = ContextCounts> + '_ {
        self.rows.iter().map(|(context, classes)| {
            let size = |class: &&u32| self.sizes.get(**class as usize).copied().unwrap_or(0);
            let is_only_this_context = |class: &&u32| self.counts.get(**class as usize) == Some(&1);
            ContextCounts {
                context: *context,
                lines: classes.iter().map(|class| size(&class)).sum(),
                only_this_context: classes
                    .iter()
                    .filter(is_only_this_context)
                    .map(|class| size(&class))
                    .sum(),
            }
        })
    }

    pub(super) fn encode(&self) -> Encoded {
        let (mut lines, mut contexts, mut rows) = (String::new(), String::new(), String::new());
        let mut last = 0;
        for (line, &class) in (0..).zip(&self.classes) {
            if class == NO_CLASS {
                continue;
            }
            push_number(&mut lines, line - last);
            push_number(&mut lines, class);
            last = line;
        }
        let mut sets = Vec::new();
        let mut known = HashMap::<&[u32], u32>::new();
        last = 0;
        for (context, classes) in &self.rows {
            let row = *known.entry(classes).or_insert_with(|| {
                sets.push(encode_set(classes, self.counts.len()));
                sets.len() as u32 - 1
            });
            push_number(&mut contexts, context - last);
            push_number(&mut rows, row);
            last = *context;
        }
        Encoded { lines, contexts, rows, sets }
    }
}

/// Makes one row of all rows with the same id.
fn join_equal_ids(rows: &mut Vec<(u32, Vec<u32>)>) {
    rows.dedup_by(|row, before| {
        let is_same = row.0 == before.0;
        if is_same {
            before.1.append(&mut row.1);
            before.1.sort_unstable();
            before.1.dedup();
        }
        is_same
    });
}

fn class_of(classes: &[u32], line: u32) -> Option<u32> {
    classes.get(line as usize).copied().filter(|&class| class != NO_CLASS)
}

/// Returns the class of each line, and the size of each class. Classes are numbered in the order of
/// their first lines.
fn classes(rows: &[(u32, Vec<u32>)]) -> (Vec<u32>, Vec<u32>) {
    let last = rows.iter().filter_map(|(_, lines)| lines.last()).max();
    let mut classes = vec![NO_CLASS; last.map_or(0, |&last| last as usize + 1)];
    for line in rows.iter().flat_map(|(_, lines)| lines) {
        set(&mut classes, *line, 0);
    }
    // All lines start in class 0. Each context then moves its lines out of their classes into new
    // ones. For each class, `moved` holds the last context that moved lines out, and the class they
    // went to.
    let mut moved = vec![(NO_CLASS, 0)];
    for (id, lines) in rows {
        for &line in lines {
            let Some(class) = classes.get_mut(line as usize) else { continue };
            let next = moved.len() as u32;
            let Some((context, into)) = moved.get_mut(*class as usize) else { continue };
            let is_first = replace(context, *id) != *id;
            if is_first {
                *into = next;
            }
            *class = *into;
            if is_first {
                moved.push((NO_CLASS, 0));
            }
        }
    }
    let mut order = vec![NO_CLASS; moved.len()];
    let mut sizes = Vec::new();
    for class in classes.iter_mut().filter(|class| **class != NO_CLASS) {
        let Some(place) = order.get_mut(*class as usize) else { continue };
        if *place == NO_CLASS {
            *place = sizes.len() as u32;
            sizes.push(0);
        }
        *class = *place;
        increment(&mut sizes, *place);
    }
    (classes, sizes)
}

fn set(values: &mut [u32], at: u32, value: u32) {
    if let Some(slot) = values.get_mut(at as usize) {
        *slot = value;
    }
}

fn increment(counts: &mut [u32], at: u32) {
    if let Some(count) = counts.get_mut(at as usize) {
        *count += 1;
    }
}

/// Appends a number with five bits a character, the lowest bits first. The sixth bit is set if more
/// characters follow.
pub(super) fn push_number(text: &mut String, mut number: u32) {
    while number >= 32 {
        push_digit(text, number % 32 + 32);
        number /= 32;
    }
    push_digit(text, number);
}

fn push_digit(text: &mut String, digit: u32) {
    text.extend(DIGITS.get(digit as usize).map(|&digit| char::from(digit)));
}

fn encode_set(classes: &[u32], count: usize) -> String {
    let mut runs = String::new();
    let mut end = 0;
    for run in classes.chunk_by(|a, b| a + 1 == *b) {
        if let (Some(&first), Some(&last)) = (run.first(), run.last()) {
            push_number(&mut runs, first - end);
            push_number(&mut runs, last - first + 1);
            end = last + 1;
        }
    }
    let bitmap_length = 1 + count.div_ceil(6);
    if runs.len() <= bitmap_length {
        return runs;
    }
    let mut digits = vec![0_u32; count.div_ceil(6)];
    for &class in classes {
        if let Some(digit) = digits.get_mut(class as usize / 6) {
            *digit |= 1 << (class % 6);
        }
    }
    let mut bitmap = String::from("!");
    digits.into_iter().for_each(|digit| push_digit(&mut bitmap, digit));
    bitmap
}

/// Returns the label of lines that `count` contexts ran. `name` is the name of one of them.
fn label(count: u32, name: &str) -> String {
    match count {
        1 if name.is_empty() => "<span class=ctx>at import</span>".to_owned(),
        1 => {
            let mut html = "<button class=ctx>".to_owned();
            push_text(&mut html, &shortened(name));
            html.push_str("</button>");
            html
        }
        _ => format!("<button class=ctx>{} contexts</button>", thousands(count as usize)),
    }
}

/// Returns what tells a context from others: of a test, its last name, without its file and phase.
fn shortened(name: &str) -> Cow<'_, str> {
    let id = TestName::parse(name).map_or(name, |test| test.id());
    let last = id.find("::").map_or(id, |at| {
        // A parameter may hold `::`.
        let end = id.find('[').filter(|&bracket| bracket > at).unwrap_or(id.len());
        let from = id.get(..end).and_then(|before| before.rfind("::")).map_or(0, |at| at + 2);
        id.get(from..).unwrap_or(id)
    });
    match last.char_indices().nth(LABEL) {
        Some((end, _)) => Cow::Owned(format!("{}…", last.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(last),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<u32> {
        let (mut numbers, mut number, mut shift) = (Vec::new(), 0, 0);
        for byte in text.bytes() {
            let digit = DIGITS.iter().position(|&digit| digit == byte).unwrap() as u32;
            number |= (digit % 32) << shift;
            shift += 5;
            if digit < 32 {
                numbers.push(number);
                (number, shift) = (0, 0);
            }
        }
        numbers
    }

    fn contexts(rows: &[(&'static str, &[u32])]) -> LineContexts {
        let names: Vec<&str> = rows.iter().map(|row| row.0).collect();
        let ids = names.iter().copied().zip(0..).collect();
        let rows = rows.iter().map(|(name, lines)| {
            (*name, Cow::Owned(lines.iter().map(|line| line.cast_signed()).collect::<Numbits>()))
        });
        let shown = (0..100).collect();
        LineContexts::new(rows.collect(), &ContextNames { names, ids }, &shown)
    }

    #[test]
    fn numbers_of_any_size() {
        let mut text = String::new();
        let all = [0, 31, 32, 1023, 1024, u32::MAX];
        all.iter().for_each(|&number| push_number(&mut text, number));
        assert_eq!(numbers(&text), all);
    }

    #[test]
    fn lines_that_the_same_contexts_ran_are_one_class() {
        let all = contexts(&[("", &[1, 2, 9]), ("a", &[1, 2, 5, 100]), ("b", &[1, 2, 5, 7])]);
        let counts: Vec<ContextCounts> = all.context_counts().collect();
        let of =
            |context, lines, only_this_context| ContextCounts { context, lines, only_this_context };
        assert_eq!(counts, [of(0, 3, 1), of(1, 3, 0), of(2, 4, 1)]);
        let encoded = all.encode();
        assert_eq!(numbers(&encoded.lines), [1, 0, 1, 0, 3, 1, 2, 2, 2, 3]);
        assert_eq!(numbers(&encoded.contexts), [0, 1, 1]);
        assert_eq!(encoded.sets.len(), 3);
        // A bitmap of four classes takes one character.
        assert_eq!(encoded.sets, ["!J", "AC", "AD"]);
    }

    #[test]
    fn contexts_with_one_id_are_one() {
        let names = ["a|setup", "a|run", "b"];
        let ids = HashMap::from([("a|setup", 0), ("a|run", 0), ("b", 1)]);
        let lines = [&[1, 2][..], &[2, 3], &[1]];
        let rows = names.iter().zip(lines);
        let rows = rows.map(|(name, lines)| (*name, Cow::Owned(lines.iter().copied().collect())));
        let names = ContextNames { names: vec!["a", "b"], ids };
        let all = LineContexts::new(rows.collect(), &names, &(0..9).collect());
        let counts: Vec<_> =
            all.context_counts().map(|of| (of.lines, of.only_this_context)).collect();
        assert_eq!(counts, [(3, 2), (1, 0)]);
    }

    #[test]
    fn labels_name_a_context_or_count_them() {
        let test = "t/test_a.py::T::test_x[a::b]|run";
        let long = "a long name of a context that has no file";
        let all = contexts(&[("", &[1, 9]), (test, &[1, 2]), (long, &[4]), ("<b>", &[5])]);
        let mut html = String::new();
        (1..10).for_each(|line| all.push_label(&mut html, line));
        let expected = "<button class=ctx>2 contexts</button><button class=ctx>test_x[a::b]</button>\
            <button class=ctx>a long name of a context tha…</button><button class=ctx>&lt;b></button>\
            <span class=ctx>at import</span>";
        assert_eq!(html, expected);
    }
}
