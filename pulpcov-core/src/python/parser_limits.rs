//! Finds texts that nest too deeply for ruff's parser, before the parser reads them.
//!
//! CPython refuses more than 200 nested brackets. Ruff's parser accepts them, but takes quadratic
//! time for nested fields of f-strings. It also parses the text after `match` or `with` twice if
//! the text may be an expression. Then it drops the first tree by recursion, and the stack may be
//! too small for that.

/// The most nested brackets that CPython accepts, its `MAXLEVEL`.
const MAX_BRACKETS: u32 = 200;

/// Returns whether more brackets may be open at once than CPython accepts. Brackets in strings and
/// comments count too.
pub(super) fn has_deep_brackets(text: &str) -> bool {
    let mut depth = 0_u32;
    text.bytes().any(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_BRACKETS
    })
}

/// Returns an upper bound on the depth of a tree that ruff's parser drops while it parses, or 0 if
/// it drops none.
pub(super) fn dropped_depth(text: &str) -> usize {
    if !has_ambiguous_statement(text) {
        return 0;
    }
    // Each level of a tree takes at least one byte that is not a letter or digit: a bracket, an
    // operator, or the space after a word.
    text.bytes().filter(|byte| !byte.is_ascii_alphanumeric()).count()
}

/// Returns whether ruff's parser may parse the text after a `match` or `with` twice.
fn has_ambiguous_statement(text: &str) -> bool {
    let is_before = |word: &str, next: &[u8]| {
        memchr::memmem::find_iter(text.as_bytes(), word).any(|at| {
            let after = text.as_bytes().get(at + word.len()..).unwrap_or_default();
            // A backslash may continue the line.
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
    fn only_ambiguous_statements_drop_a_tree() {
        assert_eq!(dropped_depth("match x:\n    case 1: pass\n"), 0);
        assert_eq!(dropped_depth("with a as b:\n    pass\n"), 0);
        assert_eq!(dropped_depth("match (-x)\n"), 5);
        assert_eq!(dropped_depth("with \\\n(a)\n"), 6);
    }
}
