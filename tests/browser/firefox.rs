//! The same report in a real Firefox: what Chromium's tests cannot promise for another browser.

use serde_json::json;

use super::{VIEWS, goes_to_number, shop};
use crate::support::Dir;
use crate::support::firefox::Firefox;

/// Each view is drawn, at each width all names have room, and the page is not wider than the window.
#[test]
fn views_are_drawn_at_each_width() {
    let dir = shop();
    dir.pulpcov(["html", "--show-contexts"]).status(0);
    dir.pulpcov(["html", "--show-contexts", "--single-file=one.html"]).status(0);
    for width in [450, 768, 1280] {
        let firefox = Firefox::new(width, 800);
        for view in VIEWS {
            for (page, fragment) in [
                (format!("htmlcov/{view}"), String::new()),
                ("one.html".into(), format!("#{view}")),
            ] {
                firefox.open_at(dir.path(page), &fragment);
                let rows = "document.querySelectorAll('.grid tbody tr, .tree tbody tr').length";
                firefox.until(&format!("{rows} > 0"));
                let wide =
                    "document.documentElement.scrollWidth - document.documentElement.clientWidth";
                assert_eq!(firefox.get(wide), 0, "{view} {fragment} at {width}");
                let cut = "[...document.querySelectorAll('tbody .name')].filter(cell => cell.offsetParent && cell.scrollWidth > cell.clientWidth).map(cell => cell.innerText)";
                assert_eq!(firefox.get(cut), json!([]), "{view} {fragment} at {width}");
            }
        }
    }
}

/// The number beside each line is the number of the line, and what is copied is the source.
#[test]
fn lines_have_their_numbers_and_are_copied_as_they_are() {
    let dir = Dir::new();
    let source = "value = 1\nother = 2  # \u{e9}<b>\n".repeat(2_500);
    dir.write("long.py", &source);
    dir.coverage(["run", "--source=.", "long.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    let firefox = Firefox::new(1280, 800);
    firefox.open_at(dir.path("htmlcov/long_py.html"), "#t4999");
    firefox.until("(() => { const box = document.querySelector('#t4999').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight })()");
    for line in [1, 200, 201, 1_292, 4_999] {
        firefox.until(&goes_to_number(line));
    }
    firefox.run("getSelection().selectAllChildren(document.querySelector('main'))");
    firefox.keys("\u{e009}c");
    firefox.until(&format!(
        "(window.pasted ?? (navigator.clipboard.readText().then(text => {{ window.pasted = text }}), null)) === {}",
        json!(source)
    ));
}

/// What is typed, chosen and opened comes back with Back.
#[test]
fn back_returns_to_what_was_seen() {
    let dir = shop();
    dir.pulpcov(["html", "--show-contexts"]).status(0);
    let firefox = Firefox::new(1280, 800);
    firefox.open_at(dir.path("htmlcov/index.html"), "");
    firefox.click("#filter");
    firefox.keys("cart");
    firefox.until("document.querySelectorAll('.grid tbody tr').length === 1");
    firefox.click(".grid tbody a");
    firefox.until("document.querySelector('.toggles')?.dataset.name === 'shop/cart.py' && document.querySelector('[data-ready]')");
    firefox.back();
    firefox.until("document.querySelector('#filter')?.value === 'cart'");
    firefox.until("document.querySelectorAll('.grid tbody tr').length === 1");
    // A map, a search, and who ran a line.
    firefox.open_at(dir.path("htmlcov/tree.html"), "");
    firefox.until("document.querySelectorAll('.map rect').length > 3");
    firefox.keys("/");
    firefox.until("document.querySelector('dialog[open] input')");
    firefox.keys("needle");
    firefox.until("document.querySelector('.found li')?.innerText.includes('shop/cart.py')");
    firefox.keys("\u{e007}");
    firefox.until("document.querySelector('.sel')?.id === 't10'");
    firefox.click("#t6 .ctx");
    firefox.until("document.querySelectorAll('.who li').length === 12");
}
