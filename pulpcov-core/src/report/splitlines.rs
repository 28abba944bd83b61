//! Python's `str.splitlines`, which splits at other characters besides newlines.

/// Returns the lines of a text, each with its line ending.
pub(super) fn lines_with_ends(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = match rest.find(is_line_end) {
            None => rest.len(),
            Some(at) if rest.get(at..).is_some_and(|rest| rest.starts_with("\r\n")) => at + 2,
            Some(at) => {
                at + rest.get(at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
            }
        };
        let (line, behind) = rest.split_at(end);
        rest = behind;
        Some(line)
    })
}

/// Returns the lines of a text, without their line endings.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    lines_with_ends(text).map(|line| {
        let line = line.strip_suffix("\r\n").unwrap_or(line);
        line.strip_suffix(is_line_end).unwrap_or(line)
    })
}

fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_where_python_does() {
        let text = "a\r\n\r\rb\x0bc\x1cd\u{85}e\u{2028}\n\nf";
        let whole: Vec<&str> = lines_with_ends(text).collect();
        assert_eq!(whole.concat(), text);
        assert_eq!(lines(text).collect::<Vec<_>>(), ["a", "", "", "b", "c", "d", "e", "", "", "f"]);
        assert_eq!(lines("").count(), 0);
        assert_eq!(lines("\n").collect::<Vec<_>>(), [""]);
    }
}
