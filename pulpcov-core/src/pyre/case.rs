//! Finds the characters that are alike when case is ignored.
//!
//! In CPython's `re/_compiler.py`, two characters are alike if they have the same lower case, or if
//! their lower cases have the same upper case (`re/_casefix.py`). Other regular expression engines
//! use Unicode's folding table, in which `i` and `ı` differ.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::OnceLock;

/// The characters for which case is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fold {
    /// No characters.
    Exact,
    /// ASCII letters.
    Ascii,
    /// All letters.
    Unicode,
}

impl Fold {
    /// Returns the characters outside `range` that are like a character in `range`.
    pub(super) fn other_cases_of(self, range: RangeInclusive<u32>) -> Vec<char> {
        let mut others = Vec::new();
        match self {
            Self::Exact => {}
            Self::Ascii => {
                let letters = (b'A'..=b'Z').chain(b'a'..=b'z').map(char::from);
                let in_range = letters.filter(|c| range.contains(&u32::from(*c)));
                others.extend(in_range.map(|c| char::from(c as u8 ^ 0x20)));
            }
            Self::Unicode => {
                let cased = characters_with_other_cases();
                let from = cased.partition_point(|(c, _)| u32::from(*c) < *range.start());
                let in_range =
                    cased[from..].iter().take_while(|(c, _)| range.contains(&u32::from(*c)));
                others.extend(in_range.flat_map(|(_, alike)| alike.chars()));
            }
        }
        others.retain(|c| !range.contains(&u32::from(*c)));
        others.sort_unstable();
        others.dedup();
        others
    }
}

/// The ranges that contain every character with another case.
const BLOCKS: [RangeInclusive<char>; 4] = [
    '\u{41}'..='\u{2e00}',
    '\u{a640}'..='\u{abff}',
    '\u{fb00}'..='\u{ff5a}',
    '\u{10400}'..='\u{1e943}',
];

/// Returns every character that is like another, in order. Each comes with all characters that are
/// like it, itself included.
fn characters_with_other_cases() -> &'static [(char, String)] {
    static CASED: OnceLock<Vec<(char, String)>> = OnceLock::new();
    CASED.get_or_init(|| {
        let mut alike: HashMap<String, String> = HashMap::new();
        let chars = || BLOCKS.into_iter().flatten();
        for c in chars() {
            alike.entry(key(c)).or_default().push(c);
        }
        chars()
            .filter_map(|c| {
                Some((c, alike.get(&key(c)).filter(|all| all.chars().count() > 1)?.clone()))
            })
            .collect()
    })
}

/// Returns the key of a character. Two characters are alike if their keys are equal.
fn key(c: char) -> String {
    // The lower case of `İ` has two characters. Python uses only the first.
    c.to_lowercase().take(1).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_cases_are_in_the_blocks() {
        let outside = ('\0'..=char::MAX).filter(|c| !BLOCKS.iter().any(|block| block.contains(c)));
        for c in outside {
            assert_eq!(key(c), c.to_string());
        }
    }

    #[test]
    fn python_s_letters_are_alike() {
        let like =
            |fold: Fold, c: char| String::from_iter(fold.other_cases_of(c.into()..=c.into()));
        assert_eq!(like(Fold::Unicode, 'i'), "Iİı");
        assert_eq!(like(Fold::Unicode, 'K'), "k\u{212a}");
        assert_eq!(like(Fold::Unicode, 'ß'), "ẞ");
        assert_eq!(like(Fold::Unicode, 'µ'), "Μμ");
        assert_eq!(like(Fold::Unicode, '1'), "");
        assert_eq!(like(Fold::Ascii, 'k'), "K");
        assert_eq!(like(Fold::Ascii, 'é'), "");
        assert_eq!(like(Fold::Exact, 'k'), "");
        assert_eq!(
            String::from_iter(Fold::Unicode.other_cases_of(0x41..=0x5a)),
            "abcdefghijklmnopqrstuvwxyzİıſ\u{212a}"
        );
    }
}
