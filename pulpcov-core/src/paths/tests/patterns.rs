//! Tests of choosing files and modules.

use super::{NOWHERE, folder_of, text};
use crate::paths::{GlobMatcher, ModuleMatcher, TreeMatcher, WorkingFolder, prep_patterns};
use crate::{Error, ErrorKind};

#[test]
fn trees() {
    let (_folder, cwd) = folder_of(&[
        "sub/file1.py",
        "sub/file2.c",
        "sub2/file3.h",
        "sub3/file4.py",
        "sub3/file5.c",
        "sub4/File5.py",
        "sub5/file6.py",
    ]);
    let trees = ["sub", "sub3/file4.py", "sub4/file5.py", "SUB5/file6.py"];
    let trees: Vec<_> = trees.iter().map(|p| cwd.canonical_filename(p.as_bytes())).collect();
    let matcher = TreeMatcher::new(cwd.clone(), &trees);
    assert_eq!(matcher.paths(), trees);
    let table = [
        ("sub/file1.py", true),
        ("sub/file2.c", true),
        ("sub", true),
        ("sub2/file3.h", false),
        ("sub3/file4.py", true),
        ("sub3/file4.pyc", false),
        ("sub3/file5.c", false),
        ("sub4/File5.py", false),
        ("sub5/file6.py", false),
    ];
    for (path, expected) in table {
        assert_eq!(matcher.is_match(path.as_bytes()), expected, "{path}");
        let path = cwd.canonical_filename(path.as_bytes());
        assert_eq!(matcher.is_match(&path), expected, "{}", text(&path));
    }
}

#[test]
fn the_root_is_a_tree_without_branches() {
    let matcher = TreeMatcher::new(WorkingFolder::new(NOWHERE), ["/"]);
    assert!(matcher.is_match(b"/"));
    assert!(!matcher.is_match(b"/nonexistent"));
}

#[test]
fn modules() {
    let names = ["test", "py.test", "mymain"];
    let matcher = ModuleMatcher::new(names);
    assert_eq!(matcher.modules(), names);
    let table = [
        ("test", true),
        ("trash", false),
        ("testing", false),
        ("test.x", true),
        ("test.x.y.z", true),
        ("py", false),
        ("py.t", false),
        ("py.test", true),
        ("py.testing", false),
        ("py.test.buz", true),
        ("py.test.buz.baz", true),
        ("__main__", false),
        ("mymain", true),
        ("yourmain", false),
        ("", false),
    ];
    for (name, expected) in table {
        assert_eq!(matcher.is_match(name), expected, "{name}");
    }
    assert!(!ModuleMatcher::new([""]).is_match(""));
}

/// Returns whether `patterns` match `path`, made absolute as the reports do.
fn matches(patterns: &[&str], path: &str) -> bool {
    let path = WorkingFolder::new(NOWHERE).canonical_filename(path.as_bytes());
    GlobMatcher::new(patterns).unwrap().is_match(&path)
}

#[test]
fn globs() {
    let patterns = ["*.py", "*/sub2/*"];
    assert_eq!(GlobMatcher::new(patterns).unwrap().patterns(), patterns.map(|p| p.as_bytes()));
    let table = [
        ("sub/file1.py", true),
        ("sub/file2.c", false),
        ("sub2/file3.h", true),
        ("sub2/sub/file3.h", true),
        ("sub3/file4.py", true),
        ("sub3/file5.c", false),
    ];
    for (path, expected) in table {
        assert_eq!(matches(&patterns, path), expected, "{path}");
    }
}

#[test]
fn hundreds_of_globs() {
    let patterns: Vec<_> = (0..500).map(|i| format!("*x{i:03}*.txt")).collect();
    let matcher = GlobMatcher::new(&patterns).unwrap();
    let table = [
        ("x007foo.txt", true),
        ("x123foo.txt", true),
        ("x798bar.txt", false),
        ("x499.txt", true),
        ("x500.txt", false),
    ];
    for (path, expected) in table {
        let path = WorkingFolder::new(NOWHERE).canonical_filename(path.as_bytes());
        assert_eq!(matcher.is_match(&path), expected, "{}", text(&path));
    }
}

#[test]
fn windows_paths_match_here() {
    for pattern in ["*/foo.py", r"*\foo.py"] {
        assert!(matches(&[pattern], r"dir\foo.py"), "{pattern}");
    }
}

#[test]
fn odd_bytes_are_characters() {
    let table: [(&[u8], &[u8], bool); 6] = [
        (b"a?c", b"a\xffc", true),
        (b"a?c", b"a\xff\xfec", false),
        (b"a*c", b"a\xff\xfec", true),
        (b"a*c", b"\xff/\xfe/abc", true),
        (b"\xff.py", b"x/\xff.py", true),
        (b"\xff.py", b"x/\xfe.py", false),
    ];
    for (pattern, path, expected) in table {
        let matcher = GlobMatcher::new([pattern]).unwrap();
        assert_eq!(matcher.is_match(path), expected, "{pattern:?} {path:?}");
    }
}

#[test]
fn prepared_patterns() {
    let cwd = WorkingFolder::new(NOWHERE);
    let prepared = prep_patterns(&cwd, ["*.py", "?.py", "a/../b*.py", "/nonexistent/x", ""]);
    let prepared: Vec<_> = prepared.iter().map(|p| text(p)).collect();
    assert_eq!(
        prepared,
        [
            "*.py",
            "?.py",
            "a/../b*.py",
            "/nonexistent/cwd/b*.py",
            "/nonexistent/x",
            "/nonexistent/x",
            "",
            "/nonexistent/cwd",
        ]
    );
    assert_eq!(prep_patterns::<&str>(&cwd, []), Vec::<Vec<u8>>::new());
}

#[test]
fn errors_are_of_their_kind() {
    let error: Error = GlobMatcher::new(["ok", "a]"]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pattern);
    assert_eq!(error.to_string(), "File pattern can't include ']'");
}
