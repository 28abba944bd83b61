//! The folders as a tree and as a map.

use super::Report;

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

/// Of a file without statements, too, the lists, the folders and its page say the same.
#[test]
fn lists_folders_and_pages_say_the_same_of_a_file() {
    let report = Report::new();
    let browser = &report.browser;
    let said = "Object.fromEntries([...document.querySelectorAll('.grid tbody tr')].filter(row => row.querySelector('a')).map(row => [row.querySelector('a').getAttribute('href'), [...row.querySelectorAll('.cover')].at(-1)?.innerText ?? '']))";
    browser.open(report.page("index.html"));
    browser.until("document.querySelectorAll('.grid tbody .cover').length >= 15");
    let in_list = browser.get(said);
    browser.open(report.page("tree.html"));
    browser.run("[...document.querySelectorAll('.controls button')][0].click()");
    browser.until_is(said, in_list.clone());
    for (page, said) in in_list.as_object().unwrap() {
        browser.open(report.page(page));
        browser.until_is("document.querySelector('.pc').innerText", said.clone());
    }
    let nothing = in_list.as_object().unwrap().values().filter(|said| *said == "no statements");
    assert_eq!(nothing.count(), 2);
    // The table without script says it, too.
    let table = std::fs::read_to_string(report.page("index.html")).unwrap();
    assert_eq!(table.matches("<td>no statements</td>").count(), 2);
}
