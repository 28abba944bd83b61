#!/usr/bin/env python3
"""Find out whether `pulpcov tests-for` selects a test that fails because of a change.

    tests/mutation_study.py --pulpcov PROGRAM --python PYTHON [--mutants N] [--seed N] PACKAGE...

PACKAGE is a source distribution of PyPI with tests, such as `pluggy==1.6.0`, or a folder. PYTHON has pytest, pytest-cov and
coverage. The tests run once with contexts. Then one thing at a time is changed in the sources, all tests run, and
`tests-for --shadow` compares the failures with what would have been selected. A mutant is caught if at least one of the
tests that it makes fail is selected. Prints for each level how many mutants were killed and caught, and the share of tests
that was selected. Exits with 1 if less than 99.6 percent of the killed mutants of a level are caught.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from pathlib import Path

NEEDED = 0.996
SWAPS = {
    "==": "!=", "!=": "==", "<": ">=", ">": "<=", "<=": ">", ">=": "<", " is not ": " is ", " is ": " is not ",
    " not in ": " in ", " in ": " not in ", " and ": " or ", " or ": " and ", "+": "-", "-": "+", "*": "+",
}


def run(command, cwd, timeout=300, **options):
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("COVERAGE_", "PYTEST_"))}
    environment["PYTHONDONTWRITEBYTECODE"] = "1"
    environment["PYTHONPATH"] = os.pathsep.join([f"{cwd}/src", str(cwd)])
    return subprocess.run(
        command, cwd=cwd, timeout=timeout, capture_output=True, text=True, env=environment, errors="replace", **options
    )


class Mutations(ast.NodeVisitor):
    """Collects changes of a source: the level, the first byte, the byte after the last, and the new text."""

    def __init__(self, text: str):
        self.lines = [0]
        for line in text.encode().split(b"\n"):
            self.lines.append(self.lines[-1] + len(line) + 1)
        self.bytes = text.encode()
        self.level = ["module"]
        self.found: list[tuple[str, int, int, bytes]] = []

    def at(self, line, column):
        return self.lines[line - 1] + column

    def span(self, node):
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def add(self, node, new: bytes):
        start, end = self.span(node)
        if self.bytes[start:end] != new:
            self.found.append((self.level[-1], start, end, new))

    def within(self, level, nodes):
        self.level.append(level)
        for node in nodes:
            if node is not None:
                self.visit(node)
        self.level.pop()

    def visit_FunctionDef(self, node):
        outside = "signature" if self.level[-1] != "function" else "function"
        arguments = node.args
        self.within(outside, [*node.decorator_list, *arguments.defaults, *arguments.kw_defaults])
        if outside == "signature" and node.decorator_list:
            decorator = node.decorator_list[-1]
            start = self.at(decorator.lineno, decorator.col_offset)
            start = self.bytes.rfind(b"@", 0, start)
            self.found.append(("signature", start, self.span(decorator)[1], b""))
        self.within("function", node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ClassDef(self, node):
        level = "class" if self.level[-1] != "function" else "function"
        self.within(level, [*node.decorator_list, *node.bases, *node.body])

    def visit_Expr(self, node):
        # A docstring changes nothing.
        if not isinstance(node.value, ast.Constant):
            self.visit(node.value)
            if isinstance(node.value, ast.Call):
                self.add(node, b"None")

    def visit_Constant(self, node):
        value = node.value
        if isinstance(value, bool):
            self.add(node, str(not value).encode())
        elif isinstance(value, (int, float)):
            self.add(node, repr(value + 1).encode())
        elif isinstance(value, str) and value and self.bytes[self.span(node)[0] : self.span(node)[0] + 1] in b"'\"":
            self.add(node, repr(value + "x").encode())

    def visit_JoinedStr(self, node):
        pass

    def visit_Return(self, node):
        if node.value is not None:
            self.add(node.value, b"None")
        self.generic_visit(node)

    def visit_If(self, node):
        start, end = self.span(node.test)
        self.add(node.test, b"not (" + self.bytes[start:end] + b")")
        self.generic_visit(node)

    def between(self, left, right):
        start, end = self.span(left)[1], self.span(right)[0]
        text = self.bytes[start:end].decode()
        for old, new in SWAPS.items():
            if old in text:
                self.found.append((self.level[-1], start, end, text.replace(old, new, 1).encode()))
                return

    def visit_Compare(self, node):
        self.between(node.left, node.comparators[0])
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        self.between(node.values[0], node.values[1])
        self.generic_visit(node)

    def visit_BinOp(self, node):
        self.between(node.left, node.right)
        self.generic_visit(node)

    def visit_Assign(self, node):
        self.add(node.value, b"None")
        self.generic_visit(node)

    def visit_AnnAssign(self, node):
        if node.value is not None:
            self.add(node.value, b"None")
            self.visit(node.value)

    def visit_Import(self, node):
        pass

    visit_ImportFrom = visit_Import


def mutants_of(path: Path):
    text = path.read_bytes().decode()
    if "\r" in text:
        return
    mutations = Mutations(text)
    mutations.visit(ast.parse(text))
    for level, start, end, new in mutations.found:
        changed = text.encode()[:start] + new + text.encode()[end:]
        try:
            compile(changed, str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            continue
        yield level, changed


class Study:
    def __init__(self, options, folder: Path):
        self.options = options
        self.folder = folder
        self.pytest = [options.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]

    def git(self, *args):
        run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *args], self.folder).check_returncode()

    def prepare(self):
        shutil.rmtree(self.folder / ".git", ignore_errors=True)
        (self.folder / ".gitignore").write_text(".coverage*\n.pulpcov_cache/\n__pycache__/\n*.egg-info/\njunit.xml\n")
        self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "all")
        rcfile = self.folder / ".coveragerc-study"
        rcfile.write_text("[run]\nbranch = True\n")
        with open(self.folder / ".git" / "info" / "exclude", "a") as exclude:
            exclude.write(".coveragerc-study\n")
        measure = ["--cov=.", f"--cov-config={rcfile.name}", "--cov-context=test", "--cov-report="]
        ran = run([*self.pytest, *measure, "--junitxml=junit.xml"], self.folder)
        self.known = self.failed()
        collected = run([*self.pytest, "--collect-only"], self.folder).stdout
        self.tests = [line.strip() for line in collected.splitlines() if "::" in line and " " not in line.split("[")[0]]
        if not self.tests or not (self.folder / ".coverage").exists():
            sys.exit(f"{self.folder.name}: the tests do not run:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")

    def failed(self):
        from xml.etree import ElementTree

        failed = set()
        for case in ElementTree.parse(self.folder / "junit.xml").iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed.add((case.get("classname"), case.get("name")))
        return failed

    def sources(self):
        for path in sorted(self.folder.rglob("*.py")):
            name = path.relative_to(self.folder).as_posix()
            is_test = path.name.startswith(("test_", "conftest")) or path.name.endswith("_test.py")
            if not is_test and not {"tests", "test", "testing", "docs", "bench", "benchmarks", "fuzz", "examples"} & set(name.split("/")[:-1]) and path.name != "setup.py":
                yield path

    def share(self, answer):
        """Returns the share of tests that are selected."""
        if answer["everything"]:
            return 1.0
        ids = [test["id"] for test in answer["tests"]]

        def is_selected(test):
            return any(test == id or test.startswith((id + "::", id + "[", id + "/")) or id == "." for id in ids)

        return sum(map(is_selected, self.tests)) / len(self.tests)

    def tests_for(self, *args):
        command = [self.options.pulpcov, "tests-for", "--base=main", *args]
        return run(command, self.folder)

    def try_mutant(self, path: Path, changed: bytes):
        """Returns whether the mutant was killed and caught, and the share of tests selected."""
        original = path.read_bytes()
        path.write_bytes(changed)
        try:
            try:
                (self.folder / "junit.xml").unlink(missing_ok=True)
                run([*self.pytest, "--junitxml=junit.xml"], self.folder, timeout=self.options.timeout)
                new = self.failed() - self.known
            except (subprocess.TimeoutExpired, FileNotFoundError):
                return None
            if not new:
                return None
            self.keep_only(new)
            ran = self.tests_for("--shadow=junit.xml")
            answer = json.loads(self.tests_for("--format=json").stdout)
            if ran.returncode not in (0, 2):
                sys.exit(f"tests-for failed: {ran.stderr}")
            missed = sum(line.startswith("missed: ") for line in ran.stderr.splitlines())
            failed = len(new)
            return missed < failed, missed, failed, self.share(answer)
        finally:
            path.write_bytes(original)

    def keep_only(self, wanted):
        """Removes from the report the failures that have nothing to do with the mutant."""
        from xml.etree import ElementTree

        tree = ElementTree.parse(self.folder / "junit.xml")
        for suite in tree.iter("testsuite"):
            for case in list(suite.iter("testcase")):
                if (case.get("classname"), case.get("name")) not in wanted:
                    for kind in ("failure", "error"):
                        for child in case.findall(kind):
                            case.remove(child)
        tree.write(self.folder / "junit.xml")


def unpack(package: str, python: str, into: Path) -> Path:
    if Path(package).is_dir():
        return Path(shutil.copytree(package, into / Path(package).name))
    download = [python, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:", "-d", into, package]
    ran = run(download, into)
    archives = list(into.glob("*.tar.gz"))
    if not archives:
        sys.exit(f"{package}: {ran.stderr}")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(into, filter="data")
    archives[0].unlink()
    return next(path for path in into.iterdir() if path.is_dir())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pulpcov", required=True)
    parser.add_argument("--python", required=True)
    parser.add_argument("--mutants", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("packages", nargs="+")
    options = parser.parse_args()
    options.pulpcov = os.path.abspath(options.pulpcov)
    is_good = True
    for package in options.packages:
        rng = random.Random(options.seed)
        with tempfile.TemporaryDirectory() as folder:
            study = Study(options, unpack(package, options.python, Path(folder)))
            study.prepare()
            by_level = defaultdict(list)
            for path in study.sources():
                for level, changed in mutants_of(path):
                    by_level[level].append((path, changed))
            print(f"{package}: {len(study.tests)} tests")
            for level, mutants in sorted(by_level.items()):
                rng.shuffle(mutants)
                results = []
                for path, changed in mutants[: options.mutants * 3]:
                    result = study.try_mutant(path, changed)
                    if result is None:
                        continue
                    results.append(result)
                    if not result[0]:
                        before = path.read_bytes()
                        at = next(i for i, (a, b) in enumerate(zip(before + b"\0", changed + b"\0")) if a != b)
                        line = before[:at].count(b"\n") + 1
                        print(f"  missed: {path.relative_to(study.folder)}:{line}, at {level} level")
                    if len(results) == options.mutants:
                        break
                if not results:
                    continue
                caught = sum(result[0] for result in results)
                missed, failed = sum(result[1] for result in results), sum(result[2] for result in results)
                share = sum(result[3] for result in results) / len(results)
                print(
                    f"  {level}: {caught} of {len(results)} mutants caught, {failed - missed} of {failed} failures,"
                    f" {share:.0%} of tests selected",
                    flush=True,
                )
                is_good &= caught >= NEEDED * len(results)
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
