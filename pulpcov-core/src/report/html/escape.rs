//! Text from outside, made harmless in HTML and in scripts.

use std::fmt::Write;

/// Append text to HTML. What cannot be seen, or turns text around, becomes a mark that can be seen.
pub(super) fn push_text(html: &mut String, text: &str) {
    let mut plain = 0;
    for (at, c) in text.char_indices() {
        let entity = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            ' '..='~' | '\t' | '\n' => continue,
            c if is_deceptive(c) => "",
            _ => continue,
        };
        html.push_str(text.get(plain..at).unwrap_or_default());
        html.push_str(entity);
        if entity.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(html, "<mark data-c=\"U+{:04X}\"></mark>", u32::from(c));
        }
        plain = at + c.len_utf8();
    }
    html.push_str(text.get(plain..).unwrap_or_default());
}

/// Controls, and what changes the direction of text or has no width.
fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// JSON that may stand in a script, whether its element is closed by a tag or by the end of a file.
pub(super) fn script_safe(json: &str) -> String {
    let mut safe = String::with_capacity(json.len() + json.len() / 64);
    let mut plain = 0;
    // All of these are in JSON's strings only.
    for (at, found) in json.match_indices(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        safe.push_str(json.get(plain..at).unwrap_or_default());
        let code = found.chars().next().map_or(0, u32::from);
        let _ = write!(safe, "\\u{code:04x}");
        plain = at + found.len();
    }
    safe.push_str(json.get(plain..).unwrap_or_default());
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        let mut html = String::new();
        push_text(&mut html, "<b> & \"q\" 'p' é\u{202e}\0\t");
        let marks = "<mark data-c=\"U+202E\"></mark><mark data-c=\"U+0000\"></mark>\t";
        assert_eq!(html, format!("&lt;b&gt; &amp; &quot;q&quot; &#39;p&#39; é{marks}"));
    }

    #[test]
    fn json_cannot_end_a_script() {
        let json = serde_json::to_string("</script><!-- & \u{2028}").unwrap();
        let safe = script_safe(&json);
        assert_eq!(safe, r#""\u003c/script\u003e\u003c!-- \u0026 \u2028""#);
        assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), "</script><!-- & \u{2028}");
    }
}
