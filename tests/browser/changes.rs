//! The changes of a branch.

use std::fs;

use serde_json::{Value, json};

use super::shop;
use crate::support::chromium::Browser;

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
        // What is not covered is shown with the lines around it, and keys walk through it.
        let hunk = "document.activeElement.getAttribute('aria-label')";
        browser.keys("j");
        browser.until_is(hunk, "shop/cart.py, lines 3 to 9");
        let numbers = "[...document.activeElement.querySelectorAll('ol > li > a')].map(link => link.innerText).join()";
        assert_eq!(browser.get(numbers), "3,4,5,6,7,8,9");
        browser.keys("j");
        browser.until_is(hunk, "shop/cart.py, lines 16 to 23");
        let code = "[...document.activeElement.querySelectorAll('li')].map(line => [line.className, line.hasAttribute('data-new'), line.innerText.trim()])";
        let shown: Vec<(String, bool, String)> = serde_json::from_value(browser.get(code)).unwrap();
        assert_eq!(
            shown[3],
            ("m".to_owned(), true, "19\n        print(3)".to_owned()),
            "{shown:?}"
        );
        browser.keys("j");
        browser.until_is(hunk, "shop/new<b>.py, lines 1 to 2");
        browser.keys("k");
        browser.until_is(hunk, "shop/cart.py, lines 16 to 23");
        assert_eq!(browser.barriers(), Vec::<String>::new());
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
