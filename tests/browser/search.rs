//! The search.

use serde_json::json;

use super::Report;

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
            ("add cart.py", "function Cart.add 60% shop/cart.py:5"),
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
