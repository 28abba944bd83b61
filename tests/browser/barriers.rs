//! What holds for every view: no errors, no requests, no barriers, and no text that becomes markup.

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use super::{Report, VIEWS};
use crate::support::chromium::Browser;
use crate::support::{Dir, npm_package, root};

#[test]
fn no_view_has_errors_requests_or_barriers() {
    let report = Report::new();
    let browser = &report.browser;
    let mut pages: Vec<PathBuf> = VIEWS.iter().map(|view| report.page(view)).collect();
    pages.push(report.source("_cart_py.html"));
    pages.push(report.dir.path("one.html"));
    browser.requests();
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("dark", 390), ("light", 390)] {
        browser.prefer(scheme);
        browser.resize(width, 800);
        for page in &pages {
            browser.open(page);
            let what = format!("{} {scheme} {width}", page.display());
            let background = browser.get("getComputedStyle(document.body).backgroundColor");
            assert_eq!(background == "rgb(255, 255, 255)", scheme == "light", "{what}");
            let overflow = browser.get("document.documentElement.scrollWidth - innerWidth");
            assert!(overflow.as_i64().unwrap() <= 0, "{what} is {overflow} too wide");
            assert_eq!(browser.barriers(), Vec::<String>::new(), "{what}");
            assert_eq!(browser.errors(), Vec::<String>::new(), "{what}");
        }
    }
    // What opens: panels, dialogs, and a list in which nothing is found.
    let source = report.source("_cart_py.html");
    for (page, fragment, script, is_open) in [
        (
            &source,
            "",
            "document.querySelector('#t6 button.ctx').click(); document.querySelector('#t6 summary').click()",
            ".who",
        ),
        (&source, "#t5-7", "document.querySelector('[data-do=help]').click()", "dialog"),
        (
            &pages[0],
            "#filter=cart",
            "document.querySelector('[data-do=search]').click(); const field = document.querySelector('dialog input'); field.value = 'cart'; field.dispatchEvent(new Event('input'))",
            ".found li",
        ),
        (&pages[0], "#filter=nothing", "", ".note"),
        (
            &pages[3],
            "",
            "document.querySelectorAll('.tree .pin').forEach(button => button.click())",
            ".pinned",
        ),
        (&pages[5], "#c=test_3", "", ".chosen .lines a"),
    ] {
        for scheme in ["light", "dark"] {
            browser.prefer(scheme);
            browser.open_at(page, fragment);
            browser.run(script);
            browser.until(&format!("document.querySelector('{is_open}')"));
            let what = format!("{} {fragment} with {is_open}, {scheme}", page.display());
            assert_eq!(browser.barriers(), Vec::<String>::new(), "{what}");
            assert_eq!(browser.errors(), Vec::<String>::new(), "{what}");
        }
    }
    let requests = browser.requests();
    let is_local = |url: &String| // Chromium's own first page is not part of the report.
        ["file://", "data:", "about:", "chrome://"].iter().any(|scheme| url.starts_with(scheme));
    assert!(requests.iter().any(|url| url.ends_with("data.files.js")), "{requests:?}");
    assert_eq!(
        requests.iter().filter(|url| !is_local(url)).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

/// The script says what its functions take and return, and TypeScript agrees.
#[test]
fn scripts_keep_to_their_types() {
    let typescript = npm_package("typescript", "5.9.3");
    let ran = Command::new("node")
        .arg(typescript.join("node_modules/typescript/bin/tsc"))
        .arg("-p")
        .arg(root().join("pulpcov-core/src/templates/script"))
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
}

#[test]
fn the_policy_holds() {
    let report = Report::new();
    for page in [report.page("index.html"), report.dir.path("one.html")] {
        report.browser.open(page);
        report.browser.errors();
        report.browser.run("const s = document.createElement('script'); s.textContent = 'window.evil = 1'; document.body.append(s); const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; const p = document.createElement('p'); p.innerHTML = '<a onclick=\"window.evil = 2\" id=link>x</a>'; document.body.append(p); document.getElementById('link').click();");
        report.browser.until("!window.evil");
        let errors = report.browser.errors();
        assert!(
            errors.iter().filter(|error| error.contains("Content Security Policy")).count() >= 3,
            "{errors:?}"
        );
    }
}

/// Names, contexts, a title and source that contain markup, reverse the text direction, or are very long.
#[test]
fn hostile_text_is_text_in_every_view() {
    let dir = Dir::new();
    let evil = "<img src=x onerror=\"window.evil=1\"><script>window.evil=2</script>'\u{202e}\u{1b}";
    let source = "def f(x='</script><script>window.evil = 3</script>'):\n    '''<!-- <template> \u{202e} &lt; '''\n    return x\n";
    let names = [
        "<img src=x onerror='window.evil=4'>.py",
        "\u{fffd}é.py",
        "\u{202e}yp.live.py",
        "a\nb\x1b[31m\"c\".py",
        "#t1?q=%3Cb%3E&amp;.py",
    ];
    for name in names {
        dir.write(name, source);
    }
    let long = format!("{evil}{}", "x\u{2067}".repeat(2000));
    dir.write("contexts.json", json!([evil, long]).to_string());
    dir.write(
        "make.py",
        "import coverage.data, json, os\n\
         names = [name for name in os.listdir('.') if name.endswith('.py') and name != 'make.py']\n\
         data = coverage.data.CoverageData('.coverage')\n\
         for context in json.load(open('contexts.json', encoding='utf-8')):\n    \
             data.set_context(context)\n    \
             data.add_lines({os.path.abspath(name): [1, 3] for name in names})\n\
         data.write()\n",
    );
    let made = crate::support::python().current_dir(dir.path("")).arg("make.py").output().unwrap();
    assert!(made.status.success(), "{made:?}");
    let title = format!("--title={evil}");
    dir.pulpcov(["html", "--show-contexts", &title]).status(0);
    dir.pulpcov(["html", "--show-contexts", &title, "--single-file=one.html"]).status(0);

    let browser = Browser::new(1280, 800);
    let mut pages: Vec<PathBuf> = dir
        .names_in("htmlcov")
        .iter()
        .filter(|name| name.ends_with(".html"))
        .map(|name| dir.path("htmlcov").join(name))
        .collect();
    assert_eq!(pages.len(), VIEWS.len() + names.len());
    pages.push(dir.path("one.html"));
    let turned = "/[\\u0000-\\u0008\\u001b\\u202a-\\u202e\\u2066-\\u2069]/.test(document.documentElement.innerText + document.title)";
    let check = |what: &str| {
        assert_eq!(browser.get("window.evil === undefined"), true, "{what}");
        assert_eq!(browser.get("document.querySelectorAll('img').length"), 0, "{what}");
        assert_eq!(browser.get(turned), false, "{what}");
        assert_eq!(browser.errors(), Vec::<String>::new(), "{what}");
    };
    for width in [1280, 390] {
        browser.resize(width, 800);
        for page in &pages {
            let what = format!("{} at {width}", page.display());
            browser.open(page);
            let overflow = browser.get("document.documentElement.scrollWidth - innerWidth");
            assert!(overflow.as_i64().unwrap() <= 0, "{what} is {overflow} too wide");
            check(&what);
            if browser.get("document.body.dataset.view") != "source" {
                continue;
            }
            for (line, wanted) in [
                (1, "'</script><script>window.evil = 3</script>'"),
                (2, "'''<!-- <template>  &lt; '''"),
            ] {
                let shown = browser.get(&format!("document.querySelector('#t{line}').innerText"));
                assert!(shown.as_str().unwrap().contains(wanted), "{what}: {shown}");
            }
            browser.click("#t3 button.ctx");
            browser.until_is("document.querySelectorAll('#t3 .who li').length", 2);
            check(&what);
        }
        browser.open(dir.path("htmlcov/contexts.html"));
        browser.run("[...document.querySelectorAll('.grid tbody button')].at(-1).click()");
        browser.until("document.querySelector('.chosen:not([hidden]) .lines a')");
        check("a context");
        for page in [dir.path("one.html"), dir.path("htmlcov/tree.html")] {
            browser.open(page);
            browser.keys("/");
            browser.until("document.activeElement.closest('dialog')");
            browser.keys("<template>");
            browser.until_is("document.querySelectorAll('.found li').length", names.len());
            let found = browser.get("document.querySelector('.found').innerText");
            assert!(found.as_str().unwrap().contains("<template> [U+202E] &lt;"), "{found}");
            check("search");
        }
    }
}
