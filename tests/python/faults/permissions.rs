//! Folders and inputs that the user may not read or write.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use pulpcov_core::combine::{StoreFormat, store};

use super::{TARGET, data, input_name, inputs, snapshot};
use crate::support::{Dir, Ran, Rows, copy_pulpcov, is_root};

/// Runs the command as a user without privileges, in a folder of that user.
fn as_nobody(dir: &Dir, args: &[&str]) -> Ran {
    if !is_root() {
        return dir.pulpcov([&["combine"], args].concat());
    }
    let bin = Dir::new();
    let copy = bin.path("pulpcov");
    copy_pulpcov(&copy);
    fs::set_permissions(bin.path(""), Permissions::from_mode(0o755)).unwrap();
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(copy)
        .arg("combine")
        .args(args)
        .current_dir(dir.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|err| panic!("setpriv: {err}\nAs root, these tests need setpriv (Debian and Ubuntu: the package util-linux)."));
    Ran::from(output)
}

/// Gives the folder and all its files to that user.
fn give_to_nobody(dir: &Dir) {
    if is_root() {
        let owned = dir.names().into_iter().map(|name| dir.path(name)).chain([dir.path("")]);
        owned.for_each(|path| std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap());
    }
}

#[test]
fn a_read_only_folder_keeps_what_it_has() {
    let dir = Dir::new();
    inputs(&dir, 1..=3);
    store(&data(90), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
    give_to_nobody(&dir);
    let before = snapshot(&dir);
    dir.seal(true);
    let ran = as_nobody(&dir, &[]);
    ran.status(1).stderr("error: .coverage: the result cannot be written: Permission denied");
    assert_eq!(snapshot(&dir), before);
}

#[test]
fn a_data_file_that_is_writable_in_a_read_only_folder_is_written() {
    for append in [false, true] {
        let dir = Dir::new();
        let mut expected = inputs(&dir, 1..=3);
        if append {
            expected = expected.union(Rows::of(&data(90)));
        }
        store(&data(90), dir.path(TARGET), StoreFormat::Sqlite).unwrap();
        give_to_nobody(&dir);
        let names = dir.names();
        dir.seal(true);
        fs::set_permissions(dir.path(TARGET), Permissions::from_mode(0o644)).unwrap();
        let ran = as_nobody(&dir, if append { &["--append"] } else { &[] });
        ran.status(0).stderr("not deleted: Permission denied");
        assert_eq!(Rows::by_sql(dir.path(TARGET)), expected);
        assert_eq!(dir.names(), names);
    }
}

#[test]
fn an_unreadable_input_is_left_out() {
    let dir = Dir::new();
    let rows = inputs(&dir, 1..=3);
    store(&data(90), dir.path(input_name(90)), StoreFormat::Sqlite).unwrap();
    give_to_nobody(&dir);
    let locked = dir.path(input_name(90));
    fs::set_permissions(&locked, Permissions::from_mode(0o000)).unwrap();
    as_nobody(&dir, &[])
        .status(3)
        .stderr("left out: ")
        .stderr(&input_name(90))
        .stderr("Permission denied");
    assert_eq!(Rows::by_sql(dir.path(TARGET)), rows);
    assert_eq!(dir.names(), [TARGET.to_owned(), input_name(90)]);
}
