//! Finds a few words such that every match of a pattern contains one of them. Only the places
//! around these words are searched for matches.
//!
//! Most source files have nothing to exclude, and a search for words takes a fraction of the time
//! of a regular expression.

use std::ops::Range;

use aho_corasick::Span;
use aho_corasick::packed::Searcher;
use memchr::{memchr, memrchr};
use regex_syntax::Parser;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The limit on words. A search for more words is not faster than the pattern.
const MAX_WORDS: usize = 16;

/// The limit on line breaks that a match may cross. If a match can cross more, the whole text is
/// searched.
const MAX_LINE_BREAKS: usize = 16;

/// The minimum length of a word, in bytes. Shorter words are in almost every text.
const SHORTEST_WORD: usize = 3;

/// The words of which every match of a pattern contains at least one.
#[derive(Clone)]
pub(super) struct Required {
    /// A search for the words.
    words: Searcher,
    /// The limit on how often a match can go on in the next line, or after blank lines. `None`
    /// means that there is no limit.
    line_breaks: Option<usize>,
}

impl Required {
    /// Analyzes a pattern. Returns `None` if it finds no small set of words such that every match
    /// contains one.
    pub(super) fn of(pattern: &str) -> Option<Self> {
        // `regex_syntax` parses neither look-around nor references to groups.
        let hir = Parser::new().parse(pattern).ok()?;
        let words = words(&hir).filter(|words| shortest(words) >= SHORTEST_WORD)?;
        Some(Self { words: Searcher::new(words.0)?, line_breaks: line_breaks(&hir) })
    }

    /// Returns the places that can have matches, in order. A place is a range of whole lines. No
    /// match goes beyond its place.
    pub(super) fn places<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        let mut around_words = self.around_words(text.as_bytes()).peekable();
        std::iter::from_fn(move || {
            let mut place = around_words.next()?;
            while let Some(next) = around_words.next_if(|next| next.start <= place.end) {
                place.end = next.end;
            }
            Some(place)
        })
    }

    /// Returns, for each line with a word, the lines that a match with the word can cover.
    fn around_words<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Range<usize>> + 't {
        let mut from = 0;
        std::iter::from_fn(move || {
            let word = self.words.find_in(text, Span { start: from, end: text.len() })?;
            from = line_end(text, word.start());
            let Some(line_breaks) = self.line_breaks else {
                from = text.len();
                return Some(0..text.len());
            };
            let mut lines = line_start(text, word.start())..from;
            for _ in 0..line_breaks {
                let before = text.get(..lines.start).unwrap_or_default();
                let above = before.iter().rposition(u8::is_ascii_graphic);
                lines.start = above.map_or(0, |at| line_start(text, at));
                let after = text.get(lines.end..).unwrap_or_default();
                let below = after.iter().position(u8::is_ascii_graphic);
                lines.end = below.map_or(text.len(), |at| line_end(text, lines.end + at));
            }
            Some(lines)
        })
    }
}

fn line_start(text: &[u8], at: usize) -> usize {
    text.get(..at).and_then(|before| memrchr(b'\n', before)).map_or(0, |newline| newline + 1)
}

/// Returns the position of the next newline, or the end of the text.
fn line_end(text: &[u8], at: usize) -> usize {
    text.get(at..).and_then(|rest| memchr(b'\n', rest)).map_or(text.len(), |length| at + length)
}

/// Returns the limit on how often a match of `hir` can go on after newlines and other blanks.
/// Returns `None` if there is no limit, or if the match depends on where the text ends.
fn line_breaks(hir: &Hir) -> Option<usize> {
    match hir.kind() {
        HirKind::Look(Look::End | Look::StartCRLF | Look::EndCRLF) => None,
        HirKind::Empty | HirKind::Look(_) => Some(0),
        HirKind::Literal(literal) => (!literal.0.contains(&b'\n')).then_some(0),
        HirKind::Class(class) => Some(usize::from(has_newline(class))),
        HirKind::Capture(group) => line_breaks(&group.sub),
        HirKind::Repetition(repeated) => match (line_breaks(&repeated.sub)?, repeated.max) {
            (0, _) => Some(0),
            (once, Some(most)) => {
                once.checked_mul(most as usize).filter(|&all| all <= MAX_LINE_BREAKS)
            }
            (_, None) => is_blank(&repeated.sub).then_some(1),
        },
        HirKind::Concat(parts) => {
            let all = parts.iter().try_fold(0_usize, |all, part| Some(all + line_breaks(part)?))?;
            Some(all).filter(|&all| all <= MAX_LINE_BREAKS)
        }
        HirKind::Alternation(branches) => {
            branches.iter().try_fold(0, |most, branch| Some(most.max(line_breaks(branch)?)))
        }
    }
}

fn has_newline(class: &Class) -> bool {
    match class {
        Class::Unicode(class) => class.iter().any(|r| r.start() <= '\n' && '\n' <= r.end()),
        Class::Bytes(class) => class.iter().any(|r| r.start() <= b'\n' && b'\n' <= r.end()),
    }
}

/// Returns whether `hir` matches no visible ASCII characters.
fn is_blank(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(group) => is_blank(&group.sub),
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().all(|r| r.end() <= ' ' || r.start() >= '\u{80}')
        }
        _ => false,
    }
}

/// A set of words. Every match contains at least one of them.
#[derive(Clone)]
struct Words(Vec<Vec<u8>>);

impl Words {
    fn empty() -> Self {
        Self(vec![Vec::new()])
    }

    fn is_small(&self) -> bool {
        self.0.len() <= MAX_WORDS
    }

    /// Returns all words of `self`, each followed by each word of `others`.
    fn followed_by(&self, others: &Self) -> Self {
        let pairs = self.0.iter().flat_map(|a| others.0.iter().map(move |b| [&a[..], b].concat()));
        Self(pairs.collect())
    }
}

fn shortest(words: &Words) -> usize {
    words.0.iter().map(Vec::len).min().unwrap_or_default()
}

/// Returns a few words such that every match of `hir` contains one.
fn words(hir: &Hir) -> Option<Words> {
    if let Some(all) = all_matches(hir) {
        return Some(all);
    }
    match hir.kind() {
        HirKind::Capture(group) => words(&group.sub),
        HirKind::Repetition(repeated) if repeated.min > 0 => words(&repeated.sub),
        HirKind::Concat(parts) => longest_words_of(parts),
        HirKind::Alternation(branches) => {
            let all: Option<Vec<Words>> = branches.iter().map(words).collect();
            Some(Words(all?.into_iter().flat_map(|words| words.0).collect()))
                .filter(Words::is_small)
        }
        _ => None,
    }
}

/// Returns the longest words of a sequence. Words may be within a part, or go across parts.
fn longest_words_of(parts: &[Hir]) -> Option<Words> {
    let mut found = Vec::new();
    let mut run = Words::empty();
    for part in parts {
        match all_matches(part) {
            Some(next) if run.0.len() * next.0.len() <= MAX_WORDS => run = run.followed_by(&next),
            Some(next) => found.push(std::mem::replace(&mut run, next)),
            None => {
                found.push(std::mem::replace(&mut run, Words::empty()));
                found.extend(words(part));
            }
        }
    }
    found.push(run);
    found.into_iter().max_by_key(shortest)
}

/// Returns all texts that `hir` matches, if they are a few words.
fn all_matches(hir: &Hir) -> Option<Words> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(Words::empty()),
        HirKind::Literal(literal) => Some(Words(vec![literal.0.to_vec()])),
        HirKind::Capture(group) => all_matches(&group.sub),
        HirKind::Concat(parts) => parts.iter().try_fold(Words::empty(), |run, part| {
            Some(run.followed_by(&all_matches(part)?)).filter(Words::is_small)
        }),
        HirKind::Alternation(branches) => {
            let all: Option<Vec<Words>> = branches.iter().map(all_matches).collect();
            Some(Words(all?.into_iter().flat_map(|words| words.0).collect()))
                .filter(Words::is_small)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pattern: &str) -> Vec<String> {
        let hir = Parser::new().parse(pattern).unwrap();
        let words = words(&hir).map_or_else(Vec::new, |words| words.0);
        words.into_iter().map(|word| String::from_utf8(word).unwrap()).collect()
    }

    #[test]
    fn finds_what_every_match_has() {
        assert_eq!(of(r"^\s*if (True|1):"), ["if True:", "if 1:"]);
        assert_eq!(of(r"#\s*(pragma|PRAGMA)[:\s]?\s*(no|NO)"), ["pragma", "PRAGMA"]);
        assert_eq!(of(r"(?:^x = .*nocov$)|def (?:a+|other)"), ["nocov", "def "]);
        assert_eq!(of(r"(abc){2,}d?"), ["abc"]);
    }

    #[test]
    fn finds_no_words_in_some_patterns() {
        for pattern in [r"\s*", r"(abc)*", r"abc|\d+", r"(abc)?", r"[a-z]+", ""] {
            assert!(Required::of(pattern).is_none(), "{pattern}");
        }
        assert!(Required::of(r"(?=look)ahead").is_none());
        assert!(Required::of(r"(twice)\1").is_none());
    }

    fn is_found_in_places(pattern: &str, text: &str) -> bool {
        let pattern = crate::pyre::Pattern::multi_line(pattern).unwrap();
        let everywhere = crate::pyre::Pattern { required: None, ..pattern.clone() };
        let found = |pattern: &crate::pyre::Pattern| -> Vec<_> {
            pattern.find_iter(text).map(Result::unwrap).collect()
        };
        found(&everywhere) == found(&pattern)
    }

    #[test]
    fn counts_the_lines_that_a_match_goes_over() {
        let of = |pattern: &str| line_breaks(&Parser::new().parse(pattern).unwrap());
        assert_eq!(of(r"(?m)^\s*if (x|y\s+z)[:\s]?.*$"), Some(3));
        assert_eq!(of(r"(a\s*){2,3}"), Some(3));
        assert_eq!(of(r"a[^b]c"), Some(1));
        for unbounded in [r"(?s)a.*b", r"(a\s)+b", r"a[^b]*c", "a\nb", r"ab\z", r"\s{1,100}x"] {
            assert_eq!(of(unbounded), None, "{unbounded}");
        }
    }

    #[test]
    fn looks_around_words_only() {
        let required = Required::of(r"(?m)^\s*if DEBUG:\s*(#|$)").unwrap();
        let text = "a\nb\n \nif DEBUG:\nc\n\nd\ne\nf\ng\nif DEBUG:  if DEBUG:\nif DEBUG:\n";
        let places: Vec<&str> = required.places(text).map(|place| &text[place]).collect();
        assert_eq!(
            places,
            ["a\nb\n \nif DEBUG:\nc\n\nd", "f\ng\nif DEBUG:  if DEBUG:\nif DEBUG:\n"]
        );
    }

    const PIECES: [&str; 9] = [
        "# pragma: no cover",
        "  if TYPE_CHECKING:",
        "...",
        "def f():",
        " ",
        "\n",
        "x",
        "if 1:",
        "TYPE_",
    ];

    #[test]
    fn places_lose_no_match() {
        let joined = crate::pyre::DEFAULT_EXCLUDE.join("|");
        for pattern in
            [joined.as_str(), r"^\s*if (True|1|False|0):", r"(?i)type_|x{3,}", r"f\(\):$"]
        {
            for number in 0..9_usize.pow(4) {
                let text: String = (0..4)
                    .filter_map(|digit| PIECES.get(number / 9_usize.pow(digit) % 9))
                    .copied()
                    .collect();
                assert!(is_found_in_places(pattern, &text), "{pattern:?} in {text:?}");
            }
        }
    }

    const PATTERN_PIECES: [&str; 16] = [
        "TYPE_",
        "TYPE_",
        "x",
        "x?",
        r"\s",
        r"\s*",
        r"\s+?",
        r"[x\s]?",
        "[^x]",
        "^",
        "$",
        ".*",
        r"(x|\s+TYPE)",
        r"(x\s){0,3}",
        r"(if 1:\s*)+",
        r"\b",
    ];

    proptest::proptest! {
        #[test]
        fn matches_over_lines_are_found_as_a_whole(
            pieces in proptest::collection::vec(0_usize..14, 0..60),
            pattern in proptest::collection::vec(0_usize..16, 1..8),
        ) {
            // Line ends are more frequent than other pieces.
            let piece = |&at: &usize| PIECES.get(at).copied().unwrap_or(if at < 12 { "\n" } else { "é" });
            let text: String = pieces.iter().map(piece).collect();
            let pattern: String = pattern.iter().filter_map(|&at| PATTERN_PIECES.get(at)).copied().collect();
            proptest::prop_assert!(is_found_in_places(&pattern, &text), "{pattern:?} in {text:?}");
            let joined = crate::pyre::DEFAULT_EXCLUDE.join("|");
            for pattern in [
                joined.as_str(),
                r"x\s*TYPE_\s*x?",
                r"(x\s){0,2}TYPE_[\sx](\s*x)?",
                r"\s+x?\s\.\.\.\s+",
                r"(?s)def.*TYPE_",
                r"TYPE_[^x]x|if 1:\s*$",
                r"\Adef.*\s*TYPE_|TYPE_x\Z",
            ] {
                proptest::prop_assert!(is_found_in_places(pattern, &text), "{pattern:?} in {text:?}");
            }
        }
    }
}
