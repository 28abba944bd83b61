//! The HTML report in real browsers, opened from `file://`.
//!
//! - `barriers`: what holds for every view: no errors, no requests, no barriers, and no text that becomes markup.
//! - `baseline`: what rose and fell since another version.
//! - `changes`: the changes of a branch.
//! - `contexts`: who ran a line, and what a context ran.
//! - `firefox`: the report in a Firefox.
//! - `folders`: the folders as a tree and as a map.
//! - `gate`: what a gate says.
//! - `history`: the runs of a project over time.
//! - `lists`: lists: sorting, filters, names at every width, and many rows.
//! - `live`: a report that is written again while it is read.
//! - `search`: the search.
//! - `sources`: source pages: lines, their numbers and labels, and what is copied.
//! - `steps`: the way through a report: keys, Back, what is remembered, and the pages of a single file.

mod barriers;
mod baseline;
mod changes;
mod contexts;
mod firefox;
mod folders;
mod gate;
mod history;
mod lists;
mod live;
mod search;
mod sources;
mod steps;

use std::path::PathBuf;

use crate::support::Dir;
use crate::support::chromium::Browser;

/// A project with two packages, three tests, and a line of each kind.
pub(super) fn shop() -> Dir {
    let dir = Dir::new();
    dir.write("shop/__init__.py", "");
    dir.write("shop/deep/__init__.py", "");
    dir.write(
        "shop/deep/unused.py",
        "class Unused:\n    def __init__(self):\n        self.x = 1\n",
    );
    dir.write("shop/all.py", "def everything():\n    return 1\n");
    dir.write(
        "shop/cart.py",
        "import sys\n\n\nclass Cart:\n    def add(self, n):\n        if n > 1:\n            return [\n                n,\n            ]\n        return '<b>needle</b>'\n\n    def total(self, n, m=1):\n        while True:\n            if n or m:\n                return 1\n\n    def never(self):\n        print(1)\n        print(2)\n\n\nif sys.argv == []:  # pragma: no cover\n    print(2)\n",
    );
    dir.write("main.py", "import coverage\nfrom shop.cart import Cart\nimport shop.all\n\ncov = coverage.Coverage.current()\nfor n in range(12):\n    cov.switch_context(f'test_{n}')\n    Cart().add(2)\ncov.switch_context('</script><b>test_total</b>')\nCart().total(3)\nshop.all.everything()\n");
    dir.coverage(["run", "--branch", "--source=shop", "main.py"]).status(0);
    dir
}

/// Writes many sources of up to seven lines into a folder, and returns a program that imports them.
pub(super) fn write_parts(dir: &Dir, folder: &str, count: usize) -> String {
    let write = |n| {
        dir.write(format!("{folder}part{n}.py"), "a = 1\n".repeat(n % 7 + 1));
        format!("import part{n}\n")
    };
    (0..count).map(write).collect()
}

pub(super) struct Report {
    pub(super) dir: Dir,
    pub(super) browser: Browser,
}

impl Report {
    pub(super) fn new() -> Self {
        let dir = shop();
        dir.pulpcov(["html", "--show-contexts"]).status(0);
        dir.pulpcov(["html", "--show-contexts", "--single-file=one.html"]).status(0);
        Self { dir, browser: Browser::new(1280, 800) }
    }

    pub(super) fn page(&self, name: &str) -> PathBuf {
        self.dir.path("htmlcov").join(name)
    }

    /// Returns the page of the source file whose name ends like this.
    pub(super) fn source(&self, end: &str) -> PathBuf {
        let names = self.dir.names_in("htmlcov");
        let found = names.iter().find(|name| name.ends_with(end) && !name.starts_with("ctx."));
        self.page(found.unwrap())
    }

    #[track_caller]
    pub(super) fn rows(&self) -> Vec<String> {
        let rows = self.browser.get("[...document.querySelectorAll('.grid tbody tr:not(.gap)')].map(row => [...row.cells].map(cell => cell.innerText).join(' '))");
        serde_json::from_value(rows).unwrap()
    }

    /// Returns the first cell of each row.
    #[track_caller]
    pub(super) fn names(&self) -> Vec<String> {
        let names = self.browser.get("[...document.querySelectorAll('.grid tbody tr:not(.gap)')].map(row => row.cells[0].innerText)");
        serde_json::from_value(names).unwrap()
    }
}

/// Returns an expression that scrolls to a line, and is true if the line's number is what is to be seen there. A page that still goes
/// to the place of its address scrolls, too, so the reader does it again.
pub(super) fn goes_to_number(line: u32) -> String {
    format!(
        "(() => {{ const line = document.getElementById('t{line}'); if (!line) return false; line.scrollIntoView(); \
        const box = document.querySelector('#t{line} > a').getBoundingClientRect(); \
        return document.elementsFromPoint(box.right - 3, box.top + box.height / 2) \
        .some((element) => element.parentElement?.id === 't{line}' && element.innerText === '{line}') }})()"
    )
}

pub(super) const VIEWS: [&str; 6] = [
    "index.html",
    "function_index.html",
    "class_index.html",
    "tree.html",
    "worst.html",
    "contexts.html",
];
