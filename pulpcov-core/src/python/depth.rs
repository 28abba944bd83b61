//! Finds texts that are too deep for ruff's parser, before it reads them.
//!
//! CPython refuses more than 200 brackets in each other. Ruff's parser accepts them, but takes quadratic time for nested fields of
//! f-strings. It also parses the text after `match` or `with` twice if that may be an expression, and drops the first tree by
//! recursion, on a stack that may have no room for it.

/// CPython's `MAXLEVEL`.
const MOST_BRACKETS: u32 = 200;

/// Returns whether more brackets than CPython allows may be open at once. Brackets in strings and comments count, too.
pub(super) fn has_deep_brackets(text: &str) -> bool {
    let mut depth = 0_u32;
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MOST_BRACKETS
    })
}

/// Returns an upper bound on the levels of a tree that ruff's parser drops while it parses, or 0 if it drops none.
pub(super) fn dropped_levels(text: &str) -> usize {
    if !has_ambiguous_statement(text) {
        return 0;
    }
    // Each level takes a bracket, an operator, or a word and what separates it from the next word.
    text.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count()
}

/// Returns whether a statement may begin with `match` or `with` and be something else.
fn has_ambiguous_statement(text: &str) -> bool {
    let is_before = |word: &str, next: &[u8]| {
        memchr::memmem::find_iter(text.as_bytes(), word).any(|at| {
            let after = text.as_bytes().get(at + word.len()..).unwrap_or_default();
            // A line break may be escaped.
            let blanks = [b' ', b'\t', b'\x0c', b'\\', b'\n'];
            after.iter().find(|byte| !blanks.contains(byte)).is_some_and(|byte| next.contains(byte))
        })
    };
    is_before("match", b"([*-") || is_before("with", b"(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_counted_to_the_limit_of_cpython() {
        assert!(!has_deep_brackets(&format!("x = {}{}\n", "(".repeat(200), ")".repeat(200))));
        assert!(has_deep_brackets(&format!("x = {}{}\n", "(".repeat(201), ")".repeat(201))));
        assert!(!has_deep_brackets(&"f(x)[0]\n".repeat(1000)));
    }

    #[test]
    fn only_ambiguous_statements_have_levels_to_drop() {
        assert_eq!(dropped_levels("match x:\n    case 1: pass\n"), 0);
        assert_eq!(dropped_levels("with a as b:\n    pass\n"), 0);
        assert_eq!(dropped_levels("match (-x)\n"), 5);
        assert_eq!(dropped_levels("with \\\n(a)\n"), 6);
    }
}
