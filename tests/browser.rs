//! The HTML report in a real Chromium, opened from `file://`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::chromium::Browser;
use crate::support::hooked::{line_of_step, name, record, watched};
use crate::support::{Dir, npm_package, root};

/// A project with two packages, three tests, and a line of each kind.
fn shop() -> Dir {
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

struct Report {
    dir: Dir,
    browser: Browser,
}

impl Report {
    fn new() -> Self {
        let dir = shop();
        dir.pulpcov(["html", "--show-contexts"]).status(0);
        dir.pulpcov(["html", "--show-contexts", "--single-file=one.html"]).status(0);
        Self { dir, browser: Browser::new(1280, 800) }
    }

    fn page(&self, name: &str) -> PathBuf {
        self.dir.path("htmlcov").join(name)
    }

    /// Returns the page of the source file whose name ends like this.
    fn source(&self, end: &str) -> PathBuf {
        let names = self.dir.names_in("htmlcov");
        let found = names.iter().find(|name| name.ends_with(end) && !name.starts_with("ctx."));
        self.page(found.unwrap())
    }

    #[track_caller]
    fn rows(&self) -> Vec<String> {
        let rows = self.browser.get("[...document.querySelectorAll('.grid tbody tr:not(.gap)')].map(row => [...row.cells].map(cell => cell.innerText).join(' '))");
        serde_json::from_value(rows).unwrap()
    }

    /// Returns the first cell of each row.
    #[track_caller]
    fn names(&self) -> Vec<String> {
        let names = self.browser.get("[...document.querySelectorAll('.grid tbody tr:not(.gap)')].map(row => row.cells[0].innerText)");
        serde_json::from_value(names).unwrap()
    }
}

const VIEWS: [&str; 6] = [
    "index.html",
    "function_index.html",
    "class_index.html",
    "tree.html",
    "worst.html",
    "contexts.html",
];

#[test]
fn no_view_has_errors_requests_or_barriers() {
    let report = Report::new();
    let browser = &report.browser;
    let mut pages: Vec<PathBuf> = VIEWS.iter().map(|view| report.page(view)).collect();
    pages.push(report.source("_cart_py.html"));
    pages.push(report.dir.path("one.html"));
    browser.requests();
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("dark", 390), ("light", 390)] {
        browser.prefer(scheme);
        browser.resize(width, 800);
        for page in &pages {
            browser.open(page);
            let what = format!("{} {scheme} {width}", page.display());
            let background = browser.get("getComputedStyle(document.body).backgroundColor");
            assert_eq!(background == "rgb(255, 255, 255)", scheme == "light", "{what}");
            let overflow = browser.get("document.documentElement.scrollWidth - innerWidth");
            assert!(overflow.as_i64().unwrap() <= 0, "{what} is {overflow} too wide");
            assert_eq!(browser.barriers(), Vec::<String>::new(), "{what}");
            assert_eq!(browser.errors(), Vec::<String>::new(), "{what}");
        }
    }
    // What opens: panels, dialogs, and a list in which nothing is found.
    let source = report.source("_cart_py.html");
    for (page, fragment, script, is_open) in [
        (
            &source,
            "",
            "document.querySelector('#t6 button.ctx').click(); document.querySelector('#t6 summary').click()",
            ".who",
        ),
        (&source, "#t5-7", "document.querySelector('[data-do=help]').click()", "dialog"),
        (
            &pages[0],
            "#filter=cart",
            "document.querySelector('[data-do=search]').click(); const field = document.querySelector('dialog input'); field.value = 'cart'; field.dispatchEvent(new Event('input'))",
            ".found li",
        ),
        (&pages[0], "#filter=nothing", "", ".note"),
        (
            &pages[3],
            "",
            "document.querySelectorAll('.tree .pin').forEach(button => button.click())",
            ".pinned",
        ),
        (&pages[5], "#c=test_3", "", ".chosen .lines a"),
    ] {
        for scheme in ["light", "dark"] {
            browser.prefer(scheme);
            browser.open_at(page, fragment);
            browser.run(script);
            browser.until(&format!("document.querySelector('{is_open}')"));
            let what = format!("{} {fragment} with {is_open}, {scheme}", page.display());
            assert_eq!(browser.barriers(), Vec::<String>::new(), "{what}");
            assert_eq!(browser.errors(), Vec::<String>::new(), "{what}");
        }
    }
    let requests = browser.requests();
    let is_local = |url: &String| // Chromium's own first page is not part of the report.
        ["file://", "data:", "about:", "chrome://"].iter().any(|scheme| url.starts_with(scheme));
    assert!(requests.iter().any(|url| url.ends_with("data.files.js")), "{requests:?}");
    assert_eq!(
        requests.iter().filter(|url| !is_local(url)).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

/// The script says what its functions take and return, and TypeScript agrees.
#[test]
fn scripts_keep_to_their_types() {
    let typescript = npm_package("typescript", "5.9.3");
    let ran = Command::new("node")
        .arg(typescript.join("node_modules/typescript/bin/tsc"))
        .arg("-p")
        .arg(root().join("pulpcov-core/src/templates/script"))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}

#[test]
fn the_policy_holds() {
    let report = Report::new();
    for page in [report.page("index.html"), report.dir.path("one.html")] {
        report.browser.open(page);
        report.browser.errors();
        report.browser.run("const s = document.createElement('script'); s.textContent = 'window.evil = 1'; document.body.append(s); const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; const p = document.createElement('p'); p.innerHTML = '<a onclick=\"window.evil = 2\" id=link>x</a>'; document.body.append(p); document.getElementById('link').click();");
        report.browser.until("!window.evil");
        let errors = report.browser.errors();
        assert!(
            errors.iter().filter(|error| error.contains("Content Security Policy")).count() >= 3,
            "{errors:?}"
        );
    }
}

#[test]
fn lists_sort_filter_and_remember() {
    let report = Report::new();
    let browser = &report.browser;
    browser.open(report.page("index.html"));
    // The folder that all have is said once.
    assert_eq!(
        browser.get("document.querySelector('[data-column=file]').innerText"),
        "File in shop/"
    );
    let all = ["__init__.py", "all.py", "cart.py", "deep/__init__.py", "deep/unused.py"];
    assert_eq!(report.names(), all);
    let json: Value =
        serde_json::from_str(&report.dir.pulpcov(["json", "-o", "-"]).stdout).unwrap();
    for row in report.rows() {
        let (name, cells) = row.split_once(' ').unwrap();
        let summary = &json["files"][format!("shop/{name}")]["summary"];
        let text = |key: &str| summary[key].to_string().trim_matches('"').to_owned();
        // Where there is nothing to cover, no percentage is shown in the parts.
        let share = |count: &str, percent: &str, nothing: &str| match &*text(count) {
            "0" => nothing.to_owned(),
            _ => format!("{}%", text(percent)),
        };
        let wanted = format!(
            "{} {} {} {} {} {} {} {}%",
            share("num_statements", "percent_statements_covered_display", "no statements"),
            text("num_statements"),
            text("missing_lines"),
            text("excluded_lines"),
            share("num_branches", "percent_branches_covered_display", "no branches"),
            text("num_branches"),
            text("num_partial_branches"),
            text("percent_covered_display"),
        );
        assert_eq!(cells, wanted, "{name}");
    }
    // The keys are coverage.py's. A key sorts by its column. Pressed again, it reverses the order.
    for (key, first) in [
        ("f", "deep/unused.py"),
        ("s", "cart.py"),
        ("m", "cart.py"),
        ("x", "cart.py"),
        ("b", "cart.py"),
        ("p", "cart.py"),
        ("c", "deep/unused.py"),
    ] {
        browser.keys(key);
        browser.until_is("document.querySelector('.grid tbody tr:not(.gap) td').innerText", first);
        browser.keys(key);
        browser.until(&format!(
            "document.querySelector('.grid tbody tr:not(.gap) td').innerText !== '{first}'"
        ));
    }
    browser.keys("m");
    browser.click("#hide100");
    browser.until_is("document.querySelectorAll('.grid tbody tr:not(.gap)').length", 2);
    assert_eq!(report.names(), ["cart.py", "deep/unused.py"]);
    assert_eq!(browser.get("document.querySelector('tfoot td').innerText"), "Total of 2");
    // The other pages, and the same page reloaded, remember the choice.
    browser.open(report.page("index.html"));
    assert_eq!(report.names(), ["cart.py", "deep/unused.py"]);
    assert_eq!(
        browser.get("document.querySelector('[data-column=missing]').ariaSort"),
        "descending"
    );
    browser.click("#filter");
    browser.keys("UNU");
    browser.until("!document.querySelector('.grid').checkVisibility()");
    browser.run("document.querySelector('#filter').value = ''");
    browser.keys("unu");
    browser.until_is("document.querySelectorAll('.grid tbody tr:not(.gap)').length", 1);
    browser.open(report.page("function_index.html"));
    assert_eq!(report.names(), ["deep/unused.py"; 2]);
    assert_eq!(browser.get("document.querySelector('#filter').value"), "unu");
    assert_eq!(
        browser.get("document.querySelector('.grid tbody tr:not(.gap) td:nth-child(2)').innerText"),
        "Unused.__init__"
    );
    browser.keys("n");
    browser.until("document.querySelector('[data-column=region]').ariaSort !== 'none'");
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn keys_walk_through_the_files() {
    let report = Report::new();
    let browser = &report.browser;
    browser.open(report.page("index.html"));
    let mut seen = Vec::new();
    for _ in 0..5 {
        browser.keys("]");
        browser.until(
            "document.body?.dataset.view === 'source' && document.querySelector('[data-ready]')",
        );
        seen.push(browser.get("document.querySelector('.toggles').dataset.name"));
        // A mark on this page. The next page does not have it.
        browser.run("document.body.dataset.view = 'seen'");
    }
    assert_eq!(
        json!(seen),
        json!([
            "shop/__init__.py",
            "shop/all.py",
            "shop/cart.py",
            "shop/deep/__init__.py",
            "shop/deep/unused.py"
        ])
    );
    browser.keys("[");
    browser.until_is("document.querySelector('.toggles')?.dataset.name", "shop/deep/__init__.py");
    browser.keys("u");
    browser.until_is("document.body?.dataset.view", "index");
    browser.keys("?");
    browser.until(
        "document.querySelector('dialog[open]')?.innerText.includes('change column sorting')",
    );
    browser.keys("?");
    browser.until("!document.querySelector('dialog')");
}

#[test]
fn a_source_page_toggles_jumps_and_links() {
    let report = Report::new();
    let browser = &report.browser;
    let page = report.source("_cart_py.html");
    browser.open(&page);
    let background = |line: u32| {
        browser
            .get(&format!("getComputedStyle(document.querySelector('#t{line}')).backgroundColor"))
    };
    let nothing = background(2);
    for (key, line, is_on) in [("r", 6, false), ("m", 10, true), ("x", 22, true), ("p", 6, true)] {
        // A partial line ran, too.
        assert_eq!(background(line) != nothing, is_on || key == "r", "{key}");
        browser.keys(key);
        browser.until_is(
            &format!("document.querySelector('[data-toggle={key}]').ariaPressed"),
            (!is_on).to_string(),
        );
    }
    assert_eq!(background(10), nothing);
    browser.open(&page);
    assert_eq!(background(10), nothing, "what is toggled is remembered");
    for key in ["r", "m", "x", "p"] {
        browser.keys(key);
    }
    // Keys move between the marked parts. The first is a partial branch.
    let chosen = "[...document.querySelectorAll('.sel')].map(line => line.id).join()";
    for (key, lines) in [
        ("1", "t6"),
        ("j", "t10"),
        ("j", "t14"),
        ("j", "t18,t19"),
        ("j", "t22,t23"),
        ("j", "t22,t23"),
        ("k", "t18,t19"),
        ("0", ""),
    ] {
        browser.keys(key);
        browser.until_is(chosen, lines);
    }
    assert_eq!(
        browser.get("document.querySelector('#t6 .why summary').innerText"),
        "6\u{202f}↛\u{202f}10"
    );
    browser.click("#t6 .why summary");
    browser.until("document.querySelector('#t6 .why').innerText.includes(\"line 6 didn't jump to line 10 because the condition on line 6 was always true\")");
    // Links to a line, to a range, and coverage.py's fragments. `y` copies the range as text.
    browser.open_at(&page, "#t5-7");
    browser.until_is(chosen, "t5,t6,t7");
    assert_eq!(
        browser.get("document.querySelector('.copy').innerText.trim()"),
        "Copy shop/cart.py:5-7 y"
    );
    browser.run("window.copied = ''; navigator.clipboard.writeText = async text => { window.copied = text }");
    browser.keys("y");
    browser.until_is("window.copied", "shop/cart.py:5-7");
    browser.run("document.querySelector('#t12 > a').click()");
    browser.until_is("location.hash", "#t12");
    browser.run("document.querySelector('#t9 > a').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, shiftKey: true}))");
    browser.until_is("location.hash", "#t9-12");
    assert_eq!(browser.errors(), Vec::<String>::new());
}

/// The changes of a branch have a page, marks at their lines, and filters.
#[test]
fn changes_are_shown_on_every_page() {
    let dir = shop();
    dir.write(".gitignore", "htmlcov/\n.coverage*\n__pycache__/\none.html\n.pulpcov_cache/\n");
    dir.init_git();
    dir.commit("before");
    let cart = fs::read_to_string(dir.path("shop/cart.py")).unwrap();
    // A partial branch, two lines that do not run, a line that runs, and a comment.
    let cart = cart
        .replace("if n > 1:", "if n > 0:")
        .replace("print(1)\n        print(2)", "print(3)\n        print(4)")
        .replace("return 1\n\n", "return 2\n    # More.\n\n");
    dir.write("shop/cart.py", cart);
    dir.write("shop/new<b>.py", "def new():\n    return 1\n");
    dir.coverage(["run", "--branch", "--source=shop", "main.py"]).status(0);
    dir.pulpcov(["html", "--patch"]).status(0);
    dir.pulpcov(["html", "--base=main", "--single-file=one.html"]).status(0);
    let patch: Value =
        serde_json::from_str(&dir.pulpcov(["patch", "--format=json"]).stdout).unwrap();

    let browser = Browser::new(1280, 800);
    let rows = "[...document.querySelectorAll('.changes tbody tr')].map(row => [...row.cells].map(cell => cell.innerText.trim()))";
    for page in [dir.path("htmlcov/patch.html"), dir.path("one.html")] {
        browser.open(&page);
        if page.ends_with("one.html") {
            browser.run("location.hash = '#patch.html'");
            browser.until("document.querySelector('.changes')");
        }
        let found: Vec<Vec<String>> = serde_json::from_value(browser.get(rows)).unwrap();
        let counts = &patch["files"][0]["counts"];
        let of = |key: &str| counts[key].to_string();
        assert_eq!(
            found[0][..6],
            [
                "shop/cart.py".to_owned(),
                of("statements"),
                of("missing_statements"),
                of("branches"),
                of("missing_branches"),
                "57%".to_owned()
            ],
            "{patch:#}"
        );
        assert_eq!(
            found[0][6],
            "6: line 6 didn't jump to line 10 because the condition on line 6 was always true, 19-20"
        );
        assert_eq!(found[1][0], "shop/new<b>.py");
        assert_eq!(found[1][6], "1-2");
        // A link leads to the lines, which are marked and selected.
        browser.run("[...document.querySelectorAll('.changes tbody tr:first-child .gaps a')].at(-1).click()");
        let selected = "[...document.querySelectorAll('.sel')].map(line => line.id).join()";
        browser.until_is(selected, "t19,t20");
        let marked = "[...document.querySelectorAll('[data-new]')].map(line => line.id).join()";
        assert_eq!(browser.get(marked), "t6,t15,t16,t19,t20");
        assert_eq!(browser.get("document.querySelector('[data-only]').innerText"), "5 changed");
        let visible = "[...document.querySelectorAll('.src ol > li')].filter(line => line.checkVisibility()).length";
        browser.keys("c");
        browser.until_is(visible, 5);
        assert_eq!(browser.barriers(), Vec::<String>::new());
        // What is looked for is shown, though it did not change.
        browser.keys("1");
        browser.keys("j");
        browser.keys("j");
        browser.until("document.querySelectorAll('.src ol > li').length === [...document.querySelectorAll('.src ol > li')].filter(line => line.checkVisibility()).length");
    }
    for (width, scheme) in [(1280, "light"), (390, "dark")] {
        browser.resize(width, 800);
        browser.prefer(scheme);
        browser.open(dir.path("htmlcov/patch.html"));
        let overflow = browser.get("document.documentElement.scrollWidth - innerWidth");
        assert!(overflow.as_i64().unwrap() <= 0, "{overflow} too wide");
        assert_eq!(browser.barriers(), Vec::<String>::new());
    }
    browser.resize(1280, 800);
    browser.open(dir.path("htmlcov/index.html"));
    let names = "[...document.querySelectorAll('.grid tbody tr:not(.gap) td:first-child')].map(cell => cell.innerText)";
    browser.click("#changed");
    browser.until_is(names, json!(["cart.py", "new<b>.py"]));
    browser.open(dir.path("htmlcov/function_index.html"));
    let functions = "[...document.querySelectorAll('.grid tbody tr:not(.gap) td:nth-child(2)')].map(cell => cell.innerText)";
    browser.until_is(
        functions,
        json!(["Cart.add", "Cart.total", "Cart.never", "(no function)", "new", "(no function)"]),
    );
    assert_eq!(browser.errors(), Vec::<String>::new());
    // Without changes, nothing of them is left.
    dir.pulpcov(["html"]).status(0);
    assert!(!dir.path("htmlcov/patch.html").exists());
    browser.open(dir.path("htmlcov/index.html"));
    assert_eq!(browser.get("document.querySelector('#changed')"), Value::Null);
    let page = dir.names_in("htmlcov").into_iter().find(|name| name.ends_with("_cart_py.html"));
    let page = fs::read_to_string(dir.path("htmlcov").join(page.unwrap())).unwrap();
    assert!(!page.contains("data-new") && !page.contains("data-only"));
}

/// Blocks of lines out of view have no layout, but a link must still find its line.
#[test]
fn links_lead_far_into_long_pages() {
    let dir = Dir::new();
    let line =
        "value = 'a rather long line that is wrapped on a phone ' + str(sum(range(100))) + 'end'\n";
    dir.write("long.py", line.repeat(30_000));
    dir.coverage(["run", "--source=.", "long.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    let browser = Browser::new(1280, 800);
    for width in [1280, 390] {
        browser.resize(width, 800);
        for line in [1, 777, 15_000, 30_000] {
            browser.open_at(dir.path("htmlcov/long_py.html"), &format!("#t{line}"));
            browser.until(&format!("(() => {{ const box = document.querySelector('#t{line}').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight }})()"));
        }
        browser.open_at(dir.path("htmlcov/long_py.html"), "#t20000-20001");
        browser.until("(() => { const box = document.querySelector('#t20000').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight })()");
        browser.until_is("document.querySelectorAll('.sel').length", 2);
    }
}

/// The number beside each line is the number of the line, in every block of a long page, with script and without.
#[test]
fn each_line_shows_its_number() {
    let dir = Dir::new();
    dir.write("long.py", "value = 1\n".repeat(5_000));
    dir.coverage(["run", "--source=.", "long.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    dir.pulpcov(["html", "--single-file=all.html"]).status(0);
    let browser = Browser::new(1280, 800);
    let mut plain = fs::read_to_string(dir.path("htmlcov/long_py.html")).unwrap();
    while let Some((before, rest)) = plain.split_once("<script") {
        plain = before.to_owned() + rest.split_once("</script>").unwrap().1;
    }
    // The script would say that the page is ready.
    dir.write("htmlcov/without_script.html", plain.replacen("<body", "<body data-ready", 1));
    for (page, hash) in [
        ("htmlcov/long_py.html", "#t1"),
        ("htmlcov/without_script.html", "#t1"),
        ("all.html", "#long_py.html"),
    ] {
        browser.open_at(dir.path(page), hash);
        browser.until_is("document.querySelectorAll('ol > li').length", 5_000);
        let blocks = browser.get("document.querySelectorAll('.src ol').length").as_u64().unwrap();
        for block in 0..blocks {
            browser.run(&format!("document.querySelectorAll('.src ol')[{block}].scrollIntoView()"));
            // `innerText` is what is shown: nothing for a block that is not laid out yet. Generated content is not
            // part of it, so there must be none.
            let wrong = format!(
                "(() => {{ const block = document.querySelectorAll('.src ol')[{block}]; \
                const first = [...document.querySelectorAll('ol > li')].indexOf(block.firstElementChild) + 1; \
                return [...block.children].filter((line, at) => line.firstChild.innerText !== String(first + at) \
                || line.firstChild.getAttribute('href') !== `#t${{first + at}}` \
                || getComputedStyle(line, '::before').content !== 'none').length }})()"
            );
            browser.until_is(&wrong, 0);
        }
        for line in [1, 200, 201, 1_292, 5_000] {
            browser.run(&format!("document.getElementById('t{line}').scrollIntoView()"));
            // The number itself is what is to be seen at its place.
            let seen = format!(
                "(() => {{ const box = document.querySelector('#t{line} > a').getBoundingClientRect(); \
                return document.elementsFromPoint(box.right - 3, box.top + box.height / 2) \
                .some((element) => element.parentElement?.id === 't{line}' && element.innerText === '{line}') }})()"
            );
            browser.until(&seen);
        }
        // The number ends before the mark of the line, which is generated content.
        for width in [1280, 390] {
            browser.resize(width, 800);
            let room = "(() => { const line = document.querySelector('ol > li:last-child'); \
                const edge = line.getBoundingClientRect().left + line.clientLeft; \
                return edge + parseFloat(getComputedStyle(line, '::after').left) \
                - line.firstChild.getBoundingClientRect().right })()";
            let room = browser.get(room).as_f64().unwrap();
            assert!(room >= 0.0, "{page} at {width}: {room}");
        }
        browser.resize(1280, 800);
        if hash != "#t1" {
            browser.run("document.querySelector('#t201 > a').click()");
            browser.until_is("location.hash", "#long_py.html:t201");
            browser.until_is("document.querySelector('.sel').id", "t201");
        }
    }
}

/// Of ten thousand files, all names are in the page, so the browser finds them, but only the rows in view have their numbers.
#[test]
fn ten_thousand_files_are_a_list_like_any_other() {
    let dir = Dir::new();
    let mut code =
        String::from("import coverage.data, os\nd = coverage.data.CoverageData('.coverage')\n");
    code.push_str("d.add_lines({os.path.abspath(f'p{n % 97}/m{n}.py'): [1] for n in range(10266)})\nd.write()\n");
    dir.write("make.py", code);
    for n in 0..10_266 {
        dir.write(
            format!("p{}/m{n}.py", n % 97),
            if n % 2 == 0 { "a = 1\n" } else { "a = 1\nb = 2\n" },
        );
    }
    let made = crate::support::python().current_dir(dir.path("")).arg("make.py").output().unwrap();
    assert!(made.status.success(), "{made:?}");
    dir.pulpcov(["html"]).status(0);
    let browser = Browser::new(1280, 800);
    browser.open(dir.path("htmlcov/index.html"));
    let rows = "document.querySelectorAll('.grid tbody tr:not(.gap)').length";
    let first = "document.querySelector('.grid tbody tr:not(.gap) td').innerText";
    let whole = "[...document.querySelectorAll('.grid tbody tr')].filter(row => row.querySelector('.cover')).length";
    let few = |view: &str| assert!(browser.get(whole).as_u64().unwrap() < 500, "{view}");
    browser.until_is(rows, 10_266);
    few("index.html");
    assert_eq!(browser.get("document.querySelector('.grid').ariaRowCount"), "10268");
    // What the browser's own search does with a name.
    assert_eq!(browser.get("find('p80/m10265.py')"), true);
    browser.until(
        "document.querySelector('.grid tbody').parentElement.innerText.includes('p80/m10265.py')",
    );
    browser.run("scrollTo(0, 0)");
    browser.until_is(first, "p0/m0.py");
    browser.run("scrollTo(0, document.body.scrollHeight)");
    browser.until("[...document.querySelectorAll('.grid tbody tr')].at(-1).cells.length > 1");
    assert_eq!(
        browser.get("[...document.querySelectorAll('.grid tbody tr')].at(-1).cells[0].innerText"),
        "p96/m10184.py"
    );
    few("index.html");
    browser.run("scrollTo(0, 0)");
    browser.keys("m");
    browser.until_is(first, "p0/m97.py");
    browser.click("#filter");
    browser.keys("m10265");
    browser.until_is(rows, 1);
    assert_eq!(browser.get(first), "p80/m10265.py");
    for view in ["function_index.html", "class_index.html", "worst.html"] {
        browser.run("localStorage.clear()");
        browser.open(dir.path("htmlcov").join(view));
        few(view);
        assert!(browser.get("document.querySelector('.grid').ariaRowCount") != "2", "{view}");
    }
    browser.keys("/");
    browser.until("document.activeElement.closest('dialog')");
    browser.keys("m1");
    browser.until("document.querySelectorAll('.found li').length");
    assert!(browser.get("document.querySelectorAll('.found li').length").as_u64().unwrap() < 500);
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn who_ran_a_line_is_found_as_one_types() {
    let report = Report::new();
    let browser = &report.browser;
    browser.open(report.source("_cart_py.html"));
    assert_eq!(browser.get("document.querySelector('#t6 button.ctx').innerText"), "12 contexts");
    browser.click("#t6 button.ctx");
    browser.until_is("document.querySelectorAll('#t6 .who li').length", 12);
    assert_eq!(browser.get("document.querySelectorAll('#t6 .who li')[2].innerText"), "test_2");
    browser.keys("1");
    browser.until_is(
        "[...document.querySelectorAll('#t6 .who li')].map(item => item.innerText).join()",
        "test_1,test_10,test_11",
    );
    browser.click("#t14 button.ctx");
    browser.until_is(
        "document.querySelector('#t14 .who ul')?.innerText.trim()",
        "</script><b>test_total</b>",
    );
    browser.click("#t14 .who a");
    browser.until("document.querySelector('.chosen:not([hidden]) .lines a')");
    let lines = "[...document.querySelectorAll('.chosen .files li')].map(item => item.innerText.replace(/\\s+/g, ' ').trim()).join('; ')";
    browser.until_is(lines, "shop/all.py 1: 2; shop/cart.py 3: 13-15");
    browser.click(".choice button:nth-child(2)");
    browser.until_is(lines, "shop/all.py 1: 2; shop/cart.py 3: 13-15");
    // A line that several contexts ran is not listed among the lines that only one ran.
    browser.open_at(report.page("contexts.html"), "#c=test_3");
    browser.until_is(lines, "shop/cart.py 2: 6-7");
    browser.click(".choice button:nth-child(2)");
    browser.until_is(lines, "");
    browser.click("#filter");
    browser.keys("TOTAL");
    browser.until("!document.querySelector('.grid').checkVisibility()");
    browser.run("document.querySelector('#filter').value = ''");
    browser.keys("total");
    browser.until_is("document.querySelectorAll('.grid tbody tr:not(.gap)').length", 1);
    assert_eq!(report.rows(), ["</script><b>test_total</b> 2 4 4"]);
    browser.open(report.page("contexts.html"));
    assert_eq!(report.rows(), ["</script><b>test_total</b> 2 4 4"]);
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn search_finds_names_and_text_from_every_page() {
    let report = Report::new();
    let browser = &report.browser;
    let found = "[...document.querySelectorAll('.found li')].map(item => item.innerText.replace(/\\s+/g, ' ').trim()).join('; ')";
    for page in
        [report.page("tree.html"), report.source("_all_py.html"), report.dir.path("one.html")]
    {
        browser.open(&page);
        browser.keys("/");
        browser.until("document.activeElement.closest('dialog')");
        browser.keys("needle");
        browser.until_is(found, "text return '<b>needle</b>' shop/cart.py:10");
        browser.run("document.activeElement.value = ''");
        browser.keys("unused");
        browser.until(&format!("({found}).includes('text class Unused')"));
        let all = browser.get(found).as_str().unwrap().to_owned();
        for wanted in [
            "file shop/deep/unused.py 0%",
            "class Unused 0% shop/deep/unused.py:1",
            "function Unused.__init__ 0% shop/deep/unused.py:2",
            "text class Unused: shop/deep/unused.py:1",
        ] {
            assert!(all.contains(wanted), "{wanted}: {all}");
        }
        browser.keys("\u{e015}\u{e015}\u{e013}\u{e007}");
        browser.until("document.body?.dataset.view === 'source' && document.querySelector('.toggles')?.dataset.name === 'shop/deep/unused.py'");
        assert_eq!(browser.errors(), Vec::<String>::new());
    }
}

#[test]
fn folders_open_and_are_remembered() {
    let report = Report::new();
    let browser = &report.browser;
    browser.open(report.page("tree.html"));
    let nodes = "[...document.querySelectorAll('.tree tbody tr')].map(row => [...row.cells].map(cell => cell.innerText.replace('Pin', '').trim()).join(' ')).join('; ')";
    browser.until_is(
        nodes,
        "shop/ 18 6 4 2 64%; deep/ 3 3 0 0 0%; __init__.py 0 0 0 0 no statements; all.py 2 0 0 0 100%; cart.py 13 3 4 2 71%",
    );
    browser.click("tr[data-path='shop/deep/'] .folder");
    browser.until("document.querySelector('.tree').innerText.includes('unused.py')");
    browser.open(report.page("tree.html"));
    assert!(browser.get(nodes).as_str().unwrap().contains("unused.py"));
    // The map shows the content of the folder. A click enters a folder, and the trail leads back.
    assert_eq!(
        browser.get("document.querySelector('.map a').getAttribute('aria-label')"),
        "cart.py: 71%, 13 statements"
    );
    browser.run("document.querySelector('.map a[aria-label^=deep]').dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true}))");
    browser.until(
        "document.querySelector('.map a').getAttribute('aria-label').startsWith('unused.py')",
    );
    browser.click(".crumbs button");
    browser.until("document.querySelectorAll('.crumbs button').length === 0");
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn what_is_printed_is_whole() {
    let dir = Dir::new();
    let mut main = String::new();
    for n in 0..400 {
        dir.write(format!("part{n}.py"), "a = 1\n");
        main.push_str(&format!("import part{n}\n"));
    }
    dir.write("main.py", main);
    dir.coverage(["run", "--source=.", "main.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    let browser = Browser::new(1280, 800);
    let rows = "document.querySelectorAll('.grid tbody tr:not(.gap)').length";
    let is_seen = |selector: &str| {
        browser.get(&format!("document.querySelector('{selector}').checkVisibility()"))
    };
    browser.prefer("dark");
    browser.open(dir.path("htmlcov/index.html"));
    let whole = "[...document.querySelectorAll('.grid tbody tr')].filter(row => row.querySelector('.cover')).length";
    browser.until_is(rows, 401);
    assert!(browser.get(whole).as_u64().unwrap() < 401);
    browser.print_preview();
    assert_eq!(browser.get(whole), 401);
    assert_eq!((is_seen(".bar"), is_seen(".controls")), (json!(false), json!(false)));
    assert_eq!(is_seen("h1"), true);
    // Pages are printed with a light background.
    let is_light = "getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)'";
    assert_eq!(browser.get(is_light), true);
    browser.open(dir.path("htmlcov/main_py.html"));
    browser.print_preview();
    assert_eq!((is_seen(".bar"), is_seen("#t400")), (json!(false), json!(true)));
}

/// The name of each file and function is whole at every width, in the window and on paper.
#[test]
fn names_are_readable_at_every_width() {
    let dir = Dir::new();
    let long = "src/company/product/component_with_a_long_name/subcomponent/implementation_of_something.py";
    dir.write(long, "class Implementation:\n    def a_method_with_a_rather_long_name(self):\n        if self:\n            return 1\n");
    dir.write("src/company/product/main.py", "from src.company.product.component_with_a_long_name.subcomponent import implementation_of_something\n");
    dir.coverage(["run", "--branch", "--source=src", "-m", "src.company.product.main"]).status(0);
    dir.pulpcov(["html"]).status(0);
    let browser = Browser::new(1280, 800);
    // What is cut off, does not fit, or is too narrow for a name.
    let problems = "[...document.querySelectorAll('.grid .name')].filter(cell => cell.checkVisibility()).flatMap(cell => { \
        const box = cell.getBoundingClientRect(); \
        const text = document.createRange(); text.selectNodeContents(cell); \
        const inside = [...text.getClientRects()].every(part => part.left >= box.left - 1 && part.right <= box.right + 1 && part.bottom <= box.bottom + 1); \
        const isSeen = [...text.getClientRects()].every(part => part.right <= innerWidth && part.left >= 0); \
        const rem = parseFloat(getComputedStyle(document.documentElement).fontSize); \
        return inside && isSeen && box.width >= 16 * rem - 1 ? [] : [`${cell.innerText}: ${box.width}, ${inside}, ${isSeen}`]; })";
    for view in ["index.html", "function_index.html", "class_index.html", "worst.html", "tree.html"]
    {
        browser.open(dir.path("htmlcov").join(view));
        for width in [320, 390, 641, 720, 768, 900, 1024, 1440, 2560] {
            browser.resize(width, 800);
            let what = format!("{view} at {width}");
            assert_eq!(browser.get(problems), json!([]), "{what}");
            let overflow = browser.get("document.documentElement.scrollWidth - innerWidth");
            assert!(overflow.as_i64().unwrap() <= 0, "{what} is {overflow} too wide");
            // The percentage is there, too.
            let last = "[...document.querySelectorAll('.grid tbody tr')].every(row => row.lastChild.checkVisibility() && row.lastChild.getBoundingClientRect().right <= innerWidth)";
            assert_eq!(browser.get(last), true, "{what}");
        }
        // A4 less its margins.
        browser.resize(718, 1000);
        browser.print_preview();
        assert_eq!(browser.get(problems), json!([]), "{view} on paper");
        browser.no_print_preview();
    }
    browser.resize(1280, 800);
    browser.open(dir.path("htmlcov/index.html"));
    let text: String = browser.print().split_whitespace().collect();
    assert!(
        text.contains("component_with_a_long_name/subcomponent/implementation_of_something.py"),
        "{text}"
    );
    assert_eq!(browser.errors(), Vec::<String>::new());
}

/// What a reader filters in one report is not filtered in another that is opened from the same disk, and can be taken back.
#[test]
fn reports_remember_for_themselves() {
    let report = Report::new();
    let browser = &report.browser;
    report.dir.pulpcov(["html", "-d", "other/htmlcov"]).status(0);
    browser.open(report.page("index.html"));
    browser.click("#filter");
    browser.keys("unused");
    browser.until_is("document.querySelectorAll('.grid tbody tr').length", 1);
    browser.keys("\u{e00c}");
    browser.keys("m");
    browser.open(report.page("tree.html"));
    browser.click("tr[data-path='shop/'] .folder");
    for page in ["other/htmlcov/index.html", "one.html"] {
        browser.open(report.dir.path(page));
        assert_eq!(report.names().len(), 5, "{page}");
        assert_eq!(browser.get("document.querySelector('#filter').value"), "", "{page}");
        assert_eq!(browser.get("document.querySelector('#all').checkVisibility()"), false);
    }
    browser.open(report.dir.path("other/htmlcov/tree.html"));
    assert_eq!(
        browser.get("document.querySelector('tr[data-path=\"shop/\"]').ariaExpanded"),
        "true"
    );
    // The report itself says that it is filtered, and how to see everything.
    browser.open(report.page("index.html"));
    assert_eq!(
        browser.get("document.querySelector('.controls [role=status]').innerText"),
        "1 of 5 files"
    );
    browser.click("#all");
    browser.until_is("document.querySelectorAll('.grid tbody tr').length", 5);
    browser.open(report.page("index.html"));
    assert_eq!(report.names().len(), 5);
}

/// Back leads to what the reader saw: the filter, the order, the folder, the context, how far the page was scrolled, and the focus.
#[test]
fn back_leads_to_what_was_seen() {
    let dir = Dir::new();
    let mut main = String::new();
    for n in 0..400 {
        dir.write(format!("part{n}.py"), "a = 1\n".repeat(n % 7 + 1));
        main.push_str(&format!("import part{n}\n"));
    }
    dir.write("main.py", main);
    dir.coverage(["run", "--source=.", "--context=all", "main.py"]).status(0);
    dir.pulpcov(["html", "--show-contexts"]).status(0);
    dir.pulpcov(["html", "--show-contexts", "--single-file=one.html"]).status(0);
    let browser = Browser::new(1280, 800);
    let sorted =
        |column: &str| format!("document.querySelector('[data-column={column}]').ariaSort");
    for page in ["htmlcov/index.html", "one.html"] {
        browser.open(dir.path(page));
        // Each order is a step.
        browser.keys("s");
        browser.until_is(&sorted("statements"), "descending");
        browser.keys("s");
        browser.until_is(&sorted("statements"), "ascending");
        browser.run("history.back()");
        browser.until_is(&sorted("statements"), "descending");
        browser.click("#filter");
        browser.keys("part3");
        browser.until_is("document.querySelectorAll('.grid tbody tr').length", 111);
        browser.run("scrollTo(0, 1500)");
        browser.until("document.querySelectorAll('.grid tbody tr')[50].cells.length > 1");
        let link = "document.querySelectorAll('.grid tbody a')[50]";
        let place = format!("Math.round({link}.getBoundingClientRect().top)");
        browser.run(&format!("{link}.focus({{preventScroll: true}})"));
        let (name, top) = (browser.get(&format!("{link}.innerText")), browser.get(&place));
        browser.run(&format!("{link}.click()"));
        browser.until(
            "document.body?.dataset.view === 'source' && document.querySelector('[data-ready]')",
        );
        browser.run("history.back()");
        browser.until(
            "document.body?.dataset.view === 'index' && document.querySelector('[data-ready]')",
        );
        assert_eq!(browser.get("document.querySelector('#filter').value"), "part3", "{page}");
        browser.until_is(&sorted("statements"), "descending");
        browser.until_is(&format!("{link}?.innerText"), name);
        browser.until(&format!("Math.abs({place} - {top}) <= 2"));
        browser.until(&format!("document.activeElement === {link}"));
        // A list that is opened by its link shows the same.
        let address = browser.get("location.href");
        assert!(address.as_str().unwrap().contains("filter=part3"), "{address}");
    }
    // A line far down.
    browser.open_at(dir.path("htmlcov/main_py.html"), "#t350");
    browser.until("document.querySelector('#t350').getBoundingClientRect().top < innerHeight && scrollY > 1000");
    browser.run("document.querySelector('#t360 > a').click()");
    browser.until_is("location.hash", "#t360");
    browser.run("history.back()");
    browser.until_is("document.querySelector('.sel')?.id", "t350");
    // A context, and what it alone ran.
    browser.open(dir.path("htmlcov/contexts.html"));
    browser.click(".grid tbody button");
    browser.until("document.querySelector('.chosen').checkVisibility()");
    browser.until("document.activeElement === document.querySelector('.chosen h2')");
    browser.click(".choice button:nth-child(2)");
    browser.until("location.hash.includes('alone=1')");
    browser.run("history.back()");
    browser.until_is("document.querySelector('.choice button').ariaPressed", "true");
    browser.run("history.back()");
    browser.until("!document.querySelector('.chosen').checkVisibility()");
    assert_eq!(browser.errors(), Vec::<String>::new());
}

/// Whatever part of a source page is copied is the source, byte by byte.
#[test]
fn what_is_copied_is_the_source() {
    let dir = Dir::new();
    let source = "def f(n):  \n\n\tif n:\n\t\treturn '\u{e9}<b>&amp;\u{1b}\u{202e}'  # x\t\n\n\n\treturn (\n        1)\r\n\r\nf(1)\x0c\n";
    dir.write("a.py", source);
    dir.write("end.py", "x = 1\ny = 2");
    dir.write("main.py", "import a, end\n");
    dir.coverage(["run", "--branch", "--source=.", "--context=test_a.py::test_one|run", "main.py"])
        .status(0);
    dir.pulpcov(["html", "--show-contexts"]).status(0);
    dir.pulpcov(["html", "--show-contexts", "--single-file=one.html"]).status(0);
    let browser = Browser::new(1280, 800);
    // The event that the browser sends when a user copies.
    let copy = "(() => { const data = new DataTransfer(); document.dispatchEvent(new ClipboardEvent('copy', {clipboardData: data, bubbles: true, cancelable: true})); return data.getData('text/plain'); })()";
    for (page, fragment) in [("htmlcov/a_py.html", ""), ("one.html", "#a_py.html")] {
        browser.open_at(dir.path(page), fragment);
        browser.until("document.querySelector('#t1')");
        browser.run("getSelection().selectAllChildren(document.body)");
        assert_eq!(browser.get(copy), source, "{page}");
        browser.run("getSelection().selectAllChildren(document.querySelector('main'))");
        assert_eq!(browser.get(copy), source);
        // From a place in one line to a place in another, with what stands beside them open.
        browser.click("#t1 .ctx");
        browser.until("document.querySelector('.who')");
        browser.click("#t3 summary");
        let select = |from: &str, to: &str| {
            browser.run(&format!(
                "const at = (line, offset) => {{ let left = offset; const walker = document.createTreeWalker(document.getElementById(line), NodeFilter.SHOW_TEXT); \
                 while (walker.nextNode()) {{ const node = walker.currentNode; if (node.parentElement.closest('ol > li > a, .ctx, .why, .who')) continue; if (left <= node.length) return [node, left]; left -= node.length; }} \
                 return [document.getElementById(line), document.getElementById(line).childNodes.length]; }}; \
                 getSelection().setBaseAndExtent(...at({from}), ...at({to}))"
            ));
        };
        select("'t1', 4", "'t4', 8");
        assert_eq!(browser.get(copy), "f(n):  \n\n\tif n:\n\t\treturn");
        select("'t1', 4", "'t1', 5");
        assert_eq!(browser.get(copy), "f");
        select("'t5', 0", "'t7', 7");
        assert_eq!(browser.get(copy), "\n\n\treturn");
    }
    // The real clipboard, and a file without a newline at its end.
    browser.allow_clipboard();
    browser.open(dir.path("htmlcov/end_py.html"));
    browser.run("getSelection().selectAllChildren(document.querySelector('main'))");
    browser.keys("\u{e009}c");
    browser.until_is("window.pasted ?? (navigator.clipboard.readText().then(text => { window.pasted = text }), null)", "x = 1\ny = 2");
}

/// The tree of the folders is walked with the keyboard, sorted, and compared.
#[test]
fn the_tree_is_walked_sorted_and_compared() {
    let report = Report::new();
    let browser = &report.browser;
    browser.open(report.page("tree.html"));
    let paths =
        "[...document.querySelectorAll('.tree tbody tr')].map(row => row.dataset.path).join(' ')";
    let closed = "shop/ shop/deep/ shop/__init__.py shop/all.py shop/cart.py";
    browser.until_is(paths, closed);
    browser.run("document.querySelector('.tree tbody tr').focus()");
    let focused = "document.activeElement.dataset.path";
    for (key, path) in [
        ("\u{e015}", "shop/deep/"),
        ("\u{e014}", "shop/deep/"),
        ("\u{e014}", "shop/deep/__init__.py"),
        ("\u{e015}", "shop/deep/unused.py"),
        ("\u{e012}", "shop/deep/"),
        ("\u{e010}", "shop/cart.py"),
        ("\u{e011}", "shop/"),
        ("\u{e015}", "shop/deep/"),
        ("\u{e012}", "shop/deep/"),
    ] {
        browser.keys(key);
        browser.until_is(focused, path);
    }
    browser.until_is(paths, closed);
    assert_eq!(browser.get("document.querySelectorAll('.tree tbody [tabindex=\"0\"]').length"), 1);
    assert_eq!(browser.get("document.activeElement.ariaLevel"), "2");
    // Siblings are sorted. The header stays.
    browser.keys("m");
    browser.until_is(paths, "shop/ shop/deep/ shop/cart.py shop/__init__.py shop/all.py");
    browser.keys("m");
    browser.until_is(paths, "shop/ shop/__init__.py shop/all.py shop/deep/ shop/cart.py");
    // Enter opens a file.
    browser.run("document.querySelector('tr[data-path=\"shop/cart.py\"]').focus()");
    browser.keys("\u{e007}");
    browser.until_is("document.querySelector('.toggles')?.dataset.name", "shop/cart.py");
    // Two folders side by side, also by a link.
    browser.open(report.page("tree.html"));
    browser.run("document.querySelectorAll('.tree .pin').forEach(button => button.click())");
    let pinned = "[...document.querySelectorAll('.pinned tr')].slice(0, 4).map(row => [...row.cells].map(cell => cell.innerText).join(' ')).join('; ')";
    let compared = " shop/✕ shop/deep/✕; coverage 64% 0%; statements 18 3; missing 6 3";
    browser.until_is(pinned, compared);
    let address = browser.get("location.hash");
    browser.open_at(report.page("tree.html"), address.as_str().unwrap());
    browser.until_is(pinned, compared);
    browser.run("document.querySelector('.pinned button').click()");
    browser.until("document.querySelectorAll('.pinned thead th').length === 1");
    browser.run("history.back()");
    browser.until_is(pinned, compared);
    // Every rectangle of the map leads somewhere and says what it is.
    let nameless = "[...document.querySelectorAll('.map rect:not(.hatch):not(.legend rect)')].filter(box => !box.parentElement.getAttribute('aria-label') || !box.parentElement.querySelector('title'))";
    browser.until_is(&format!("{nameless}.length"), 0);
    let inner = "document.querySelector('.map a[aria-label^=\"unused.py\"]').getAttribute('href')";
    assert!(browser.get(inner).as_str().unwrap().ends_with("unused_py.html"));
    assert_eq!(browser.errors(), Vec::<String>::new());
}

/// The strip beside a long page has all of its parts, and leads to them.
#[test]
fn the_strip_shows_all_of_a_long_page() {
    let dir = Dir::new();
    let lines: String = (0..10_000).map(|n| format!("if n == {n}:\n    x = {n}\n")).collect();
    dir.write("long.py", format!("n = 1\n{lines}"));
    dir.coverage(["run", "--source=.", "long.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    let browser = Browser::new(1280, 800);
    browser.open(dir.path("htmlcov/long_py.html"));
    let drawn = "document.querySelector('.marks path.m').getAttribute('d').split('z').length - 1";
    browser.until_is(drawn, 9_999);
    let end = browser.get("document.querySelector('.marks path.m').getBBox().y + document.querySelector('.marks path.m').getBBox().height");
    assert_eq!(end, 20_001);
    browser.run("const strip = document.querySelector('.marks'), box = strip.getBoundingClientRect(); strip.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: box.left + 4, clientY: box.top + box.height * 0.75})); window.clicked = [box.top, box.height, scrollY]");
    // A pixel of the strip stands for many lines.
    let middle = "Number([...document.elementsFromPoint(600, innerHeight / 2)].find(element => element.matches('.src li'))?.id.slice(1))";
    browser.until(&format!("Math.abs({middle} - 15001) < 100"));
}

/// Search takes words in any order, a path with a line, contexts, and what is missing.
#[test]
fn search_takes_words_places_contexts_and_states() {
    let report = Report::new();
    let browser = &report.browser;
    let found = "[...document.querySelectorAll('.found li')].map(item => item.innerText.replace(/\\s+/g, ' ').trim()).join('; ')";
    for page in [report.page("index.html"), report.dir.path("one.html")] {
        browser.open(&page);
        for (typed, expected) in [
            ("deep shop un .py", "file shop/deep/unused.py 0%"),
            ("shop/cart.py:12-14", "line shop/cart.py:12-14"),
            ("cart.py:3", "line shop/cart.py:3"),
            ("test_total </scr", "context </script><b>test_total</b>"),
            ("print 2", "text print(2) shop/cart.py:19"),
            (
                "is:partial cart",
                "file shop/cart.py 71%; function Cart.add 60% shop/cart.py:5; function Cart.total 80% shop/cart.py:12; class Cart",
            ),
            ("is:missing never", "function Cart.never 0% shop/cart.py:17"),
        ] {
            browser.keys("/");
            browser.until("document.activeElement.closest('dialog')");
            browser.keys(typed);
            browser.until(&format!("({found}).includes({})", json!(expected)));
            let all = browser.get(found);
            assert!(
                all.as_str().unwrap().starts_with(expected)
                    || typed.contains("print")
                    || typed.contains("test_total"),
                "{typed}: {all}"
            );
            browser.keys("\u{e00c}");
            browser.until("!document.querySelector('dialog')");
        }
        // A context leads to its lines, a place to the line.
        browser.keys("/");
        browser.until("document.activeElement.closest('dialog')");
        browser.keys("cart.py:7\u{e007}");
        browser.until_is("document.querySelector('.sel')?.id", "t7");
    }
    // Names are not cut off.
    browser.resize(390, 800);
    browser.open(report.page("index.html"));
    browser.keys("/");
    browser.until("document.activeElement.closest('dialog')");
    browser.keys("unused");
    browser.until("document.querySelectorAll('.found li').length > 3");
    let cut = "[...document.querySelectorAll('.found .where')].filter(item => item.scrollWidth > item.clientWidth).length";
    assert_eq!(browser.get(cut), 0);
    assert_eq!(browser.errors(), Vec::<String>::new());
}

/// The link to the source on a website leads to the chosen line. Functions of the same name are told apart.
#[test]
fn lines_lead_to_a_website_and_names_are_told_apart() {
    let dir = Dir::new();
    dir.write(
        "a.py",
        "class Clock:\n    @property\n    def rate(self):\n        return 1\n\n    @rate.setter\n    def rate(self, x):\n        self.x = x\n",
    );
    dir.coverage(["run", "a.py"]).status(0);
    dir.pulpcov(["html", "--source-url=https://example.org/{path}#{line}"]).status(0);
    let browser = Browser::new(1280, 800);
    browser.open(dir.path("htmlcov/a_py.html"));
    let link = "document.querySelector('#forge').href";
    assert_eq!(browser.get(link), "https://example.org/a.py#1");
    browser.run("document.querySelector('#t7 > a').click()");
    browser.until_is(link, "https://example.org/a.py#7");
    browser.open(dir.path("htmlcov/function_index.html"));
    let names = "[...document.querySelectorAll('.grid tbody tr td:nth-child(2)')].map(cell => cell.firstChild.innerText + (cell.querySelector('.soft')?.innerText ?? ''))";
    browser.until_is(names, json!(["Clock.rate line 3", "Clock.rate line 7", "(no function)"]));
    assert_eq!(browser.barriers(), Vec::<String>::new());
}

/// The outline leads to functions and classes, and the one at the top of the window stays in sight.
#[test]
fn the_outline_leads_to_functions() {
    let dir = Dir::new();
    let body = "        x = 1\n        if x > 1:\n            x = 2\n".repeat(30);
    dir.write(
        "a.py",
        format!("class Cart:\n    def add(self):\n{body}\n    def never(self):\n        def inner():\n            return 1\n{body}\n\nclass Empty:\n    pass\n\n\ndef last():\n    return 1\n\n\nCart().add()\n"),
    );
    dir.coverage(["run", "--branch", "a.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    dir.pulpcov(["html", "--single-file=one.html"]).status(0);
    let browser = Browser::new(1280, 500);
    for (page, fragment) in [("htmlcov/a_py.html", ""), ("one.html", "#a_py.html")] {
        browser.open_at(dir.path(page), fragment);
        browser.click(".outline summary");
        let entries = "[...document.querySelectorAll('.outline li')].map(item => item.className + ' ' + item.innerText.replace(/\\s+/g, ' ').trim()).join('; ')";
        browser.until_is(
            entries,
            "d0 Cart 30%; d1 add 60%; d1 never 0%; d2 inner 0%; d0 Empty; d0 last 0%",
        );
        assert_eq!(browser.barriers(), Vec::<String>::new());
        browser.run("[...document.querySelectorAll('.outline a')].find(link => link.innerText === 'never').click()");
        browser.until("!document.querySelector('.outline[open]')");
        browser.until_is("document.querySelector('.sel')?.id", "t94");
        // Going to a line takes some frames.
        for (line, name) in [(150, "never"), (20, "add")] {
            browser.until(&format!("(document.querySelector('#t{line}').scrollIntoView(), document.querySelector('#here:not([hidden])')?.innerText === '{name}')"));
        }
        browser.run("scrollTo(0, 0)");
        browser.until("document.querySelector('#here').hidden");
        browser.click(".outline summary");
        browser.keys("\u{e00c}");
        browser.until("!document.querySelector('.outline[open]')");
    }
    assert_eq!(browser.errors(), Vec::<String>::new());
}

/// Steps back undo a choice alone, the focus stays where it was, and links of a single file lead into it or to other websites.
#[test]
fn steps_change_what_they_say_and_nothing_else() {
    let dir = Dir::new();
    let mut main = String::new();
    for n in 0..300 {
        dir.write(format!("p/part{n}.py"), "a = 1\n".repeat(n % 7 + 1));
        main.push_str(&format!("import part{n}\n"));
    }
    dir.write("p/main.py", main.repeat(3));
    dir.coverage(["run", "--source=p", "--context=all", "p/main.py"]).status(0);
    let url = "--source-url=https://example.org/{path}#{line}";
    dir.pulpcov(["html", "--show-contexts", url]).status(0);
    dir.pulpcov(["html", "--show-contexts", url, "--single-file=one.html"]).status(0);
    let browser = Browser::new(1280, 800);
    let sorted =
        |column: &str| format!("document.querySelector('[data-column={column}]').ariaSort");
    for page in ["htmlcov/index.html", "htmlcov/tree.html", "htmlcov/contexts.html"] {
        browser.open(dir.path(page));
        let column = if page.contains("contexts") { "lines" } else { "missing" };
        browser.click(&format!("[data-column={column}] button"));
        browser.until(&format!("{} !== 'none'", sorted(column)));
        browser.run("history.back()");
        browser.until_is(&sorted(column), "none");
        browser.until_is("scrollY", 0);
        assert_eq!(browser.get("document.activeElement.matches('.skip')"), false, "{page}");
    }
    // The focus stays in its row when the rows are sorted.
    browser.open(dir.path("htmlcov/index.html"));
    browser.run("document.querySelectorAll('.grid tbody a')[3].focus()");
    let focused = browser.get("document.activeElement.innerText");
    browser.keys("s");
    browser.until_is(&sorted("statements"), "descending");
    browser.until_is("document.activeElement.innerText", focused);
    let names = dir.names_in("htmlcov");
    let source =
        names.iter().find(|name| name.starts_with("z_") && name.ends_with("_main_py.html"));
    let source = source.unwrap();
    // Going to the same line again goes there again. Of two panels, the one that was opened last closes first.
    for (page, fragment) in [
        (format!("htmlcov/{source}"), String::new()),
        ("one.html".to_owned(), format!("#{source}")),
    ] {
        browser.open_at(dir.path(page), &fragment);
        for _ in 0..2 {
            browser.keys("/");
            browser.until("document.activeElement.closest('dialog')");
            browser.keys("main.py:700\u{e007}");
            browser.until("scrollY > 5000 && document.querySelector('.sel')?.id === 't700'");
            browser.until("(scrollTo(0, 0), scrollY === 0)");
        }
        browser.run("document.querySelector('#t5 .ctx').click()");
        browser.until("document.querySelector('#t5 .who')");
        browser.run("document.querySelector('#t3 .ctx').click()");
        browser.until("document.querySelector('#t3 .who')");
        browser.keys("\u{e00c}");
        browser.until("!document.querySelector('#t3 .who')");
        assert_eq!(browser.get("Boolean(document.querySelector('#t5 .who'))"), true);
    }
    // A page of a single file begins at its top, and its links can be opened elsewhere.
    browser.run("scrollTo(0, 9000); document.querySelector('.who a').click()");
    browser.until("document.querySelector('.chosen .lines a')");
    browser.until("scrollY < 300");
    browser.run("document.querySelector('nav a').dispatchEvent(new MouseEvent('contextmenu', {bubbles: true}))");
    let address = browser.get("document.querySelector('nav a').href");
    assert!(address.as_str().unwrap().ends_with("one.html#index.html"), "{address}");
    browser.open_at(dir.path("one.html"), &format!("#{source}"));
    browser.run("window.left = ''; addEventListener('click', event => { window.left = [event.target.closest('a').href, event.defaultPrevented]; event.preventDefault() }); document.querySelector('#forge').click()");
    assert_eq!(browser.get("window.left"), json!(["https://example.org/p/main.py#1", false]));
    // What is remembered may be nonsense.
    browser.open(dir.path("htmlcov/index.html"));
    browser.run("for (const key of Object.keys(localStorage)) localStorage.setItem(key, '5'); for (const key of ['open', 'filter', 'lines', 'sort.files', 'sort.folders']) localStorage.setItem(`pulpcov.${location.pathname.replace(/[^/]*$/, '')}.${key}`, '{\"filter\": {}}')");
    for page in ["tree.html", "index.html", source] {
        browser.open(dir.path("htmlcov").join(page));
        assert_eq!(browser.get("document.querySelector('[role=alert]')"), Value::Null, "{page}");
    }
    assert_eq!(browser.errors(), Vec::<String>::new());
}

/// Esc closes what is open, the last first, and gives the focus back.
#[test]
fn escape_closes_panels() {
    let report = Report::new();
    let browser = &report.browser;
    browser.open(report.source("_cart_py.html"));
    browser.click("#t6 summary");
    browser.click("#t6 button.ctx");
    browser.until("document.querySelector('#t6 .who')");
    browser.keys("\u{e00c}");
    browser.until("!document.querySelector('.who')");
    browser.until("document.activeElement.matches('#t6 button.ctx')");
    browser.keys("\u{e00c}");
    browser.until("!document.querySelector('.why[open]')");
    browser.open_at(report.page("contexts.html"), "#c=test_3");
    browser.until("document.querySelector('.chosen').checkVisibility()");
    browser.keys("\u{e00c}");
    browser.until("!document.querySelector('.chosen').checkVisibility()");
    browser.keys("?");
    browser.until("document.querySelector('dialog[open]')");
    browser.keys("\u{e00c}");
    browser.until("!document.querySelector('dialog')");
}

/// Names, contexts, a title and source that contain markup, reverse the text direction, or are very long.
#[test]
fn hostile_text_is_text_in_every_view() {
    let dir = Dir::new();
    let evil = "<img src=x onerror=\"window.evil=1\"><script>window.evil=2</script>'\u{202e}\u{1b}";
    let source = "def f(x='</script><script>window.evil = 3</script>'):\n    '''<!-- <template> \u{202e} &lt; '''\n    return x\n";
    let names = [
        "<img src=x onerror='window.evil=4'>.py",
        "\u{fffd}é.py",
        "\u{202e}yp.live.py",
        "a\nb\x1b[31m\"c\".py",
        "#t1?q=%3Cb%3E&amp;.py",
    ];
    for name in names {
        dir.write(name, source);
    }
    let long = format!("{evil}{}", "x\u{2067}".repeat(2000));
    dir.write("contexts.json", json!([evil, long]).to_string());
    dir.write(
        "make.py",
        "import coverage.data, json, os\n\
         names = [name for name in os.listdir('.') if name.endswith('.py') and name != 'make.py']\n\
         data = coverage.data.CoverageData('.coverage')\n\
         for context in json.load(open('contexts.json', encoding='utf-8')):\n    \
             data.set_context(context)\n    \
             data.add_lines({os.path.abspath(name): [1, 3] for name in names})\n\
         data.write()\n",
    );
    let made = crate::support::python().current_dir(dir.path("")).arg("make.py").output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let title = format!("--title={evil}");
    dir.pulpcov(["html", "--show-contexts", &title]).status(0);
    dir.pulpcov(["html", "--show-contexts", &title, "--single-file=one.html"]).status(0);

    let browser = Browser::new(1280, 800);
    let mut pages: Vec<PathBuf> = dir
        .names_in("htmlcov")
        .iter()
        .filter(|name| name.ends_with(".html"))
        .map(|name| dir.path("htmlcov").join(name))
        .collect();
    assert_eq!(pages.len(), VIEWS.len() + names.len());
    pages.push(dir.path("one.html"));
    let turned = "/[\\u0000-\\u0008\\u001b\\u202a-\\u202e\\u2066-\\u2069]/.test(document.documentElement.innerText + document.title)";
    let check = |what: &str| {
        assert_eq!(browser.get("window.evil === undefined"), true, "{what}");
        assert_eq!(browser.get("document.querySelectorAll('img').length"), 0, "{what}");
        assert_eq!(browser.get(turned), false, "{what}");
        assert_eq!(browser.errors(), Vec::<String>::new(), "{what}");
    };
    for width in [1280, 390] {
        browser.resize(width, 800);
        for page in &pages {
            let what = format!("{} at {width}", page.display());
            browser.open(page);
            let overflow = browser.get("document.documentElement.scrollWidth - innerWidth");
            assert!(overflow.as_i64().unwrap() <= 0, "{what} is {overflow} too wide");
            check(&what);
            if browser.get("document.body.dataset.view") != "source" {
                continue;
            }
            for (line, wanted) in [
                (1, "'</script><script>window.evil = 3</script>'"),
                (2, "'''<!-- <template>  &lt; '''"),
            ] {
                let shown = browser.get(&format!("document.querySelector('#t{line}').innerText"));
                assert!(shown.as_str().unwrap().contains(wanted), "{what}: {shown}");
            }
            browser.click("#t3 button.ctx");
            browser.until_is("document.querySelectorAll('#t3 .who li').length", 2);
            check(&what);
        }
        browser.open(dir.path("htmlcov/contexts.html"));
        browser.run("[...document.querySelectorAll('.grid tbody button')].at(-1).click()");
        browser.until("document.querySelector('.chosen:not([hidden]) .lines a')");
        check("a context");
        for page in [dir.path("one.html"), dir.path("htmlcov/tree.html")] {
            browser.open(page);
            browser.keys("/");
            browser.until("document.activeElement.closest('dialog')");
            browser.keys("<template>");
            browser.until_is("document.querySelectorAll('.found li').length", names.len());
            let found = browser.get("document.querySelector('.found').innerText");
            assert!(found.as_str().unwrap().contains("<template> [U+202E] &lt;"), "{found}");
            check("search");
        }
    }
}

#[test]
fn the_worst_function_comes_first_and_keys_sort() {
    let report = Report::new();
    report.browser.open(report.page("worst.html"));
    let rows = report.rows();
    assert!(rows[0].starts_with("Cart.add cart.py 1 1 +"), "{rows:?}");
    assert!(rows.iter().all(|row| !row.contains("everything")), "{rows:?}");
    for (view, keys) in [
        (
            "worst.html",
            &[
                ("n", "region"),
                ("f", "file"),
                ("m", "missing"),
                ("b", "missing_branches"),
                ("c", "coverage"),
                ("g", "gain"),
            ][..],
        ),
        ("contexts.html", &[("f", "files"), ("s", "lines"), ("m", "alone"), ("n", "context")][..]),
    ] {
        report.browser.open(report.page(view));
        for (key, column) in keys {
            let sorted = format!("document.querySelector('[data-column={column}]').ariaSort");
            report.browser.keys(key);
            report.browser.until(&format!("{sorted} !== 'none'"));
            let before = report.browser.get(&sorted);
            report.browser.keys(key);
            report.browser.until(&format!("{sorted} !== {before}"));
        }
    }
}

#[test]
fn themes_change_and_are_remembered() {
    let report = Report::new();
    let browser = &report.browser;
    browser.prefer("light");
    browser.open(report.page("index.html"));
    for (theme, is_dark) in
        [("light", false), ("dark", true), ("auto", false), ("light", false), ("dark", true)]
    {
        browser.click("[data-do=theme]");
        browser.until_is(
            "document.querySelector('[data-do=theme]').innerText",
            format!("Theme: {theme}"),
        );
        let is =
            browser.get("getComputedStyle(document.body).backgroundColor !== 'rgb(255, 255, 255)'");
        assert_eq!(is, is_dark, "{theme}");
    }
    browser.open(report.page("tree.html"));
    browser.until("getComputedStyle(document.body).backgroundColor !== 'rgb(255, 255, 255)'");
}

#[test]
fn one_page_is_a_whole_report() {
    let report = Report::new();
    let browser = &report.browser;
    browser.open(report.dir.path("one.html"));
    assert_eq!(report.names().len(), 5);
    browser.click("nav a:nth-child(3)");
    browser.until_is(
        "document.querySelector('h1').innerText.split(' ').slice(0, 3).join(' ')",
        "Coverage report: Classes",
    );
    browser.click("nav a:nth-child(6)");
    browser.until("document.querySelector('.grid tbody button')");
    browser.run("[...document.querySelectorAll('.grid tbody button')].find(button => button.innerText.includes('total')).click()");
    browser.until("document.querySelectorAll('.chosen .lines a').length === 2");
    browser.run("[...document.querySelectorAll('.chosen .lines a')].at(-1).click()");
    browser.until_is(
        "[...document.querySelectorAll('.sel')].map(line => line.id).join()",
        "t13,t14,t15",
    );
    browser.until("location.hash.endsWith('_cart_py.html:t13-15')");
    let address = browser.get("location.hash");
    browser.open_at(report.dir.path("one.html"), address.as_str().unwrap());
    browser.until_is(
        "[...document.querySelectorAll('.sel')].map(line => line.id).join()",
        "t13,t14,t15",
    );
    browser.keys("]");
    browser.until_is("document.querySelector('.toggles').dataset.name", "shop/deep/__init__.py");
    browser.keys("u");
    browser.until_is("document.body.dataset.view", "index");
    assert_eq!(browser.errors(), Vec::<String>::new());
}

#[test]
fn an_open_file_follows_quietly() {
    let (hooked, mut watch) = watched();
    let names = fs::read_dir(hooked.dir.path("out")).unwrap();
    let page = names
        .map(|entry| entry.unwrap().path())
        .find(|path| name(path).ends_with("steps_py.html"))
        .unwrap();
    let browser = Browser::new(1000, 700);
    browser.open(&page);
    let line = format!("document.getElementById('t{}').className", line_of_step(2));
    let before = browser.get(&line);
    browser
        .until("document.querySelector('.live-note')?.textContent.startsWith('Live: data of 2')");
    // A user is reading and has selected some words, so the page says that there is newer data, and waits.
    browser.run("window.marker = 1; getSelection().selectAllChildren(document.querySelector('h1, h2, main'))");
    record(&hooked, "2");
    browser
        .until("document.querySelector('.live-note').textContent.startsWith('Newer data, of 2')");
    assert_eq!(browser.get("window.marker"), 1);
    browser.run("getSelection().removeAllRanges()");
    browser.until("window.marker === undefined && document.querySelector('[data-ready]')");
    assert_ne!(browser.get(&line), before);
    assert_eq!(browser.errors(), Vec::<String>::new());
    // The last report stays, and so does the page.
    watch.signal(Signal::SIGINT);
    assert_eq!(watch.0.wait().unwrap().code(), Some(0));
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("</html>"), "{text}");
}
