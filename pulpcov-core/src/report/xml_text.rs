//! Text from outside in XML.

/// Escapes what Python's `minidom` escapes in text and in attributes, and characters that XML changes or does not have.
///
/// XML reads a line end in an attribute as a space, so it is written as a reference. Other control characters cannot be
/// written at all, and become `?`.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '"' => escaped.push_str("&quot;"),
            '>' => escaped.push_str("&gt;"),
            '\t' | '\n' | '\r' => escaped.push_str(&format!("&#{};", u32::from(c))),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_attribute() {
        assert_eq!(escape("a\"<b>&]]>é"), "a&quot;&lt;b&gt;&amp;]]&gt;é");
        assert_eq!(escape("a\nb\tc\x1bd\0"), "a&#10;b&#9;c?d?");
    }
}
