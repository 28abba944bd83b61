//! Tests of the glob language, and of globset against the regular expression.

use proptest::prelude::*;

use super::{Flags, globs_to_regex};
use crate::paths::GlobMatcher;
use crate::paths::error::PatternError;
use crate::paths::glob::GlobPattern;

const EXACT: Flags = Flags { ignore_case: false, prefix: false };
const ANY_CASE: Flags = Flags { ignore_case: true, prefix: false };
const START: Flags = Flags { ignore_case: false, prefix: true };
const ANY_CASE_START: Flags = Flags { ignore_case: true, prefix: true };

type Row<'a> = (&'a [&'a str], Flags, &'a [&'a str], &'a [&'a str]);

fn check(table: &[Row<'_>]) {
    for (patterns, flags, matches, others) in table {
        let regex = globs_to_regex(patterns, *flags).unwrap();
        let all = matches.iter().map(|t| (t, true)).chain(others.iter().map(|t| (t, false)));
        for (text, expected) in all {
            assert_eq!(regex.is_match(text), expected, "{patterns:?} {flags:?} on {text:?}");
        }
    }
}

#[test]
fn names_match_in_any_folder() {
    check(&[
        (
            &["abc", "xyz"],
            EXACT,
            &["abc", "xyz", "sub/mod/abc", r"sub\xyz", "/abc"],
            &["ABC", "xYz", "abcx", "xabc", "axyz", "xyza", "sub/mod/abcd", "sub/abc/more", ""],
        ),
        (
            &["abc", "xyz"],
            ANY_CASE,
            &["abc", "xyz", "Abc", "XYZ", "AbC"],
            &["abcx", "xabc", "axyz", "xyza"],
        ),
        (
            &["a*c", "x*z"],
            EXACT,
            &["abc", "xyz", "xYz", "azc", "xaz", "axyzc", "ac"],
            &["ABC", "abcx", "xabc", "axyz", "xyza", "a/c"],
        ),
        (
            &["a?c", "x?z"],
            EXACT,
            &["abc", "xyz", "xYz", "azc", "xaz", "aéc"],
            &["ABC", "abcx", "xabc", "axyz", "xyza", "a/c", "ac"],
        ),
        (&["a??d"], EXACT, &["abcd", "azcd", "a12d"], &["ABCD", "abcx", "axyz", "abcde", "aéd"]),
        (&[], EXACT, &[""], &["a", "/"]),
    ]);
}

#[test]
fn either_slash_matches_either() {
    check(&[
        (
            &["abc/hi.py"],
            ANY_CASE,
            &["abc/hi.py", "ABC/hi.py", r"ABC\hi.py"],
            &["abc_hi.py", "abc/hi.pyc"],
        ),
        (
            &[r"abc\hi.py"],
            ANY_CASE,
            &[r"abc\hi.py", r"ABC\hi.py", "abc/hi.py", "ABC/hi.py"],
            &["abc_hi.py", "abc/hi.pyc"],
        ),
    ]);
}

#[test]
fn folders() {
    check(&[
        (
            &["abc/*/hi.py"],
            ANY_CASE,
            &["abc/foo/hi.py", r"ABC\foo/hi.py"],
            &["abc/hi.py", "abc/hi.pyc", "ABC/foo/bar/hi.py", r"ABC\foo/bar/hi.py"],
        ),
        (
            &["abc/**/hi.py"],
            ANY_CASE,
            &[
                "abc/foo/hi.py",
                r"ABC\foo/hi.py",
                "abc/hi.py",
                "ABC/foo/bar/hi.py",
                r"ABC\foo/bar/hi.py",
            ],
            &["abc/hi.pyc", "abchi.py"],
        ),
        (
            &["**/foo"],
            EXACT,
            &["foo", "hello/foo", "hi/there/foo"],
            &["foob", "hello/foob", "hello/Foo", "a\nb/foo"],
        ),
        (&["foo/*"], EXACT, &["foo/", "foo/a", r"foo\a/b"], &["foo", "xfoo/a", "foo/a\nb"]),
        (&["foo/***"], EXACT, &["foo/a/b"], &["foo"]),
    ]);
}

#[test]
fn the_start_is_enough_for_aliases() {
    check(&[
        (
            &["abc/"],
            ANY_CASE_START,
            &["abc/foo/hi.py", "ABC/foo/bar/hi.py", r"ABC\foo/bar/hi.py"],
            &["abcd/foo.py", "xabc/hi.py"],
        ),
        (
            &["*/foo"],
            START,
            &["abc/foo/hi.py", "foo/hi.py", "abc/def/foo/hi.py"],
            &["abc/xfoo/hi.py"],
        ),
        (
            &["*c/foo"],
            START,
            &["abc/foo/hi.py"],
            &["abc/xfoo/hi.py", "foo/hi.py", "def/abc/foo/hi.py"],
        ),
        (&["foo/x*"], START, &["foo/x", "foo/xhi.py", "foo/x/hi.py"], &[]),
        (&["foo/x*"], EXACT, &["foo/x", "foo/xhi.py"], &["foo/x/hi.py"]),
    ]);
}

#[test]
fn sets_are_those_of_python() {
    check(&[
        (
            &["abc/[a-f]*/hi.py"],
            ANY_CASE,
            &["abc/foo/hi.py", r"ABC\boo/hi.py"],
            &[
                "abc/zoo/hi.py",
                "abc/hi.py",
                "abc/hi.pyc",
                "abc/foo/bar/hi.py",
                r"abc\foo/bar/hi.py",
            ],
        ),
        (
            &["abc/[a-f]/hi.py"],
            ANY_CASE,
            &["abc/f/hi.py", r"ABC\b/hi.py"],
            &[
                "abc/foo/hi.py",
                "abc/zoo/hi.py",
                "abc/hi.py",
                "abc/hi.pyc",
                "abc/foo/bar/hi.py",
                r"abc\foo/bar/hi.py",
            ],
        ),
        (&["x[!a]"], EXACT, &["x!", "xa"], &["xb"]),
        (&["x[^a]"], EXACT, &["x!", "x/"], &["xa", "x"]),
        (&["x[a&&b]"], EXACT, &["xa", "x&", "xb"], &["x"]),
        (&["x[[a]"], EXACT, &["x[", "xa"], &["x"]),
        (&["[a/b]**"], EXACT, &["a", "bcd", "/"], &["c", "a/b"]),
        (&["x[a-]", "x[-b]"], EXACT, &["xa", "x-", "xb"], &["xc"]),
        // `[]` does not end the set: the set goes on to the next bracket.
        (&["x[].y[]"], EXACT, &["x]", "x.", "xy", "x["], &["xz", "x\\"]),
        (&["a/[]x", "b/[y]"], EXACT, &["a/xy", "a/)y", "a/|y"], &["a/x", "b/y", "a/zy"]),
    ]);
}

#[test]
fn other_characters_stand_for_themselves() {
    check(&[
        (
            &["a+b/foo*", "x{y}z/foo*"],
            EXACT,
            &["a+b/foo", "a+b/foobar", "x{y}z/foobar"],
            &["aab/foo", "ab/foo", "xyz/foo"],
        ),
        (&["foo/a\nb*"], EXACT, &["foo/a\nb", "foo/a\nbc"], &["foo/ab", "foo/axb"]),
        (&["(a|b)/^.$"], EXACT, &["(a|b)/^.$"], &["a/^.$"]),
    ]);
}

#[test]
fn letters_are_one_when_python_says_so() {
    check(&[
        (&["i", "ſ", "k"], ANY_CASE, &["I", "İ", "ı", "S", "s", "K"], &["l"]),
        (&["[h-j]x"], ANY_CASE, &["İx", "ıX", "Jx"], &["kx"]),
        (&["[^i]x"], ANY_CASE, &["jx"], &["Ix", "İx"]),
        (&["straße"], ANY_CASE, &["STRAẞE"], &["STRASSE"]),
        (&["i"], EXACT, &["i"], &["I", "İ", "ı"]),
    ]);
}

#[test]
fn some_patterns_are_refused() {
    let table = [
        ("***/foo.py", "***"),
        ("bar/***/foo.py", "***"),
        ("*****/foo.py", "*****"),
        ("Hello]there", "]"),
        ("Hello[there", "["),
        ("x/a**/b.py", "a**"),
        ("x/abcd**/b.py", "abcd**"),
        ("x/**a/b.py", "**a"),
        ("x/**/**/b.py", "**/**"),
        ("x/a**b**c", "a**b**"),
        ("x/**a**b", "**a**"),
        ("**", "**/**"),
        ("a[b\nc]", "["),
        ("[a/b]x**", "x**"),
    ];
    for (pattern, quoted) in table {
        let error = globs_to_regex(&[pattern], EXACT).unwrap_err().to_string();
        let expected = format!("File pattern can't include '{quoted}'");
        assert_eq!(error, expected, "{pattern}");
    }
}

#[test]
fn sets_that_python_refuses() {
    let refused = |pattern| globs_to_regex(&[pattern], EXACT).unwrap_err();
    assert!(matches!(refused("x[]"), PatternError::UnfinishedSet(_)));
    assert!(matches!(refused("x[^]"), PatternError::UnfinishedSet(_)));
    assert!(matches!(refused("x[z-a]"), PatternError::BadRange('z', 'a')));
    assert!(refused("x[z-a]").to_string().ends_with("'z-a'"));
}

#[test]
fn absurd_sizes_are_refused() {
    let refused = |len| globs_to_regex(&["?".repeat(len)], EXACT).unwrap_err();
    assert!(matches!(refused(100_000), PatternError::Regex(_)));
    assert!(matches!(refused(1_000_000), PatternError::TooLarge));
    assert!(GlobMatcher::new([vec![b'a'; 50_000]]).is_ok());
}

#[test]
fn only_patterns_with_one_meaning_go_to_globset() {
    let goes = |pattern| GlobMatcher::new([pattern]).unwrap().uses_globset();
    for pattern in ["a.py", "*/tests/*", "**/a", "a/**/b", "src/*", "a{b,c}", "!a", "/*", "é*"] {
        assert!(goes(pattern), "{pattern}");
    }
    for pattern in ["a?", "[ab]", "*/", "", "a\nb", "**/"] {
        assert!(!goes(pattern), "{pattern}");
    }
}

/// Joins pieces in which special characters often meet.
fn pieces(choice: &'static [&'static str]) -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(choice), 0..8).prop_map(|p| p.concat())
}

const PATTERN: &[&str] = &[
    "a", "b", "ab", "/", "/", "/", "\\", "*", "*", "**/", "/**", "/*", "*/", ".", "..", "{", "}",
    ",", "!", "^", "é", "\u{fe}", "-", " ", "?", "[a]", "\n", "a.b", ".b",
];
const PATH: &[&str] =
    &["a", "b", "ab", "/", "/", "/", "\\", ".", "..", "{", "}", ",", "!", "^", "é", "\n", ".b"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn globset_says_what_the_regex_says(
        patterns in proptest::collection::vec(pieces(PATTERN), 1..3),
        paths in proptest::collection::vec(pieces(PATH), 8),
        odd in any::<u8>(),
    ) {
        let Ok(matcher) = GlobMatcher::new(&patterns) else { return Ok(()) };
        for path in paths {
            for path in [path.clone().into_bytes(), [path.as_bytes(), &[odd]].concat()] {
                prop_assert_eq!(
                    matcher.is_match(&path),
                    matcher.is_match_by_regex(&path),
                    "{:?} on {:?}", patterns, String::from_utf8_lossy(&path)
                );
            }
        }
    }

    /// Compares globset and the regular expression on a path made from the pattern, which often
    /// matches.
    #[test]
    fn globset_matches_what_the_regex_matches(
        pattern in pieces(PATTERN), below in pieces(PATH), name in pieces(PATH),
    ) {
        let Ok(matcher) = GlobMatcher::new([&pattern]) else { return Ok(()) };
        let path = pattern.replace("**/", &below).replace('*', &name);
        prop_assert_eq!(
            matcher.is_match(path.as_bytes()),
            matcher.is_match_by_regex(path.as_bytes()),
            "{:?} on {:?}", pattern, path
        );
    }

    #[test]
    fn no_pattern_panics(pattern in any::<String>(), path in any::<Vec<u8>>()) {
        if let Ok(matcher) = GlobMatcher::new([&pattern]) {
            matcher.is_match(&path);
        }
        if let Ok(glob) = GlobPattern::new(&pattern) {
            prop_assert!(!glob.python_regex().is_empty());
        }
    }
}
