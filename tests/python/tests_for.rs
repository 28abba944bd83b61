//! `pulpcov tests-for`: real git, contexts that the real pytest-cov and coverage.py recorded, and mutants.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::support::{Dir, Ran, neutral, pulpcov, root, venv};

const CART: &str = r#"from shop import tax

LIMIT = 3


def plain(value):
    """Return it."""
    return value


class Cart:
    limit = LIMIT

    def __init__(self):
        self.items = []

    def add(self, price, count=1):
        self.items += [price] * count

    def total(self):
        def with_tax(price):
            return price + tax.of(price)

        return sum(with_tax(price) for price in self.items)
"#;

const TEST_CART: &str = r#"import pytest
from shop.cart import Cart, plain


@pytest.fixture
def cart():
    return Cart()


@pytest.mark.parametrize("count", [1, 2])
def test_add(cart, count):
    cart.add(1, count)


class TestTotal:
    def test_total(self, cart):
        cart.add(2)
        assert cart.total() == 3


def test_plain():
    assert plain(1) == 1
"#;

const FILES: [(&str, &str); 11] = [
    (".gitignore", ".coverage*\n.pulpcov_cache/\n__pycache__/\n.pytest_cache/\njunit.xml\n"),
    ("src/shop/__init__.py", ""),
    ("src/shop/cart.py", CART),
    ("src/shop/tax.py", "RATE = 2\n\n\ndef of(price):\n    return price // RATE\n"),
    ("src/shop/lazy.py", "def rate():\n    from .tax import RATE\n\n    return RATE\n"),
    ("src/shop/alone.py", "def nobody():\n    return 1\n"),
    ("tests/test_cart.py", TEST_CART),
    (
        "tests/test_lazy.py",
        "from shop import lazy\n\n\ndef test_rate():\n    assert lazy.rate() == 2\n",
    ),
    ("tests/unit/conftest.py", "import pytest\n\n\n@pytest.fixture\ndef one():\n    return 1\n"),
    ("tests/unit/test_one.py", "def test_one(one):\n    assert one == 1\n"),
    ("pyproject.toml", "[project]\nname = 'shop'\n"),
];

/// A repository with tests that were measured.
struct Repo(Dir);

impl Repo {
    fn new() -> Self {
        let repo = Self::of(&FILES);
        repo.pytest(&["--cov=src", "--cov-report=", "--cov-context=test"]).status(0);
        repo
    }

    /// Creates a repository with these files. Nothing is measured.
    fn of(files: &[(&str, &str)]) -> Self {
        let repo = Self(Dir::new());
        repo.0.write(FILES[0].0, format!("{}tests.txt\n", FILES[0].1));
        files.iter().for_each(|(name, text)| drop(repo.0.write(name, text)));
        repo.0.init_git();
        repo.0.commit("before");
        repo
    }

    fn pytest(&self, args: &[&str]) -> Ran {
        let mut command = neutral(Command::new(python()));
        let paths = format!("{}:{}", self.0.path("src").display(), self.0.path("").display());
        command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).args(args);
        Ran::from(command.env("PYTHONPATH", paths).current_dir(self.0.path("")).output().unwrap())
    }

    fn tests_for(&self, args: &[&str]) -> Ran {
        self.0.pulpcov(std::iter::once(&"tests-for").chain(args))
    }

    /// Returns what is selected, and what pytest collects of it.
    fn selected(&self, args: &[&str]) -> Vec<String> {
        let ran = self.tests_for(args);
        assert!([0, 5].contains(&ran.status), "{}", ran.stderr);
        assert_eq!(ran.status == 5, ran.stdout.is_empty());
        ran.stdout.lines().map(str::to_owned).collect()
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.tests_for(&[&["--format=json"], args].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|err| panic!("{err}: {}", ran.stderr))
    }

    /// Replaces a part of a file, returns what is selected, and restores the file.
    #[track_caller]
    fn edited(&self, name: &str, from: &str, to: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.0.path(name)).unwrap();
        assert!(text.contains(from), "{from:?} is not in {name}");
        self.0.write(name, text.replacen(from, to, 1));
        let selected = self.selected(&[]);
        self.0.write(name, text);
        selected
    }
}

fn python() -> PathBuf {
    let packages = ["pytest==8.4.2", "pytest-cov==7.0.0", "coverage==7.17.5"].map(str::to_owned);
    venv("pytest-cov-contexts", &packages).join("bin/python")
}

const ADD: &str = "tests/test_cart.py::test_add";
const TOTAL: &str = "tests/test_cart.py::TestTotal::test_total";

#[test]
fn a_function_selects_the_tests_that_ran_it() {
    let repo = Repo::new();
    assert_eq!(
        repo.edited("src/shop/cart.py", "[price] * count", "[price] + [price]"),
        [TOTAL, ADD]
    );
    // An insertion, and a line that no test ran before.
    let inserted = "\n        if not self.items:\n            return 0\n        return sum";
    assert_eq!(repo.edited("src/shop/cart.py", "\n        return sum", inserted), [TOTAL]);
    assert_eq!(repo.edited("src/shop/cart.py", "price + tax", "price - tax"), [TOTAL]);
    assert_eq!(repo.edited("src/shop/tax.py", "price // RATE", "price"), [TOTAL]);
}

#[test]
fn a_function_that_ran_in_setup_selects_all_that_may_share_its_effects() {
    let repo = Repo::new();
    // The fixture makes the cart.
    repo.0.write("src/shop/cart.py", CART.replace("self.items = []", "self.items = list()"));
    repo.tests_for(&["--explain"]).status(0).stdout(
        "tests/test_cart.py: imports the file, directly or through others (Cart.__init__ in src/shop/cart.py changed, which also ran outside of single tests)\n",
    );
}

#[test]
fn what_runs_at_import_selects_the_importers() {
    let repo = Repo::new();
    for (from, to) in [
        ("LIMIT = 3", "LIMIT = 4"),
        ("limit = LIMIT", "limit = 0"),
        ("class Cart:", "class Cart(object):"),
        ("count=1", "count=2"),
        ("def plain(value)", "def plain(value, more=0)"),
        ("    def total", "    @staticmethod\n    def total"),
        ("LIMIT = 3\n", "LIMIT = 3\n\n\ndef new():\n    pass\n"),
    ] {
        assert_eq!(repo.edited("src/shop/cart.py", from, to), ["tests/test_cart.py"], "{to}");
    }
    // A lazy import is one, and importers of importers count.
    let both = ["tests/test_cart.py", "tests/test_lazy.py"];
    assert_eq!(repo.edited("src/shop/tax.py", "RATE = 2", "RATE = 3"), both);
    // A package is imported with all that is in it.
    repo.0.write("src/shop/__init__.py", "VERSION = 1\n");
    assert_eq!(repo.selected(&[]), both);
}

#[test]
fn what_changes_no_program_selects_nothing() {
    let repo = Repo::new();
    for (from, to) in [
        ("\"\"\"Return it.\"\"\"", "\"\"\"Return that.\"\"\""),
        ("LIMIT = 3", "# More.\nLIMIT = 3  # three"),
        ("[price] * count", "(\n            [price] * count\n        )"),
        ("\n\n\n", "\n\n"),
    ] {
        assert!(repo.edited("src/shop/cart.py", from, to).is_empty(), "{to}");
    }
    let ran = repo.tests_for(&["--explain"]).status(5);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "no test is selected\n"));
}

#[test]
fn files_come_go_and_move() {
    let repo = Repo::new();
    repo.0.write("src/shop/new.py", "X = 1\n");
    let json = repo.json(&[]);
    assert_eq!(
        json["everything"]["change"],
        "src/shop/new.py is new, and no file with tests is known to import it"
    );
    assert_eq!(repo.selected(&[]), ["tests"]);
    repo.0.write("tests/test_new.py", "import shop.new\n\n\ndef test_new(): pass\n");
    assert_eq!(repo.selected(&[]), ["tests/test_new.py"]);
    std::fs::remove_file(repo.0.path("src/shop/new.py")).unwrap();
    std::fs::remove_file(repo.0.path("tests/test_new.py")).unwrap();

    std::fs::remove_file(repo.0.path("src/shop/tax.py")).unwrap();
    assert_eq!(repo.selected(&[]), ["tests/test_cart.py", "tests/test_lazy.py"]);
    repo.0.git(&["checkout", "-q", "."]);
    repo.0.git(&["mv", "src/shop/lazy.py", "src/shop/late.py"]);
    // No test imports it by its new name.
    assert_eq!(repo.selected(&[]), ["tests"]);
    assert!(repo.json(&[])["tests"].to_string().contains("tests/test_lazy.py"));
}

#[test]
fn tests_and_their_settings_select_themselves() {
    let repo = Repo::new();
    assert_eq!(repo.edited("tests/test_lazy.py", "== 2", "== 3"), ["tests/test_lazy.py"]);
    assert_eq!(repo.edited("tests/unit/conftest.py", "return 1", "return 2"), ["tests/unit"]);
    assert_eq!(repo.edited("pyproject.toml", "shop", "shops"), ["tests"]);
    // A test that is gone cannot run, and pytest would run nothing if it were named.
    std::fs::remove_file(repo.0.path("tests/test_lazy.py")).unwrap();
    assert!(repo.selected(&[]).is_empty());
}

#[test]
fn other_files_select_what_the_settings_say() {
    let repo = Repo::new();
    repo.0.write("docs/guide.md", "Guide.\n");
    assert_eq!(repo.selected(&[]), ["tests"]);
    let explained = repo.tests_for(&["--explain"]).status(0);
    explained.stdout("[tool.pulpcov.map] can name the tests that need a file, or none");
    assert!(repo.selected(&["--map=docs/**="]).is_empty());
    repo.0.write(
        "pyproject.toml",
        "[tool.pulpcov]\nalways = [\"tests/unit/test_*.py\"]\n[tool.pulpcov.map]\n\"**/*.md\" = []\n\"pyproject.toml\" = [\"tests/test_lazy.py\"]\n",
    );
    assert_eq!(repo.selected(&[]), ["tests/test_lazy.py", "tests/unit/test_one.py"]);
    let explained = repo.tests_for(&["--explain"]).status(0).stdout;
    assert!(explained.contains("tests/unit/test_one.py: is always selected"), "{explained}");
    assert!(
        explained.contains("tests/test_lazy.py: is mapped to the file (pyproject.toml changed)")
    );
    let wrong = repo.tests_for(&["--always=nothing/**"]).status(1).stderr;
    assert!(wrong.contains("this matches no file with tests"), "{wrong}");
    let wrong = repo.tests_for(&["--map=docs/**=tests/gone.py"]).status(1).stderr;
    assert!(wrong.contains("tests/gone.py: the map names this, and it does not exist"), "{wrong}");
    let wrong = repo.tests_for(&["--map=docs"]).status(1).stderr;
    assert!(wrong.contains("a mapping is PATTERN=TEST,TEST"), "{wrong}");
}

/// Nothing is known of a test that the data does not have, when ever it was written.
#[test]
fn tests_that_were_not_measured_are_selected_by_their_imports() {
    let repo = Repo::new();
    repo.0.write("tests/test_left_out.py", "import shop.tax\n\n\ndef test_of(): pass\n");
    repo.0.commit("a test that is not measured");
    let selected = repo.edited("src/shop/tax.py", "price // RATE", "price");
    assert_eq!(selected, [TOTAL, "tests/test_left_out.py"]);
}

#[test]
fn settings_give_the_base_and_are_those_of_the_folder() {
    let repo = Repo::new();
    repo.0.git(&["checkout", "-q", "-b", "feature"]);
    repo.0.write("src/shop/cart.py", CART.replace("return sum", "return -sum"));
    repo.0.commit("feature");
    assert_eq!(repo.selected(&[]), [TOTAL]);
    repo.0.write("pulpcov.toml", "[patch]\nbase = 'feature'\n[map]\n'pulpcov.toml' = []\n");
    assert!(repo.selected(&[]).is_empty());
    let mut command = pulpcov();
    command.args(["tests-for", "--data-file=../.coverage"]).current_dir(repo.0.path("src"));
    Ran::from(command.output().unwrap())
        .stderr("pulpcov.toml are not read from here: run the command in their folder");
}

/// A change by which tests fail, which the selection must have.
struct Fault {
    what: &'static str,
    files: &'static [(&'static str, &'static str)],
    /// The arguments of the tests that are measured.
    measured: &'static [&'static str],
    /// The files after the change. An empty text removes the file.
    change: &'static [(&'static str, &'static str)],
}

const TWO: &str = "def test_1():\n    from shop.lazy import T\n    assert T[1] == 1\n\n\ndef test_2():\n    from shop.lazy import T\n    assert T[2] == 4\n";

const FAULTS: [Fault; 14] = [
    Fault {
        what: "a body that is a docstring only runs no line of its own",
        files: &[
            ("shop/a.py", "class Base:\n    def hook(self):\n        \"\"\"Nothing.\"\"\"\n"),
            (
                "tests/test_a.py",
                "from shop.a import Base\n\n\ndef test_a():\n    assert Base().hook() is None\n",
            ),
        ],
        measured: &[],
        change: &[(
            "shop/a.py",
            "class Base:\n    def hook(self):\n        \"\"\"Nothing.\"\"\"\n        return 1\n",
        )],
    },
    Fault {
        what: "fixtures are gone with their conftest.py",
        files: &[
            ("shop/a.py", "def f(): return 1\n"),
            ("tests/conftest.py", "import pytest\n\n\n@pytest.fixture\ndef one():\n    return 1\n"),
            (
                "tests/test_a.py",
                "import shop.a\n\n\ndef test_a(one):\n    assert shop.a.f() == one\n",
            ),
        ],
        measured: &[],
        change: &[("tests/conftest.py", "")],
    },
    Fault {
        what: "a script that a test starts is gone",
        files: &[
            ("shop/a.py", "def f(): return 1\n"),
            ("scripts/tool.py", "print(1)\n"),
            (
                "tests/test_a.py",
                "import subprocess, sys\nimport shop.a\n\n\ndef test_a():\n    shop.a.f()\n    subprocess.check_call([sys.executable, 'scripts/' + 'tool.py'])\n",
            ),
        ],
        measured: &[],
        change: &[("scripts/tool.py", "")],
    },
    Fault {
        what: "only a script imports the settings by their name",
        files: &[
            ("shop/settings.py", "X = 1\n"),
            (
                "shop/conf.py",
                "import importlib, os\nS = importlib.import_module(os.environ.get('CONF', 'shop.' + 'settings'))\n\n\ndef f():\n    return S.X\n",
            ),
            ("wsgi.py", "import shop.settings\n"),
            (
                "tests/test_a.py",
                "from shop.conf import f\n\n\ndef test_a():\n    assert f() == 1\n",
            ),
        ],
        measured: &[],
        change: &[("shop/settings.py", "X = 2\n")],
    },
    Fault {
        what: "a package loads its modules when it is asked for their names",
        files: &[
            ("shop/a.py", "N = 1\n\n\ndef f():\n    return 2\n"),
            (
                "shop/__init__.py",
                "import importlib\n\n\ndef __getattr__(name):\n    return getattr(importlib.import_module('.' + 'a', __name__), name)\n",
            ),
            (
                "tests/test_a.py",
                "from shop import N, f\n\n\ndef test_f():\n    assert f() == 2\n\n\ndef test_n():\n    assert N == 1\n",
            ),
        ],
        measured: &[],
        change: &[("shop/a.py", "N = 5\n\n\ndef f():\n    return 2\n")],
    },
    Fault {
        what: "a function ran in the import that the first test does",
        files: &[
            ("shop/build.py", "def build():\n    return {1: 1, 2: 4}\n"),
            ("shop/lazy.py", "from .build import build\nT = build()\n"),
            ("tests/test_a.py", TWO),
        ],
        measured: &[],
        change: &[("shop/build.py", "def build():\n    return {1: 1, 2: 5}\n")],
    },
    Fault {
        what: "a cache keeps what the first test computed",
        files: &[
            (
                "shop/a.py",
                "from functools import cache\n\n\n@cache\ndef t():\n    return {1: 1, 2: 4}\n",
            ),
            (
                "tests/test_a.py",
                "from shop.a import t\n\n\ndef test_1():\n    assert t()[1] == 1\n\n\ndef test_2():\n    assert t()[2] == 4\n",
            ),
        ],
        measured: &[],
        change: &[(
            "shop/a.py",
            "from functools import cache\n\n\n@cache\ndef t():\n    return {1: 1, 2: 5}\n",
        )],
    },
    Fault {
        what: "a test was not run when the others were measured",
        files: &[
            ("shop/a.py", "def f():\n    return 1\n\n\ndef g():\n    return 2\n"),
            (
                "tests/test_a.py",
                "from shop.a import f, g\n\n\ndef test_f():\n    assert f() == 1\n\n\nclass TestG:\n    def test_g(self):\n        assert g() == 2\n",
            ),
        ],
        measured: &["-k", "test_f"],
        change: &[("shop/a.py", "def f():\n    return 1\n\n\ndef g():\n    return 3\n")],
    },
    Fault {
        what: "two files of one name may be meant",
        files: &[
            ("shop/a.py", "def f():\n    return 1\n"),
            ("tests/pytest.ini", "[pytest]\n"),
            ("tests/__init__.py", ""),
            ("tests/sub/__init__.py", ""),
            ("tests/sub/test_a.py", "def test_o(): pass\n"),
            ("tests/test_a.py", "from shop.a import f\n\n\ndef test_f():\n    assert f() == 1\n"),
        ],
        measured: &["tests"],
        change: &[("shop/a.py", "def f():\n    return 3\n")],
    },
    Fault {
        what: "a text with examples belongs to all tests",
        files: &[
            ("shop/a.py", "def f():\n    return 1\n"),
            ("pytest.ini", "[pytest]\naddopts = --doctest-glob=*.rst\n"),
            ("README.rst", ">>> from shop.a import f\n>>> f()\n1\n"),
            ("tests/test_a.py", "from shop.a import f\n\n\ndef test_f():\n    assert f() == 1\n"),
        ],
        measured: &[],
        change: &[("README.rst", ">>> from shop.a import f\n>>> f()\n2\n")],
    },
    Fault {
        what: "surrogates are told apart",
        files: &[
            ("shop/a.py", "def f():\n    return '\\ud800'\n"),
            (
                "tests/test_a.py",
                "from shop.a import f\n\n\ndef test_f():\n    assert f() == '\\ud800'\n",
            ),
        ],
        measured: &[],
        change: &[("shop/a.py", "def f():\n    return '\\udfff'\n")],
    },
    Fault {
        what: "a generator becomes a function, which a test calls without iterating",
        files: &[
            ("shop/a.py", "def rows():\n    yield 1\n"),
            (
                "tests/test_a.py",
                "import types\nfrom shop.a import rows\n\n\ndef test_lazy():\n    assert isinstance(rows(), types.GeneratorType)\n\n\ndef test_rows():\n    assert list(rows()) == [1]\n",
            ),
        ],
        measured: &[],
        change: &[("shop/a.py", "def rows():\n    return [1]\n")],
    },
    Fault {
        what: "a file with a form feed is Python, though it cannot be analyzed",
        files: &[
            ("shop/cart.py", "LIMIT = 3\n\n\ndef f():\n    return 1\n"),
            ("shop/mid.py", "\u{c}from .cart import LIMIT\n"),
            (
                "tests/test_a.py",
                "from shop.mid import LIMIT\n\n\ndef test_a():\n    assert LIMIT == 3\n",
            ),
            ("tests/test_b.py", "import shop.cart\n\n\ndef test_b():\n    shop.cart.f()\n"),
        ],
        measured: &[],
        change: &[("shop/cart.py", "LIMIT = 4\n\n\ndef f():\n    return 1\n")],
    },
    Fault {
        what: "examples are new, and the function that they are of changed",
        files: &[
            ("pytest.ini", "[pytest]\naddopts = --doctest-modules\n"),
            ("shop/a.py", "def f():\n    return 1\n"),
            ("tests/test_a.py", "from shop.a import f\n\n\ndef test_f():\n    assert f()\n"),
        ],
        measured: &[],
        change: &[(
            "shop/a.py",
            "def f():\n    \"\"\"\n    >>> f()\n    1\n    \"\"\"\n    return 2\n",
        )],
    },
];

/// Whatever fails because of a change is selected. pytest says what fails.
#[test]
fn no_failing_test_is_missed() {
    std::thread::scope(|scope| {
        for half in FAULTS.chunks(FAULTS.len().div_ceil(2)) {
            scope.spawn(move || half.iter().for_each(fails_and_is_selected));
        }
    });
}

fn fails_and_is_selected(fault: &Fault) {
    let repo = Repo::of(fault.files);
    let measured = ["--cov=shop", "--cov-report=", "--cov-context=test"];
    let ran = repo.pytest(&[&measured, fault.measured].concat());
    assert_eq!(ran.status, 0, "{}: {}", fault.what, ran.stdout);
    for (name, text) in fault.change {
        match text.is_empty() {
            true => std::fs::remove_file(repo.0.path(name)).unwrap(),
            false => drop(repo.0.write(name, text)),
        }
    }
    let ran = repo.pytest(&["--junitxml=junit.xml"]);
    assert_eq!(ran.status, 1, "{}: {}", fault.what, ran.stdout);
    let shadow = repo.tests_for(&["--shadow=junit.xml"]);
    assert_eq!(shadow.status, 0, "{}: {}{}", fault.what, shadow.stdout, shadow.stderr);
    // pytest takes what is printed, and sees the failure.
    repo.tests_for(&["-o", "tests.txt"]).status(0);
    let ran = repo.pytest(&["@tests.txt"]);
    assert_eq!(ran.status, 1, "{}: {}{}", fault.what, ran.stdout, ran.stderr);
}

/// All tests are named from the current folder, those of texts as well.
#[test]
fn all_tests_are_those_of_texts_too() {
    let repo = Repo::of(&[
        ("app/shop/a.py", "def f():\n    return 1\n"),
        ("app/pytest.ini", "[pytest]\naddopts = --doctest-glob=*.rst\n"),
        ("app/docs/guide.rst", ">>> from shop.a import f\n>>> f()\n1\n"),
        ("app/tests/test_a.py", "from shop.a import f\n\n\ndef test_f():\n    assert f() == 1\n"),
    ]);
    let folder = repo.0.path("app");
    let mut measure = neutral(Command::new(python()));
    measure.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--cov=shop", "--cov-report="]);
    measure.args(["--cov-context=test"]).env("PYTHONPATH", ".").current_dir(&folder);
    assert!(measure.output().unwrap().status.success());
    repo.0.write("app/docs/guide.rst", ">>> from shop.a import f\n>>> f()\n2\n");
    let selected = |folder: PathBuf, args: &[&str]| {
        let mut command = pulpcov();
        command.arg("tests-for").args(args).current_dir(folder);
        Ran::from(command.output().unwrap()).status(0).stdout
    };
    assert_eq!(selected(folder, &[]), "tests\ndocs/guide.rst\n");
    // The data names tests from the folder that pytest ran in.
    let from_top = selected(repo.0.path(""), &["--data-file=app/.coverage"]);
    assert_eq!(from_top, "app/tests\napp/docs/guide.rst\n");
}

/// A class that tests inherit is in a file that pytest does not look into.
#[test]
fn inherited_test_functions_are_run_by_their_heirs() {
    let repo = Repo::of(&[
        ("shop/a.py", "def f():\n    return 1\n"),
        ("tests/__init__.py", ""),
        (
            "tests/base.py",
            "import shop.a\n\n\nclass Base:\n    def test_f(self):\n        assert shop.a.f() == 1\n",
        ),
        ("tests/test_a.py", "from tests.base import Base\n\n\nclass TestA(Base): pass\n"),
        (".coveragerc", "[run]\nsource = shop\ndynamic_context = test_function\n"),
    ]);
    let mut command = neutral(Command::new(python()));
    command.args(["-m", "coverage", "run", "-m", "pytest", "-q", "-p", "no:cacheprovider"]);
    let ran = command.current_dir(repo.0.path("")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    repo.0.write("shop/a.py", "def f():\n    return 3\n");
    assert_eq!(repo.selected(&[]), ["tests/test_a.py"]);
    repo.tests_for(&["-o", "tests.txt"]).status(0);
    repo.pytest(&["@tests.txt"]).status(1).stdout("1 failed");
}

#[test]
fn links_lead_to_the_file_that_changed() {
    let cart = "LIMIT = 3\n\n\ndef f():\n    return 1\n";
    let repo = Repo::of(&[
        ("real/cart.py", cart),
        ("shop/__init__.py", ""),
        (
            "tests/test_a.py",
            "from shop.cart import LIMIT\n\n\ndef test_a():\n    assert LIMIT == 3\n",
        ),
        ("tests/test_b.py", "import real.cart\n\n\ndef test_b():\n    real.cart.f()\n"),
    ]);
    std::os::unix::fs::symlink("../real/cart.py", repo.0.path("shop/cart.py")).unwrap();
    repo.0.commit("a link");
    repo.pytest(&["--cov=real", "--cov-report=", "--cov-context=test"]).status(0);
    repo.0.write("real/cart.py", cart.replace('3', "4"));
    assert_eq!(repo.selected(&[]), ["tests/test_a.py", "tests/test_b.py"]);
}

/// Where the tests ran, the link was a file, as it is in a wheel.
#[test]
fn what_ran_under_the_name_of_a_link_counts() {
    let cart = "def f():\n    return 1\n";
    let repo = Repo::of(&[
        ("real/cart.py", cart),
        ("shop/__init__.py", ""),
        ("shop/old_name.py", cart),
        ("tests/test_a.py", "import shop.old_name\n\n\ndef test_a():\n    shop.old_name.f()\n"),
        ("tests/test_b.py", "import real.cart\n\n\ndef test_b():\n    real.cart.f()\n"),
    ]);
    repo.pytest(&["--cov=real", "--cov=shop", "--cov-report=", "--cov-context=test"]).status(0);
    std::fs::remove_file(repo.0.path("shop/old_name.py")).unwrap();
    std::os::unix::fs::symlink("../real/cart.py", repo.0.path("shop/old_name.py")).unwrap();
    repo.0.commit("a link");
    repo.0.write("real/cart.py", cart.replace("return 1", "return 2"));
    assert_eq!(repo.selected(&[]), ["tests/test_a.py::test_a", "tests/test_b.py::test_b"]);
}

#[test]
fn what_pulpcov_itself_writes_selects_nothing() {
    let repo = Repo::new();
    repo.0.write(".gitignore", "__pycache__/\n");
    repo.0.commit("nothing is ignored");
    repo.0.write(".pulpcov-ratchet", "");
    repo.0.write(".coverage.other.pid1.x", "");
    repo.0.write("junit.xml", "<testcase/>");
    let args = ["-o", "tests.txt", "--shadow=junit.xml"];
    repo.tests_for(&args).status(0);
    assert!(repo.0.path("tests.txt").exists());
    repo.tests_for(&args).status(0);
    assert_eq!(std::fs::read_to_string(repo.0.path("tests.txt")).unwrap(), "");
    // Other files are not known.
    assert_eq!(repo.selected(&[]), ["tests"]);
}

#[test]
fn names_are_those_that_exist_now() {
    let repo = Repo::new();
    let text = TEST_CART
        .replace("def test_add", "def test_added")
        .replace("class TestTotal", "class TestSum");
    repo.0.write("tests/test_cart.py", text);
    repo.0.commit("renamed tests");
    repo.0.git(&["branch", "measured", "HEAD~1"]);
    // The data is of the commit before.
    let selected = |args: &[&str]| {
        repo.0.write("src/shop/cart.py", CART.replace("[price] * count", "[price]"));
        repo.selected(args)
    };
    assert_eq!(selected(&["--data-rev=measured"]), ["tests/test_cart.py"]);
    repo.0.git(&["checkout", "-q", "measured"]);
    assert_eq!(selected(&["--base=measured"]), [TOTAL, ADD]);
    let exact = [TOTAL.to_owned(), format!("{ADD}[1]"), format!("{ADD}[2]")];
    assert_eq!(selected(&["--base=measured", "--exact"]), exact);
    // pytest takes what is printed.
    repo.tests_for(&["--base=measured", "--exact", "-o", "tests.txt"]).status(0);
    let ran = repo.pytest(&["@tests.txt"]);
    assert!(ran.stdout.contains("3 passed"), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn lines_are_those_of_the_version_that_was_measured() {
    let repo = Repo::new();
    repo.0.git(&["branch", "measured"]);
    // All lines move, and a function is new.
    let moved = CART.replace(
        "LIMIT = 3\n",
        "LIMIT = 3\n\n\ndef new():\n    a = 1\n    b = 2\n    c = 3\n    return a + b + c\n",
    );
    repo.0.write("src/shop/cart.py", &moved);
    repo.0.commit("moved");
    repo.0.write("src/shop/cart.py", moved.replace("[price] * count", "[price]"));
    // What the file runs is not known any more.
    assert_eq!(repo.selected(&["--data-rev=measured"]), ["tests/test_cart.py"]);
    // Without the revision, the data shows that it is of another version.
    let ran = repo.tests_for(&[]).status(0);
    assert_eq!(ran.stdout, "tests/test_cart.py\n");
    assert!(
        ran.stderr.contains("measured on another version than main: src/shop/cart.py"),
        "{}",
        ran.stderr
    );
}

#[test]
fn tests_that_are_newer_than_the_data_are_selected_by_their_imports() {
    let repo = Repo::new();
    repo.0.git(&["branch", "measured"]);
    repo.0.write(
        "tests/test_more.py",
        "from shop import tax\n\n\ndef test_of():\n    assert tax.of(4) == 2\n",
    );
    repo.0.commit("a test");
    let text = FILES[3].1.replace("price // RATE", "price // RATE // 1");
    repo.0.write("src/shop/tax.py", text);
    let explained = repo.tests_for(&["--data-rev=measured", "--explain"]).status(0).stdout;
    assert_eq!(
        explained,
        "\
tests/test_cart.py::TestTotal::test_total: ran the function (of in src/shop/tax.py changed)
tests/test_more.py: may run it, because the data is older (of in src/shop/tax.py changed)
"
    );
    // A comment makes no file newer.
    repo.0.git(&["branch", "-f", "measured", "HEAD"]);
    repo.0.git(&["checkout", "-q", "."]);
    repo.0.write("src/shop/cart.py", format!("{CART}# More.\n"));
    repo.0.commit("a comment");
    repo.0.write(
        "src/shop/cart.py",
        format!("{}# More.\n", CART.replace("return sum", "return -sum")),
    );
    assert_eq!(repo.selected(&["--data-rev=measured"]), [TOTAL]);
}

#[test]
fn data_of_another_place_is_found_or_refused() {
    let repo = Repo::new();
    let moved = Dir::new();
    let copied =
        Command::new("cp").arg("-r").arg(repo.0.path(".")).arg(moved.path("shop")).status();
    assert!(copied.unwrap().success());
    moved.write("shop/src/shop/cart.py", CART.replace("return sum", "return -sum"));
    let run = |args: &[&str]| {
        let mut command = pulpcov();
        command.arg("tests-for").args(args).current_dir(moved.path("shop"));
        Ran::from(command.output().unwrap())
    };
    run(&[]).status(1).stderr("--source-root=. finds files that were measured in another place");
    run(&["--source-root=."]).status(0).stdout(&format!("{TOTAL}\n"));
}

#[test]
fn test_functions_of_coverage_py_are_found_by_their_modules() {
    let repo = Repo::new();
    repo.0.write(".coveragerc", "[run]\ndynamic_context = test_function\nsource = src\n");
    repo.0.write(
        "tests/test_plain.py",
        "import unittest\nfrom shop.cart import Cart\n\n\nclass Plain(unittest.TestCase):\n    def test_total(self):\n        assert Cart().total() == 0\n",
    );
    repo.0.git(&["rm", "-q", "tests/test_cart.py"]);
    repo.0.commit("unittest");
    repo.0.coverage(["erase"]).status(0);
    let mut command = crate::support::coverage();
    command.args(["run", "-m", "unittest", "-q", "tests.test_plain"]);
    let path = repo.0.path("src");
    let ran = command.env("PYTHONPATH", path).current_dir(repo.0.path("")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    repo.0.write("src/shop/cart.py", CART.replace("return sum", "return -sum"));
    assert_eq!(repo.selected(&[]), ["tests/test_plain.py::Plain::test_total"]);
    assert_eq!(repo.selected(&["--format=unittest"]), ["tests.test_plain.Plain.test_total"]);
}

#[test]
fn a_shadow_run_says_what_would_have_been_missed() {
    let repo = Repo::new();
    repo.0.write("src/shop/cart.py", CART.replace("return value", "return -value"));
    repo.pytest(&["--junitxml=junit.xml"]).status(1);
    let ran = repo.tests_for(&["--shadow=junit.xml"]).status(0);
    assert!(ran.stderr.contains("1 test failed, of which 1 would have been run"), "{}", ran.stderr);
    // Another test fails, which the base broke.
    repo.0.write("tests/test_lazy.py", "def test_rate():\n    assert False\n");
    repo.0.commit("broken");
    repo.pytest(&["--junitxml=junit.xml"]).status(1);
    repo.0.write("src/shop/cart.py", CART.replace("return value", "return -value - 0"));
    let ran = repo.tests_for(&["--shadow=junit.xml"]).status(2);
    assert!(ran.stderr.contains("missed: tests.test_lazy.test_rate"), "{}", ran.stderr);
}

#[test]
fn data_without_tests_are_refused() {
    let repo = Repo::new();
    repo.tests_for(&["src"]).status(1).stderr("unexpected argument");
    repo.0.coverage(["erase"]).status(0);
    repo.tests_for(&[]).status(1).stderr("no data; measure first");
    repo.0.write("run.py", "");
    repo.0.coverage(["run", "run.py"]).status(0);
    repo.tests_for(&[]).status(1).stderr("does not say which test ran what");
}

/// The mutants of two packages. More are tried by hand: see the script.
#[test]
fn a_test_that_fails_because_of_a_change_is_selected() {
    let mut command = neutral(Command::new("python3"));
    command.arg(root().join("tests/mutation_study.py"));
    command
        .args(["--mutants=4", "--python"])
        .arg(python())
        .arg("--pulpcov")
        .arg(pulpcov().get_program());
    let ran = Ran::from(command.args(["h11==0.16.0", "inflection==0.5.1"]).output().unwrap());
    assert_eq!(ran.status, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stdout.contains("module: 4 of 4") && ran.stdout.contains("function: 4 of 4"),
        "{}",
        ran.stdout
    );
}
