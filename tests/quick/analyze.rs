//! `pulpcov debug analyze`: how facts are printed. The tests of the core check the facts themselves.

use serde_json::Value;

use crate::support::Dir;

fn lines(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_folder_gives_one_object_a_file_in_order() {
    let dir = Dir::new();
    dir.write("src/b.py", "if x:\n    y()\n");
    dir.write("src/a/__init__.py", "");
    dir.write("src/notes.txt", "no Python");
    let printed = lines(&dir.pulpcov(["debug", "analyze", "src"]).status(0).stdout);
    let names: Vec<&str> = printed.iter().map(|line| line["file"].as_str().unwrap()).collect();
    assert_eq!(names, ["a/__init__.py", "b.py"]);
    assert_eq!(printed[1]["python"], "3.11");
    assert_eq!(printed[1]["statements"], serde_json::json!([1, 2]));
    assert_eq!(printed[1]["exits"], serde_json::json!({"1": 2}));
    assert_eq!(
        printed[1]["arc_text"]["1,2"],
        "line 1 didn't jump to line 2 because the condition on line 1 was never true"
    );
    let keys: Vec<&String> = printed[1].as_object().unwrap().keys().collect();
    assert_eq!(keys.len(), 10, "{keys:?}");
}

#[test]
fn a_source_that_is_no_python_is_a_line_too() {
    let dir = Dir::new();
    dir.write("old.py", "print 'hello'\n");
    let printed = lines(&dir.pulpcov(["debug", "analyze", "old.py"]).status(0).stdout);
    assert!(printed[0]["error"].as_str().unwrap().contains("line 1"), "{printed:?}");
    assert_eq!(printed[0].as_object().unwrap().len(), 3);
}

#[test]
fn the_version_decides_what_is_a_statement() {
    let dir = Dir::new();
    dir.write("a.py", "class A:\n    x: int\n");
    let statements = |version: &str| {
        let printed =
            dir.pulpcov(["debug", "analyze", "--python-version", version, "a.py"]).status(0);
        lines(&printed.stdout)[0]["statements"].clone()
    };
    assert_eq!(statements("3.13"), serde_json::json!([1, 2]));
    assert_eq!(statements("3.14"), serde_json::json!([1]));
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    Dir::new()
        .pulpcov(["debug", "analyze", "absent.py"])
        .status(1)
        .stderr("absent.py: No such file");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_left_out() {
    let dir = Dir::new();
    dir.write("a.py", "x = 1\n");
    std::os::unix::fs::symlink("nowhere", dir.path("b.py")).unwrap();
    dir.write("c.py", "y = 1\n");
    let ran =
        dir.pulpcov(["debug", "analyze", "."]).status(3).stderr("warning: left out: ./b.py: ");
    let files: Vec<Value> =
        lines(&ran.stdout).into_iter().map(|line| line["file"].clone()).collect();
    assert_eq!(files, ["a.py", "c.py"]);
}
