//! The README is true where a test can tell.

use std::fs;

use crate::support::{REFERENCE, root};

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

#[test]
fn it_names_the_coverage_that_all_is_compared_with() {
    assert!(readme().contains(&format!("coverage.py {REFERENCE}")), "{REFERENCE}");
}

/// Each promise names the test that keeps it.
#[test]
fn the_files_that_it_names_exist() {
    let readme = readme();
    let (_, promises) = readme.split_once("## What it promises").unwrap();
    let names: Vec<&str> = promises
        .split('`')
        .filter(|text| text.ends_with(".rs") || text.ends_with(".py") || text.ends_with('/'))
        .filter(|text| !text.contains(' '))
        .collect();
    assert!(names.len() > 20, "{names:?}");
    for name in names {
        assert!(root().join(name).exists(), "{name}");
    }
}
