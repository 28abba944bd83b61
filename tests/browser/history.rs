//! The runs of a project over time.

use super::shop;
use crate::support::chromium::Browser;

/// Each report adds its run, and draws the runs of the total, of folders and of files.
#[test]
fn runs_are_added_and_drawn() {
    let dir = shop();
    let main = std::fs::read_to_string(dir.path("main.py")).unwrap();
    dir.pulpcov(["html", "--history=runs.jsonl"]).status(0);
    dir.write("main.py", main.replace("Cart().total(3)", "Cart().total(3); Cart().never()"));
    dir.coverage(["run", "--branch", "--source=shop", "main.py"]).status(0);
    dir.pulpcov(["html", "--history=runs.jsonl", "--badge", "--summary"]).status(0);
    assert!(dir.names_in("htmlcov").contains(&"badge.svg".to_owned()));
    let summary = std::fs::read_to_string(dir.path("htmlcov/summary.md")).unwrap();
    let table = dir.pulpcov(["report", "--format=markdown"]).stdout;
    let total = dir.pulpcov(["report", "--format=total"]).stdout;
    assert_eq!(summary, format!("# {}% covered\n\n{table}", total.trim()));
    // The third report is one page, and finds two runs before it.
    dir.pulpcov(["html", "--history=runs.jsonl", "--single-file=one.html"]).status(0);
    let runs = std::fs::read_to_string(dir.path("runs.jsonl")).unwrap();
    assert_eq!(runs.lines().count(), 3);

    let browser = Browser::new(1280, 800);
    for (page, count) in [("htmlcov/index.html", 2), ("one.html", 3)] {
        browser.open(dir.path(page));
        browser.until("document.querySelector('.overview .curve')");
        let label = "document.querySelector('.overview .curve').getAttribute('aria-label')";
        let label = browser.get(label);
        let label = label.as_str().unwrap();
        assert!(label.starts_with("Total: "), "{label}");
        assert!(label.ends_with(&format!("% to {}% in {count} runs", total.trim())), "{label}");
        let dots = "document.querySelectorAll('.overview .curve circle').length";
        assert_eq!(browser.get(dots), count);
        browser.until("document.querySelector('.grid tbody .curve')");
        assert_eq!(browser.barriers(), Vec::<String>::new());
    }
    browser.open(dir.path("htmlcov/tree.html"));
    browser.until("document.querySelector('.tree tbody .curve')");
    assert_eq!(browser.barriers(), Vec::<String>::new());
    assert_eq!(browser.errors(), Vec::<String>::new());
    let parts = ["html", "--history=runs.jsonl", "shop/cart.py"];
    dir.pulpcov(parts).status(1).stderr("leave out FILE");
    dir.pulpcov(&parts[..2]).status(0);
    let beside = ["html", "--badge", "--single-file=-"];
    dir.pulpcov(beside).status(1).stderr("standard output has no folder");
    dir.pulpcov(["html", "--badge", "--single-file=one.html"]).status(0);
    assert!(dir.names().contains(&"badge.svg".to_owned()));
    // Of sources that changed after measuring, no numbers are kept.
    let cart = std::fs::read_to_string(dir.path("shop/cart.py")).unwrap();
    dir.write("shop/cart.py", format!("# One.\n# Two.\n{cart}"));
    let kept = std::fs::read(dir.path("runs.jsonl")).unwrap();
    let ran = dir.pulpcov(["html", "--history=runs.jsonl", "-d", "stale"]).status(0);
    let said = "the run is not added to the history";
    ran.stderr("changed after measuring: shop/cart.py; measure again").stderr(said);
    assert_eq!(std::fs::read(dir.path("runs.jsonl")).unwrap(), kept);
    let index = std::fs::read_to_string(dir.path("stale/index.html")).unwrap();
    assert!(index.contains("changed after measuring: shop/cart.py"));
    dir.write("shop/cart.py", cart);
    // What cannot be written is known before anything is.
    std::fs::create_dir_all(dir.path("blocked/badge.svg")).unwrap();
    dir.pulpcov(["html", "--badge", "-d", "blocked"]).status(1).stderr("this is a folder");
    assert_eq!(dir.names_in("blocked"), ["badge.svg"]);
    // Only a plain file is read.
    std::os::unix::fs::symlink("runs.jsonl", dir.path("link.jsonl")).unwrap();
    nix::unistd::mkfifo(&dir.path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for odd in ["link.jsonl", "fifo", "/dev/full", "-", "gone/runs.jsonl", "shop"] {
        dir.pulpcov(["html", "-d", "other", "--history", odd]).status(1);
        assert!(!dir.path("other").exists(), "{odd}");
    }
    // What is no run stops the report before anything is written.
    dir.write("runs.jsonl", format!("{}\n<<<<<<< HEAD\n", runs.trim_end()));
    let ran = dir.pulpcov(["html", "--history=runs.jsonl", "-d", "other"]).status(1);
    ran.stderr("runs.jsonl: line 4: this is a mark of a conflict");
    assert!(!dir.path("other").exists());
}
