//! The way through a report: keys, Back, what is remembered, and the pages of a single file.

use serde_json::{Value, json};

use super::{Report, write_parts};
use crate::support::Dir;
use crate::support::chromium::Browser;

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
    let main = write_parts(&dir, "", 400);
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

/// Steps back undo a choice alone, the focus stays where it was, and links of a single file lead into it or to other websites.
#[test]
fn steps_change_what_they_say_and_nothing_else() {
    let dir = Dir::new();
    let main = write_parts(&dir, "p/", 300);
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
