//! Text for people: foreign names made safe to print, and readable counts.

use std::borrow::Cow;
use std::cmp::Ordering;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Returns `text` with every non-printable character replaced by `?`.
///
/// File names, contexts and plugin names come from the author of the data file. An escape sequence could
/// forge terminal output, and a bidi control could reverse the order of a line. "Printable" means Python's
/// `str.isprintable`, which coverage.py uses for the same purpose (`misc.neutralize_control`).
///
/// # Examples
///
/// ```
/// use pulpcov_core::text::printable;
///
/// assert_eq!(printable("src/größe.py"), "src/größe.py");
/// assert_eq!(printable("a\x1b[31mred\n"), "a?[31mred?");
/// ```
pub fn printable(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_printable) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().map(|c| if is_printable(c) { c } else { '?' }).collect())
    }
}

/// Returns Python's `str.isprintable` for one character: `true` for the space, and for every character
/// outside Unicode's "other" and "separator" categories.
pub fn is_printable(c: char) -> bool {
    use GeneralCategory as G;
    match c {
        ' '..='~' => true,
        '\0'..='\x7f' => false,
        _ => !matches!(
            c.general_category(),
            G::Control
                | G::Format
                | G::Surrogate
                | G::PrivateUse
                | G::Unassigned
                | G::LineSeparator
                | G::ParagraphSeparator
                | G::SpaceSeparator
        ),
    }
}

/// Returns a message without the numbers that Rust adds to the words of the operating system. They tell a user nothing.
///
/// # Examples
///
/// ```
/// use pulpcov_core::text::without_error_numbers;
///
/// let message = "a.py: No such file or directory (os error 2): look again";
/// assert_eq!(without_error_numbers(message), "a.py: No such file or directory: look again");
/// assert_eq!(without_error_numbers("a (os error b)"), "a (os error b)");
/// ```
pub fn without_error_numbers(text: &str) -> Cow<'_, str> {
    const START: &str = " (os error ";
    if !text.contains(START) {
        return Cow::Borrowed(text);
    }
    let mut parts = text.split(START);
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        match rest.strip_prefix(')').filter(|_| rest.len() < part.len()) {
            Some(after) => words.push_str(after),
            None => words.extend([START, part]),
        }
    }
    Cow::Owned(words)
}

/// Returns a count and its noun: `1 file`, `2 files`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::text::plural;
///
/// assert_eq!(plural(1, "file"), "1 file");
/// assert_eq!(plural(0, "file"), "0 files");
/// ```
pub fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Returns a number of branches: `1 branch`, `2 branches`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::text::branches;
///
/// assert_eq!(branches(1), "1 branch");
/// assert_eq!(branches(0), "0 branches");
/// ```
pub fn branches(count: usize) -> String {
    format!("{count} branch{}", if count == 1 { "" } else { "es" })
}

/// Formats `text` as Python's `repr` writes a `str`: with quotes and escapes, and with printable characters
/// unchanged.
///
/// coverage.py quotes values this way in messages and in `debug config`.
///
/// # Examples
///
/// ```
/// use pulpcov_core::text::py_repr;
///
/// assert_eq!(py_repr("it's"), r#""it's""#);
/// assert_eq!(py_repr("C:\\src\n"), r"'C:\\src\n'");
/// ```
pub fn py_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if is_printable(c) => out.push(c),
            c => out.push_str(&py_escape(u32::from(c))),
        }
    }
    out.push(quote);
    out
}

fn py_escape(code: u32) -> String {
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

/// Compares strings as people do: runs of digits compare as numbers.
///
/// This is coverage.py's `misc.human_sorted`. A tie, such as `x1` and `x01`, is broken by plain comparison.
///
/// # Examples
///
/// ```
/// use pulpcov_core::text::human_cmp;
///
/// let mut names = ["z23a", "z3a", "z03a", "y"];
/// names.sort_by(|a, b| human_cmp(a, b));
/// assert_eq!(names, ["y", "z03a", "z3a", "z23a"]);
/// ```
pub fn human_cmp(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (HumanParts(a), HumanParts(b));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return a.cmp(b),
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some((text_a, number_a)), Some((text_b, number_b))) => {
                text_a.cmp(text_b).then_with(|| number_cmp(number_a, number_b))
            }
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Splits `ab12c` into `("ab", "12")` and `("c", "")`: text and the digits after it.
struct HumanParts<'a>(&'a str);

impl<'a> Iterator for HumanParts<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let digits = self.0.find(|c: char| c.is_ascii_digit()).unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(digits);
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, rest) = rest.split_at(end);
        self.0 = rest;
        Some((text, number))
    }
}

/// Compares digit strings as numbers of any size. No digits sort first.
fn number_cmp(a: &str, b: &str) -> Ordering {
    let significant = |s: &str| s.trim_start_matches('0').len();
    (!a.is_empty())
        .cmp(&!b.is_empty())
        .then_with(|| significant(a).cmp(&significant(b)))
        .then_with(|| a.trim_start_matches('0').cmp(b.trim_start_matches('0')))
}
