#!/usr/bin/env python3
"""How much faster than coverage.py does pulpcov report on this machine, and are the bytes the same?

    cargo build --release
    python3 pulpcov-cli/benches/compare_reports_with_coverage.py                        # Python's own library
    python3 pulpcov-cli/benches/compare_reports_with_coverage.py --data-file .coverage  # your own data

Run it with --data-file in the folder where you measured. Without --data-file, it reports on made-up data about the
standard library of the running Python.

coverage.py makes each report. So does pulpcov, once as if for the first time (without its cache of facts about sources)
and once again. The script prints the median wall times, their ratios to coverage.py's, and each program's peak memory.
That peak is never less than the script's own.

It needs Python 3.9 or later with its standard library, and coverage.py as a command.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from compare_with_coverage import TOP, find_program, write_sqlite

REPORTS = {
    "text": ["report"],
    "text -m": ["report", "--show-missing"],
    "json": ["json", "-o", "-"],
    "xml": ["xml", "-o", "-"],
    "lcov": ["lcov", "-o", "-"],
}
# The parts of reports that depend on the version or the time.
MASKED = re.compile(
    rb'(<coverage version="[^"]*" timestamp="\d+"|<!-- .*? -->|"(version|timestamp)": "[^"]*")'
)


def make_data(data_file: Path, branches: bool, share: float) -> None:
    """Write made-up rows about Python's library. Three of five lines ran, one after the other."""
    rng = random.Random(7)
    library = Path(sysconfig.get_path("stdlib"))
    outside = {"test", "tests", "site-packages", "lib2to3"}
    sources = [path for path in sorted(library.rglob("*.py")) if not outside & set(path.parts)]
    measured = {}
    for path in sources[: max(1, round(share * len(sources)))]:
        lines = range(1, path.read_bytes().count(b"\n") + 1)
        ran = [line for line in lines if rng.random() < 0.6]
        rows = list(zip(ran, ran[1:])) if branches else ran
        if rows:
            measured[str(path)] = rows
    write_sqlite(data_file, {"": measured}, branches)


def run(command: list[str], output: Path) -> tuple[float, int]:
    """Run a program. Return the seconds and the bytes of memory that it took."""
    with output.open("wb") as out:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 2):  # 2: the total is below `fail_under`
        sys.exit(f"{' '.join(command)} exited with {process.returncode}")
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(commands: dict[str, list[str]], runs: int, folder: Path) -> dict[str, tuple[float, int]]:
    """Run the programs by turns. Return the median of the seconds, and the peak memory, of each."""
    results = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            results[name].append(run(command, folder / name))
    return {
        name: (statistics.median(seconds for seconds, _ in found), max(memory for _, memory in found))
        for name, found in results.items()
    }


def compare(report: str, programs: dict[str, str], options: list[str], runs: int) -> bool:
    """Measure one report and print the results. Return whether the bytes are the same."""
    arguments = [*REPORTS[report], *options]
    commands = {
        "coverage.py": [programs["coverage.py"], *arguments],
        "first": [programs["pulpcov"], *arguments, "--no-cache"],
        "again": [programs["pulpcov"], *arguments],
    }
    with tempfile.TemporaryDirectory(prefix="pulpcov-compare-") as name:
        folder = Path(name)
        run(commands["again"], folder / "unmeasured")
        found = measure(commands, runs, folder)
        texts = [MASKED.sub(b"", (folder / name).read_bytes()) for name in commands]
    same = texts[0] == texts[1] == texts[2]
    theirs, their_memory = found["coverage.py"]
    cells = [f"{report:8} coverage.py {theirs:7.2f} s {their_memory >> 20:4} MiB"]
    for name in ("first", "again"):
        seconds, memory = found[name]
        cells.append(f"{name} {seconds:6.3f} s {memory >> 20:4} MiB {theirs / seconds:6.1f}x")
    cells.append("same bytes" if same else "OTHER BYTES")
    print("  |  ".join(cells), flush=True)
    return same


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("reports", nargs="*", metavar="REPORT", help=f"of {', '.join(REPORTS)} (all)")
    parser.add_argument("--coverage", metavar="PROGRAM", help="coverage.py's command (the one on PATH)")
    parser.add_argument("--pulpcov", metavar="PROGRAM", help="pulpcov (target/release/pulpcov, or the one on PATH)")
    parser.add_argument("--data-file", type=Path, help="the data to report on, in the folder where it was measured")
    parser.add_argument("--rcfile", help="the configuration of both programs")
    parser.add_argument("--lines", action="store_true", help="made-up data is of lines, not of branches")
    parser.add_argument("--runs", type=int, default=3, help="runs of each program (%(default)s)")
    parser.add_argument("--scale", type=float, default=1.0, help="the share of Python's library (%(default)s)")
    args = parser.parse_args()
    if unknown := set(args.reports) - set(REPORTS):
        parser.error(f"no such report: {', '.join(sorted(unknown))}")
    if args.runs < 1:
        parser.error("--runs must be 1 or more")
    programs = {
        "coverage.py": find_program("coverage", args.coverage),
        "pulpcov": find_program("pulpcov", args.pulpcov, TOP / "target/release/pulpcov"),
    }
    options = ["--ignore-errors"] + ([f"--rcfile={args.rcfile}"] if args.rcfile else [])
    all_same = True
    with tempfile.TemporaryDirectory(prefix="pulpcov-compare-") as name:
        data_file = args.data_file
        if data_file is None:
            data_file = Path(name) / "data"
            make_data(data_file, not args.lines, args.scale)
            os.chdir(name)
        options.append(f"--data-file={data_file}")
        for report in args.reports or REPORTS:
            all_same &= compare(report, programs, options, args.runs)
    sys.exit(0 if all_same else 1)


if __name__ == "__main__":
    main()
