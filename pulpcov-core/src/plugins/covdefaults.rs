//! `covdefaults` 2.3: <https://github.com/asottile/covdefaults>.

use super::Environment;
use crate::config::Config;
use crate::pyre::DEFAULT_EXCLUDE;

/// The names of operating systems and Python implementations in pragmas.
const TAGS: [&str; 9] =
    ["nt", "posix", "cygwin", "darwin", "linux", "msys", "win32", "cpython", "pypy"];

const EXCLUDE: [&str; 11] = [
    r"# pragma: no cover\b",
    r"^\s*raise AssertionError\b",
    r"^\s*raise NotImplementedError\b",
    r"^\s*return NotImplemented\b",
    r"^\s*raise$",
    r"^\s*if (False|TYPE_CHECKING):",
    r": \.\.\.(\s*#.*)?$",
    r"^ +\.\.\.$",
    r#"-> ['"]?NoReturn['"]?:"#,
    r"^\s*assert_never\b",
    r#"^if __name__ == ['"]__main__['"]:$"#,
];

pub(super) fn apply(config: &mut Config, environment: &Environment<'_>) {
    config.run.branch = true;
    config.run.source.get_or_insert_with(|| vec![".".to_owned()]);
    let report = &mut config.report;
    report.show_missing = true;
    report.skip_covered = true;
    let pragmas = platform_pragmas(environment).into_iter().chain(version_pragmas(environment));
    extend(&mut report.exclude_lines, EXCLUDE.map(str::to_owned).into_iter().chain(pragmas));
    // A stricter pattern above replaces each default.
    report.exclude_lines.retain(|pattern| !DEFAULT_EXCLUDE.contains(&pattern.as_str()));
    let tags = TAGS.join("|");
    let partial = [
        r"# pragma: no branch\b".to_owned(),
        format!(r"# pragma: ({tags}) (no )?cover\b"),
        r"# pragma: (>=?|<=?|==|!=)\d+\.\d+ cover\b".to_owned(),
    ];
    extend(&mut report.partial_branches, partial);
    if report.fail_under == 0.0 {
        report.fail_under = 100.0;
    }
}

fn extend(patterns: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    patterns.extend(more);
    patterns.sort();
    patterns.dedup();
}

/// Returns patterns of the lines that do not run here: lines for other platforms, and lines not for
/// this platform.
fn platform_pragmas(environment: &Environment<'_>) -> Vec<String> {
    let here = [environment.os_name, environment.sys_platform, "cpython"];
    let elsewhere = TAGS.iter().filter(|tag| !here.contains(tag));
    let of_others = elsewhere.map(|tag| format!(r"# pragma: {tag} cover\b"));
    of_others.chain(here.iter().map(|tag| format!(r"# pragma: {tag} no cover\b"))).collect()
}

/// Returns patterns of the lines that are for other versions of Python.
fn version_pragmas(environment: &Environment<'_>) -> [String; 8] {
    let version = environment.python.as_str();
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    [
        format!(r"# pragma: <=?{}\.\d+ cover\b", less(major)),
        format!(r"# pragma: <=?{major}\.{} cover\b", less(minor)),
        format!(r"# pragma: <{major}\.{minor} cover\b"),
        format!(r"# pragma: >=?{}\.\d+ cover\b", greater(major)),
        format!(r"# pragma: >=?{major}\.{} cover\b", greater(minor)),
        format!(r"# pragma: >{major}\.{minor} cover\b"),
        format!(r"# pragma: !={major}\.{minor} cover\b"),
        format!(r"# pragma: ==(?!{major}\.{minor})\d+\.\d+ cover\b"),
    ]
}

/// Returns a pattern of the numbers less than `number`, which is in decimal digits.
fn less(number: &str) -> String {
    let digits = number.char_indices().filter(|(_, digit)| *digit != '0');
    let mut parts: Vec<String> = digits
        .map(|(at, digit)| {
            let below = char::from(digit as u8 - 1);
            format!("{}[0-{below}]{}", &number[..at], r"\d".repeat(number.len() - at - 1))
        })
        .collect();
    if number.len() > 1 {
        parts.push(format!(r"\d{{1,{}}}", number.len() - 1));
    }
    format!("({})", parts.join("|"))
}

/// Returns a pattern of the numbers greater than `number`, which is in decimal digits.
fn greater(number: &str) -> String {
    let digits = number.char_indices().filter(|(_, digit)| *digit != '9');
    let mut parts: Vec<String> = digits
        .map(|(at, digit)| {
            let above = char::from(digit as u8 + 1);
            format!("{}[{above}-9]{}", &number[..at], r"\d".repeat(number.len() - at - 1))
        })
        .collect();
    parts.push(format!(r"\d{{{},}}", number.len() + 1));
    format!("({})", parts.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pyre::Pattern;

    #[test]
    fn numbers_are_compared_by_their_digits() {
        for number in [1, 3, 9, 10, 11, 19, 20, 90, 99, 100, 109] {
            let text = number.to_string();
            let whole = |pattern: String| Pattern::new(&format!("^{pattern}$")).unwrap();
            let (less, greater) = (whole(less(&text)), whole(greater(&text)));
            for other in 0..1200 {
                let is = |pattern: &Pattern| pattern.is_match(&other.to_string()).unwrap();
                assert_eq!(is(&less), other < number, "{other} < {number}");
                assert_eq!(is(&greater), other > number, "{other} > {number}");
            }
        }
    }
}
