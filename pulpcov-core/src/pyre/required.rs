//! The words of which a text must have one, or a pattern does not match anywhere in it.
//!
//! Most sources have nothing to exclude. To look for a few words takes a fraction of the time that a
//! regular expression takes.

use aho_corasick::packed::Searcher;
use regex_syntax::Parser;
use regex_syntax::hir::{Hir, HirKind};

/// More words than this are no faster than the pattern.
const MOST_WORDS: usize = 16;

/// A word as short as this is in every text.
const SHORTEST_WORD: usize = 3;

/// What finds the words; `None` if matches have none in common, or if they are not known.
pub(super) fn required(pattern: &str) -> Option<Searcher> {
    // Look-around and references to groups are not parsed here.
    let hir = Parser::new().parse(pattern).ok()?;
    let words = words(&hir).filter(|words| shortest(words) >= SHORTEST_WORD)?;
    Searcher::new(words.0)
}

/// One of these is in every match.
#[derive(Clone)]
struct Words(Vec<Vec<u8>>);

impl Words {
    fn empty() -> Self {
        Self(vec![Vec::new()])
    }

    fn is_small(&self) -> bool {
        self.0.len() <= MOST_WORDS
    }

    /// Every word of these, followed by every one of the others.
    fn followed_by(&self, others: &Self) -> Self {
        let pairs = self.0.iter().flat_map(|a| others.0.iter().map(move |b| [&a[..], b].concat()));
        Self(pairs.collect())
    }
}

fn shortest(words: &Words) -> usize {
    words.0.iter().map(Vec::len).min().unwrap_or_default()
}

fn words(hir: &Hir) -> Option<Words> {
    if let Some(whole) = whole(hir) {
        return Some(whole);
    }
    match hir.kind() {
        HirKind::Capture(group) => words(&group.sub),
        HirKind::Repetition(repeated) if repeated.min > 0 => words(&repeated.sub),
        HirKind::Concat(parts) => best_of(parts),
        HirKind::Alternation(branches) => {
            let all: Option<Vec<Words>> = branches.iter().map(words).collect();
            Some(Words(all?.into_iter().flat_map(|words| words.0).collect()))
                .filter(Words::is_small)
        }
        _ => None,
    }
}

/// The longest words that a row of parts has: within a part, or where parts that are words meet.
fn best_of(parts: &[Hir]) -> Option<Words> {
    let mut found = Vec::new();
    let mut run = Words::empty();
    for part in parts {
        match whole(part) {
            Some(next) if run.0.len() * next.0.len() <= MOST_WORDS => run = run.followed_by(&next),
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

/// All that something matches, if that is a few words.
fn whole(hir: &Hir) -> Option<Words> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(Words::empty()),
        HirKind::Literal(literal) => Some(Words(vec![literal.0.to_vec()])),
        HirKind::Capture(group) => whole(&group.sub),
        HirKind::Concat(parts) => parts.iter().try_fold(Words::empty(), |run, part| {
            Some(run.followed_by(&whole(part)?)).filter(Words::is_small)
        }),
        HirKind::Alternation(branches) => {
            let all: Option<Vec<Words>> = branches.iter().map(whole).collect();
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
    fn knows_when_there_is_nothing() {
        for pattern in [r"\s*", r"(abc)*", r"abc|\d+", r"(abc)?", r"[a-z]+", ""] {
            assert!(required(pattern).is_none(), "{pattern}");
        }
        assert!(required(r"(?=look)ahead").is_none() && required(r"(twice)\1").is_none());
    }
    #[test]
    fn matches_are_those_of_the_pattern_alone() {
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
        let joined = crate::pyre::DEFAULT_EXCLUDE.join("|");
        for pattern in
            [joined.as_str(), r"^\s*if (True|1|False|0):", r"(?i)type_|x{3,}", r"f\(\):$"]
        {
            let pattern = crate::pyre::Pattern::multi_line(pattern).unwrap();
            for number in 0..9_usize.pow(4) {
                let text: String = (0..4)
                    .filter_map(|digit| PIECES.get(number / 9_usize.pow(digit) % 9))
                    .copied()
                    .collect();
                let alone = pattern.regex.find_iter(&text).map(|found| found.unwrap().range());
                let found = pattern.find_iter(&text).map(Result::unwrap);
                assert!(alone.eq(found), "{pattern:?} in {text:?}");
            }
        }
    }
}
