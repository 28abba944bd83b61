//! `pulpcov who`: contexts that the real pytest-cov and coverage.py recorded.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use crate::support::{Dir, Ran, neutral, venv};

const CART: &str = r#"import os


class Cart:
    def __init__(self):
        self.items = []

    def add(self, price,
            count=1):
        if count < 0:
            raise ValueError(
                "negative")
        self.items += [price] * count

    def total(self):
        # Everything.
        return sum(
            self.items
        )


def unused():  # pragma: no cover
    pass


def never():
    return 1
"#;

const TESTS: &str = r#"import pytest
from shop.cart import Cart


@pytest.fixture
def cart():
    yield Cart()
    Cart().add(1)


@pytest.mark.parametrize("price", ["a|b", "c::d", "e f", "line\nend", "[1]"])
def test_add(cart, price):
    cart.add(price, 2)


def test_negative(cart):
    with pytest.raises(ValueError):
        cart.add(3, -1)


class TestTotal:
    def test_empty(self):
        assert Cart().total() == 0

    def test_again(self):
        assert Cart().total() == 0
"#;

/// A project with tests that were measured.
struct Shop(Dir);

impl Shop {
    fn new() -> Self {
        let dir = Dir::new();
        dir.write("shop/__init__.py", "");
        dir.write("shop/cart.py", CART);
        dir.write("tests/test_cart.py", TESTS);
        Self(dir)
    }

    /// Measures with pytest-cov.
    fn pytest(self, args: &[&str]) -> Self {
        let packages =
            ["pytest==8.4.2", "pytest-cov==7.0.0", "coverage==7.17.5"].map(str::to_owned);
        let mut command =
            neutral(Command::new(venv("pytest-cov-contexts", &packages).join("bin/python")));
        command.args([
            "-m",
            "pytest",
            "-q",
            "--cov=.",
            "--cov-report=",
            "--cov-context=test",
            "tests",
        ]);
        let command = command.args(args).env("PYTHONPATH", ".").current_dir(self.0.path(""));
        Ran::from(command.output().unwrap()).status(0);
        self
    }

    fn who(&self, args: &[&str]) -> Ran {
        self.0.pulpcov(std::iter::once(&"who").chain(args))
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.who(&[&["--format=json"], args].concat()).status(0);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// Returns the node ids of the tests that ran a part of the file.
    fn ids(&self, args: &[&str]) -> BTreeSet<String> {
        let ran = self.who(&[&["--format=pytest"], args].concat()).status(0);
        ran.stdout.lines().map(str::to_owned).collect()
    }
}

fn set<const N: usize>(ids: [&str; N]) -> BTreeSet<String> {
    ids.map(str::to_owned).into()
}

#[test]
fn a_line_is_its_statement() {
    let shop = Shop::new().pytest(&[]);
    let negative = set(["tests/test_cart.py::test_negative"]);
    assert_eq!(shop.ids(&["shop/cart.py:11"]), negative);
    assert_eq!(shop.ids(&["shop/cart.py:12"]), negative);
    let totals = set([
        "tests/test_cart.py::TestTotal::test_again",
        "tests/test_cart.py::TestTotal::test_empty",
    ]);
    for place in ["shop/cart.py:17", "shop/cart.py:18-19", "shop/cart.py::Cart.total"] {
        assert_eq!(shop.ids(&[place]), totals, "{place}");
    }
}

#[test]
fn ids_of_any_parameter_are_those_of_pytest() {
    let shop = Shop::new().pytest(&[]);
    let ids = shop.ids(&["shop/cart.py:13"]);
    let parameters = ["a|b", "c::d", "e f", "line\\nend", "[1]"];
    let added = parameters.map(|name| format!("tests/test_cart.py::test_add[{name}]"));
    // The fixture that `test_negative` uses adds something when it is torn down.
    let mut expected = BTreeSet::from(added);
    expected.insert("tests/test_cart.py::test_negative".to_owned());
    assert_eq!(ids, expected);
}

#[test]
fn phases_are_told_apart() {
    let shop = Shop::new().pytest(&[]);
    let answer = shop.json(&["shop/cart.py"]);
    let tests = answer["files"][0]["tests"].as_array().unwrap();
    let negative =
        tests.iter().find(|test| test["id"] == "tests/test_cart.py::test_negative").unwrap();
    let phases: Vec<_> = negative["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| (part["phase"].as_str().unwrap(), part["lines"].clone()))
        .collect();
    let expected = [
        ("setup", serde_json::json!([6])),
        ("run", serde_json::json!([10, 11])),
        ("teardown", serde_json::json!([6, 10, 13])),
    ];
    assert_eq!(phases, expected);
}

#[test]
fn static_contexts_stand_before_the_tests() {
    let shop = Shop::new();
    shop.0.write(".coveragerc", "[run]\ncontext = py3|linux\n");
    let shop = shop.pytest(&[]);
    assert_eq!(shop.ids(&["shop/cart.py:11"]), set(["tests/test_cart.py::test_negative"]));
    let answer = shop.json(&["shop/cart.py:11"]);
    assert_eq!(answer["files"][0]["tests"][0]["parts"][0]["context"], "py3|linux");
    let text = shop.who(&["shop/cart.py"]).stdout;
    assert!(text.contains("test_negative (py3|linux setup, run, teardown): 6, 10-13\n"), "{text}");
    assert!(text.contains("  context py3|linux: 1-5"), "{text}");
}

#[test]
fn the_text_names_who_ran_what() {
    let shop = Shop::new().pytest(&["-k", "Total or negative"]);
    shop.who(&["shop/cart.py"]).status(0).stdout(
        "\
shop/cart.py: 11 of 12 statements ran, in 3 tests
  tests/test_cart.py::TestTotal::test_again (run): 6, 17
  tests/test_cart.py::TestTotal::test_empty (run): 6, 17
  tests/test_cart.py::test_negative (setup, run, teardown): 6, 10-13
  outside of tests: 1-5, 8, 15, 26
  nobody: 27
",
    );
    shop.who(&["shop/cart.py::Cart.add", "--alone"]).status(0).stdout(
        "\
shop/cart.py::Cart.add: 3 of 3 statements ran in one test only
  tests/test_cart.py::test_negative (run, teardown): 10-13
",
    );
    shop.who(&["shop/cart.py:16"]).status(0).stdout("shop/cart.py:16: no code\n");
    shop.who(&["shop/cart.py:23"]).status(0).stdout("shop/cart.py:23: excluded\n");
}

#[test]
fn what_a_test_ran_and_what_it_alone_ran() {
    let shop = Shop::new().pytest(&["-k", "Total or negative"]);
    let of = |test: &str| shop.json(&["--of", test, "shop/cart.py"])["files"][0].clone();
    let negative = of("tests/test_cart.py::test_negative");
    assert_eq!(negative["lines"], serde_json::json!([6, 10, 11, 13]));
    assert_eq!(negative["alone"], serde_json::json!([10, 11, 13]));
    // Both tests of the class run line 17, and only they do.
    assert_eq!(of("tests/test_cart.py::TestTotal")["alone"], serde_json::json!([17]));
    assert_eq!(of("tests/test_cart.py::TestTotal::test_empty")["alone"], serde_json::json!([]));
    let wrong = shop.who(&["--of", "tests/test_cart.py::test_neg"]).status(1);
    assert!(wrong.stderr.contains("no test of this name"), "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("similar names are tests/test_cart.py::test_negative"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn unused_tests_can_be_deleted_without_losing_a_line() {
    let shop = Shop::new().pytest(&["-k", "Total or negative"]);
    shop.who(&["--unused-tests"]).status(0).stdout(
        "\
tests/test_cart.py::TestTotal::test_again
tests/test_cart.py::TestTotal::test_empty
2 of 3 tests run no line that no other test runs
Each can be deleted without losing a line. Deleting several may lose lines.
",
    );
    // With one of them deleted, the other is needed.
    let shop = Shop::new().pytest(&["-k", "empty or negative"]);
    assert_eq!(shop.json(&["--unused-tests"])["unused_tests"], serde_json::json!([]));
    shop.who(&["--unused-tests", "--format=pytest"]).status(5).stdout("");
}

#[test]
fn test_functions_of_coverage_py_are_tests() {
    let shop = Shop::new();
    shop.0.write(".coveragerc", "[run]\ndynamic_context = test_function\n");
    shop.0.write(
        "tests/test_plain.py",
        "import unittest\nfrom shop.cart import Cart\n\n\nclass Plain(unittest.TestCase):\n    def test_total(self):\n        Cart().total()\n",
    );
    shop.0.write("tests/__init__.py", "");
    shop.0.coverage(["run", "-m", "unittest", "-q", "tests.test_plain"]).status(0);
    shop.who(&["shop/cart.py:17"]).status(0).stdout(
        "shop/cart.py:17: 1 of 1 statement ran, in 1 test\n  tests.test_plain.Plain.test_total: 17\n",
    );
    // pytest could not find it by this name.
    shop.who(&["shop/cart.py:17", "--format=pytest"]).status(5).stdout("");
    let ran = shop.who(&["--of", "tests.test_plain", "--format=pytest"]).status(5);
    assert_eq!(ran.stdout, "");
}

#[test]
fn data_without_contexts_says_nothing_and_the_message_says_how_to_record_them() {
    let shop = Shop::new();
    shop.0.write("run.py", "import shop.cart\n");
    shop.0.coverage(["run", "run.py"]).status(0);
    let ran = shop.who(&["shop/cart.py"]).status(1);
    assert!(ran.stderr.contains("does not say which test ran what"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--cov-context=test") && ran.stderr.contains("dynamic_context"));
    shop.who(&["shop/cart.py:1"]).status(1);
    let shop = shop.pytest(&[]);
    shop.who(&["shop/cart.py:1"]).status(0);
}

#[test]
fn files_of_another_folder_have_the_names_that_they_have_there() {
    let shop = Shop::new().pytest(&[]);
    let moved = Dir::new();
    moved.write("sources/shop/cart.py", CART);
    std::fs::copy(shop.0.path(".coverage"), moved.path(".coverage")).unwrap();
    for name in ["shop/cart.py:11", "sources/shop/cart.py:11"] {
        let ran = moved.pulpcov(["who", "--source-root=sources", "--format=pytest", name]);
        ran.status(0).stdout("tests/test_cart.py::test_negative\n");
    }
}

#[test]
fn a_source_that_changed_after_measuring_is_told() {
    let shop = Shop::new().pytest(&[]);
    shop.0.init_git();
    shop.0.commit("measured");
    shop.0.write("shop/cart.py", format!("# New.\n\n{CART}"));
    let ran = shop.who(&["shop/cart.py:13", "--format=pytest"]).status(0);
    assert!(ran.stderr.contains("changed after measuring"), "{}", ran.stderr);
    let ran = shop.who(&["shop/cart.py:11", "--format=pytest", "--source-rev=HEAD"]).status(0);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("tests/test_cart.py::test_negative\n", "")
    );
}

#[test]
fn what_is_not_there_is_said() {
    let shop = Shop::new().pytest(&[]);
    let failed = |args: &[&str]| shop.who(args).status(1).stderr;
    assert!(failed(&[]).contains("say which file"));
    assert!(failed(&["shop/cart.py:99"]).contains("it has no line 99"));
    assert!(failed(&["shop/cart.py:20-10"]).contains("there are no lines 20 to 10"));
    assert!(failed(&["shop/cart.py:0"]).contains("there are no lines 0 to 0"));
    assert!(failed(&["shop/cart.py::add"]).contains("no function or class add, but Cart.add"));
    assert!(failed(&["shop/__init__.py:5"]).contains("it has no line 5"));
    assert!(failed(&["shop/cart.py:add"]).contains(
        "shop/cart.py:add: \"add\" is neither a line nor a range of lines; FILE::NAME is a function or a class"
    ));
    assert!(failed(&["cart.py"]).contains("the data has no such file, but shop/cart.py"));
    assert!(failed(&["shop/cart.py", "--data-file=none"]).contains("none: no data"));
    let never = shop.who(&["shop/cart.py::never", "--format=pytest"]).status(5);
    never.stderr("no test that pytest finds by its name");
    shop.0.write("shop/new.py", "x = 1\n");
    assert!(failed(&["shop/new.py"]).contains("the data has no such file"));
    assert!(!failed(&["shop/missing.py"]).is_empty());
}
