//! Who ran a line, and what a context ran.

use serde_json::json;

use super::{Report, write_parts};
use crate::support::Dir;
use crate::support::chromium::Browser;

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

/// A reader chooses tests, and source pages and lists show what they ran. Setup, run and teardown are one test. Chosen lines
/// give the command that runs their tests.
#[test]
fn tests_are_chosen_and_their_lines_are_marked() {
    let dir = Dir::new();
    dir.write("app.py", "def first():\n    return 1\n\n\ndef second():\n    return 2\n\n\ndef third():\n    return 3\n");
    dir.write("other.py", "def other():\n    return 1\n");
    dir.write("main.py", "import coverage\nimport app, other\n\ncov = coverage.Coverage.current()\nfor name, step in [('tests/test_a.py::test_one|setup', app.first), ('tests/test_a.py::test_one|run', app.second), (\"tests/test_a.py::test_it's[a|b]|run\", app.third), ('ci|-p/test_b.py::test_other|run', other.other)]:\n    cov.switch_context(name)\n    step()\n");
    dir.coverage(["run", "--include=app.py,other.py", "main.py"]).status(0);
    dir.pulpcov(["html", "--show-contexts"]).status(0);
    dir.pulpcov(["html", "--show-contexts", "--single-file=one.html"]).status(0);
    let browser = Browser::new(1280, 800);
    browser.allow_clipboard();
    let marked = "[...document.querySelectorAll('li.by')].map(line => line.id).join()";
    for page in [dir.path("htmlcov/app_py.html"), dir.path("one.html")] {
        // `page.html:place` is the address in a single file.
        let go = |address: &str| {
            if page.ends_with("one.html") {
                browser.run(&format!("location.hash = '#{address}'"));
                return;
            }
            let (name, place) = address.split_once(':').unwrap_or((address, ""));
            browser.open_at(dir.path("htmlcov").join(name), &format!("#{place}"));
        };
        browser.open(&page);
        go("contexts.html:c=tests%2Ftest_a.py%3A%3Atest_one");
        browser.until("document.querySelector('[data-mark]')");
        // The list and the source count the same.
        browser.until_is(
            "[...document.querySelectorAll('.grid tbody tr')].map(row => [...row.cells].map(cell => cell.innerText).join(' '))",
            json!([
                "(at import) 2 4 4",
                "ci|-p/test_b.py::test_other 1 1 1",
                "tests/test_a.py::test_it's[a|b] 1 1 1",
                "tests/test_a.py::test_one 1 2 2",
            ]),
        );
        browser.click("[data-mark]");
        browser
            .until_is("document.querySelector('[data-mark]').getAttribute('aria-pressed')", "true");
        assert_eq!(browser.barriers(), Vec::<String>::new());
        go("app_py.html");
        // The lines of its setup belong to it.
        browser.until_is(marked, "t2,t6");
        browser.until_is(
            "document.querySelector('p.by').innerText.replace(/\\s+/g, ' ')",
            "2 lines run by tests/test_a.py::test_one ✕",
        );
        assert_eq!(browser.barriers(), Vec::<String>::new());
        go("index.html");
        browser.until("document.querySelector('#chosen')");
        browser.click("#chosen");
        browser.until_is(
            "[...document.querySelectorAll('.grid tbody a')].map(link => link.innerText).join()",
            "app.py",
        );
        browser.click("#chosen");
        go("app_py.html");
        browser.until_is(marked, "t2,t6");
        // Another test is added, and both are taken away.
        browser.run("Object.keys(localStorage).filter(key => key.endsWith('.tests')).forEach(key => localStorage.setItem(key, JSON.stringify(['tests/test_a.py::test_one', \"tests/test_a.py::test_it's[a|b]\"])))");
        go("index.html");
        browser.until("document.querySelector('#chosen')");
        go("app_py.html");
        browser.until_is(marked, "t2,t6,t10");
        browser.click("p.by > button:last-child");
        browser.until_is(marked, "");
        // Lines give the command of their tests.
        go("app_py.html:t6-10");
        browser.until("[...document.querySelectorAll('.copy button')].some(button => button.innerText.startsWith('Copy pytest command of 2 tests'))");
        browser.keys("t");
        browser.until_is(
            "document.querySelector('.say')?.innerText ?? ''",
            "Copied pytest 'tests/test_a.py::test_it'\\''s[a|b]' tests/test_a.py::test_one",
        );
        assert_eq!(browser.barriers(), Vec::<String>::new());
        go("other_py.html:t2");
        browser.until("document.querySelector('.copy button:not([hidden])')?.innerText.startsWith('Copy pytest command of 1 test ')");
        browser.keys("t");
        browser.until_is(
            "document.querySelector('.say')?.innerText ?? ''",
            "Copied pytest ./-p/test_b.py::test_other",
        );
    }
    assert_eq!(browser.errors(), Vec::<String>::new());
}

/// The address says how many files of a context are shown, so Back and links lead to as many.
#[test]
fn the_address_says_how_many_files_of_a_context_are_shown() {
    let dir = Dir::new();
    let imports = write_parts(&dir, "", 100);
    dir.write(
        "main.py",
        format!("import coverage\ncoverage.Coverage.current().switch_context('all')\n{imports}"),
    );
    dir.coverage(["run", "--source=.", "main.py"]).status(0);
    dir.pulpcov(["html", "--show-contexts"]).status(0);
    let browser = Browser::new(1280, 800);
    let count = "document.querySelectorAll('.chosen .files > li').length";
    browser.open_at(dir.path("htmlcov/contexts.html"), "#c=all");
    browser.until_is(count, 40);
    browser.run("document.querySelector('.chosen > button:last-child').click()");
    browser.until_is(count, 80);
    let address = browser.get("location.hash");
    browser.open_at(dir.path("htmlcov/contexts.html"), address.as_str().unwrap());
    browser.until_is(count, 80);
    // Another choice begins anew.
    browser.run("document.querySelector('.choice button:nth-child(2)').click()");
    browser.until_is(count, 40);
    assert_eq!(browser.errors(), Vec::<String>::new());
}
