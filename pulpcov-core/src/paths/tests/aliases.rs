//! Tests of path aliases. Unless a test says otherwise, every mapped path exists.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::{NOWHERE, aliases, folder_of, text};
use crate::paths::{PathAliases, WorkingFolder};
use crate::{ErrorKind, FilePath};

const BOTH: [bool; 2] = [false, true];

/// Checks that `path` is mapped to `expected`, made canonical if results are not relative.
fn assert_maps(aliases: &mut PathAliases, relative: bool, path: &str, expected: &str) {
    let expected = if relative {
        expected.as_bytes().to_vec()
    } else {
        WorkingFolder::new(NOWHERE).canonical_filename(expected.as_bytes())
    };
    assert_eq!(text(&aliases.map(path.as_bytes())), text(&expected), "{path}");
}

/// Checks the rules in both modes, on each pair of a path and its mapped path.
fn check(rules: &[(&str, &str)], maps: &[(&str, &str)]) {
    for relative in BOTH {
        check_mode(relative, rules, maps);
    }
}

fn check_mode(relative: bool, rules: &[(&str, &str)], maps: &[(&str, &str)]) {
    let mut aliases = aliases(relative, rules);
    for (path, expected) in maps {
        assert_maps(&mut aliases, relative, path, expected);
    }
}

#[test]
fn no_rule_no_change() {
    for relative in BOTH {
        for (rules, path) in [
            (&[][..], "/ned/home/a.py"),
            (&[("/home/*/src", "./mysrc")], "/home/foo/a.py"),
            (&[("/home/*/src", "./mysrc")], "/home/foo/srcetc"),
            (&[("/home/*/src", "./mysrc")], r"X:\home\foo\a.py"),
        ] {
            assert_eq!(text(&aliases(relative, rules).map(path.as_bytes())), path);
        }
    }
}

#[test]
fn wildcards() {
    let map = ("/ned/home/foo/src/a.py", "./mysrc/a.py");
    check(&[("/ned/home/*/src", "./mysrc")], &[map]);
    check(&[("/ned/home/*/src/", "./mysrc")], &[map]);
    check(
        &[("/home/jenkins/*/a/*/b/*/django", "./django")],
        &[("/home/jenkins/xx/a/yy/b/zz/django/foo/bar.py", "./django/foo/bar.py")],
    );
    check(
        &[("*/d1", "./mysrc1"), ("*/d2", "./mysrc2")],
        &[("/foo/bar/d1/x.py", "./mysrc1/x.py"), ("/foo/bar/d2/y.py", "./mysrc2/y.py")],
    );
}

#[test]
fn only_the_front_is_replaced() {
    check(
        &[("/ci/src", "./mysrc")],
        &[("/ci/src/vendor/ci/src/a.py", "./mysrc/vendor/ci/src/a.py")],
    );
}

#[test]
fn the_longest_front_is_replaced() {
    check(&[("*/src", "./mine")], &[("/a/src/b/src/c.py", "./mine/c.py")]);
}

#[test]
fn results_must_exist() {
    for relative in BOTH {
        let mut aliases =
            PathAliases::new(WorkingFolder::new(NOWHERE)).relative(relative).exists(|_| false);
        aliases.add("/ned/home/*/src", "./mysrc").unwrap();
        for path in ["/ned/home/foo/src/a.py", "foo/src/a.py"] {
            assert_eq!(text(&aliases.map(path.as_bytes())), path);
        }
    }
}

#[test]
fn the_first_rule_that_exists_wins() {
    let mut aliases = PathAliases::new(WorkingFolder::new(NOWHERE))
        .relative(true)
        .exists(|path| path.starts_with(b"two") || path.starts_with(b"three"));
    for result in ["one", "two", "three"] {
        aliases.add("/ci/src", result).unwrap();
    }
    assert_eq!(aliases.map(b"/ci/src/a.py"), b"two/a.py");
}

#[test]
fn a_dot_in_front_stays_if_the_user_wrote_it() {
    check(&[("*/project", ".")], &[("/ned/home/project/src/a.py", "src/a.py")]);
    check(&[("*/project", "./")], &[("/ned/home/project/src/a.py", "src/a.py")]);
    check_mode(true, &[("*/project", "./x")], &[("/ned/home/project/a.py", "./x/a.py")]);
    check_mode(true, &[("*/project", r".\x")], &[("/ned/home/project/a.py", r".\x\a.py")]);
}

#[test]
fn relative_patterns_stay_relative() {
    check_mode(
        true,
        &[(".tox/*/site-packages", "src")],
        &[(".tox/py314/site-packages/proj/a.py", "src/proj/a.py")],
    );
}

#[test]
fn wildcards_in_the_result_are_refused() {
    for result in ["*/src", "src/*", "s?c"] {
        let mut aliases = PathAliases::new(WorkingFolder::new("/"));
        let error = aliases.add("*/app", result).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("Result path must not contain wildcards: '{result}'"),
        );
    }
}

#[test]
fn wildcards_at_the_end_are_refused() {
    for pattern in ["/ned/home/*", "/ned/home/*/", "/ned/home/*/*/", "*", "*/", "a**", r"C:\*\"] {
        let error = aliases(false, &[]).add(pattern, "fooey").unwrap_err();
        assert_eq!(error.to_string(), "Pattern must not end with wildcards.", "{pattern}");
        assert_eq!(error.kind(), ErrorKind::Pattern);
    }
    let error = aliases(false, &[]).add("/ned/***/src", "fooey").unwrap_err();
    assert_eq!(error.to_string(), "File pattern can't include '***'");
}

#[test]
fn special_characters_are_plain() {
    check(
        &[(r"c:\Zoo\boo", "src/"), ("/home/ned$", "src/")],
        &[(r"c:\Zoo\boo\foo.py", "src/foo.py"), ("/home/ned$/foo.py", "src/foo.py")],
    );
}

#[test]
fn slashes_follow_the_result() {
    check(
        &[("/home/ned/*/src", "./mysrc"), (r"c:\ned\src", "./mysrc")],
        &[(r"C:\Ned\src\sub\a.py", "./mysrc/sub/a.py")],
    );
    check(
        &[("/home/ned/*/src", r".\mysrc"), (r"c:\ned\src", r".\mysrc")],
        &[("/home/ned/foo/src/sub/a.py", r".\mysrc\sub\a.py")],
    );
    // Only the kind of slash that the path uses first is replaced.
    check_mode(true, &[("/ci", "x")], &[(r"/ci/a\b/c", r"x/a\b/c"), (r"\ci/a\b", "x/a/b")]);
}

#[test]
fn either_system_on_either() {
    let (lin, win) = ("*/project/module/", r"*\project\module\");
    let (lin_path, win_path) = (
        "C:/a/path/somewhere/coveragepy_test/project/module/tests/file.py",
        r"C:\a\path\somewhere\coveragepy_test\project\module\tests\file.py",
    );
    for (first, second) in [(lin, win), (win, lin)] {
        let forward = [(first, "project/module"), (second, "project/module")];
        check(&forward, &[(win_path, "project/module/tests/file.py")]);
        check_mode(
            true,
            &forward,
            &[(r"project\module\tests\file.py", "project/module/tests/file.py")],
        );
        let backward = [(first, r"project\module"), (second, r"project\module")];
        check(&backward, &[(lin_path, r"project\module\tests\file.py")]);
        check_mode(
            true,
            &backward,
            &[("project/module/tests/file.py", r"project\module\tests\file.py")],
        );
    }
}

#[test]
fn windows_roots() {
    check(
        &[(r"X:\", "/nonexistent/src")],
        &[
            (r"X:\a\file.py", "/nonexistent/src/a/file.py"),
            (r"X:\file.py", "/nonexistent/src/file.py"),
            ("x:/file.py", "/nonexistent/src/file.py"),
        ],
    );
    check(
        &[(r"\\host\share\", "/nonexistent/src")],
        &[(r"\\HOST\share\a.py", "/nonexistent/src/a.py")],
    );
}

#[test]
fn patterns_of_dots_are_absolute() {
    for folder in [".", "..", "../other", "/"] {
        let file = format!("{folder}/a.py");
        let file = WorkingFolder::new(NOWHERE).abs_file(file.as_bytes());
        check_mode(false, &[(folder, "/the/source")], &[(text(&file), "/the/source/a.py")]);
    }
}

#[test]
fn a_relative_path_makes_a_rule() {
    check_mode(
        true,
        &[],
        &[
            ("/ci/project/a.py", "/ci/project/a.py"),
            (r"project\module\tests\file.py", "project/module/tests/file.py"),
            // The path that no rule matched above has a rule now.
            ("/ci/project/a.py", "project/a.py"),
            (r"D:\ci\project\a.py", "project/a.py"),
            ("/ci/Project/a.py", "/ci/Project/a.py"),
            ("alone.py", "alone.py"),
            ("/nonexistent/cwd/lib/b.py", "lib/b.py"),
            ("/x/lib/c.py", "lib/c.py"),
        ],
    );
}

#[test]
fn a_rule_like_the_users_is_not_made() {
    check_mode(
        true,
        &[("*/project", "other")],
        &[("project/a.py", "other/a.py"), (r"lib\b.py", "lib/b.py")],
    );
    let mut aliases = PathAliases::new(WorkingFolder::new(NOWHERE))
        .relative(true)
        .exists(|p| p.starts_with(b"project"));
    aliases.add("*/project", "other").unwrap();
    assert_eq!(aliases.map(br"project\a.py"), br"project\a.py");
}

/// The first call maps the relative form of the path, after that form has made a rule. The second
/// call applies that rule to the path itself.
#[test]
fn a_path_that_makes_a_rule_may_map_differently_again() {
    let mut aliases = PathAliases::new(WorkingFolder::new(NOWHERE))
        .relative(true)
        .exists(|path| path != br"x\home\b\c.py");
    aliases.add("*/arc/a", r"x\home").unwrap();
    assert_eq!(text(&aliases.map(br"/nonexistent/cwd/arc\a/b/c.py")), r"x\home\b/c.py");
    assert_eq!(text(&aliases.map(br"/nonexistent/cwd/arc\a/b/c.py")), r"arc/a/b/c.py");
}

/// Returns the path that a file has in combined data.
fn file(aliases: &mut PathAliases, path: &str) -> String {
    let path = FilePath::try_from(path).unwrap();
    aliases.map_file(&path).unwrap().as_str().to_owned()
}

#[test]
fn results_that_no_data_file_can_hold_are_refused() {
    let path = FilePath::try_from("/ci/src/a.py").unwrap();
    for (result, why) in [(&b"caf\xe9"[..], "is not UTF-8"), (b"a\0b", "has a NUL in it")] {
        let mut aliases = aliases(true, &[]);
        aliases.add("/ci", result).unwrap();
        let err = aliases.map_file(&path).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotRepresentable);
        let words = err.to_string();
        assert!(words.starts_with("[paths] gives '/ci/src/a.py' a name: "), "{words}");
        assert!(words.ends_with(why), "{words}");
    }
}

#[test]
fn results_are_remembered() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let mut aliases = PathAliases::new(WorkingFolder::new(NOWHERE)).exists(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
        true
    });
    aliases.add("/ci", "src").unwrap();
    for _ in 0..3 {
        file(&mut aliases, "/ci/a.py");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    aliases.add("/other", "src").unwrap();
    file(&mut aliases, "/ci/a.py");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

/// The rule that `src/b.py` makes applies only to later paths that were not mapped before.
#[test]
fn a_result_outlives_the_rules_that_paths_make() {
    let mut aliases = aliases(true, &[]);
    assert_eq!(file(&mut aliases, "/srv/src/a.py"), "/srv/src/a.py");
    assert_eq!(file(&mut aliases, "src/b.py"), "src/b.py");
    assert_eq!(file(&mut aliases, "/srv/src/a.py"), "/srv/src/a.py");
    assert_eq!(file(&mut aliases, "/srv/src/c.py"), "src/c.py");
}

#[test]
fn odd_bytes_are_kept() {
    let mut aliases = aliases(true, &[("/ci/*/src", "mine")]);
    aliases.add(b"/odd\xff", b"m\xfe").unwrap();
    assert_eq!(aliases.map(b"/ci/\xff\xe6/src/\x80\xc3.py"), b"mine/\x80\xc3.py");
    assert_eq!(aliases.map(b"/odd\xff/\xe9.py"), b"m\xfe/\xe9.py");
    assert_eq!(aliases.map(b"d\xff\\a.py"), b"d\xff/a.py");
    assert_eq!(aliases.map(b"/x/d\xff/b.py"), b"d\xff/b.py");
}

#[test]
fn host_slashes() {
    let mut aliases = aliases(true, &[(r"c:\ci", r"out\src")]);
    assert_eq!(aliases.map(br"c:\ci\a\b.py"), br"out\src\a\b.py");
    assert_eq!(file(&mut aliases, r"c:\ci\a\b.py"), "out/src/a/b.py");
    assert_eq!(file(&mut aliases, r"\\h\x/y.py"), "//h/x/y.py");
}

fn events(relative: bool, rules: &[(&str, &str)], paths: &[&str]) -> Vec<String> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&log);
    let mut aliases = PathAliases::new(WorkingFolder::new(NOWHERE))
        .relative(relative)
        .exists(|path| !path.ends_with(b"gone.py"))
        .on_event(move |event| heard.lock().unwrap().push(event.to_string()));
    for (pattern, result) in rules {
        aliases.add(pattern, result).unwrap();
    }
    paths.iter().for_each(|path| drop(aliases.map(path.as_bytes())));
    let lines = log.lock().unwrap();
    lines.clone()
}

#[test]
fn what_is_done_can_be_heard() {
    let rules = [("/home/*/src", "./mysrc"), ("/lib/*/libsrc", "./mylib")];
    let paths = ["/home/foo/src/a.py", "/lib/foo/libsrc/a.py", "/home/foo/src/gone.py"];
    for (relative, title, root) in [
        (true, "Aliases (relative=True):", "./"),
        (false, "Aliases (relative=False):", "/nonexistent/cwd/"),
    ] {
        let slash = r"[/\\\\]";
        let name = r"[^/\\\\]*";
        let expected = [
            title.to_owned(),
            format!(
                " Rule: '/home/*/src' -> './mysrc/' using regex '{slash}home{slash}{name}{slash}src{slash}'"
            ),
            format!(
                " Rule: '/lib/*/libsrc' -> './mylib/' using regex '{slash}lib{slash}{name}{slash}libsrc{slash}'"
            ),
            format!(
                "Matched path '/home/foo/src/a.py' to rule '/home/*/src' -> './mysrc/', producing '{root}mysrc/a.py'"
            ),
            format!(
                "Matched path '/lib/foo/libsrc/a.py' to rule '/lib/*/libsrc' -> './mylib/', producing '{root}mylib/a.py'"
            ),
            format!(
                "Rule '/home/*/src' changed '/home/foo/src/gone.py' to '{root}mysrc/gone.py' which doesn't exist, continuing"
            ),
            "No rules match, path '/home/foo/src/gone.py' is unchanged".to_owned(),
        ];
        assert_eq!(events(relative, &rules, &paths), expected);
    }
}

#[test]
fn made_rules_can_be_heard() {
    assert_eq!(
        events(true, &[], &["my-lib/a.py", "my-lib/a.py"]),
        [
            "Aliases (relative=True):",
            r"Generating rule: '*/my-lib' -> 'my-lib/' using regex '^(.*[\\\\/])?my\\-lib[\\\\/]'",
            "Matched path 'my-lib/a.py' to rule '*/my-lib' -> 'my-lib/', producing 'my-lib/a.py'",
            "Matched path 'my-lib/a.py' to rule '*/my-lib' -> 'my-lib/', producing 'my-lib/a.py'",
        ]
    );
}

#[test]
fn files_in_archives_exist() {
    let (_folder, cwd) = folder_of(&["src/zipfiles/code.zip"]);
    let mut aliases = PathAliases::new(cwd.clone());
    aliases.add("*/d1", "./src").unwrap();
    aliases.add("*/d2", "./src").unwrap();
    assert_eq!(
        aliases.map(b"tox/d1/zipfiles/code.zip/p1.py"),
        cwd.canonical_filename(b"src/zipfiles/code.zip/p1.py")
    );
    assert_eq!(aliases.map(b"tox/d1/a.py"), b"tox/d1/a.py");
}

#[test]
fn relative_results_are_looked_for_in_the_working_directory() {
    let (_folder, cwd) = folder_of(&["src/a.py"]);
    let mut aliases = PathAliases::new(cwd).relative(true);
    aliases.add("/ci", "src").unwrap();
    assert_eq!(aliases.map(b"/ci/a.py"), b"src/a.py");
    assert_eq!(aliases.map(b"/ci/b.py"), b"/ci/b.py");
}

#[test]
fn it_can_move_to_another_thread() {
    fn needs_send<T: Send>(_: &T) {}
    needs_send(&aliases(true, &[]));
}

proptest! {
    #[test]
    fn nothing_panics(
        rules in proptest::collection::vec(
            (r"[*?\[\]ab./\\é\n-]{0,8}", r"[ab./\\é]{0,5}"), 0..4),
        paths in proptest::collection::vec(
            proptest::collection::vec(proptest::sample::select(b"ab./\\:\xff\xc3\xa9\n".as_slice()), 0..12), 1..6),
        relative: bool,
    ) {
        let mut aliases = aliases(relative, &[]);
        for (pattern, result) in rules {
            // A refused pattern is a valid outcome.
            drop(aliases.add(pattern, result));
        }
        for path in paths {
            aliases.map(&path);
            if let Ok(path) = FilePath::try_from(path.as_slice()) {
                let _ = aliases.map_file(&path);
            }
        }
    }
}
