//! Syntax highlighting of Python, line by line: keywords, strings, numbers and comments.
//!
//! The parser has already decided whether the text is Python, and a mistake here only gives a token
//! the wrong color. So the highlighter does not parse the text again, and copies no token.

use std::ops::Range;

use super::escape::push_text;

/// Words that are keywords only at the start of a line that looks like their statement.
const SOFT_KEYWORDS: [&str; 3] = ["case", "match", "type"];

/// The number of bytes of a line that are highlighted. What follows is plain text.
const HIGHLIGHTED: usize = 2_000;

/// Highlights the lines of a file, which must come in order.
pub(super) struct Highlighter {
    is_python: bool,
    /// The string, begun on an earlier line, that the current line starts in.
    open: Option<Quotes>,
}

/// The kind of a string literal, which determines where the string ends.
#[derive(Clone, Copy)]
struct Quotes {
    quote: u8,
    is_triple: bool,
    is_raw: bool,
    /// The depth of braces in an f-string or a t-string; `None` for other strings.
    depth: Option<u32>,
}

impl Highlighter {
    pub(super) fn new(is_python: bool) -> Self {
        Self { is_python, open: None }
    }

    /// Appends a line; `line` has no line ending.
    pub(super) fn push_line(&mut self, html: &mut String, line: &str) {
        if !self.is_python {
            push_text(html, line);
            return;
        }
        let bytes = line.as_bytes();
        let mut at = 0;
        // Text from here on has not been appended yet, and is not highlighted.
        let mut plain = 0;
        if let Some(quotes) = self.open.take() {
            at = self.skip_string(bytes, 0, quotes);
            push_tagged(html, "u", line, 0..at);
            plain = at;
        }
        while let Some(&byte) = bytes.get(at) {
            let start = at;
            let tag = match byte {
                b'#' => {
                    at = bytes.len();
                    Some("i")
                }
                b'"' | b'\'' => {
                    at = self.begin_string(bytes, at, "");
                    Some("u")
                }
                b'0'..=b'9' => {
                    at = end_of_word(bytes, at);
                    Some("var")
                }
                b if is_word(b) => {
                    at = end_of_word(bytes, at);
                    let word = line.get(start..at).unwrap_or_default();
                    if matches!(bytes.get(at), Some(b'"' | b'\'')) && is_prefix(word) {
                        at = self.begin_string(bytes, at, word);
                        Some("u")
                    } else if is_keyword(word) || is_soft(line, start, word) {
                        Some("b")
                    } else {
                        None
                    }
                }
                _ => {
                    at += 1;
                    None
                }
            };
            // A browser takes seconds for a line of many thousands of elements.
            if let Some(tag) = tag.filter(|_| start < HIGHLIGHTED) {
                push_text(html, line.get(plain..start).unwrap_or_default());
                push_tagged(html, tag, line, start..at);
                plain = at;
            }
        }
        push_text(html, line.get(plain..).unwrap_or_default());
    }

    /// Returns the end of the string whose opening quotes are at `at`.
    fn begin_string(&mut self, bytes: &[u8], at: usize, prefix: &str) -> usize {
        let quote = bytes.get(at).copied().unwrap_or_default();
        let is_triple = bytes.get(at..at + 3).is_some_and(|next| next.iter().all(|&b| b == quote));
        let has = |letters: [char; 2]| prefix.contains(letters);
        let quotes = Quotes {
            quote,
            is_triple,
            is_raw: has(['r', 'R']),
            depth: (has(['f', 'F']) || has(['t', 'T'])).then_some(0),
        };
        self.skip_string(bytes, at + if is_triple { 3 } else { 1 }, quotes)
    }

    /// Returns the end of the string, or of the line if the string does not end on it. If the
    /// string may continue on the next line, remembers it for that line.
    fn skip_string(&mut self, bytes: &[u8], mut at: usize, mut quotes: Quotes) -> usize {
        while let Some(&byte) = bytes.get(at) {
            let next = bytes.get(at + 1).copied();
            match byte {
                b'\\' if at + 1 >= bytes.len() => {
                    self.open = Some(quotes);
                    return bytes.len();
                }
                b'\\' if !quotes.is_raw || next == Some(quotes.quote) || next == Some(b'\\') => {
                    at += 2
                }
                b'{' if quotes.depth == Some(0) && next == Some(b'{') => at += 2,
                b'{' => {
                    quotes.depth = quotes.depth.map(|depth| depth + 1);
                    at += 1;
                }
                b'}' => {
                    quotes.depth = quotes.depth.map(|depth| depth.saturating_sub(1));
                    at += 1;
                }
                b'"' | b'\'' if quotes.depth.is_some_and(|depth| depth > 0) => {
                    // Inside braces, even the same quotes begin a nested string.
                    at = end_of_inner_string(bytes, at);
                }
                _ if quotes.ends(bytes, at) => return at + if quotes.is_triple { 3 } else { 1 },
                _ => at += 1,
            }
        }
        if quotes.is_triple || quotes.depth.is_some_and(|depth| depth > 0) {
            self.open = Some(quotes);
        }
        bytes.len()
    }
}

impl Quotes {
    fn ends(self, bytes: &[u8], at: usize) -> bool {
        let length = if self.is_triple { 3 } else { 1 };
        bytes.get(at..at + length).is_some_and(|next| next.iter().all(|&b| b == self.quote))
    }
}

fn end_of_inner_string(bytes: &[u8], at: usize) -> usize {
    let quote = bytes.get(at).copied();
    let behind = bytes.get(at + 1..).unwrap_or_default();
    behind.iter().position(|b| Some(*b) == quote).map_or(at + 1, |end| at + end + 2)
}

fn is_keyword(word: &str) -> bool {
    #[rustfmt::skip]
    let is_keyword = matches!(
        word,
        "False" | "None" | "True" | "and" | "as" | "assert" | "async" | "await" | "break" | "class" | "continue" | "def"
            | "del" | "elif" | "else" | "except" | "finally" | "for" | "from" | "global" | "if" | "import" | "in" | "is"
            | "lambda" | "nonlocal" | "not" | "or" | "pass" | "raise" | "return" | "try" | "while" | "with" | "yield"
    );
    is_keyword
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

fn end_of_word(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(|&b| !is_word(b)).unwrap_or(rest.len())
}

fn is_prefix(word: &str) -> bool {
    word.len() <= 2 && word.bytes().all(|b| b"rRbBuUfFtT".contains(&b))
}

fn is_soft(line: &str, start: usize, word: &str) -> bool {
    SOFT_KEYWORDS.contains(&word)
        && line.get(..start).is_some_and(|before| before.trim().is_empty())
        && line.get(start + word.len()..).is_some_and(|rest| {
            let is_statement =
                rest.starts_with(' ') && !rest.trim_start().starts_with(['=', '.', ',', ')', ':']);
            let body = rest.split('#').next().unwrap_or(rest).trim_end();
            is_statement && if word == "type" { body.contains('=') } else { body.contains(':') }
        })
}

fn push_tagged(html: &mut String, tag: &str, line: &str, range: Range<usize>) {
    if range.is_empty() {
        return;
    }
    for part in ["<", tag, ">"] {
        html.push_str(part);
    }
    push_text(html, line.get(range).unwrap_or_default());
    for part in ["</", tag, ">"] {
        html.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let mut highlighter = Highlighter::new(true);
        let highlight = |line| {
            let mut html = String::new();
            highlighter.push_line(&mut html, line);
            html
        };
        text.lines().map(highlight).collect()
    }

    #[test]
    fn tells_tokens_apart() {
        let text = "for x1 in [10, 0x1f]:  # no 'string'\n    s = rb'a\\'' + \"b\" if x else None";
        assert_eq!(
            lines(text),
            [
                "<b>for</b> x1 <b>in</b> [<var>10</var>, <var>0x1f</var>]:  <i># no 'string'</i>",
                "    s = <u>rb'a\\''</u> + <u>\"b\"</u> <b>if</b> x <b>else</b> <b>None</b>",
            ]
        );
    }

    #[test]
    fn a_line_has_few_elements() {
        let html = lines(&format!("x = [{}'''a\nb'''", "1, ".repeat(40_000)));
        assert!(html[0].matches("<var>").count() < 700);
        assert!(html[0].ends_with("1, 1, '''a"));
        // The string in the rest of the line goes on.
        assert_eq!(html[1], "<u>b'''</u>");
    }

    #[test]
    fn strings_go_on_in_the_next_line() {
        let text = "x = '''a # b\nif ' \" c''' # d\ny = 'e\\\nf' + g\nz = f'{a['b']}{{' + h";
        assert_eq!(
            lines(text),
            [
                "x = <u>'''a # b</u>",
                "<u>if ' \" c'''</u> <i># d</i>",
                "y = <u>'e\\</u>",
                "<u>f'</u> + g",
                "z = <u>f'{a['b']}{{'</u> + h",
            ]
        );
    }

    #[test]
    fn soft_keywords_are_names_elsewhere() {
        assert_eq!(lines("match x:")[0], "<b>match</b> x:");
        assert_eq!(lines("  case (1, y):")[0], "  <b>case</b> (<var>1</var>, y):");
        assert_eq!(lines("match = case.type")[0], "match = case.type");
        assert_eq!(lines("type X = int")[0], "<b>type</b> X = int");
    }
}
