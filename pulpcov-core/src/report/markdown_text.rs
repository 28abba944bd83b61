//! Text from outside in Markdown.

use crate::text::printable;

/// Returns a name as code in a table. A name may come from anybody.
pub(super) fn code(name: &str) -> String {
    let name = printable(name).replace('|', "\\|");
    // The fence is longer than the longest row of backticks in the name.
    let longest = name.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("{fence}{name}{fence}"),
        _ => format!("{fence} {name} {fence}"),
    }
}

/// Escapes text, so that Markdown and HTML show it as it is.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in printable(text).chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_cell() {
        assert_eq!(code("a|b.py"), "`a\\|b.py`");
        assert_eq!(code("a`` `b.py"), "``` a`` `b.py ```");
        assert_eq!(escape("<img> @all [x](y) | *z*"), "&lt;img&gt; \\@all \\[x\\](y) \\| \\*z\\*");
    }
}
