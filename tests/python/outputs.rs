//! Outputs of reports: devices, symbolic links, and files with permissions and owners.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::stat::Mode;

use crate::support::is_root;
use crate::support::{Dir, Ran, pulpcov};

/// Returns a folder with a source and the data that coverage.py measured.
fn recorded() -> Dir {
    let dir = Dir::new();
    dir.write("main.py", "x = 1\nif x > 1:\n    x = 2\n");
    dir.coverage(["run", "--source=.", "main.py"]).status(0);
    dir
}

/// Runs the command in a shell, after `prepare`.
fn shell(dir: &Dir, prepare: &str, args: &str) -> Ran {
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("{prepare}; exec \"$0\" {args}")]).arg(pulpcov().get_program());
    Ran::from(shell.current_dir(dir.path("")).stdin(Stdio::null()).output().unwrap())
}

fn mode(path: impl AsRef<Path>) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn devices_are_written_to() {
    let dir = recorded();
    let lcov = dir.pulpcov(["lcov", "-o", "-"]).status(0).stdout;
    assert!(lcov.starts_with("SF:main.py\n"));
    for (output, redirected) in [
        ("/dev/stdout", ""),
        ("/dev/fd/1", ""),
        ("/proc/self/fd/1", ""),
        ("/dev/stderr", "2>&1"),
        ("/dev/fd/3", "3>&1"),
    ] {
        // The output is a file that the shell has open too.
        let script = format!("echo before; \"$0\" lcov -q -o {output} {redirected}; echo after");
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).arg(pulpcov().get_program()).current_dir(dir.path(""));
        let shared =
            fs::File::options().append(true).create(true).open(dir.path("shared")).unwrap();
        assert!(bash.stdout(shared).status().unwrap().success());
        let text = fs::read_to_string(dir.path("shared")).unwrap();
        assert_eq!(text, format!("before\n{lcov}after\n"), "{output}");
        fs::remove_file(dir.path("shared")).unwrap();
        let script = format!("\"$0\" lcov -q -o {output} {redirected} | cat");
        let mut bash = Command::new("bash");
        bash.args(["-c", &script]).arg(pulpcov().get_program()).current_dir(dir.path(""));
        assert_eq!(Ran::from(bash.output().unwrap()).stdout, lcov, "{output}");
    }
    dir.pulpcov(["lcov", "-o", "/dev/null"]).status(0);
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
    let full = "error: cannot write the output: /dev/full: No space left on device";
    dir.pulpcov(["lcov", "-o", "/dev/full"]).status(1).stderr(full);
    dir.pulpcov(["html", "--single-file=/dev/full"]).status(1).stderr(full);

    let fifo = dir.path("fifo");
    nix::unistd::mkfifo(&fifo, Mode::from_bits_truncate(0o600)).unwrap();
    let reader = std::thread::spawn({
        let fifo = fifo.clone();
        move || {
            let mut text = String::new();
            fs::File::open(fifo).unwrap().read_to_string(&mut text).unwrap();
            text
        }
    });
    dir.pulpcov(["lcov", "-o", "fifo"]).status(0);
    assert_eq!(reader.join().unwrap(), lcov);
    assert!(fs::symlink_metadata(fifo).unwrap().file_type().is_fifo());
}

#[test]
fn a_link_in_a_folder_of_ones_own_is_followed() {
    let dir = recorded();
    dir.write("real/old.xml", "old");
    symlink("real/old.xml", dir.path("old.xml")).unwrap();
    symlink("old.xml", dir.path("again.xml")).unwrap();
    symlink("real/new.xml", dir.path("new.xml")).unwrap();
    for (link, file) in [("old.xml", "old"), ("again.xml", "old"), ("new.xml", "new")] {
        dir.pulpcov(["xml", "-o", link]).status(0);
        assert!(dir.path(link).symlink_metadata().unwrap().is_symlink(), "{link}");
        let text = fs::read_to_string(dir.path(format!("real/{file}.xml"))).unwrap();
        assert!(text.ends_with("</coverage>\n"), "{link}");
    }
    assert_eq!(dir.names_in("real"), ["new.xml", "old.xml"]);
    symlink("loop", dir.path("loop")).unwrap();
    dir.pulpcov(["xml", "-o", "loop"]).status(1).stderr("cannot write the output: loop: ");
}

/// If the link were followed, another user could have a file of this user overwritten.
#[test]
fn a_link_that_another_one_could_have_made_is_not_followed() {
    let dir = recorded();
    let victim = dir.write("victim", "precious");
    let open = |mode| {
        fs::create_dir_all(dir.path("open")).unwrap();
        fs::set_permissions(dir.path("open"), Permissions::from_mode(mode)).unwrap();
    };
    open(0o777);
    symlink(&victim, dir.path("open/link")).unwrap();
    let refused = || {
        let words = "open/link: this ";
        dir.pulpcov(["xml", "-o", "open/link"]).status(1).stderr(words);
        assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    };
    refused();
    // In a folder with the sticky bit, only the owner of the link can have created it.
    open(0o1777);
    dir.pulpcov(["xml", "-o", "open/link"]).status(0);
    fs::write(&victim, "precious").unwrap();
    if is_root() {
        std::os::unix::fs::lchown(dir.path("open/link"), Some(65534), Some(65534)).unwrap();
        refused();
    }
}

#[test]
fn a_new_file_gets_the_permissions_that_new_files_get() {
    let commands = [
        ("out.xml", "xml -o out.xml"),
        ("out.json", "json -o out.json"),
        ("htmlcov/index.html", "html"),
        ("copies/main.py,cover", "annotate -d copies"),
        (".pulpcov_cache/facts-1", "report"),
        (".coverage", "combine .coverage.1"),
    ];
    for (umask, expected) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        for (file, args) in commands {
            let dir = recorded();
            fs::copy(dir.path(".coverage"), dir.path(".coverage.1")).unwrap();
            if file == ".coverage" {
                fs::remove_file(dir.path(file)).unwrap();
            }
            shell(&dir, &format!("umask {umask}"), args).status(0);
            assert_eq!(mode(dir.path(file)), expected, "{args}, umask {umask}");
        }
    }
}

#[test]
fn a_file_that_is_replaced_keeps_its_permissions() {
    for (old, new) in [(0o640, 0o640), (0o606, 0o606), (0o6755, 0o755)] {
        for (file, args) in [
            ("out.xml", "xml -o out.xml"),
            ("htmlcov/index.html", "html"),
            ("out.html", "html --single-file=out.html"),
        ] {
            let dir = recorded();
            dir.write(file, "old");
            if is_root() {
                chown(dir.path(file), Some(65534), Some(65534)).unwrap();
            }
            fs::set_permissions(dir.path(file), Permissions::from_mode(old)).unwrap();
            let owner = |path| fs::metadata(path).map(|it| (it.uid(), it.gid())).unwrap();
            let before = owner(dir.path(file));
            shell(&dir, "umask 077", args).status(0);
            assert!(fs::read(dir.path(file)).unwrap() != b"old");
            assert_eq!(mode(dir.path(file)), new, "{args}");
            assert_eq!(owner(dir.path(file)), before, "{args}");
        }
    }
}

#[test]
fn errors_of_reading_are_not_called_errors_of_the_output() {
    let dir = recorded();
    for args in ["report", "xml", "combine", "debug data", "watch . --xml out.xml"] {
        let gone = dir.path("gone");
        fs::create_dir(&gone).unwrap();
        let ran = shell(&dir, "cd gone; rmdir ../gone", args).status(1);
        assert!(!ran.stderr.contains("output"), "{args}: {}", ran.stderr);
        assert!(ran.stderr.contains("the current folder is gone"), "{args}: {}", ran.stderr);
    }
    let ran = dir.pulpcov(["debug", "analyze", "missing.py"]).status(1);
    assert_eq!(ran.stderr, "error: missing.py: No such file or directory\n");
    let ran = dir.pulpcov(["html", "--extra-css=missing.css"]).status(1);
    assert_eq!(ran.stderr, "error: missing.css: No such file or directory\n");
}

#[test]
fn messages_that_cannot_be_written_stop_nothing() {
    for args in
        ["combine .coverage.1", "xml", "html", "report --source-root=nowhere", "combine nowhere"]
    {
        let dir = recorded();
        fs::copy(dir.path(".coverage"), dir.path(".coverage.1")).unwrap();
        let said = shell(&dir, "true", args);
        fs::copy(dir.path(".coverage"), dir.path(".coverage.1")).unwrap();
        let unsaid = shell(&dir, "exec 2>/dev/full", args);
        assert!(
            !said.stderr.is_empty() && said.status == unsaid.status,
            "{args}: {said:?} {unsaid:?}"
        );
    }
}
