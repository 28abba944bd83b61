#!/usr/bin/env python3
"""How soon can a reader use each page of the HTML report, on a slow machine?

    cargo build --release
    python3 pulpcov-cli/benches/pages.py

The reports are of SymPy, with a context for each of about 26,000 tests, and of two sources that are hard to draw: one line of
40,000 numbers, and 30,000 short lines. Chromium opens each page at a fourth of its speed.

The script prints for each page when its view was complete, and the longest task, during which the page does not answer. It needs
chromedriver, and Python 3.9 or later with its standard library and pip.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from compare_with_coverage import TOP, find_program, write_sqlite
from questions import Repository, install, prepare, write_tests

SLOWER = 4
VIEWS = ["index", "function_index", "class_index", "tree", "worst", "contexts"]
# Long tasks are those of 50 ms and more.
OBSERVE = """
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const task of list.getEntries()) longest = Math.max(longest, task.duration);
    }).observe({ type: "longtask", buffered: true });
"""
READY = "return performance.getEntriesByName('ready')[0]?.startTime ?? null"
# Lists and sources are built bit by bit after they can be used.
COMPLETE = "return ['.grid.live', 'main.src'].every((part) => !document.querySelector(part) || document.querySelector(`${part}[data-complete]`))"


class Browser:
    """Chromium at a part of its speed."""

    def __init__(self, slower: int) -> None:
        command = ["chromedriver", "--port=0"]
        self.driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            if found := re.search(r"successfully on port (\d+)", line):
                self.address = f"http://127.0.0.1:{found[1]}"
                break
        options = {"args": ["--headless", "--no-sandbox", "--disable-gpu", "--window-size=1280,800"]}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options}
        session = self.post("/session", {"capabilities": {"alwaysMatch": capabilities}})
        self.address += f"/session/{session['sessionId']}"
        self.devtools("Emulation.setCPUThrottlingRate", {"rate": slower})
        self.devtools("Page.addScriptToEvaluateOnNewDocument", {"source": OBSERVE})

    def post(self, path: str, body: dict) -> object:
        request = urllib.request.Request(self.address + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["value"]

    def devtools(self, command: str, parameters: dict) -> None:
        self.post("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def get(self, script: str) -> object:
        return self.post("/execute/sync", {"script": script, "args": []})

    def until(self, script: str) -> object:
        deadline = time.monotonic() + 120
        while not (value := self.get(script)):
            if time.monotonic() > deadline:
                sys.exit(f"never came: {script}")
            time.sleep(0.05)
        return value

    def open(self, url: str) -> tuple[float, float]:
        """Return when a page was ready, and its longest task, in milliseconds."""
        self.post("/url", {"url": "about:blank"})
        self.post("/url", {"url": url})
        ready = self.until(READY)
        self.until(COMPLETE)
        # What was begun before is done.
        self.post("/execute/async", {"script": "const done = arguments[0]; requestAnimationFrame(() => setTimeout(done, 300))", "args": []})
        return ready, self.get("return longest")

    def close(self) -> None:
        urllib.request.urlopen(urllib.request.Request(self.address, method="DELETE")).close()
        self.driver.kill()
        self.driver.wait()


def odd_sources(folder: Path) -> None:
    """Write two sources that are hard to draw, and data in which half of them ran."""
    folder.mkdir()
    numbers = ", ".join(map(str, range(40_000)))
    (folder / "one_line.py").write_text(f"x = [{numbers}]\n")
    (folder / "many_lines.py").write_text("".join(f"if x == {n}:\n    y = {n}\n" for n in range(15_000)))
    lines = {str(folder / "one_line.py"): [1], str(folder / "many_lines.py"): list(range(1, 30_000, 2))}
    write_sqlite(folder / ".coverage", {"": lines}, False)


def measure(browser: Browser, title: str, url: str, runs: int) -> None:
    found = sorted(browser.open(url) for _ in range(runs))
    ready, longest = found[len(found) // 2]
    print(f"{title:34}  ready after {ready / 1000:5.2f} s  |  longest task {longest:4.0f} ms", flush=True)


def page_of(report: Path, end: str) -> Path:
    return next(path for path in report.glob(f"*{end}_py.html") if not path.name.startswith("ctx."))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pulpcov", metavar="PROGRAM", help="pulpcov (target/release/pulpcov, or the one on PATH)")
    parser.add_argument("--runs", type=int, default=3, help="runs of each page (%(default)s)")
    parser.add_argument("--slower", type=int, default=SLOWER, help="how many times slower the browser is (%(default)s)")
    args = parser.parse_args()
    pulpcov = find_program("pulpcov", args.pulpcov, TOP / "target/release/pulpcov")
    packages = install()
    with tempfile.TemporaryDirectory(prefix="pulpcov-pages-") as name:
        top = Path(name).resolve()
        sympy = Repository(top / "sympy", packages / "sympy")
        prepare(write_tests, sympy, pulpcov)
        odd_sources(top / "odd")
        for folder in (sympy.folder, top / "odd"):
            subprocess.run([pulpcov, "html", "-q", "--show-contexts", "-d", "report"], cwd=folder, check=True)
            subprocess.run([pulpcov, "html", "-q", "--single-file=report.html"], cwd=folder, check=True)
        browser = Browser(args.slower)
        try:
            report = sympy.folder / "report"
            for view in VIEWS:
                measure(browser, f"SymPy, {view}", f"file://{report}/{view}.html", args.runs)
            measure(browser, "SymPy, core/expr.py", f"file://{page_of(report, '_expr')}", args.runs)
            single = sympy.folder / "report.html"
            measure(browser, f"SymPy, one file of {single.stat().st_size >> 20} MiB", f"file://{single}", args.runs)
            for source in ("one_line", "many_lines"):
                measure(browser, source, f"file://{page_of(top / 'odd/report', source)}", args.runs)
                measure(browser, f"{source}, in one file", f"file://{top}/odd/report.html#{source}_py.html", args.runs)
        finally:
            browser.close()


if __name__ == "__main__":
    main()
