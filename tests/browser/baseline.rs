//! What rose and fell since another version.

use std::fs;

use serde_json::json;

use super::shop;
use crate::support::Dir;
use crate::support::chromium::Browser;

/// Lists, folders and sources say what rose and what fell since a baseline, also when lines moved.
#[test]
fn what_rose_and_fell_is_shown_everywhere() {
    let dir = shop();
    dir.write(
        ".gitignore",
        "htmlcov/\nruns.jsonl\n*.data\n.coverage*\n__pycache__/\none.html\n.pulpcov_cache/\n",
    );
    dir.init_git();
    dir.commit("before");
    fs::rename(dir.path(".coverage"), dir.path("before.data")).unwrap();
    // Two lines more at the top; `never` is called, and `total` is not.
    let cart = fs::read_to_string(dir.path("shop/cart.py")).unwrap();
    dir.write("shop/cart.py", format!("# One.\n# Two.\n{cart}"));
    let main = fs::read_to_string(dir.path("main.py")).unwrap();
    dir.write(
        "main.py",
        main.replace("Cart().total(3)", "Cart().never()")
            .replace("import shop.all\n", "")
            .replace("shop.all.everything()\n", ""),
    );
    dir.write("shop/fresh.py", "x = 1\n");
    fs::remove_file(dir.path("shop/all.py")).unwrap();
    dir.coverage(["run", "--branch", "--source=shop", "main.py"]).status(0);
    let options = ["--baseline=before.data", "--baseline-rev=main", "--history=runs.jsonl"];
    dir.pulpcov([&["html"], &options[..]].concat()).status(0);
    dir.pulpcov([&["html", "--single-file=one.html"], &options[..]].concat()).status(0);

    let browser = Browser::new(1280, 800);
    let change = "[...document.querySelectorAll('.grid tbody tr')].map(row => [row.querySelector('a').innerText, row.querySelector('.change')?.innerText ?? null])";
    for page in [dir.path("htmlcov/index.html"), dir.path("one.html")] {
        browser.open(&page);
        browser.until("document.querySelector('.grid tbody .change')");
        let rows: Vec<(String, Option<String>)> =
            serde_json::from_value(browser.get(change)).unwrap();
        let of = |name: &str| {
            rows.iter().find(|(file, _)| file.ends_with(name)).unwrap().1.clone().unwrap()
        };
        assert_eq!(of("fresh.py"), "new");
        assert_eq!(of("unused.py"), "");
        assert!(of("cart.py").starts_with('−'), "{rows:?}");
        assert_eq!(browser.barriers(), Vec::<String>::new());
        browser.run("[...document.querySelectorAll('.grid tbody a')].find(link => link.innerText.endsWith('cart.py')).click()");
        browser.until("document.querySelector('#main.src[data-ready]')");
        let marked = |what: &str| {
            let script = format!(
                "[...document.querySelectorAll('li[data-was={what}]')].map(line => line.id).join()"
            );
            browser.get(&script)
        };
        assert_eq!(marked("lost"), "t15,t16,t17");
        assert_eq!(marked("won"), "t20,t21");
        assert_eq!(browser.get("document.querySelector('button.lost').innerText"), "3 lost");
        let selected = "document.querySelector('.sel')?.id";
        browser.keys("l");
        browser.until_is(selected, "t15");
        browser.keys("w");
        browser.until_is(selected, "t20");
        assert_eq!(browser.barriers(), Vec::<String>::new());
    }
    browser.open(dir.path("htmlcov/function_index.html"));
    browser.until("document.querySelector('.grid tbody .change')");
    let functions = "[...document.querySelectorAll('.grid tbody tr')].map(row => [row.cells[1].querySelector('a').innerText, row.querySelector('.change').innerText]).filter(([name]) => name.startsWith('Cart')).sort()";
    assert_eq!(
        browser.get(functions),
        json!([["Cart.add", ""], ["Cart.never", "+100.0"], ["Cart.total", "−80.0"]])
    );
    for width in [320, 390, 641, 768, 900, 1024, 1440] {
        browser.resize(width, 800);
        for page in ["index.html", "function_index.html", "tree.html"] {
            browser.open(dir.path("htmlcov").join(page));
            browser.until("document.querySelector('#main[data-ready]')");
            let overflow = browser.get("document.documentElement.scrollWidth - innerWidth");
            assert!(overflow.as_i64().unwrap() <= 0, "{page} at {width}: {overflow} too wide");
        }
    }
    browser.resize(1280, 800);
    browser.open(dir.path("htmlcov/tree.html"));
    browser.until("document.querySelector('.tree tbody .change')");
    // The only folder has lost what the file had that is gone, as the total has.
    let of_folder = browser.get("document.querySelector('.tree tbody tr .change').innerText");
    browser.open(dir.path("htmlcov/index.html"));
    browser.until_is("document.querySelector('.grid tfoot .change')?.innerText", of_folder);
    browser.open(dir.path("htmlcov/worst.html"));
    browser.until("document.querySelector('.grid tbody .cover')");
    assert_eq!(browser.barriers(), Vec::<String>::new());
    assert_eq!(browser.errors(), Vec::<String>::new());
    let wrong = ["html", "--baseline=before.data", "--baseline-rev=mian"];
    dir.pulpcov(wrong).status(1).stderr("git does not know the revision \"mian\"");
    // What is compared must be of the same sources and files.
    dir.pulpcov(["html", "--baseline=before.data"]).status(1).stderr("--baseline-rev");
    let other = Dir::new();
    for name in ["main.py", "shop/__init__.py", "shop/cart.py"] {
        other.write(name, fs::read(dir.path(name)).unwrap());
    }
    other.coverage(["run", "--branch", "--source=shop", "main.py"]).status(0);
    fs::rename(other.path(".coverage"), dir.path("other.data")).unwrap();
    let compare = ["html", "--baseline=other.data"];
    dir.pulpcov(compare).status(1).stderr("no file of this report: --source-root=. finds");
    dir.pulpcov([&compare[..], &["--source-root=."]].concat()).status(0);
}

/// A branch that was taken in one version only is marked as lines are, and a legend says what the marks are.
#[test]
fn lost_and_won_branches_are_shown() {
    let dir = Dir::new();
    dir.write(
        "a.py",
        "import sys\n\n\ndef f(n):\n    if n:\n        print(n)\n    return n\n\n\nfor n in sys.argv[1:]:\n    f(int(n))\n",
    );
    dir.coverage(["run", "--branch", "--data-file=both.data", "a.py", "1", "0"]).status(0);
    dir.coverage(["run", "--branch", "--data-file=one.data", "a.py", "1"]).status(0);
    let browser = Browser::new(1280, 800);
    for (now, before, what, key) in
        [("one.data", "both.data", "lost", "l"), ("both.data", "one.data", "won", "w")]
    {
        let options = [format!("--data-file={now}"), format!("--baseline={before}")];
        let html = |more: &[&str]| {
            let args = ["html"].iter().chain(more).map(|arg| (*arg).to_owned());
            dir.pulpcov(args.chain(options.clone())).status(0);
        };
        html(&[]);
        html(&["--single-file=one.html"]);
        for (page, hash) in [("htmlcov/a_py.html", ""), ("one.html", "#a_py.html")] {
            browser.open_at(dir.path(page), hash);
            let marked = "[...document.querySelectorAll('[data-was]')].filter(item => item.matches('li')).map(item => item.id + item.dataset.was).join()";
            assert_eq!(browser.get(marked), format!("t5{what}-branch"), "{page}");
            let button = format!("document.querySelector('button.{what}').innerText");
            assert_eq!(browser.get(&button), format!("1 {what}"));
            let legend = browser.get("document.querySelector('.head .legend').innerText");
            let said = format!("{what}: the line, or a branch from it, ran");
            assert!(legend.as_str().unwrap().contains(&said), "{legend}");
            browser.keys(key);
            browser.until_is("document.querySelector('.sel')?.id", "t5");
            let why = "document.querySelector('#t5 .why')?.textContent.includes('was always true (before, it did)') ?? false";
            assert_eq!(browser.get(why), what == "lost");
            for scheme in ["light", "dark"] {
                browser.prefer(scheme);
                assert_eq!(browser.barriers(), Vec::<String>::new(), "{page} {what} {scheme}");
            }
        }
    }
    assert_eq!(browser.errors(), Vec::<String>::new());
}
