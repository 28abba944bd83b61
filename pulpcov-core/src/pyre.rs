//! Python's `re` patterns on fancy-regex.
//!
//! Users write `exclude_also` and `partial_branches` in the syntax of Python's `re`. Most of it
//! means the same here; what does not is rewritten, token by token: what counts as white space
//! and as a word, `\Z`, octal and Unicode escapes, literal braces and brackets, verbose mode,
//! named groups. What `re` refuses is refused, so that a configuration that coverage.py would
//! stop at is not quietly used.
//!
//! The rules are those of CPython 3.11's `re/_parser.py`.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use crate::{Error, ErrorKind};

/// Steps of backtracking that one search may take: a bound on time, far above what patterns need.
const BACKTRACK_LIMIT: usize = 100_000_000;

/// Python's `\s` is `str.isspace`, which has four control characters that Unicode has not.
const SPACE: &str = r"\s\x1c-\x1f";
/// Python's `\w` is `str.isalnum` and the underscore, without Unicode's combining marks.
const WORD: &str = r"\p{L}\p{N}_";
const ASCII_SPACE: &str = r"\x09-\x0d\x20";
const ASCII_WORD: &str = r"0-9A-Z_a-z";
const ASCII_DIGIT: &str = r"0-9";

/// A compiled pattern, as `re.compile(pattern, re.MULTILINE)` makes it.
#[derive(Debug, Clone)]
pub(crate) struct Pattern(fancy_regex::Regex);

impl Pattern {
    /// Compile a pattern in Python's syntax; `^` and `$` match at line ends.
    pub(crate) fn multiline(pattern: &str) -> Result<Self, PatternError> {
        let translated = Translator::new(pattern).translate()?;
        fancy_regex::RegexBuilder::new(&translated)
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map(Self)
            .map_err(|error| PatternError::Engine {
                pattern: pattern.to_owned(),
                error: error.to_string(),
            })
    }

    /// The byte ranges of the matches, from left to right, none overlapping: `re.finditer`.
    pub(crate) fn find_iter<'a>(
        &'a self,
        text: &'a str,
    ) -> impl Iterator<Item = Result<(usize, usize), PatternError>> + 'a {
        self.0.find_iter(text).map(|found| match found {
            Ok(found) => Ok((found.start(), found.end())),
            Err(error) => Err(PatternError::Engine {
                pattern: self.0.as_str().to_owned(),
                error: error.to_string(),
            }),
        })
    }
}

/// One pattern that matches what any of `patterns` matches: coverage.py's `misc.join_regex`.
pub(crate) fn join<S: AsRef<str>>(patterns: &[S]) -> String {
    match patterns {
        [one] => one.as_ref().to_owned(),
        many => many.iter().map(|p| format!("(?:{})", p.as_ref())).collect::<Vec<_>>().join("|"),
    }
}

/// Why a pattern cannot be used; the messages of syntax errors are Python's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PatternError {
    #[error("invalid regular expression {pattern:?}: {message}")]
    Syntax { pattern: String, message: String },
    #[error("regular expression {pattern:?} cannot be used: {error}")]
    Engine { pattern: String, error: String },
}

impl From<PatternError> for Error {
    fn from(cause: PatternError) -> Self {
        Self::new(ErrorKind::Pattern, cause)
    }
}

/// The flags that change how the text of a pattern is read.
#[derive(Debug, Clone, Copy)]
struct Flags {
    verbose: bool,
    ascii: bool,
    multiline: bool,
}

/// What stands before a quantifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Item,
    Repeat,
}

/// A group that is open.
#[derive(Debug, Clone, Copy)]
struct Group {
    /// The flags outside of it.
    outside: Flags,
    /// Its number if it captures.
    number: Option<u32>,
    /// How many branches more it may have, if it is conditional.
    branches: Option<u32>,
}

struct Translator<'a> {
    pattern: &'a str,
    rest: Peekable<Chars<'a>>,
    /// The flags of the whole pattern.
    global: String,
    out: String,
    flags: Flags,
    open: Vec<Group>,
    groups: u32,
    /// The highest group that a condition asks about; it may come later.
    asked: u32,
    names: BTreeMap<String, u32>,
    before: Before,
}

type Step<T = ()> = Result<T, String>;

impl<'a> Translator<'a> {
    fn new(pattern: &'a str) -> Self {
        Self {
            pattern,
            rest: pattern.chars().peekable(),
            global: String::from("m"),
            out: String::new(),
            flags: Flags { verbose: false, ascii: false, multiline: true },
            open: Vec::new(),
            groups: 0,
            asked: 0,
            names: BTreeMap::new(),
            before: Before::Nothing,
        }
    }

    fn translate(mut self) -> Result<String, PatternError> {
        match self.run() {
            Ok(()) => Ok(format!("(?{}){}", self.global, self.out)),
            Err(message) => Err(PatternError::Syntax { pattern: self.pattern.to_owned(), message }),
        }
    }

    fn run(&mut self) -> Step {
        while let Some(c) = self.rest.next() {
            match c {
                '#' if self.flags.verbose => while self.rest.next().is_some_and(|c| c != '\n') {},
                ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' if self.flags.verbose => {}
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.open_group()?,
                ')' => self.close_group()?,
                '{' => self.brace()?,
                '*' | '+' | '?' => self.repeat(&c.to_string())?,
                '|' => self.alternative()?,
                '^' => self.bare("^", Before::Nothing),
                '$' if self.flags.multiline => self.bare("$", Before::Nothing),
                '$' => self.bare(r"(?=\n?\z)", Before::Nothing),
                '.' => self.bare(".", Before::Item),
                c => self.literal(c),
            }
        }
        if !self.open.is_empty() {
            return Err("missing ), unterminated subpattern".into());
        }
        if self.asked > self.groups {
            return Err(format!("invalid group reference {}", self.asked));
        }
        Ok(())
    }

    fn bare(&mut self, text: &str, before: Before) {
        self.out.push_str(text);
        self.before = before;
    }

    fn literal(&mut self, c: char) {
        push_literal(&mut self.out, c);
        self.before = Before::Item;
    }

    fn repeat(&mut self, quantifier: &str) -> Step {
        match self.before {
            Before::Nothing => return Err("nothing to repeat".into()),
            Before::Repeat => return Err("multiple repeat".into()),
            Before::Item => self.bare(quantifier, Before::Repeat),
        }
        if let Some(kind) = self.rest.next_if(|&c| c == '?' || c == '+') {
            self.out.push(kind);
        }
        Ok(())
    }

    /// `{2}`, `{2,}`, `{,3}` and `{2,3}` repeat, any other brace is a literal.
    fn brace(&mut self) -> Step {
        let mut ahead = self.rest.clone();
        let low = digits(&mut ahead, 10);
        let range = ahead.next_if_eq(&',').is_some();
        let high = if range { digits(&mut ahead, 10) } else { low.clone() };
        let closed = ahead.next_if_eq(&'}').is_some();
        if !closed || (low.is_empty() && !range) {
            self.literal('{');
            return Ok(());
        }
        self.rest = ahead;
        let number = |text: &str| {
            text.parse::<u32>().map_err(|_| "the repetition number is too large".to_owned())
        };
        let least = if low.is_empty() { 0 } else { number(&low)? };
        if high.is_empty() {
            return self.repeat(&format!("{{{least},}}"));
        }
        let most = number(&high)?;
        if most < least {
            return Err("min repeat greater than max repeat".into());
        }
        self.repeat(&format!("{{{least},{most}}}"))
    }

    fn close_group(&mut self) -> Step {
        let group = self.open.pop().ok_or("unbalanced parenthesis")?;
        self.flags = group.outside;
        self.bare(")", Before::Item);
        Ok(())
    }

    fn alternative(&mut self) -> Step {
        if let Some(branches) = self.open.last_mut().and_then(|group| group.branches.as_mut()) {
            *branches =
                branches.checked_sub(1).ok_or("conditional backref with more than two branches")?;
        }
        self.bare("|", Before::Nothing);
        Ok(())
    }

    fn enter(&mut self, text: &str, flags: Flags, number: Option<u32>) {
        self.open.push(Group { outside: self.flags, number, branches: None });
        self.flags = flags;
        self.bare(text, Before::Nothing);
    }

    fn enter_capture(&mut self) {
        self.groups += 1;
        self.enter("(", self.flags, Some(self.groups));
    }

    fn open_group(&mut self) -> Step {
        if self.rest.next_if_eq(&'?').is_none() {
            self.enter_capture();
            return Ok(());
        }
        match self.rest.next().ok_or("unexpected end of pattern")? {
            ':' => self.enter("(?:", self.flags, None),
            '=' => self.enter("(?=", self.flags, None),
            '!' => self.enter("(?!", self.flags, None),
            '>' => self.enter("(?>", self.flags, None),
            '<' => match self.rest.next() {
                Some('=') => self.enter("(?<=", self.flags, None),
                Some('!') => self.enter("(?<!", self.flags, None),
                Some(c) => return Err(format!("unknown extension ?<{c}")),
                None => return Err("unexpected end of pattern".into()),
            },
            'P' => self.named()?,
            '#' => {
                if !self.rest.any(|c| c == ')') {
                    return Err("missing ), unterminated comment".into());
                }
            }
            '(' => self.conditional()?,
            c => self.inline_flags(c)?,
        }
        Ok(())
    }

    fn named(&mut self) -> Step {
        match self.rest.next() {
            Some('<') => {
                let name = self.name('>')?;
                let mut chars = name.chars();
                let is_identifier = chars.next().is_some_and(|c| c == '_' || c.is_alphabetic())
                    && chars.all(|c| c == '_' || c.is_alphanumeric());
                if !is_identifier {
                    return Err(format!("bad character in group name '{name}'"));
                }
                self.enter_capture();
                if let Some(old) = self.names.insert(name.clone(), self.groups) {
                    let new = self.groups;
                    return Err(format!(
                        "redefinition of group name '{name}' as group {new}; was group {old}"
                    ));
                }
                Ok(())
            }
            Some('=') => {
                let name = self.name(')')?;
                let number = self.group_named(&name)?;
                self.backreference(number)
            }
            Some(c) => Err(format!("unknown extension ?P{c}")),
            None => Err("unexpected end of pattern".into()),
        }
    }

    fn name(&mut self, end: char) -> Step<String> {
        let mut name = String::new();
        loop {
            match self.rest.next() {
                None => return Err(format!("missing {end}, unterminated name")),
                Some(c) if c == end => break,
                Some(c) => name.push(c),
            }
        }
        if name.is_empty() { Err("missing group name".into()) } else { Ok(name) }
    }

    fn group_named(&self, name: &str) -> Step<u32> {
        self.names.get(name).copied().ok_or_else(|| format!("unknown group name '{name}'"))
    }

    fn conditional(&mut self) -> Step {
        let name = self.name(')')?;
        let number = match name.parse::<u32>() {
            Ok(0) => return Err("bad group number".into()),
            Ok(number) => number,
            Err(_) => self.group_named(&name)?,
        };
        self.asked = self.asked.max(number);
        self.enter(&format!("(?({number})"), self.flags, None);
        if let Some(group) = self.open.last_mut() {
            group.branches = Some(1);
        }
        Ok(())
    }

    fn backreference(&mut self, number: u32) -> Step {
        if number > self.groups {
            return Err(format!("invalid group reference {number}"));
        }
        if self.open.iter().any(|group| group.number == Some(number)) {
            return Err("cannot refer to an open group".into());
        }
        self.bare(&format!("(?:\\{number})"), Before::Item);
        Ok(())
    }

    /// `(?i)`, `(?ms)` at the very start; `(?i:...)`, `(?-i:...)`, `(?x-i:...)` anywhere.
    fn inline_flags(&mut self, first: char) -> Step {
        let at_start = self.out.is_empty() && self.open.is_empty();
        let (mut flags, mut on, mut off) = (self.flags, String::new(), String::new());
        let mut adding = true;
        let mut c = first;
        loop {
            match c {
                'i' | 's' if adding => on.push(c),
                'i' | 's' => off.push(c),
                'm' => {
                    flags.multiline = adding;
                    if adding { on.push(c) } else { off.push(c) }
                }
                'x' => flags.verbose = adding,
                'a' if adding => flags.ascii = true,
                'u' if adding => flags.ascii = false,
                'L' => {
                    return Err("bad inline flags: cannot use 'L' flag with a str pattern".into());
                }
                '-' if adding => adding = false,
                ':' => break,
                ')' if adding => break,
                c if c.is_alphabetic() => return Err("unknown flag".into()),
                _ if c == first => return Err(format!("unknown extension ?{c}")),
                _ => return Err("missing -, : or )".into()),
            }
            c = self.rest.next().ok_or("missing -, : or )")?;
        }
        let off = if off.is_empty() { off } else { format!("-{off}") };
        if c == ':' {
            self.enter(&format!("(?{on}{off}:"), flags, None);
            return Ok(());
        }
        if !at_start {
            return Err("global flags not at the start of the expression".into());
        }
        self.flags = flags;
        self.global.push_str(&on.replace('m', ""));
        Ok(())
    }

    fn escape(&mut self) -> Step {
        let c = self.rest.next().ok_or("bad escape (end of pattern)")?;
        match c {
            'A' => self.bare(r"\A", Before::Nothing),
            'Z' => self.bare(r"\z", Before::Nothing),
            'b' => self.bare(r"\b", Before::Nothing),
            'B' => self.bare(r"\B", Before::Nothing),
            '1'..='9' => return self.reference_or_octal(c),
            _ => match set_escape(c, self.flags.ascii) {
                Some((negated, set)) => {
                    let not = if negated { "^" } else { "" };
                    self.bare(&format!("[{not}{set}]"), Before::Item);
                }
                None => {
                    let c = self.char_escape(c)?;
                    self.literal(c);
                }
            },
        }
        Ok(())
    }

    /// `\1` to `\99` are groups, unless three octal digits stand there.
    fn reference_or_octal(&mut self, first: char) -> Step {
        let mut number = first.to_digit(10).unwrap_or_default();
        if let Some(second) = self.rest.next_if(char::is_ascii_digit) {
            let third = self.rest.peek().copied().filter(|c| c.is_digit(8));
            if let (Some(a), Some(b), Some(third)) = (first.to_digit(8), second.to_digit(8), third)
            {
                self.rest.next();
                let code = a * 64 + b * 8 + third.to_digit(8).unwrap_or_default();
                self.literal(octal(code)?);
                return Ok(());
            }
            number = number * 10 + second.to_digit(10).unwrap_or_default();
        }
        self.backreference(number)
    }

    /// An escape that stands for one character, inside and outside of classes.
    fn char_escape(&mut self, c: char) -> Step<char> {
        Ok(match c {
            'a' => '\x07',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '0' => {
                let mut code = 0;
                for _ in 0..2 {
                    let Some(digit) = self.rest.next_if(|c| c.is_digit(8)) else { break };
                    code = code * 8 + digit.to_digit(8).unwrap_or_default();
                }
                octal(code)?
            }
            'x' => self.hex('x', 2)?,
            'u' => self.hex('u', 4)?,
            'U' => self.hex('U', 8)?,
            'N' => return Err("character names (\\N{...}) are not supported".into()),
            c if c.is_ascii_alphanumeric() => return Err(format!("bad escape \\{c}")),
            c => c,
        })
    }

    fn hex(&mut self, kind: char, length: usize) -> Step<char> {
        let text: String = std::iter::from_fn(|| self.rest.next_if(char::is_ascii_hexdigit))
            .take(length)
            .collect();
        if text.len() < length {
            return Err(format!("incomplete escape \\{kind}{text}"));
        }
        u32::from_str_radix(&text, 16)
            .ok()
            .and_then(char::from_u32)
            .ok_or_else(|| format!("bad escape \\{kind}{text}"))
    }

    fn class(&mut self) -> Step {
        let mut set = String::from("[");
        if self.rest.next_if_eq(&'^').is_some() {
            set.push('^');
        }
        let mut first = true;
        loop {
            let c = self.rest.next().ok_or("unterminated character set")?;
            if c == ']' && !first {
                break;
            }
            first = false;
            self.class_item(c, &mut set)?;
        }
        set.push(']');
        self.bare(&set, Before::Item);
        Ok(())
    }

    fn class_item(&mut self, c: char, set: &mut String) -> Step {
        let atom = self.class_atom(c)?;
        let mut ahead = self.rest.clone();
        let is_range = ahead.next() == Some('-') && ahead.peek().is_some_and(|&c| c != ']');
        let low = match atom {
            ClassAtom::Set(_) if is_range => return Err("bad character range".into()),
            ClassAtom::Set(text) => {
                set.push_str(&text);
                return Ok(());
            }
            ClassAtom::Char(low) => low,
        };
        if !is_range {
            push_hex(set, low);
            return Ok(());
        }
        self.rest.next();
        let c = self.rest.next().ok_or("unterminated character set")?;
        match self.class_atom(c)? {
            ClassAtom::Char(high) if low <= high => {
                push_hex(set, low);
                set.push('-');
                push_hex(set, high);
                Ok(())
            }
            ClassAtom::Char(_) | ClassAtom::Set(_) => Err("bad character range".into()),
        }
    }

    fn class_atom(&mut self, c: char) -> Step<ClassAtom> {
        if c != '\\' {
            return Ok(ClassAtom::Char(c));
        }
        let c = self.rest.next().ok_or("bad escape (end of pattern)")?;
        if let Some((negated, set)) = set_escape(c, self.flags.ascii) {
            let text = if negated { format!("[^{set}]") } else { set.to_owned() };
            return Ok(ClassAtom::Set(text));
        }
        Ok(ClassAtom::Char(match c {
            'b' => '\x08',
            '1'..='7' => {
                let mut code = c.to_digit(8).unwrap_or_default();
                for _ in 0..2 {
                    let Some(digit) = self.rest.next_if(|c| c.is_digit(8)) else { break };
                    code = code * 8 + digit.to_digit(8).unwrap_or_default();
                }
                octal(code)?
            }
            c => self.char_escape(c)?,
        }))
    }
}

enum ClassAtom {
    Char(char),
    Set(String),
}

/// The body of the class that `\d`, `\s`, `\w` stand for, and whether the capital negates it.
fn set_escape(c: char, ascii: bool) -> Option<(bool, &'static str)> {
    let set = match (c.to_ascii_lowercase(), ascii) {
        ('d', true) => ASCII_DIGIT,
        ('d', false) => r"\d",
        ('s', true) => ASCII_SPACE,
        ('s', false) => SPACE,
        ('w', true) => ASCII_WORD,
        ('w', false) => WORD,
        _ => return None,
    };
    Some((c.is_ascii_uppercase(), set))
}

fn digits(chars: &mut Peekable<Chars<'_>>, radix: u32) -> String {
    std::iter::from_fn(|| chars.next_if(|c| c.is_digit(radix))).collect()
}

fn octal(code: u32) -> Step<char> {
    char::from_u32(code)
        .filter(|_| code <= 0o377)
        .ok_or_else(|| format!("octal escape value \\{code:o} outside of range 0-0o377"))
}

fn push_literal(out: &mut String, c: char) {
    if c.is_ascii_punctuation() && c != '_' || c.is_ascii_control() {
        push_hex(out, c);
    } else {
        out.push(c);
    }
}

fn push_hex(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() {
        out.push(c);
    } else {
        out.push_str(&format!("\\x{{{:x}}}", u32::from(c)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joins_as_alternatives() {
        assert_eq!(join::<&str>(&[]), "");
        assert_eq!(join(&["a|b"]), "a|b");
        assert_eq!(join(&["a|b", "c"]), "(?:a|b)|(?:c)");
    }

    #[test]
    fn says_what_is_wrong_in_python_s_words() {
        let message = |pattern| Error::from(Pattern::multiline(pattern).unwrap_err()).to_string();
        assert_eq!(message("a**"), r#"invalid regular expression "a**": multiple repeat"#);
        assert_eq!(
            message("(?:(?i)a)"),
            "invalid regular expression \"(?:(?i)a)\": \
             global flags not at the start of the expression"
        );
    }

    #[test]
    fn survives_any_nesting() {
        let deep = format!("{}a{}", "(".repeat(100_000), ")".repeat(100_000));
        assert!(Pattern::multiline(&deep).is_err());
        let long = "a|".repeat(10_000);
        assert!(Pattern::multiline(&long).is_ok());
    }
}
