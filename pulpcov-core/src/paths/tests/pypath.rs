//! Tests of paths as text, and of paths on a real file system.

use super::{NOWHERE, folder_of, text, touch};
use crate::paths::chars::{len_in_bytes, to_text};
use crate::paths::working_folder::CanonicalNames;
use crate::paths::{WorkingFolder, isabs, isabs_anywhere, isabs_nt, normpath};

#[test]
fn absolute_here_there_and_anywhere() {
    // path, absolute on POSIX, absolute on Windows
    let table: [(&[u8], bool, bool); 13] = [
        (b"", false, false),
        (b"/", true, true),
        (b"/a", true, true),
        (br"\a", false, true),
        (br"\\host\share", false, true),
        (br"C:\a", false, true),
        (b"c:/a", false, true),
        (b"C:a", false, false),
        (b"C:", false, false),
        ("é:/a".as_bytes(), false, true),
        (b"\xff:/a", false, true),
        (b"ab:/a", false, false),
        (b"./a", false, false),
    ];
    for (path, posix, nt) in table {
        assert_eq!(isabs(path), posix, "{path:?}");
        assert_eq!(isabs_nt(path), nt, "{path:?}");
        assert_eq!(isabs_anywhere(path), posix || nt, "{path:?}");
    }
}

#[test]
fn normal_paths() {
    let table = [
        ("", "."),
        (".", "."),
        ("a/", "a"),
        ("a//b/./c", "a/b/c"),
        ("a/..", "."),
        ("a/../..", ".."),
        ("../../a/../b", "../../b"),
        ("/", "/"),
        ("/..", "/"),
        ("//", "//"),
        ("//a/..", "//"),
        ("///a", "/a"),
        (r"a\..\b", r"a\..\b"),
    ];
    for (path, normal) in table {
        assert_eq!(text(&normpath(path.as_bytes())), normal, "{path:?}");
    }
}

#[test]
fn relative_to_the_working_directory() {
    // working directory, path, relative path
    let table = [
        ("/nonexistent/a", "b.py", "b.py"),
        ("/nonexistent/a", "/nonexistent/a/b.py", "b.py"),
        ("/nonexistent/a", "/nonexistent/a/", ""),
        ("/nonexistent/a", "/nonexistent/a", "/nonexistent/a"),
        ("/nonexistent/a", "/nonexistent/ab/c.py", "/nonexistent/ab/c.py"),
        ("/nonexistent/a/", "/nonexistent/a/b.py", "b.py"),
        ("/nonexistent/a/../b", "/nonexistent/b/c.py", "c.py"),
        ("/nonexistent/a", "/nonexistent/a/x/nonexistent/a/b.py", "x/nonexistent/a/b.py"),
        ("/nonexistent/a", "/nonexistent/a//b.py", "/b.py"),
        ("/", "/b.py", "b.py"),
        ("/", "b.py", "b.py"),
    ];
    for (cwd, path, relative) in table {
        let cwd = WorkingFolder::new(cwd);
        assert_eq!(text(cwd.relative_filename(path.as_bytes())), relative, "{cwd:?} {path:?}");
    }
}

#[test]
fn relative_to_a_sibling_folder() {
    let (_folder, cwd) = folder_of(&["sub/proj1/file1.py", "sub/proj2/file2.py"]);
    let (first, second) =
        (cwd.abs_file(b"sub/proj1/file1.py"), cwd.abs_file(b"sub/./proj2/file2.py"));
    let inner = WorkingFolder::new(text(&cwd.abs_file(b"sub/proj1")));
    assert_eq!(inner.relative_filename(&first), b"file1.py");
    assert_eq!(inner.relative_filename(&second), second);
    // A relative path is looked for only in the working folder.
    let doubled = [inner.as_bytes(), b"/sub/proj1/file1.py"].concat();
    assert_eq!(inner.canonical_filename(b"sub/proj1/file1.py"), doubled);
}

#[test]
fn absolute_paths() {
    let cwd = WorkingFolder::new(NOWHERE);
    let table = [
        ("", "/nonexistent/cwd"),
        (".", "/nonexistent/cwd"),
        ("a.py", "/nonexistent/cwd/a.py"),
        ("./a//b/../c.py", "/nonexistent/cwd/a/c.py"),
        ("../../../..", "/"),
        ("../a/", "/nonexistent/a"),
        ("/", "/"),
        ("//nonexistent/a", "/nonexistent/a"),
        (r"C:\a", r"/nonexistent/cwd/C:\a"),
    ];
    let mut remembered = CanonicalNames::new(cwd.clone());
    for (path, absolute) in table {
        assert_eq!(text(&cwd.abs_file(path.as_bytes())), absolute, "{path:?}");
        for _ in 0..2 {
            assert_eq!(text(&remembered.get(path.as_bytes())), absolute, "{path:?}");
        }
    }
    assert_eq!(cwd.abs_file(b"\xff\0/x"), b"/nonexistent/cwd/\xff\0/x");
    assert_eq!(WorkingFolder::new("relative/..").as_bytes(), b"/");
}

#[test]
fn many_deep_folders_do_not_fill_the_memory() {
    let mut remembered = CanonicalNames::new(WorkingFolder::new(NOWHERE));
    for number in 0..40 {
        let folder = format!("/nonexistent/{number}{}/", "/a".repeat(1_500));
        let path = folder + "b.py";
        assert_eq!(text(&remembered.get(path.as_bytes())), path.replace("//", "/"));
    }
    assert!(remembered.bytes_kept() <= 16 << 20, "{}", remembered.bytes_kept());
}

#[cfg(unix)]
#[test]
fn symlinks_are_resolved() {
    use std::os::unix::fs::symlink;
    let (folder, cwd) = folder_of(&["real/sub/a.py"]);
    let link = |target: &str, name: &str| symlink(target, folder.path().join(name)).unwrap();
    link("real", "link");
    link("link/sub", "deep");
    link(text(&cwd.abs_file(b"real/sub")), "absolute");
    link("circle2/x", "circle1");
    link("circle1/y", "circle2");
    link("self", "self");
    link("gone/away", "dangling");
    let table = [
        ("link/sub/a.py", "real/sub/a.py"),
        ("deep/a.py", "real/sub/a.py"),
        ("deep/../b.py", "real/b.py"),
        ("absolute/../../link/./deep", "real/deep"),
        ("deep/a.py/deep/link", "real/sub/a.py/deep/link"),
        ("link/../link/sub/../../deep/a.py", "real/sub/a.py"),
        ("dangling/a.py", "gone/away/a.py"),
        ("self/a.py", "self/a.py"),
        ("self/../a.py", "a.py"),
        ("self/../link/sub/a.py", "link/sub/a.py"),
        // Python leaves a symlink loop at the link that closes it, followed by the rest of the
        // path.
        ("circle1/a.py", "circle1/y/x/a.py"),
    ];
    let mut remembered = CanonicalNames::new(cwd.clone());
    for (path, real) in table {
        let real = [cwd.as_bytes(), b"/", real.as_bytes()].concat();
        assert_eq!(text(&cwd.abs_file(path.as_bytes())), text(&real), "{path}");
        assert_eq!(text(&remembered.get(path.as_bytes())), text(&real), "{path}");
    }
    assert_eq!(
        WorkingFolder::new(folder.path().join("link/sub")).as_bytes(),
        cwd.abs_file(b"deep")
    );
}

#[cfg(unix)]
#[test]
fn a_long_chain_of_symlinks_is_followed_to_its_end() {
    let (folder, cwd) = folder_of(&["0"]);
    for i in 1..=3000 {
        let name = folder.path().join(i.to_string());
        std::os::unix::fs::symlink((i - 1).to_string(), name).unwrap();
    }
    assert_eq!(cwd.abs_file(b"3000"), cwd.abs_file(b"0"));
}

#[test]
fn very_long_paths_are_only_normalised() {
    let cwd = WorkingFolder::new("/");
    let long = "/a/./b".repeat(40_000);
    assert_eq!(text(&cwd.abs_file(long.as_bytes())), "/a/b".repeat(40_000));
}

#[test]
fn sources_exist_in_archives_too() {
    // existing path, requested path, whether the source exists
    let table = [
        ("a/b/c/foo.py", "a/b/c/foo.py", true),
        ("a/b/c/foo.py", "a/b/c/bar.py", false),
        ("a/b/c/foo.py", "", false),
        ("src/files.zip", "src/files.zip/foo.py", true),
        ("src/files.whl", "src/files.whl/foo.py", true),
        ("src/files.egg", "src/files.egg/foo.py", true),
        ("src/files.pex", "src/files.pex/foo.py", true),
        ("src/files.par", "src/files.par/foo.py", true),
        ("src/files.tar", "src/files.tar/foo.py", false),
        ("src/files.zip", "src/morefiles.zip/foo.py", false),
        ("src/files.pex", "src/files.pex/zipfiles/files.zip/foo.py", true),
        ("files.zip", r"files.zip\foo.py", true),
    ];
    for (there, asked, expected) in table {
        let (_folder, cwd) = folder_of(&[there]);
        assert_eq!(cwd.source_exists(asked.as_bytes()), expected, "{asked} in {there}");
    }
}

#[test]
fn archives_split_at_the_first_match() {
    let (folder, cwd) = folder_of(&["x.egg", "x.egg.zip"]);
    assert_eq!(cwd.zip_location(b"x.egg/y.egg/z.py"), Some((&b"x.egg"[..], &b"y.egg/z.py"[..])));
    assert_eq!(cwd.zip_location(b"x.egg.zip/a"), Some((&b"x.egg.zip"[..], &b"a"[..])));
    assert_eq!(cwd.zip_location(b"x.egg"), None);
    touch(&folder.path().join("late.par"));
    assert!(cwd.zip_location(b"late.par/a").is_some());
}

#[test]
fn each_odd_byte_is_a_character() {
    let bytes = b"a\xff\xe6\x97/\xc3\xa9\x80z";
    let text = to_text(bytes);
    assert_eq!(text.chars().count(), 8);
    let lengths: Vec<usize> = text.char_indices().map(|(at, _)| len_in_bytes(bytes, at)).collect();
    assert_eq!(lengths, [0, 1, 2, 3, 4, 5, 7, 8]);
    assert_eq!(len_in_bytes(bytes, text.len()), bytes.len());
}
