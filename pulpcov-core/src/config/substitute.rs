//! Environment variables in values: `$X`, `${X}`, `${X?}`, `${X-default}` and `$$`.

use crate::pytext::is_word;
use crate::text::py_repr;

/// The error for a variable that is marked with `?` but not set.
#[derive(Debug, thiserror::Error)]
#[error("Variable {word} is undefined: {}", py_repr(.text))]
pub(super) struct Undefined {
    word: String,
    text: String,
}

/// A variable's name and what follows it, after a `$`.
struct Reference<'a> {
    word: &'a str,
    missing: Missing<'a>,
    /// The length in bytes, without the `$`.
    len: usize,
}

/// What to do if the variable is not set.
enum Missing<'a> {
    Default(&'a str),
    Refused,
}

/// Replaces the variables in `text`. A `$` that starts none of the forms stays.
///
/// The forms are those of coverage.py's `misc.substitute_variables`. A variable that is not set is
/// replaced by nothing.
pub(super) fn substitute(
    text: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<String, Undefined> {
    let mut out = String::with_capacity(text.len());
    // There is no `}` after this position, so none is searched for there. A search for each `$`
    // would take quadratic time.
    let last_close = text.rfind('}').unwrap_or(0);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push('$');
            rest = after;
        } else if let Some(reference) = reference(rest, text.len() - rest.len() < last_close) {
            match (variable(reference.word), reference.missing) {
                (Some(value), _) => out.push_str(&value),
                (None, Missing::Default(value)) => out.push_str(value),
                (None, Missing::Refused) => {
                    let word = reference.word.to_owned();
                    return Err(Undefined { word, text: text.to_owned() });
                }
            }
            rest = &rest[reference.len..];
        } else {
            out.push('$');
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn reference(text: &str, may_close: bool) -> Option<Reference<'_>> {
    let Some(braced) = text.strip_prefix('{') else {
        let word = leading_word(text)?;
        return Some(Reference { word, missing: Missing::Default(""), len: word.len() });
    };
    let word = leading_word(braced).filter(|_| may_close)?;
    let rest = &braced[word.len()..];
    let (missing, tail) = if rest.starts_with('}') {
        (Missing::Default(""), 1)
    } else if rest.starts_with("?}") {
        (Missing::Refused, 2)
    } else {
        let (default, _) = rest.strip_prefix('-')?.split_once('}')?;
        (Missing::Default(default), default.len() + 2)
    };
    Some(Reference { word, missing, len: 1 + word.len() + tail })
}

fn leading_word(text: &str) -> Option<&str> {
    let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
    (end > 0).then(|| &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<String> {
        match name {
            "FOO" => Some("fooey".to_owned()),
            "EMPTY" => Some(String::new()),
            "wörd" => Some("w$FOO".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn forms() {
        let cases = [
            ("Nothing to do", "Nothing to do"),
            ("Dollar: $$", "Dollar: $"),
            ("$FOO is x", "fooey is x"),
            ("$FOO-bar ${FOO}bar $FOObar.", "fooey-bar fooeybar ."),
            ("${NOTHING-default}", "default"),
            ("${EMPTY-default}|${FOO?}", "|fooey"),
            ("${NOTHING-a\nb$c}", "a\nb$c"),
            ("$$FOO $$$FOO", "$FOO $fooey"),
            ("${FOO ${} $ ${FOO?x} ${FOO-x", "${FOO ${} $ ${FOO?x} ${FOO-x"),
            ("$wörd", "w$FOO"),
            ("$", "$"),
        ];
        for (text, expected) in cases {
            assert_eq!(substitute(text, variable).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn strict_variables_must_exist() {
        let error = substitute("${FOO}xXx${NOPE?}yYy", variable).unwrap_err();
        assert_eq!(error.to_string(), "Variable NOPE is undefined: '${FOO}xXx${NOPE?}yYy'");
    }
}
