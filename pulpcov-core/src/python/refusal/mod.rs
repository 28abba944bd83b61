//! Finds out why CPython refuses a text, in CPython's words.
//!
//! ruff's parser accepts nearly the same texts as CPython's parser, and stops at nearly the same
//! places, but its messages differ. So if ruff's parser refuses a text, or if a version of Python
//! may refuse it, the text is parsed again by CPython's grammar:
//!
//! - `tokenizer` splits the text into CPython's tokens, and finds the errors of CPython's
//!   tokenizer.
//! - `grammar` reads the rules of a version from `grammar.peg`.
//! - `parser` tries the rules in the same order as CPython.
//! - `actions` runs the actions of the grammar that can refuse the text.
//! - `strings` checks the content of string literals.
//! - `fstrings` checks the f-strings of Python 3.11.
//!
//! Each token takes some microseconds. The time is linear in the length of the text, and bounded.
//!
//! If an item follows a function or a constant of CPython, its comment names that.

mod actions;
mod fstrings;
mod grammar;
mod parser;
mod strings;
mod tokenizer;

use self::parser::{Parser, Refusal, Verdict};
use self::tokenizer::Tokenizer;
use super::PythonVersion;
use super::not_python::NotPython;

/// The answer of CPython's grammar to a text.
#[derive(Debug)]
pub(crate) enum Reparsed {
    /// The grammar accepts the text. The compiler may still refuse it, for the reason given.
    Accepted(Option<NotPython>),
    /// The tokenizer or the grammar refuses the text.
    Refused(NotPython),
    /// The text is nested too deeply, or parsing it would take too long.
    Unknown,
}

/// Parses a text by CPython's grammar. The text must end in a newline.
pub(crate) fn reparse(text: &str, version: PythonVersion) -> Reparsed {
    let not_python = |refusal: Refusal| NotPython::new(refusal.message, Some(refusal.line));
    match Parser::new(text, version, 0).file() {
        Verdict::Accepted(refusal) => Reparsed::Accepted(refusal.map(not_python)),
        Verdict::Refused(refusal) => Reparsed::Refused(not_python(refusal)),
        Verdict::GivenUp => match Tokenizer::new(text, version, 0).first_error() {
            Some((message, line)) => Reparsed::Refused(NotPython::new(message, Some(line))),
            None => Reparsed::Unknown,
        },
    }
}

/// Returns whether CPython refuses the indentation of a text that ruff's parser accepts.
///
/// CPython counts columns in two ways: with tabs that go to the next multiple of eight columns, and
/// with tabs of one column. Both ways must find the same levels of indentation.
pub(crate) fn has_wrong_indentation(text: &str, version: PythonVersion) -> bool {
    let has_tab = |line: &str| line.trim_start_matches(' ').starts_with('\t');
    memchr::memchr(b'\t', text.as_bytes()).is_some()
        && text.lines().any(has_tab)
        && Tokenizer::new(text, version, 0).first_error().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use PythonVersion::{Py311, Py312, Py313, Py314, Py315};

    /// Returns the line and the message, or an empty string if CPython accepts the text.
    fn refused(text: &str, version: PythonVersion) -> String {
        match reparse(text, version) {
            Reparsed::Accepted(None) => String::new(),
            Reparsed::Accepted(Some(why)) => format!("later: {why}"),
            Reparsed::Refused(why) => crate::Error::from(why).to_string(),
            Reparsed::Unknown => "unknown".to_owned(),
        }
    }

    #[test]
    fn every_version_has_a_grammar_that_accepts_python() {
        let source = "\
@a.b
async def f(a, /, b: int = 1, *c, d, **e) -> x:
    async with a as b, (c): return [i async for i in x if await i]
for x, *y in z:
    if (a := b) <= c != d: x[1:2, ::3] = {**a, 'b': not c}
    elif x: del y, (z); continue
    else: break
while x: f(*a, b=lambda *, c: c ** -1)
try: from . import (a as b, c,)
except (A, B) as e: raise e from None
else: assert x, f'{x!r:>{w}}'
finally: global g; g += yield
match x, y:
    case [1 | -2.5 + 3j, *_] | {'k': None, **r} if z: pass
    case A.B(c, d=(e as f)): pass
";
        for version in PythonVersion::ALL {
            assert_eq!(refused(source, version), "", "{version:?}");
            assert_eq!(refused("\n", version), "", "{version:?}");
        }
    }

    #[test]
    fn says_what_cpython_says() {
        const FLUFL: &str = "from __future__ import barry_as_FLUFL\na <> b\n";
        for (text, version, expected) in [
            (
                "match x:\n",
                Py311,
                "line 1: expected an indented block after 'match' statement on line 1",
            ),
            ("try: pass\n", Py313, "line 1: expected 'except' or 'finally' block"),
            (
                "class A:\nx\n",
                Py311,
                "line 2: expected an indented block after class definition on line 1",
            ),
            (
                "if x: y\nelse:\nz\n",
                Py314,
                "line 3: expected an indented block after 'else' statement on line 2",
            ),
            (
                "if (\n a):\nx\n",
                Py313,
                "line 3: expected an indented block after 'if' statement on line 1",
            ),
            ("@x\n", Py314, "line 1: invalid syntax"),
            ("match x:\n case {+1: y}: pass\n", Py314, "line 2: invalid syntax"),
            ("match x:\n case A(+1): pass\n", Py314, "line 2: invalid syntax"),
            ("match x:\n case A(+1): pass\n", Py315, ""),
            ("match x:\n case -2(y): pass\n", Py311, "line 2: invalid syntax"),
            (
                "match x:\n case A(y=2,\n(\n1)): pass\n",
                Py314,
                "line 4: positional patterns follow keyword patterns",
            ),
            ("x = (a b)\n", Py311, "line 1: invalid syntax. Perhaps you forgot a comma?"),
            ("f(a for a in b, c)\n", Py313, "line 1: Generator expression must be parenthesized"),
            ("x = (\n", Py313, "line 1: '(' was never closed"),
            ("f'{a b}'\n", Py311, "line 1: f-string: invalid syntax. Perhaps you forgot a comma?"),
            (
                "f'''{a}\n{b c}'''\n",
                Py311,
                "line 2: f-string: invalid syntax. Perhaps you forgot a comma?",
            ),
            (
                "f'{a!x}'\n",
                Py314,
                "line 1: f-string: invalid conversion character 'x': expected 's', 'r', or 'a'",
            ),
            ("f'{'a'}'\n", Py312, ""),
            ("f'''{\n[\n'''", Py314, "line 3: f-string: expecting '}'"),
            ("f'''{\n[\n'''", Py315, "line 3: f-string: expecting '}' to close '{' on line 1"),
            ("f'''{a:\n{(b\n'''", Py315, "line 3: f-string: expecting '}' to close '{' on line 2"),
            ("f'''{a:\n{b'''", Py315, "line 2: f-string: expecting '}'"),
            ("t'{a}'\n", Py313, "line 1: invalid syntax"),
            ("t'{a}'\n", Py314, ""),
            (
                "def f(a=1, b): pass\n",
                Py311,
                "line 1: non-default argument follows default argument",
            ),
            (
                "def f(a=1, b): pass\n",
                Py312,
                "line 1: parameter without a default follows parameter with a default",
            ),
            (FLUFL, Py312, "line 2: invalid syntax"),
            (FLUFL, Py313, ""),
            (
                "match x:\n case {f'a': 1}: pass\n",
                Py313,
                "later: mapping pattern keys may only match literals and attribute lookups",
            ),
        ] {
            assert_eq!(refused(text, version), expected, "{text:?} of {version:?}");
        }
    }

    #[test]
    fn hostile_texts_come_to_an_end() {
        let openings = [
            "(",
            "[",
            "{",
            "{1: ",
            "f(a=",
            "(lambda: ",
            "x[",
            "[a for a in ",
            "(a if ",
            "f(*",
            "print (",
        ];
        for opening in openings {
            for before in ["", "with ", "for ", "del ", "match ", "def f(a="] {
                for inner in ["x y", "x = 1", "x:", ""] {
                    let text = format!("{before}{}{inner}\n", opening.repeat(190));
                    let said = refused(&text, Py314);
                    assert!(said.starts_with("line 1: "), "{before}{opening}{inner}: {said}");
                }
            }
        }
        for unit in ["-", "not ", "lambda: ", "a if b else ", "a ** "] {
            let said = refused(&format!("{}x y\n", unit.repeat(50_000)), Py313);
            assert_eq!(said, "unknown", "{unit}");
        }
    }

    #[test]
    fn tabs_and_spaces_must_agree() {
        assert!(has_wrong_indentation("if x:\n        y\n\tz\n", Py311));
        assert!(!has_wrong_indentation("if x:\n\ty\n\tz\n", Py311));
        assert!(!has_wrong_indentation("x = '''\n\ty'''\n", Py311));
    }
}
