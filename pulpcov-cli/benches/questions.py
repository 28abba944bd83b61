#!/usr/bin/env python3
"""How long do `patch`, `who` and `tests-for` take on large projects?

    cargo build --release
    python3 pulpcov-cli/benches/questions.py            # all
    python3 pulpcov-cli/benches/questions.py who --runs 9

Django and SymPy come from PyPI, into target/questions. Their rows are made up, but name statements, arcs and tests that
these projects have:

- `patch`: Django, with changes in 200 files. A report of the same data is what it compares with.
- `who`: SymPy, with a context for each of about 26,000 tests.
- `tests-for`: the same data, with a change in a function, and with one at the level of a module.

The script prints the median and the best wall time, and the peak memory. The first time is that without the cache of
facts about sources. It needs Python 3.9 or later with its standard library and pip, and git.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from compare_reports_with_coverage import run
from compare_with_coverage import TOP, apart, find_program, write_sqlite

PACKAGES = ["Django==5.2.8", "sympy==1.14.0"]
QUESTIONS = ["patch", "who", "tests-for"]
LONG_AGO = 1_700_000_000
CHANGED_FILES = 200
TESTS = 26_184
# How many files a test runs, and the share of their statements.
FILES_OF_TEST, SHARE = 22, 0.2


def install() -> Path:
    """Return a folder that has the packages."""
    folder = TOP / "target/questions"
    if not (folder / "sympy").is_dir():
        pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps", "--no-compile"]
        subprocess.run([*pip, "--target", str(folder), *PACKAGES], check=True)
    return folder


class Repository:
    """A git repository that has a package."""

    def __init__(self, folder: Path, package: Path) -> None:
        self.folder, self.package = folder, folder / package.name
        folder.mkdir()
        for path in package.rglob("*.py"):
            copy = self.package / path.relative_to(package)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
            # git reads files again that are as new as its index.
            os.utime(copy, (LONG_AGO, LONG_AGO))
        self.git("init", "-q", "-b", "main")
        self.git("add", ".")
        identity = ["-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.com"]
        self.git(*identity, "commit", "-q", "-m", "The package")
        self.git("gc", "-q")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, check=True)

    def facts(self, pulpcov: str) -> dict[str, dict]:
        """Return the statements and arcs of each source, by its path."""
        command = [pulpcov, "debug", "analyze", "--root", str(self.folder), str(self.package)]
        found = subprocess.run(command, capture_output=True, text=True).stdout.splitlines()
        facts = {line["file"]: line for line in map(json.loads, found)}
        return {
            str(self.folder / name): of_file for name, of_file in sorted(facts.items()) if of_file.get("statements")
        }


def write_arcs(repository: Repository, pulpcov: str) -> None:
    """Three of five arcs of each source ran."""
    rng = random.Random("arcs")
    rows = {}
    for path, facts in repository.facts(pulpcov).items():
        rows[path] = [tuple(arc) for arc in facts["arcs"] if rng.random() < 0.6]
    write_sqlite(repository.folder / ".coverage", {"": {path: arcs for path, arcs in rows.items() if arcs}}, True)


def at_import(facts: dict) -> list[int]:
    """Return the statements outside of functions."""
    functions = [range(first, last + 1) for kind, _, _, first, last, _ in facts["regions"] if kind == "function"]
    inside = {line for lines in functions for line in lines}
    return [line for line in facts["statements"] if line not in inside] or facts["statements"][:1]


def write_tests(repository: Repository, pulpcov: str) -> None:
    """Each test ran parts of some files, most of them in the folder that it tests. """
    rng = random.Random("tests")
    facts = repository.facts(pulpcov)
    is_test = lambda path: "/tests/" in path
    sources = [path for path in facts if not is_test(path)]
    tests = []
    for path in filter(is_test, facts):
        tests += [(path, name) for name in re.findall(r"^def (test_\w+)", Path(path).read_text(), re.MULTILINE)]
    # Parametrized tests have one context for each set of parameters.
    times = -(-TESTS // len(tests))
    nodes = [(path, name if time == 0 else f"{name}[{time}]") for time in range(times) for path, name in tests][:TESTS]
    data = {"": {path: at_import(of_file) for path, of_file in facts.items()}}
    for path, name in nodes:
        beside = [source for source in sources if source.startswith(path.partition("/tests/")[0])] or sources
        ran = {path: facts[path]["statements"]}
        for number in range(FILES_OF_TEST):
            source = rng.choice(beside if number % 2 else sources)
            statements = facts[source]["statements"]
            count = max(1, int(SHARE * len(statements)))
            start = rng.randrange(len(statements))
            ran[source] = statements[start : start + count]
        node = str(Path(path).relative_to(repository.folder))
        data[f"{node}::{name}|run"] = ran
    write_sqlite(repository.folder / ".coverage", data, False)


def prepare(write, repository: Repository, pulpcov: str) -> None:
    """Write the data of a repository in another process, because this one must stay small."""
    if not apart(write, repository, pulpcov):
        sys.exit(f"{write.__name__} failed")


def change(path: Path, pattern: str, added: str) -> None:
    """Add a line after the first line of a source that matches."""
    text = path.read_text()
    found = re.search(pattern, text, re.MULTILINE)
    assert found, f"{path} has no {pattern}"
    path.write_text(text[: found.end()] + added + text[found.end() :])


def measure(title: str, command: list[str], folder: Path, runs: int) -> None:
    """Run a command several times, and print what it took."""
    os.chdir(folder)
    with tempfile.TemporaryDirectory(prefix="pulpcov-questions-") as outside:
        output = Path(outside) / "output"
        first, peak = run([*command, "--no-cache"], output)
        run(command, output)
        found = [run(command, output) for _ in range(runs)]
        lines = output.read_bytes().count(b"\n")
    seconds = [seconds for seconds, _ in found]
    memory = max(peak, *(memory for _, memory in found)) >> 20
    times = f"first {first:6.3f} s  |  again {statistics.median(seconds):6.3f} s, at best {min(seconds):6.3f} s"
    print(f"{title:34}  {times}  |  {memory:4} MiB  |  {lines:6} lines", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("questions", nargs="*", metavar="QUESTION", help=f"of {', '.join(QUESTIONS)} (all)")
    parser.add_argument("--pulpcov", metavar="PROGRAM", help="pulpcov (target/release/pulpcov, or the one on PATH)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each command (%(default)s)")
    args = parser.parse_args()
    if unknown := set(args.questions) - set(QUESTIONS):
        parser.error(f"no such question: {', '.join(sorted(unknown))}")
    asked = args.questions or QUESTIONS
    pulpcov = find_program("pulpcov", args.pulpcov, TOP / "target/release/pulpcov")
    packages = install()
    with tempfile.TemporaryDirectory(prefix="pulpcov-questions-") as name:
        top = Path(name).resolve()
        if "patch" in asked:
            django = Repository(top / "django", packages / "django")
            sources = [path for path in sorted(django.package.rglob("*.py")) if path.stat().st_size > 1000]
            for path in sources[:: len(sources) // CHANGED_FILES][:CHANGED_FILES]:
                path.write_text(path.read_text() + "\n\ndef added(value):\n    if value:\n        return 1\n    return 2\n")
            prepare(write_arcs, django, pulpcov)
            measure("report", [pulpcov, "report"], django.folder, args.runs)
            measure("patch, 200 files", [pulpcov, "patch", "--base", "main"], django.folder, args.runs)
        if {"who", "tests-for"} & set(asked):
            sympy = Repository(top / "sympy", packages / "sympy")
            prepare(write_tests, sympy, pulpcov)
            source = sympy.package / "ntheory/factor_.py"
            if "who" in asked:
                measure("who FILE", [pulpcov, "who", str(source)], sympy.folder, args.runs)
                measure("who FILE:LINE", [pulpcov, "who", f"{source}:100"], sympy.folder, args.runs)
            if "tests-for" in asked:
                command = [pulpcov, "tests-for", "--base", "main"]
                change(source, r"^    n = as_int\(n\)\n", "    added = 1\n")
                measure("tests-for, in a function", command, sympy.folder, args.runs)
                change(source, r"^from .*import .*\n", "ADDED = 1\n")
                measure("tests-for, level of a module", command, sympy.folder, args.runs)


if __name__ == "__main__":
    main()
