//! Source pages: lines, their numbers and labels, and what is copied.

use std::fs;

use serde_json::{Value, json};

use super::{Report, shows_number};
use crate::support::Dir;
use crate::support::chromium::Browser;

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
    let plain = fs::read_to_string(dir.path("htmlcov/long_py.html")).unwrap();
    // The script would say that the page is ready.
    dir.write("htmlcov/without_script.html", plain.replacen("<body", "<body data-ready", 1));
    for (page, hash) in [
        ("htmlcov/long_py.html", "#t1"),
        ("htmlcov/without_script.html", "#t1"),
        ("all.html", "#long_py.html"),
    ] {
        let has_script = !page.contains("without");
        browser.allow_scripts(has_script);
        browser.open_at(dir.path(page), hash);
        browser.until_is("document.querySelectorAll('ol > li').length", 5_000);
        let remarks = "document.querySelector('.rest')?.checkVisibility() ?? false";
        assert_eq!(browser.get(remarks), false, "{page}");
        assert_eq!(browser.get("document.querySelectorAll('noscript ol').length > 0"), !has_script);
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
            browser.until(&shows_number(line));
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

/// A long page can be used before all of its lines are elements, and what needs all of them gets them.
#[test]
fn a_long_page_is_whole_before_it_is_complete() {
    let dir = Dir::new();
    let source: String =
        (0..2_500).map(|n| format!("if n == {n}:\n    x = '<b>{n}</b>'\n")).collect();
    let source = format!("n = 1\n{source}");
    dir.write("long.py", &source);
    dir.coverage(["run", "--branch", "--source=.", "long.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    dir.pulpcov(["html", "--single-file=one.html"]).status(0);
    let browser = Browser::new(1280, 800);
    // Work that is done bit by bit never goes on.
    browser.run_first(
        "window.MessageChannel = class { port1 = {}; port2 = { postMessage() {} } }; \
         const slow = performance.now.bind(performance); let calls = 0; \
         performance.now = () => slow() + 1000 * calls++;",
    );
    let lines = "document.querySelectorAll('.src ol > li').length";
    let copy = "(() => { const data = new DataTransfer(); document.dispatchEvent(new ClipboardEvent('copy', {clipboardData: data, bubbles: true, cancelable: true})); return data.getData('text/plain'); })()";
    for (page, before) in [("htmlcov/long_py.html", "#"), ("one.html", "#long_py.html:")] {
        let open = |line: &str| {
            browser.open_at(dir.path(page), &format!("{before}{line}"));
            let found = browser.get(lines).as_u64().unwrap();
            assert!(found < 3_000, "{page} has {found} lines");
            assert_eq!(browser.get("document.querySelector('#main[data-complete]')"), Value::Null);
        };
        open("t4321");
        browser.until_is("document.querySelector('.sel')?.id", "t4321");
        browser.until(&shows_number(4_321));
        browser.run("scrollTo(0, document.body.scrollHeight * 0.6)");
        browser.until(
            "document.elementsFromPoint(600, 500).some(element => element.matches('.src li'))",
        );
        browser.until("Number(document.elementsFromPoint(600, 500).find(element => element.matches('.src li')).id.slice(1)) > 2000");
        open("t1");
        browser.run("getSelection().selectAllChildren(document.querySelector('main'))");
        assert_eq!(browser.get(copy), source, "{page}");
        open("t1");
        browser.keys("\u{e009}f");
        browser.until_is(lines, 5_001);
        open("t1");
        browser.print_preview();
        assert_eq!(browser.get(lines), 5_001, "{page}");
        browser.no_print_preview();
        assert_eq!(browser.errors(), Vec::<String>::new());
    }
}

/// Where the script of the report is lost, a long page says that it has more lines.
#[test]
fn a_long_page_without_its_script_says_so() {
    let dir = Dir::new();
    dir.write("long.py", "value = 1\n".repeat(5_000));
    dir.coverage(["run", "--source=.", "long.py"]).status(0);
    dir.pulpcov(["html"]).status(0);
    let page = fs::read_to_string(dir.path("htmlcov/long_py.html")).unwrap();
    dir.write("long_py.html", page.replacen("<body", "<body data-ready", 1));
    let browser = Browser::new(1280, 800);
    browser.open(dir.path("long_py.html"));
    let said = "document.querySelector('.rest').innerText";
    browser.until_is(said, "The script of the report shows the lines from 2,001 on.");
    assert_eq!(browser.get("document.querySelectorAll('ol > li').length"), 2_000);
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
    let drawn =
        "(document.querySelector('.marks path.m')?.getAttribute('d').split('z').length ?? 1) - 1";
    browser.until_is(drawn, 9_999);
    let end = browser.get("document.querySelector('.marks path.m').getBBox().y + document.querySelector('.marks path.m').getBBox().height");
    assert_eq!(end, 20_001);
    browser.run("const strip = document.querySelector('.marks'), box = strip.getBoundingClientRect(); strip.dispatchEvent(new MouseEvent('click', {bubbles: true, clientX: box.left + 4, clientY: box.top + box.height * 0.75})); window.clicked = [box.top, box.height, scrollY]");
    // A pixel of the strip stands for many lines.
    let middle = "Number([...document.elementsFromPoint(600, innerHeight / 2)].find(element => element.matches('.src li'))?.id.slice(1))";
    browser.until(&format!("Math.abs({middle} - 15001) < 100"));
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
