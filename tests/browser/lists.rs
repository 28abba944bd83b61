//! Lists: sorting, filters, names at every width, and many rows.

use serde_json::{Value, json};

use super::{Report, write_parts};
use crate::support::Dir;
use crate::support::chromium::Browser;

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
        // Where there is nothing to cover, no percentage is shown. coverage.py says 100 %.
        let share = |count: &str, percent: &str, nothing: &str| match &*text(count) {
            "0" => nothing.to_owned(),
            _ => format!("{}%", text(percent)),
        };
        let wanted = format!(
            "{} {} {} {} {} {} {} {}",
            share("num_statements", "percent_statements_covered_display", "no statements"),
            text("num_statements"),
            text("missing_lines"),
            text("excluded_lines"),
            share("num_branches", "percent_branches_covered_display", "no branches"),
            text("num_branches"),
            text("num_partial_branches"),
            share("num_statements", "percent_covered_display", "no statements"),
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

#[test]
fn what_is_printed_is_whole() {
    let dir = Dir::new();
    let main = write_parts(&dir, "", 400);
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

/// The index says first where most is missing, and last where the report is from.
#[test]
fn the_index_says_where_it_is_worst_and_where_it_is_from() {
    let dir = Dir::new();
    let function = |lines: usize| format!("def f():\n{}", "    x = 1\n".repeat(lines));
    for (name, lines) in [("a.py", 3), ("b.py", 9), ("c.py", 1), ("d.py", 5)] {
        dir.write(name, function(lines));
    }
    dir.write("main.py", "import a, b, c, d\n");
    for name in ["web-1.pid11.XaBcDeFx", "web-1.pid12.XgHiJkLx", "job-2.pid11.XmNoPqRx", "unit"] {
        dir.coverage(["run", &format!("--data-file=.coverage.{name}"), "main.py"]).status(0);
    }
    dir.pulpcov(["html", "--single-file=one.html", "--keep-combined"]).status(0);
    dir.pulpcov(["html"]).status(0);
    let browser = Browser::new(1280, 800);
    for page in ["htmlcov/index.html", "one.html"] {
        browser.open(dir.path(page));
        browser.until_is(
            "document.querySelector('.overview').innerText.trim()",
            "Most lines missing: b.py 9, d.py 5, a.py 3",
        );
        let origin = browser.get("document.querySelector('.origin').innerText");
        assert!(
            origin
                .as_str()
                .unwrap()
                .contains("combined from 4 data files of job-2 (1 process), web-1 (2 processes), 1 file without a host"),
            "{origin}"
        );
        assert_eq!(browser.barriers(), Vec::<String>::new());
        browser.click(".overview a");
        browser.until_is("document.querySelector('.toggles')?.dataset.name", "b.py");
    }
    // Nothing is missing, and nothing was combined.
    dir.write("main.py", "x = 1\n");
    dir.coverage(["run", "--include=main.py", "main.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    browser.open(dir.path("htmlcov/index.html"));
    assert_eq!(browser.get("document.querySelector('.overview').checkVisibility()"), false);
}

/// Lists and folders show one language at a time, and the total of each is said at the top.
#[test]
fn each_language_has_its_lists() {
    let dir = Dir::new();
    dir.write("app/a.py", "x = 1\nif x:\n    y = 2\nelse:\n    z = 3\n");
    dir.write("web/cart.js", "one();\ntwo();\nthree();\n");
    dir.write("web/deep/more.js", "one();\n");
    dir.write("src/speed.c", "int a;\nint b;\n");
    dir.coverage(["run", "--branch", "app/a.py"]).status(0);
    dir.write(
        "others.info",
        "SF:web/cart.js\nDA:1,1\nDA:2,0\nDA:3,0\nend_of_record\nSF:web/deep/more.js\nDA:1,1\nend_of_record\nSF:src/speed.c\nDA:1,3\nDA:2,3\nBRDA:2,0,0,1\nBRDA:2,0,1,0\nend_of_record\n",
    );
    let html = |args: &[&str]| {
        dir.pulpcov([&["html", "--with", "others.info"], args].concat()).status(0);
    };
    html(&[]);
    html(&["--single-file=one.html"]);
    for page in ["htmlcov/index.html", "one.html"] {
        let browser = Browser::new(1280, 900);
        browser.open(dir.path(page));
        let names = "[...document.querySelectorAll('.grid tbody tr:not(.gap)')].map((row) => row.cells[0].innerText)";
        let total = "document.querySelector('.grid tfoot td:last-child').innerText";
        let choose = |language: &str| {
            browser.run(&format!(
                "document.querySelector('.languages a[data-language=\"{language}\"]').click()"
            ));
        };
        let languages =
            "[...document.querySelectorAll('.languages a')].map((link) => link.innerText)";
        browser.until_is(languages, json!(["Python 67%", "C 75%", "JavaScript 50%"]));
        browser.until_is(names, json!(["app/a.py"]));
        browser.until_is(total, json!("67%"));
        choose("JavaScript");
        browser.until_is(names, json!(["cart.js", "deep/more.js"]));
        browser.until_is(total, json!("50%"));
        // JavaScript has no branches here.
        let heads =
            "[...document.querySelectorAll('.grid thead th')].map((head) => head.innerText.trim())";
        assert!(!browser.get(heads).to_string().contains("branches"));
        browser.until_is(
            "document.querySelector('.languages [aria-current]').innerText",
            json!("JavaScript 50%"),
        );
        assert_eq!(browser.barriers(), Vec::<String>::new());
        choose("C");
        browser.until_is(names, json!(["src/speed.c"]));
        assert!(browser.get(heads).to_string().contains("branches"));
        browser.run("history.back()");
        browser.until_is(total, json!("50%"));
        // The folders are those of the same language.
        browser.run("[...document.querySelectorAll('nav a')].find((link) => link.innerText === 'Folders').click()");
        browser.until("document.querySelector('.tree')?.innerText.includes('web/')");
        browser.until_is(
            "document.querySelector('.languages [aria-current]').innerText",
            json!("JavaScript 50%"),
        );
    }
    // The folders are those of one language.
    let browser = Browser::new(1280, 900);
    browser.open_at(dir.path("htmlcov/tree.html"), "#language=JavaScript");
    browser.until_is(
        "[...document.querySelectorAll('.tree tbody tr')].map((row) => row.cells[0].innerText.replace(/Pin$/, '').trim())",
        json!(["web/", "deep/", "cart.js"]),
    );
    // A page says how many branches of a line were taken.
    let names = dir.names_in("htmlcov");
    let page = names.iter().find(|name| name.ends_with("speed_c.html")).unwrap();
    browser.open(dir.path("htmlcov").join(page));
    browser.until_is("document.querySelector('#t2 .why').innerText", json!("1 of 2"));
    browser.until_is("document.querySelector('#t2').className", json!("p"));
}

/// Data without branches has no columns of branches.
#[test]
fn without_branches_there_are_no_columns_of_them() {
    let dir = Dir::new();
    dir.write("a.py", "x = 1\n");
    dir.coverage(["run", "a.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    let browser = Browser::new(1280, 900);
    for (view, columns) in [
        ("index.html", json!(["File", "statements", "missing", "excluded", "coverage"])),
        ("tree.html", json!(["Folder", "statements", "missing", "coverage"])),
    ] {
        browser.open(dir.path("htmlcov").join(view));
        browser.until("document.querySelector('[data-ready]')");
        browser.until_is(
            "[...document.querySelectorAll('.grid thead th')].map((head) => head.innerText.replace(/[^a-zA-Z ]/g, '').trim())",
            columns,
        );
    }
}
