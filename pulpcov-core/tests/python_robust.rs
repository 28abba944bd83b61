//! Tests with extreme source code: large, deep or broken. The analysis must not panic, overflow the
//! stack or take more than linear time.
#![cfg(feature = "report")]
#![expect(clippy::expect_used, reason = "what fails here is a failed test")]

use proptest::prelude::*;
use pulpcov_core::python::{AnalyzeOptions, Facts, LinePatterns, PythonSource, PythonVersion};
use pulpcov_core::results::{Analysis, RegionSplitter};
use pulpcov_core::{ErrorKind, Result};

fn analyze(text: &str) -> Result<Facts> {
    PythonSource::decode(text.as_bytes())?.analyze(&AnalyzeOptions::new()?)
}

fn repeated(count: usize, line: impl Fn(usize) -> String) -> String {
    (0..count).map(line).collect()
}

/// Analyzes `text` in a thread, which has less stack than the main thread of a program.
fn analyze_in_a_thread(text: String) -> Result<()> {
    let thread = std::thread::Builder::new().stack_size(2 << 20);
    thread.spawn(move || analyze(&text).map(drop)).expect("a thread").join().expect("no panic")
}

#[test]
fn deep_lookahead_is_refused() {
    for (before, unit, after) in [
        ("", "match [a, match ", ""),
        ("", "match(", ""),
        ("", "match[match:", ""),
        ("match ", "-", "x"),
        ("match *", "not ", "x"),
        ("match (", "-", "x)"),
        ("match\\\n(", "~", "x)"),
        ("with (", "-", "x"),
        ("with (a, ", "not ", "x) as b: pass"),
        ("async def f():\n with(", "await ", "x"),
    ] {
        let text = format!("{before}{}{after}\n", unit.repeat(200_000));
        assert!(analyze_in_a_thread(text).is_err(), "{before}{unit}{after}");
    }
}

/// ruff's parser takes quadratic time for these f-strings, so it must not see them. Each would take
/// more than a minute.
#[test]
fn nested_fields_of_fstrings_are_refused_at_once() {
    for (unit, end) in [("f'{", "}'"), ("f'{f\"{", "}\"}'"), ("{a:", "}"), ("f\"{'", "'}\"")] {
        for version in [PythonVersion::Py311, PythonVersion::Py314] {
            for closed in [0, 100_000] {
                let (open, close) = if unit.starts_with('f') { ("", "") } else { ("f'", "'") };
                let text = format!("{open}{}{}{close}\n", unit.repeat(100_000), end.repeat(closed));
                let source = PythonSource::decode(text.as_bytes()).expect("text");
                let options = AnalyzeOptions::new().expect("options").version(version);
                assert!(source.analyze(&options).is_err(), "{unit}{end} {version:?} {closed}");
            }
        }
    }
}

#[test]
fn one_class_of_many_statements() -> Result<()> {
    let body = repeated(24_914, |i| format!("    a{i} = {i}\n"));
    let facts = analyze(&format!("class C:\n{body}"))?;
    assert_eq!(facts.statements().len(), 24_915);
    Ok(())
}

#[test]
fn many_methods_narrow_in_linear_time() -> Result<()> {
    let body = repeated(20_000, |i| format!("  def m{i}(self):\n    if self: return {i}\n"));
    let facts = analyze(&format!("class C:\n{body}"))?;
    let arcs = facts.arcs().iter().copied().step_by(2);
    let analysis = Analysis::of_arcs(&facts, facts.statements().iter().copied(), arcs);
    let mut splitter = RegionSplitter::new(&analysis);
    for region in facts.regions().iter().skip(1) {
        splitter.add(region.ranges());
    }
    let (parts, rest) = splitter.split();
    assert_eq!((parts.len(), rest.statements().len()), (20_000, 20_001));
    Ok(())
}

#[test]
fn many_branches() -> Result<()> {
    let elifs = repeated(100_000, |i| format!("elif a == {i}:\n    b()\n"));
    let facts = analyze(&format!("if a:\n    b()\n{elifs}c()\n"))?;
    assert_eq!(facts.exit_counts().iter().filter(|(_, exits)| *exits == 2).count(), 100_001);
    for (head, line) in [
        ("match a:\n", "    case 1: b()\n"),
        ("try:\n    a()\n", "except b:\n    c()\n"),
        ("while a:\n", "    if b: break\n"),
        ("", "with a:\n  with b:\n    c()\n"),
        ("", "for a in b:\n  c()\nelse:\n  d()\n"),
        ("", "if a:  # pragma: no cover\n  b()\n"),
        ("", "...\n"),
        ("@a\n", "@b\n"),
        ("", "a: b\n"),
        ("", "if 0: a = 1\nelse: b = 1\n"),
    ] {
        let end = if head == "@a\n" { "def f(): pass\n" } else { "" };
        analyze(&format!("{head}{}{end}", line.repeat(20_000)))?;
    }
    Ok(())
}

#[test]
fn long_lines() -> Result<()> {
    analyze(&format!("a = [{}]\n", "1, ".repeat(1_000_000)))?;
    analyze(&format!("a = '{}'\n", "b".repeat(10_000_000)))?;
    analyze(&format!("{}\n", "a = 1; ".repeat(100_000)))?;
    analyze(&format!("a = 1 {}\n", "+ 2 ".repeat(1_000)))?;
    Ok(())
}

/// CPython allows 99 levels of indentation, and 20 blocks (`CO_MAXBLOCKS`) in one function.
#[test]
fn deep_statements() {
    for (line, most) in [
        ("if a:", 99),
        ("def f():", 99),
        ("class C:", 99),
        ("with a:", 20),
        ("for a in b:", 20),
        ("while a:", 20),
    ] {
        assert!(analyze(&nested(line, most)).is_ok(), "{line}");
        assert!(analyze(&nested(line, most + 1)).is_err(), "{line}");
    }
}

fn nested(line: &str, levels: usize) -> String {
    let mut source = String::new();
    for depth in 0..levels {
        source.push_str(&format!("{}{line}\n", " ".repeat(depth)));
    }
    source + &format!("{}pass\n", " ".repeat(levels))
}

#[test]
fn deep_expressions() {
    for count in [90, 1_000, 40_000, 60_000] {
        for (head, part, tail) in [
            ("a", ".b", ""),
            ("a", "()", ""),
            ("a", "[0]", ""),
            ("a", " + 1", ""),
            ("a", " if b else c", ""),
            ("", "not ", "a"),
            ("", "-", "1"),
            ("", "lambda: ", "1"),
            ("if ", "not ", "a: pass"),
            ("if ", "a and ", "a: pass"),
            ("a", " < b", ""),
            ("a", ".b", " $"),
            ("", "(", ""),
            ("a = ", "[", ""),
            ("match a:\n  case ", "a | ", "a: b"),
        ] {
            let source = format!("{head}{}{tail}\n", part.repeat(count));
            let source = PythonSource::decode(source.as_bytes()).expect("UTF-8");
            let options = AnalyzeOptions::new().expect("the default patterns compile");
            let _ = source.analyze(&options);
        }
    }
}

#[test]
fn slow_patterns_end() -> Result<()> {
    // Because of the look-ahead, the engine has to backtrack.
    let patterns = LinePatterns::new(&[r"^(?:(a|aa)(?!c))+$"])?;
    let source = PythonSource::decode(format!("{}b = 1\n", "a".repeat(80)).as_bytes())?;
    let found = source.analyze(&AnalyzeOptions::new()?.exclude(patterns));
    assert_eq!(found.map(|_| ()).map_err(|error| error.kind()), Err(ErrorKind::Pattern));
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        analyze_all_versions(&bytes);
    }

    #[test]
    fn any_words(words in proptest::collection::vec(word(), 0..60)) {
        analyze_all_versions(words.concat().as_bytes());
    }
}

fn word() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "\n",
        "\n    ",
        "\n\t",
        "\n        ",
        " ",
        "\\\n",
        "a",
        "b",
        "1",
        "'",
        "\"\"\"",
        "f\"",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        ",",
        ";",
        "=",
        "==",
        ".",
        "...",
        "@",
        "*",
        "->",
        "if ",
        "elif ",
        "else",
        "for ",
        " in ",
        "while ",
        "try",
        "except",
        "finally",
        "with ",
        " as ",
        "match ",
        "case ",
        "_",
        "def f()",
        "class C",
        "async ",
        "await ",
        "lambda ",
        "return ",
        "raise ",
        "break",
        "continue",
        "pass",
        "yield ",
        "not ",
        " and ",
        " or ",
        "True",
        "# pragma: no cover",
        "# pragma: no branch",
        "é",
        "\u{2028}",
        "\r",
        "\x0c",
        "\0",
    ])
}

/// Computes everything that there is to compute about `bytes`.
fn analyze_all_versions(bytes: &[u8]) {
    let options = AnalyzeOptions::new().expect("the default patterns compile");
    let Ok(source) = PythonSource::decode(bytes) else { return };
    for version in PythonVersion::ALL {
        let Ok(facts) = source.analyze(&options.clone().version(version)) else { continue };
        let arcs = [(i32::MIN, i32::MAX), (0, 0), (-1, 1), (1, 1)];
        let analysis = Analysis::of_arcs(&facts, [i32::MIN, -1, 0, 1, i32::MAX], arcs);
        let _ = (analysis.missing_formatted(true), analysis.branch_stats());
        for &(from, to) in facts.arcs() {
            let _ = facts.missing_arc_description(from, to);
        }
    }
}
