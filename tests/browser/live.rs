//! A report that is written again while it is read.

use std::fs;

use nix::sys::signal::Signal;

use crate::support::chromium::Browser;
use crate::support::hooked::{line_of_step, name, record, watched};

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
