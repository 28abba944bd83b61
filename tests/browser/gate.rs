//! What a gate says in the report.

use super::shop;
use crate::support::chromium::Browser;

/// Files below their floors are named at the top, marked in the lists, and say on their pages what makes them pass.
#[test]
fn what_is_below_its_floor_says_so_everywhere() {
    let dir = shop();
    dir.write("pulpcov.toml", "[gate]\nfloor = 90\n");
    let gate = dir.pulpcov(["gate"]).status(2).stdout;
    let (said, remedy) = gate
        .lines()
        .zip(gate.lines().skip(1))
        .find(|(line, _)| line.starts_with("shop/cart.py: "))
        .unwrap();
    let words = format!("{}: {}", said.strip_prefix("shop/cart.py: ").unwrap(), remedy.trim());
    dir.pulpcov(["html"]).status(0);
    dir.pulpcov(["html", "--single-file=one.html"]).status(0);

    let browser = Browser::new(1280, 800);
    for page in [dir.path("htmlcov/index.html"), dir.path("one.html")] {
        browser.open(&page);
        browser.until("document.querySelector('.grid .floor')");
        let banner = "document.querySelector('aside.gate summary').innerText";
        assert_eq!(browser.get(banner), format!("Gate: {}", gate.lines().last().unwrap()));
        browser.click("aside.gate summary");
        let listed = "[...document.querySelectorAll('aside.gate li')].map(item => item.innerText).find(text => text.startsWith('shop/cart.py'))";
        assert_eq!(browser.get(listed), format!("shop/cart.py: {words}"));
        let marked = "[...document.querySelectorAll('.grid tbody .floor')].map(mark => [mark.closest('td').querySelector('a').innerText, mark.innerText]).find(([name]) => name.endsWith('cart.py')).join()";
        assert_eq!(browser.get(marked), "cart.py,below floor");
        assert_eq!(browser.barriers(), Vec::<String>::new());
        browser.run("[...document.querySelectorAll('aside.gate li a')].find(link => link.innerText.endsWith('cart.py')).click()");
        browser.until_is(
            "document.querySelector('p.gate')?.innerText",
            format!("Below its floor: {words}"),
        );
        assert_eq!(browser.barriers(), Vec::<String>::new());
    }
    browser.open(dir.path("htmlcov/tree.html"));
    browser.until("document.querySelector('.tree .floor')");
    let failing = gate.lines().last().unwrap().split(' ').next().unwrap();
    let of_folder = "document.querySelector('.tree tbody tr .floor').innerText";
    assert_eq!(browser.get(of_folder), format!("{failing} below floor"));
    assert_eq!(browser.barriers(), Vec::<String>::new());
    assert_eq!(browser.errors(), Vec::<String>::new());
    // A mistake in the settings is named with its place.
    dir.write("pulpcov.toml", "[gate]\nflor = 90\n");
    dir.pulpcov(["html"]).status(1).stderr("pulpcov.toml, line 2, [gate] flor");
    dir.write("pulpcov.toml", "[gate]\nfloor = 90\n");
    // A report of some files, or of some contexts, says nothing of all, and is compared with nothing.
    for part in ["shop/cart.py", "--include=*/cart.py", "--omit=*/all.py", "--contexts=test_1"] {
        dir.pulpcov(["html", part]).status(0);
        browser.open(dir.path("htmlcov/index.html"));
        browser.until("document.querySelector('.grid tbody a')");
        assert_eq!(browser.get("document.querySelectorAll('.gate, .floor').length"), 0, "{part}");
        for option in ["--history=runs.jsonl", "--baseline=.coverage"] {
            let said = "needs a report of all files and contexts";
            dir.pulpcov(["html", part, option]).status(1).stderr(said);
        }
    }
    assert!(!dir.path("runs.jsonl").exists());
}
