//! The names of files in a diff.
//!
//! git quotes names with special characters like C strings (`quote.c` in git), and puts a prefix such as `a/`
//! before names in some places. Other programs put a time after the name.

/// The prefixes that git puts before the names of the two versions: the default, and those of
/// `diff.mnemonicPrefix` for the commit, the index, the work tree and other objects.
const PREFIXES: [&[u8]; 8] = [b"a/", b"b/", b"c/", b"i/", b"w/", b"o/", b"1/", b"2/"];

/// Reads the name in a `---` or `+++` line, with its prefix. Returns `None` for `/dev/null`.
pub(super) fn of_version(text: &[u8]) -> Option<Vec<u8>> {
    let name = match quoted(text) {
        Some((name, _)) => name,
        // The name ends at a tab, after which `diff -u` writes the time.
        None => text.split(|&byte| byte == b'\t').next().unwrap_or(text).to_vec(),
    };
    (name != b"/dev/null").then_some(name)
}

/// Reads the name in an extended header such as `rename from`, which has no prefix.
pub(super) fn of_header(text: &[u8]) -> Vec<u8> {
    quoted(text).map_or_else(|| text.to_vec(), |(name, _)| name)
}

/// Reads the two names after `diff --git`, with their prefixes. Only names that are equal without the prefixes
/// can be told apart, unless they are quoted. The names of a rename are in other lines.
pub(super) fn of_git(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    if let Some((old, rest)) = quoted(text) {
        let new = rest.strip_prefix(b" ")?;
        return Some((old, of_header(new)));
    }
    if let Some(at) = text.windows(2).position(|pair| pair == b" \"")
        && let Some((new, b"")) = quoted(text.get(at + 1..)?)
    {
        return Some((text.get(..at)?.to_vec(), new));
    }
    let spaces = text.iter().enumerate().filter(|(_, byte)| **byte == b' ').map(|(at, _)| at);
    let mut halves = spaces.filter_map(|at| Some((text.get(..at)?, text.get(at + 1..)?)));
    let (old, new) = halves.find(|(old, new)| {
        let (a, b) = without_prefixes(old, new);
        a == b
    })?;
    Some((old.to_vec(), new.to_vec()))
}

/// Removes the prefixes of both names, if both have one.
pub(super) fn without_prefixes<'a>(old: &'a [u8], new: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    match (without_prefix(old), without_prefix(new)) {
        // With one and the same prefix it is a folder, and the diff has no prefixes.
        (Some(a), Some(b)) if old.first() != new.first() => (a, b),
        _ => (old, new),
    }
}

fn without_prefix(name: &[u8]) -> Option<&[u8]> {
    PREFIXES.iter().find_map(|prefix| name.strip_prefix(*prefix))
}

/// Reads a quoted name. Returns the name and what comes after it.
fn quoted(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut rest = text.strip_prefix(b"\"")?;
    let mut name = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((name, rest)),
            b'\\' => {
                let (&escaped, after) = rest.split_first()?;
                rest = after;
                name.push(match escaped {
                    b'a' => 0x07,
                    b'b' => 0x08,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 0x0b,
                    b'f' => 0x0c,
                    b'r' => b'\r',
                    b'"' | b'\\' => escaped,
                    b'0'..=b'3' => {
                        let digit = |at: usize| {
                            let digit = rest.get(at)?.checked_sub(b'0')?;
                            (digit < 8).then_some(digit)
                        };
                        let value = (escaped - b'0') * 64 + digit(0)? * 8 + digit(1)?;
                        rest = rest.get(2..)?;
                        value
                    }
                    _ => return None,
                });
            }
            byte => name.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unquoted() {
        assert_eq!(
            of_version(br#""a/gr\303\266\303\237e \"x\".py""#).unwrap(),
            "a/größe \"x\".py".as_bytes()
        );
        assert_eq!(of_version(b"a/x y.py\t2026-11-29 10:00:00").unwrap(), b"a/x y.py");
        assert_eq!(of_version(b"/dev/null"), None);
        assert_eq!(of_header(br#""tab\there""#), b"tab\there");
    }

    #[test]
    fn two_names_are_told_apart() {
        let both = |text: &str| {
            let (old, new) = of_git(text.as_bytes()).unwrap();
            let text = |name| String::from_utf8(name).unwrap();
            (text(old), text(new))
        };
        for (text, old, new) in [
            ("a/x.py b/x.py", "a/x.py", "b/x.py"),
            ("a/x y.py b/x y.py", "a/x y.py", "b/x y.py"),
            ("a/x b/x b/x b/x", "a/x b/x", "b/x b/x"),
            ("x.py x.py", "x.py", "x.py"),
            ("a/x.py a/x.py", "a/x.py", "a/x.py"),
            ("i/x.py w/x.py", "i/x.py", "w/x.py"),
            (r#""a/\303\266" "b/\303\266""#, "a/ö", "b/ö"),
            (r#"a/o "b/\303\266""#, "a/o", "b/ö"),
        ] {
            assert_eq!(both(text), (old.to_owned(), new.to_owned()), "{text}");
        }
        assert_eq!(of_git(b"a/x.py b/y.py"), None);
    }

    #[test]
    fn only_pairs_of_prefixes_are_removed() {
        let strip = |old: &'static str, new: &'static str| {
            let (old, new) = without_prefixes(old.as_bytes(), new.as_bytes());
            (String::from_utf8_lossy(old).into_owned(), String::from_utf8_lossy(new).into_owned())
        };
        for ((old, new), expected) in [
            (("a/x.py", "b/x.py"), ("x.py", "x.py")),
            (("b/x.py", "a/x.py"), ("x.py", "x.py")),
            (("a/x.py", "a/x.py"), ("a/x.py", "a/x.py")),
            (("x.py", "x.py"), ("x.py", "x.py")),
            (("src/x.py", "b/x.py"), ("src/x.py", "b/x.py")),
        ] {
            assert_eq!(strip(old, new), (expected.0.to_owned(), expected.1.to_owned()));
        }
    }
}
